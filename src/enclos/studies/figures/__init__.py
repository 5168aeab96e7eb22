"""`studies.figures` a result as pictures and tables that people read.

Promise: what is drawn or tabled is what the result's text says; a number that is withheld or absent is never drawn.
Reads, Writes: a result's table with its settings; nothing else, so that a checked table is drawn by the same code.
Never: sees a person, computes an estimate, runs in a reader's browser, fetches anything.
Start: model.py, reading.py, then parts.py.
"""
