"""Phenotype diagnostics: is a cohort what its definition meant?

Promise: of each cohort who is in it, what each rule left of it, which codes made it, and when its entries began.
Reads, Writes: the bucket's ``study_*`` tables, the tables of the cohorts' concepts; tables of its own, dropped at once.
Start: model.py (what is asked), codes.py and attrition.py (what is counted), steps.py (what is told).
"""
