"""Delivered: what a sender may put into a delivery, and how each table of it must look.

Promise: a delivery's document, its tables, columns and types are checked against the official layouts, as data.
Reads, Writes: package data (SNDS columns); nothing else.
Never: opens a delivery, runs SQL, quotes a value from a document.
Start: document.py (delivery.json), then tables.py (the layout of every kind).
"""
