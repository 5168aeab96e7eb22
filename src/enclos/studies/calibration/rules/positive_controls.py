"""Synthetic positive controls: a negative control with outcomes added during exposure, so that its effect is known.

Outcomes are added where a model of measured risk expects them, so that measured confounding stays as it is. How many is
counted, not drawn: the observed outcomes times the wanted effect. Which exposures get one is drawn in one pass, each in
proportion to its expected outcomes, from SHA-256 of seed and exposure: a second run draws the same.
Source: Schuemie et al., PNAS 115 (2018) 2571; OHDSI MethodEvaluation, synthesizePositiveControls (which draws Poisson
counts until the wanted effect is met); Madow, Annals of Mathematical Statistics 20 (1949) 333 for the draw.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from enclos.studies.calibration.model import Floats

_HEX, _BITS = 13, 52


@dataclass(frozen=True, slots=True)
class Exposure:
    """One stretch of exposed time: who or what it is, how long it lasts, what happened and what a model expects."""

    key: int
    n_days: int
    n_observed: int
    n_expected: float
    """Outcomes that the model of measured risk expects during it."""

    def __post_init__(self) -> None:
        if self.n_days < 1 or self.n_observed < 0 or not self.n_expected >= 0:
            raise ValueError("an exposure lasts a day at least and has no fewer than no outcomes")


@dataclass(frozen=True, slots=True)
class Injected:
    """An outcome to add: the exposure it belongs to and the day of it, the first being 0."""

    key: int
    day: int


@dataclass(frozen=True, slots=True)
class Growth:
    """Outcomes during exposure, and how many are added to them."""

    n_observed: int
    n_added: int

    @property
    def true_log(self) -> float:
        """The log effect that this makes."""
        return math.log((self.n_observed + self.n_added) / self.n_observed)

    @property
    def variance(self) -> float:
        """How much more the log of its effect varies than so many outcomes would by themselves.

        What is added is a multiple of what was observed, and so multiplies the chance that this came about by: the log
        of all outcomes varies as that of the observed ones.
        """
        return 1 / self.n_observed - 1 / (self.n_observed + self.n_added)


@dataclass(frozen=True, slots=True)
class PositiveControl(Growth):
    """The outcomes to add."""

    added: tuple[Injected, ...]


def n_to_add(n_observed: int, effect: float) -> int:
    """How many outcomes make an effect of that size."""
    return round((effect - 1) * n_observed)


def positive_control(
    exposures: Sequence[Exposure], effect: float, seed: int, *, first_only: bool = True
) -> PositiveControl | None:
    """The outcomes to add to exposed time so that it has an effect of that size.

    In:      effect — wanted rate ratio, above 1; first_only — an exposure that has had the outcome gets none, and none
             gets two
    Empty:   None when so many cannot be added: too few observed outcomes, or exposures that could have one
    Refuses: ValueError for an effect that is not above 1, and for two exposures of one key
    """
    if not effect > 1 or len({each.key for each in exposures}) != len(exposures):
        raise ValueError("a positive control has an effect above 1, and exposures each a key of its own")
    n_observed = sum(each.n_observed for each in exposures)
    n_added = n_to_add(n_observed, effect)
    able = [each for each in exposures if each.n_expected > 0 and not (first_only and each.n_observed)]
    if n_added == 0 or not able or (first_only and n_added > len(able)):
        return None
    able.sort(key=lambda each: _uniform(seed, each.key, "order"))
    expected = np.array([each.n_expected for each in able])
    shares = _shares(expected, n_added) if first_only else n_added * expected / expected.sum()
    ends = np.floor(np.cumsum(shares) + _uniform(seed, 0, "start") + 1e-9).astype(np.int64)
    counts = np.diff(ends, prepend=0)
    added = [
        Injected(each.key, int(_uniform(seed, each.key, f"day {number}") * each.n_days))
        for each, count in zip(able, counts, strict=True)
        for number in range(count)
    ]
    added.sort(key=lambda each: (each.key, each.day))
    return PositiveControl(n_observed, len(added), tuple(added))


def _shares(expected: Floats, n_added: int) -> Floats:
    """Chances in proportion to what is expected, none above one, that add up to the number to add."""
    certain = np.zeros(len(expected), dtype=bool)
    while True:
        left = n_added - int(certain.sum())
        rest = expected[~certain].sum()
        shares = np.where(certain, 1.0, left * expected / rest if rest > 0 else 0.0)
        above = (shares > 1) & ~certain
        if not above.any():
            return np.asarray(shares)
        certain |= above


def _uniform(seed: int, key: int, what: str) -> float:
    """A number in [0, 1) that seed, key and purpose decide."""
    digest = hashlib.sha256(f"{seed}:{key}:{what}".encode()).hexdigest()
    return int(digest[:_HEX], 16) / (1 << _BITS)
