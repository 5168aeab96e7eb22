"""Permits: authorisations as signed, versioned documents with a life of their own.

Promise: a permit that loads is signed by the access body, unaltered, its newest version, valid now, and names the user.
Reads, Writes: permit documents (YAML in, signed canonical JSON kept, every version with its dates).
Never: touches a row of data, trusts an unsigned file, lowers the enclosure's minimum count, goes back a version.
Start: model.py, then steps.load_active; rules/life.py holds the table of states.
"""
