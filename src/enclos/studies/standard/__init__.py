"""Standard populations and the rates weighted by them.

Promise: rates of populations of different ages become comparable, with an interval that holds for rare events.
Reads, Writes: the standard's weights as package data; nothing else.
Never: counts persons, runs SQL, estimates where an age has nobody at risk.
Start: model.py (Standard), rules.py (the rate and its interval).
"""
