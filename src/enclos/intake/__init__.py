"""Intake: accept a delivery only if it is what its sender declared; land it unchanged.

Promise: delivered = landed + rejected, for every file, or nothing of the delivery is kept.
Reads, Writes: a delivery's folder; the landing zone and the vault's tables `deliveries`, `landed`, `rejects`, `fluxes`.
Never: changes a value, guesses an encoding, shows a value of a row.
Start: steps/accepting.py (accept_delivery), rules.py (what is refused), plans.py (how rows are read).
"""
