"""Quality: what a snapshot is worth, measured in a few scans a table and judged against published thresholds.

Promise: every check of the field list is judged; what nothing was measured for is not applicable, never passed.
Reads, Writes: OMOP tables through a relation name each; writes nothing.
Never: runs one query a check, shows a row or a value of a person, hides a check that cannot be judged.
Start: data/README.md, then steps.py; model.py for the nouns.
"""
