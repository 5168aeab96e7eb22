"""Forty persons over five years, for tests whose real data may be absent."""

from __future__ import annotations

from datetime import date, timedelta

from oracle.histories import FEMALE, MALE, History, Record

OUTCOMES = {"gibleed": 192671, "bronchitis": 260139, "sinusitis": 40481087, "otitis": 372328}
"""The concepts of the R peers' example on GiBleed."""


def built_in() -> list[History]:
    """Forty persons over five years, everything derived from their number: no data and no randomness needed."""
    people = []
    for n in range(40):
        start = date(2015, 1, 1) + timedelta(days=37 * n % 700)
        middle, end = start + timedelta(days=200 + 11 * n), start + timedelta(days=400 + 29 * n)
        periods = (
            ((start, end),)
            if n % 3
            else ((start, middle), (middle + timedelta(days=1 + n), end + timedelta(days=n + 2)))
        )
        records = []
        for at, concept in enumerate(OUTCOMES.values()):
            first = start + timedelta(days=(53 * n + 101 * at) % 600 - 20)
            records += [Record(concept, first + timedelta(days=gap), None) for gap in (0, 1, 90 + n, 90 + n, 500)]
        people.append(
            History(2**42 + n, MALE if n % 2 else FEMALE, (1930 + n, 1 + n % 12, 29 - n % 2), periods, tuple(records))
        )
    return people
