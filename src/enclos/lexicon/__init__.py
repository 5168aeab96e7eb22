"""Lexicon: the words every room shares.

Promise: keys, spans, ids, verdicts and refusals mean the same thing in every room.
Reads, Writes: nothing; pure values.
Never: touches a file, a clock, a database or randomness.
Start: refusals.py, then spans.py and ids.py.
"""
