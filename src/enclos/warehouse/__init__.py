"""Warehouse: pseudonymised records become OMOP CDM 5.4, one immutable snapshot per build.

Promise: every delivered row is mapped, cancelled, filtered by a named trap or rejected for a named reason.
Reads, Writes: contracts/pseudonymised through a port; OMOP tables of the lake through a port, in one transaction.
Never: keeps half a build, sees an identity, imports the vault wing, opens a file, guesses a code.
Start: steps/build.py, then plans/ by OMOP noun; the rules in words are in docs/warehouse.md.
"""
