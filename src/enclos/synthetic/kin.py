"""Who is whose mother: read from the stays of a birth, hers and the child's."""

from __future__ import annotations

from collections import defaultdict, deque

import numpy as np

from enclos.synthetic.illness import Indices
from enclos.synthetic.people import People
from enclos.synthetic.stays.model import NONE, Stays, diagnosis, ghm_root


def mothers(folk: People, found: Stays) -> Indices:
    """By person, the position in the chunk of who gave birth to them; NONE for those born before the data.

    In: found — stays as they are true, before any trap: a birth is one stay of the child and one of the mother, on one
    day in one hospital. Twins under one PSA have one mother.
    """
    delivered = np.isin(found.dp, [diagnosis("O800"), diagnosis("O820")]) & (found.ghm == ghm_root("14Z14"))
    delivered &= found.secondary[:, 0] == diagnosis("Z370")
    gave_birth: defaultdict[tuple[int, int], deque[int]] = defaultdict(deque)
    for stay in np.flatnonzero(delivered).tolist():
        gave_birth[int(found.entry[stay]), int(found.hospital[stay])].append(int(found.person[stay]))
    mother = np.full(len(folk), NONE, dtype=np.int64)
    for stay in births(found).tolist():
        waiting = gave_birth[int(found.entry[stay]), int(found.hospital[stay])]
        if waiting:
            mother[found.person[stay]] = waiting.popleft()
    second = np.flatnonzero((folk.rank > 1) & (mother != NONE))
    mother[second] = mother[second - 1]
    return mother


def births(found: Stays) -> Indices:
    """The stays in which somebody was born."""
    return np.flatnonzero(found.dp == diagnosis("Z380"))
