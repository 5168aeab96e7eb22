"""From eras of treatments to a path."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from enclos.studies.pathways.model import Keep, Steps

NO_PATH = "None"
THEN, WITH = "-", "+"
"""Between treatments one after the other, and together. Source: TreatmentPatterns."""


@dataclass(frozen=True, slots=True, order=True)
class Era:
    """Days on which treatments are taken together."""

    first_day: int
    last_day: int
    treatments: tuple[str, ...]
    """In order of name."""

    @property
    def n_days(self) -> int:
        """Days from the first to the last."""
        return self.last_day - self.first_day


def path_of(eras: Iterable[Era], asked: Steps) -> str:
    """The path of one person: collapse, combine, keep, cut.

    In:     eras — each of one treatment
    Empty:  ``None`` for no treatment
    Source: TreatmentPatterns 3, computePathways. The peer drops parts shorter than the minimum from everybody as soon
            as anybody has a combination; here only the parts that an overlap leaves are dropped.
    """
    combined = combine(collapse(sorted(eras), asked.collapse_days), asked.combination_days, asked.min_part_days)
    names = [WITH.join(era.treatments) for era in combined]
    if asked.keep is Keep.FIRST:
        names = list(dict.fromkeys(names))
    elif asked.keep is Keep.CHANGES:
        names = [*names[:1], *(after for before, after in pairwise(names) if after != before)]
    return THEN.join(names[: asked.max_length]) or NO_PATH


def collapse(eras: Sequence[Era], gap_days: int) -> list[Era]:
    """Eras of one treatment that at most a gap separates, as one.

    In: eras — in order
    """
    open_eras: dict[tuple[str, ...], Era] = {}
    closed: list[Era] = []
    for era in eras:
        before = open_eras.get(era.treatments)
        if before is not None and era.first_day - before.last_day <= gap_days:
            last_day = max(before.last_day, era.last_day)
            open_eras[era.treatments] = Era(before.first_day, last_day, era.treatments)
            continue
        if before is not None:
            closed.append(before)
        open_eras[era.treatments] = era
    return sorted([*closed, *open_eras.values()])


def combine(eras: Sequence[Era], window_days: int, min_part_days: int) -> list[Era]:
    """The eras without overlap: a long one is a combination, a short one a switch from the first to the second.

    An overlap as long as one of its eras is a combination however short.

    In: eras — in order
    """
    found = list(eras)
    at = 0
    while at + 1 < len(found):
        first, second = found[at], found[at + 1]
        overlap = first.last_day - second.first_day
        if overlap <= 0:
            at += 1
            continue
        if overlap < window_days and overlap not in (first.n_days, second.n_days):
            parts = [Era(first.first_day, second.first_day, first.treatments), second]
        else:
            parts = _parted(first, second)
        least = max(min_part_days, 1)
        kept = [part for part in parts if part is second or part.n_days >= least]
        found = sorted([*found[:at], *kept, *found[at + 2 :]])
        at = max(at - 1, 0)
    return found


def _parted(first: Era, second: Era) -> list[Era]:
    """What comes before two eras overlap, their overlap, and what comes after."""
    both = tuple(sorted({*first.treatments, *second.treatments}))
    early, late = sorted((first.last_day, second.last_day))
    longer = second if second.last_day > first.last_day else first
    return [
        Era(first.first_day, second.first_day, first.treatments),
        Era(second.first_day, early, both),
        Era(early, late, longer.treatments),
    ]
