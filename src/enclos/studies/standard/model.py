"""A standard population: how many of its persons are of which age."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

MAX_GROUPS = 24
"""Age groups of one standardised rate: their weights travel with each result."""
MAX_WEIGHT = 999_999

Ages: TypeAlias = tuple[int, int]
"""Lowest and highest age in completed years, both included."""


@dataclass(frozen=True, slots=True)
class Standard:
    """Ages that do not overlap, in order, each with its weight; a study's own or a published one."""

    name: str
    bands: tuple[tuple[Ages, int], ...]

    def __post_init__(self) -> None:
        ages = [each for each, _ in self.bands]
        if not ages or any(lowest > highest for lowest, highest in ages):
            raise ValueError("a standard has at least one age group, the lower age first")
        if any(after[0] <= before[1] for before, after in pairwise(ages)):
            raise ValueError("the ages of a standard are in order and do not overlap")
        if any(not 0 < weight <= MAX_WEIGHT for _, weight in self.bands):
            raise ValueError("the weights of a standard are positive whole numbers")

    def weight_of(self, ages: Ages) -> int | None:
        """The weight of an age group; None where it is not made of whole bands that follow each other."""
        lowest, highest = ages
        inside = [(band, weight) for band, weight in self.bands if band[0] <= highest and lowest <= band[1]]
        bands = [band for band, _ in inside]
        if not bands or (bands[0][0], bands[-1][1]) != (lowest, highest):
            return None
        if any(after[0] != before[1] + 1 for before, after in pairwise(bands)):
            return None
        return sum(weight for _, weight in inside)

    def weights_of(self, groups: Sequence[Ages]) -> dict[Ages, int] | None:
        """The weight of each of the finest groups (those that hold no other), in order of age.

        Empty: None where they overlap, are not made of whole bands, or are more than MAX_GROUPS.
        """
        finest = sorted(each for each in groups if not any(_within(other, each) for other in groups))
        if len(finest) > MAX_GROUPS or any(after[0] <= before[1] for before, after in pairwise(finest)):
            return None
        weights = {each: weight for each in finest if (weight := self.weight_of(each)) is not None}
        return weights if len(weights) == len(finest) else None


def _within(ages: Ages, other: Ages) -> bool:
    return ages != other and other[0] <= ages[0] and ages[1] <= other[1]
