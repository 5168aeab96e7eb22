"""Profile: what a snapshot holds, counted as OHDSI Achilles counts it, in a few grouped scans a table.

Promise: the same analysis ids and meanings as the peer where it has them; bounded memory, cost linear in rows.
Reads, Writes: OMOP tables through a relation name each; temporary tables of its own engine, nothing else.
Never: releases anything: small cells are shown as they are, to those who run the platform (steward, vault).
Start: data/README.md, then steps.py; model.py for the nouns.
"""
