"""Cases against other time or other persons: self-controlled cohort, case-crossover, case-control.

Promise: the same sets for any number of buckets; controls are drawn by seed from those still at risk.
Reads, Writes: the bucket's ``study_person``, ``study_observed``, ``study_event``; ``study_index``; nothing else.
Never: hides or rounds a count (release does).
Start: model.py (what is asked), matching.py (who is compared with whom), steps.py (what a bucket adds).
"""
