"""Cohorts made of other cohorts of the study: put together, narrowed, joined or sampled.

Promise: entries that follow from the entries of the cohorts named and from the person alone, so that they are the same
for any number of buckets.
Reads, Writes: the bucket's ``study_person``, ``study_observed`` and ``study_event``; adds rows to the last.
Start: model.py (what is asked), plans.py (what each operation does).
"""
