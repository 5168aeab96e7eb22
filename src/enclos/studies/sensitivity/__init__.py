"""Sensitivity: the same question asked in several ways.

Promise: each way finds what a study finds that asks it alone; its results carry its name.
Reads, Writes: nothing; the followers of each design do (studies/steps/following.py).
Never: says what another way may change, which is each design's own (its document.py).
Start: model.py (ways of asking by name), document.py (how a study writes them).
"""
