"""Synthetic: a France that never was, with the truth about it.

Promise: deliveries in the official layouts for n persons, byte-identical for a seed, and the truth beside them.
Reads, Writes: its own code lists (data/); OUT/deliveries and OUT/truth.
Never: touches a real record, an enclosure or a key.
Start: france.py, then people.py and claims/.
"""

from enclos.synthetic.france import make_france

__all__ = ["make_france"]
