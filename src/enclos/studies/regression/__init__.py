"""Regression: sparse, penalised, conditional; the numbers behind comparisons and self-controlled designs.

Promise: the maximum of the stated log-likelihood, or a status that says why there is none.
Reads, Writes: arrays in memory; nothing else. The design stays sparse: no array of rows times columns is ever made.
Never: knows what a row or a column means, sees a table or a person's number.
Start: model.py (what is asked and given), steps (fit, profile_interval, cross_validate), rules (the likelihoods).
"""
