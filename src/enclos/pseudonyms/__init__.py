"""Pseudonyms: replace identities by keys that nobody outside can turn back; the only room with secrets.

Promise: one number per person, collision-free and stable; landed = crossed + left behind for a named reason.
Reads, Writes: landed rows, the vault's `clusters`, `person_map`, `numberings`; the crossing, the only way out.
Never: lets an identity cross; numbers persons by identity; sees a key's bytes; uses SHA-1; puts secrets into SQL.
Start: steps/ (number_persons, cross), secret_functions/, then plans/ by source.
"""
