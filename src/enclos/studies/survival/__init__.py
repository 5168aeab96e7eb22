"""Survival: how long the persons of a cohort go without an outcome, alone or beside a competing one.

Promise: the counts and estimates of CohortSurvival 1.1.2, with who is behind each; where it differs, plans.py says so.
Reads, Writes: the bucket's ``study_person``, ``study_observed`` and ``study_event``; nothing else.
Never: hides or rounds a count (release does).
Start: model.py (what is asked), steps.py (what a bucket adds), rules.py (the estimators).
"""
