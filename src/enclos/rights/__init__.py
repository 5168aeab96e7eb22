"""Rights: citizens' questions, and finding a person again by two named persons, for the source alone.

Promise: nobody in the enclosure learns who the person is; what leaves opens at the source that knows them already.
Reads, Writes: questions and their desks; requests for re-identification and the decisions on them, sealed.
Never: keeps an answer, reaches vault or warehouse, lets a request live for longer than its reason.
Start: rules.py (reasons and transitions as data), then app/reidentification.py for the way through the circuit.
"""
