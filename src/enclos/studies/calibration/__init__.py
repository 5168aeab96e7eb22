"""Calibration: how far a design errs where the truth is known, and what several enclosures say together.

Promise: estimates get p-values and intervals that hold for a design with its systematic error, as EmpiricalCalibration
gives them; what is pooled is estimates and likelihood profiles, nothing of a person.
Reads, Writes: estimates with standard errors, likelihood profiles, checked tables; values of its own; nothing else.
Never: reads a record of a person; draws by chance what a second run would draw otherwise; hides a count (release does).
Start: model.py (the nouns), rules/null.py (negative controls), rules/pooling.py and rules/profiles.py (several sites).
"""
