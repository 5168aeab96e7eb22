"""Pathways: which treatments, alone or together, the persons of a cohort have one after the other.

Promise: one path a person, counted with who is behind it; the steps of TreatmentPatterns, in the order of rules.py.
Reads, Writes: the bucket's ``study_person``, ``study_observed``, ``study_event``; ``study_entry``; nothing else.
Never: hides or rounds a count (release does).
Start: model.py (what is asked), rules.py (from eras to a path), steps.py (what a bucket adds).
"""
