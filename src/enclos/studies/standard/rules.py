"""Directly standardised rates."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import cache
from importlib import resources

from enclos.studies.standard.model import Ages, Standard

_LOWER, _UPPER = 0.025, 0.975
_OLDEST_GROUP = 85
"""Where the age groups that a study gets by default end: the last band that most populations fill."""


@cache
def esp2013() -> Standard:
    """The European Standard Population of 2013: 100 000 persons of the EU-27 and EFTA as projected for 2011 to 2030.

    Source: Eurostat, Revision of the European Standard Population, 2013 edition, doi 10.2785/11470, table of weights
            by age up to 95 and over.
    """
    text = resources.files("enclos.studies.standard").joinpath("esp2013.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    bands = (((int(row["min_years"]), int(row["max_years"])), int(row["weight"])) for row in rows)
    return Standard("esp2013", tuple(bands))


STANDARDS = {"esp2013": esp2013}
"""Published standards by the name that a study gives."""


def default_groups(standard: Standard) -> list[Ages]:
    """The age groups where a study names none: five years up to 85 and over of a published standard, else its own."""
    bands = [ages for ages, _ in standard.bands]
    if standard.name not in STANDARDS:
        return bands
    by_five = [(age, age + 4) for age in range(0, _OLDEST_GROUP, 5)]
    return [*by_five, (_OLDEST_GROUP, bands[-1][1])]


def standardised(n_events: Sequence[int], years: Sequence[float], weights: Sequence[int]) -> tuple[float, float, float]:
    """A directly standardised rate per year with its 95 % gamma interval: the rate, its lower and its upper end.

    In:     events, person-years (all above nothing) and weight of each age group
    Source: Fay and Feuer 1997, Stat. Med. 16:791, equations for the gamma interval: exact for one age group, where it
            is that of Garwood.
    """
    from scipy.special import gammaincinv

    total = sum(weights)
    per_event = [weight / total / time for weight, time in zip(weights, years, strict=True)]
    rate = sum(n * each for n, each in zip(n_events, per_event, strict=True))
    variance = sum(n * each * each for n, each in zip(n_events, per_event, strict=True))
    widest = max(per_event)
    more, spread = rate + widest, variance + widest**2
    lower = variance / rate * float(gammaincinv(rate**2 / variance, _LOWER)) if rate else 0.0
    return rate, lower, spread / more * float(gammaincinv(more**2 / spread, _UPPER))
