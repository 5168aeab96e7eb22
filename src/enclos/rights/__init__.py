"""Rights: finding a person again, for a reason of the closed list, by two named persons, for the source alone.

Promise: nobody in the enclosure learns who the person is; what leaves opens at the source that knows them already.
Reads, Writes: requests for re-identification and the decisions on them, sealed.
Never: keeps the answer, reaches vault or warehouse, lets a request live for longer than its reason.
Start: rules.py (reasons and transitions as data), then app/reidentification.py for the way through the circuit.
"""
