"""Studies: from a permit's view to cohorts, person-time and estimates, with attrition.

Promise: a study document gives the same numbers for the same snapshot, however the persons are bucketed.
Reads, Writes: a permit's OMOP tables through the Cdm port; temporary tables of its own; nothing else.
Never: opens a database, sees an identity, rounds or hides a small count (release does).
Start: model.py (what a study is), then steps.py (run_study); document.py reads the YAML.
"""
