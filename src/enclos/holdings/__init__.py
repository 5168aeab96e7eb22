"""Holdings: what the enclosure holds, told to the public as HealthDCAT-AP.

Promise: a description says what a snapshot counts and a document states, in rounded numbers, and nothing of a person.
Reads, Writes: counts of a snapshot through a port, the document about the enclosure; Turtle, JSON-LD, CSV as bytes.
Never: names, shows or samples a person; makes up what nobody stated; lets a number rest on too few persons.
Start: document.py (what is stated), rules/counts.py (what of a count is told), rules/describing.py.
"""
