"""Hosting: an enclosure lies with a host that is not trusted, and can leave it.

Promise: what a host altered, removed, exchanged or put back is found, and is never taken for data.
Reads, Writes: the names and bytes of stored objects through a port; the manifest of what was stored.
Never: needs the host's word for anything; reads a row; puts a name or a value of a person into an object's name.
Start: model.py (what was stored), rules.py (what a difference means), steps.py (seal, verify), backups.py.
"""
