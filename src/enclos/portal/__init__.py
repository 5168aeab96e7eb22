"""Portal: what anybody may see of an enclosure, over the web.

Promise: the register and the published ledger are served as they are, by a process that has no key and no data.
Reads, Writes: the folder of the public register, renewed when it would say something else; the ledger's public files.
Never: asks who reads; serves a file that is not named here; keeps a request.
Start: public.py (what is served), serving.py (two processes), __main__.py (the one that answers).
"""
