"""Paths of treatments, one overlap at a time, from dates; shares no code with the engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from oracle.histories import Cohort, History, spells

Taken = tuple[date, date, frozenset[str]]


@dataclass(frozen=True)
class PathRules:
    """What is asked, in days."""

    follow_up: int | None
    min_era: int
    gap: int
    window: int
    min_part: int
    keep: str
    length: int


def path(history: History, target: Cohort, treatments: Sequence[Cohort], asked: PathRules) -> str | None:
    """The path of one person; None for whoever is not in the target cohort."""
    entries = spells(history, target)
    if not entries:
        return None
    index, end = entries[0]
    if asked.follow_up is not None:
        (observed,) = [last for first, last in history.periods if first <= index <= last]
        end = min(observed, index + timedelta(days=asked.follow_up))
    taken: list[Taken] = []
    for treatment in treatments:
        merged: list[tuple[date, date]] = []
        for first, last in spells(history, treatment):
            if not index <= first <= end or (last - first).days < asked.min_era:
                continue
            if merged and (first - merged[-1][1]).days <= asked.gap:
                merged[-1] = (merged[-1][0], max(merged[-1][1], last))
            else:
                merged.append((first, last))
        taken += [(first, last, frozenset([treatment.name])) for first, last in merged]
    words = ["+".join(sorted(names)) for _, _, names in apart(taken, asked)]
    kept: list[str] = []
    for word in words:
        if asked.keep == "first" and word in kept:
            continue
        if asked.keep == "changes" and kept and kept[-1] == word:
            continue
        kept.append(word)
    return "-".join(kept[: asked.length]) or "None"


def apart(taken: list[Taken], asked: PathRules) -> list[Taken]:
    """The same without overlaps: the earliest is resolved, then all is looked at again."""
    ordered = sorted(taken, key=lambda each: (each[0], each[1], sorted(each[2])))
    for one, other in pairwise(ordered):
        shared = (one[1] - other[0]).days
        if shared <= 0:
            continue
        rest = list(ordered)
        rest.remove(one)
        rest.remove(other)
        whole = shared in {(one[1] - one[0]).days, (other[1] - other[0]).days}
        parts = [(one[0], other[0], one[2])]
        if shared >= asked.window or whole:
            parts.append((other[0], min(one[1], other[1]), one[2] | other[2]))
            tail = other if other[1] > one[1] else one
            parts.append((min(one[1], other[1]), max(one[1], other[1]), tail[2]))
        else:
            rest.append(other)
        rest += [each for each in parts if each[1] > each[0] and (each[1] - each[0]).days >= asked.min_part]
        return apart(rest, asked)
    return ordered
