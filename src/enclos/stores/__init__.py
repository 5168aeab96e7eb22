"""Stores: the only place that opens databases, files and keys.

Promise: what is written here is encrypted before the host sees it, whole or not at all.
Reads, Writes: the enclosure's folder (vault, crossing, lake, catalog, permits, ledger, release, keys).
Never: decides anything; lets an engine's text, a key or a value reach a message.
Start: engine.py (the one door to DuckDB), sealed.py, keys/.
"""
