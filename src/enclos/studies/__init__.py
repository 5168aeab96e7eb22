"""Studies: from a permit's view to cohorts, person-time and estimates, with attrition.

Promise: a study document gives the same numbers for the same snapshot, however the persons are bucketed.
Reads, Writes: a permit's OMOP tables through the Cdm port; temporary tables of its own; nothing else.
Never: opens a database, sees an identity, rounds or hides a small count (release does).
Start: model/ (what a study is), then steps/run.py (run_study); document/ reads the YAML.
"""
