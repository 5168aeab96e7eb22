"""Portal: what is seen of an enclosure over the web: by anybody the register, by who signed in what is theirs.

Promise: what strangers send is parsed by a process that has no key and no data; people are answered by token and role.
Reads, Writes: the folder of the public register, renewed when it would say something else; the ledger's public files.
Never: asks who reads the register; serves a file that is not named here; keeps a request, or a session on a disk.
Start: public.py (anybody), people.py, desk.py and rooms/ (who signed in), api/, forwarding.py, shares.py, serving.py.
"""
