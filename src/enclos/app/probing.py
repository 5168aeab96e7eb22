"""How often a permit is told whether a result differs by a few from what was released, and how often it was.

Each check and each request answers whether its sets differ by a few persons from what left, whatever else it says: who
asks for one version after the other probes. That nothing differs tells too: who has found a set that differs by one
less than the minimum learns from each such answer that one more person is in none of it. The ledger has each of them,
so it is asked, and nothing else is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from enclos.app.enclosure import Enclosure
from enclos.lexicon.canonical import canonical_bytes, sha256_hex
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.release.model import Probes, Terms

_OF_LENGTH = 16
_DAY, _LATELY = timedelta(days=1), timedelta(days=30)


def probed(enclosure: Enclosure, permit: str, run: str, tables: Sequence[str], terms: Terms) -> tuple[str, Probes]:
    """What tells a run with its tables among all that were checked; what the permit was told before of others.

    In:      terms — of how many distinct runs and tables a permit is told in a day, and of how many that they differ
    Refuses: RELEASE_PROBING when it was told so often, whatever this would be answered; what was told within the day
             is told again.
    """
    of = sha256_hex(canonical_bytes([run, *sorted(set(tables))]))[:_OF_LENGTH]
    known, now = enclosure.marks.probes(permit), enclosure.ledger.now()
    told = {each: probe.differed_at for each, probe in known.items() if probe.differed_at is not None}
    for answered, most, what in (
        (told, terms.max_collisions, "differed by a few persons from what was released"),
        ({each: probe.at for each, probe in known.items()}, terms.max_checks, "were checked or asked for"),
    ):
        today = {each: at for each, at in answered.items() if now - at < _DAY}
        if len(today) >= most and of not in today:
            after = sorted(today.values())[-most] + _DAY
            raise refusal(
                Code.RELEASE_PROBING,
                f"Within a day {len(today)} results under this permit {what}.",
                f"Ask again after {after:%Y-%m-%d %H:%M} UTC, or talk with those who check.",
            )
    others = [at for each, at in told.items() if each != of]
    return of, Probes(len(known.keys() - {of}), len(others), sum(now - at < _LATELY for at in others))
