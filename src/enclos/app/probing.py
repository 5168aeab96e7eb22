"""How often a permit is told that a result differs by a few from what was released, and how often it was.

Each check and each request answers whether its sets differ by a few persons from what left, whatever else it says: who
asks for one version after the other probes. The ledger has each of them, so it is asked, and nothing else is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from enclos.app.enclosure import Enclosure
from enclos.lexicon.canonical import canonical_bytes, sha256_hex
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.release.model import Probes

_OF_LENGTH = 16
_DAY, _LATELY = timedelta(days=1), timedelta(days=30)


def probed(enclosure: Enclosure, permit: str, run: str, tables: Sequence[str], most: int) -> tuple[str, Probes]:
    """What tells a run with its tables among all that were checked; what the permit was told before of others.

    In:      most — distinct runs and tables of which a permit is told, in a day, that they differ by a few
    Refuses: RELEASE_PROBING when it was told so often, whatever this would be answered; what was told within the day
             is told again.
    """
    of = sha256_hex(canonical_bytes([run, *sorted(set(tables))]))[:_OF_LENGTH]
    known, now = enclosure.marks.probes(permit), enclosure.ledger.now()
    told = {each: at for each, at in known.items() if at is not None}
    today = {each: at for each, at in told.items() if now - at < _DAY}
    if len(today) >= most and of not in today:
        raise refusal(
            Code.RELEASE_PROBING,
            f"Within a day {len(today)} results under this permit differed by a few persons from what was released.",
            f"Ask again after {sorted(today.values())[-most] + _DAY:%Y-%m-%d %H:%M} UTC, or talk with those who check.",
        )
    others = [at for each, at in told.items() if each != of]
    return of, Probes(len(known.keys() - {of}), len(others), sum(now - at < _LATELY for at in others))
