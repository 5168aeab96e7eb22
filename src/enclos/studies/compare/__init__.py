"""Comparison: new users of one drug against new users of another, made alike by the propensity score.

Promise: the population, sets, balance and estimates of CohortMethod 6; no estimate unless its diagnostics pass.
Reads, Writes: the bucket's study tables and the domains that covariates are made of; nothing else.
Never: shows an estimate before its diagnostics are judged; hides or rounds a count (release does).
Start: model.py (what is asked), rules/ by noun (population, scores, matching, balance), steps.py (bucket by bucket).
"""
