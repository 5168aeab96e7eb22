"""Ledger: what happened, by whom, under what right; anyone can check it.

Promise: nothing runs that is not written here first; what is written cannot be altered, lost or reordered unseen.
Reads, Writes: ledger/ (checkpoint, tiles and entries, to publish as they are; private/, never to publish).
Never: writes a personal value in clear; lets time run back; begins a second ledger in the place of a lost one.
Start: steps (Ledger, Ticket), then model.py and rules/.
"""
