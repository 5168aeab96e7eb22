"""Tables of groups: counted by the platform from rows that each belong to one person.

Promise: every number comes with the distinct persons behind it, and with what it owes to the largest of them.
Reads, Writes: rows of persons in the form of contracts/tables; a result with its cells.
Never: takes a number from whoever asked.
Start: rules.py.
"""
