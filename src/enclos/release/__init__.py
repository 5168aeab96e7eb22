"""Release: a result leaves only if every check and two people say so.

Promise: what leaves is a typed table in which no cell, and no difference of cells, rests on too few persons; two
persons who have no part in it accepted it, and it is to the byte what they accepted.
Reads, Writes: typed results with the persons of each cell; requests, evidence and votes, sealed; signed packages.
Never: releases a file, a label that is not from a list, an estimate whose persons are not known, a hidden count.
Start: model.py, then rules/disclosure.py for what is hidden and steps/requests.py for who decides.
"""
