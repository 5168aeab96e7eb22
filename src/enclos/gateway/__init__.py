"""Gateway: two doors for other people's tools, over TLS, to the same guarded SQL.

Promise: what comes through a door is answered by the function behind ``enclos sql``, or from the permit's names alone.
Reads, Writes: nothing of its own; statements go to ``app``, with the person who signed in and the permit they chose.
Never: answers in clear text; knows a password; shows an engine's text; lets one person's statements stop the others.
Start: ports.py (what a door may ask), keeper.py (who answers), postgres/ and flight/ (the doors).
"""
