"""Linkage: decide which records belong to one person, with what confidence.

Promise: a hospital's patient is linked to one SNDS person or to none; twins stay two; temporary ids do not survive.
Reads, Writes: landed link deliveries and persons; the vault's `links`, `link_rounds`, `link_reports`, `clusters`.
Never: sees a health value; keeps a temporary id after validation; shows an identity.
Start: steps.py (link, group_persons), rules.py (what one person is).
"""
