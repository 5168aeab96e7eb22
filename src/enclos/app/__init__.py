"""App: the order of steps; joins rooms and stores.

Promise: every command of the command line is one function here, with the ledger around it.
Reads, Writes: an enclosure, through the stores.
Never: decides what a room decides; prints.
Start: enclosure.py, then one file per noun (deliveries, persons, snapshots, permits, studies, releases, ledger).
"""
