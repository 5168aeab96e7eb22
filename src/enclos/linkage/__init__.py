"""Linkage: decide which records belong to one person, with what confidence.

Promise: a hospital's patient is linked to one SNDS person or to none; twins stay two; temporary ids do not survive.
Reads, Writes: landed link deliveries, persons, stays; the vault's `links`, `link_*`, `indirect_*`, `clusters`.
Never: keeps a temporary id after validation; compares a code but as its keyed number; keeps a stay; shows an identity.
Start: steps/direct.py (link, group_persons), steps/indirect.py (link_indirectly), rules.py (what one person is).
"""
