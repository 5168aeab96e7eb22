"""Pseudonyms: replace identities by keys that nobody outside can turn back; the only room with secrets.

Promise: one number per person, collision-free and stable; landed = crossed + left behind for a named reason.
Reads, Writes: landed rows, the vault's `clusters`, `person_map`, `numberings`; the crossing, the only way out.
Never: lets an identity cross; derives a number from an identity; uses SHA-1; puts a secret into SQL.
Start: steps/ (number_persons, cross), secret_functions.py, then plans/ by source.
"""
