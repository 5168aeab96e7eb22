"""Contracts: the tables that cross a border between rooms.

Promise: what one room writes and the next one reads is named, typed and checked here, once.
Reads, Writes: package data (official schemas as CSV); nothing else.
Never: runs SQL, opens a file of an enclosure, knows a room.
Start: pseudonymised/ (the wall), then omop.py, delivered/ and result.py.
"""
