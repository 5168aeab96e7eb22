"""Tables counted the slow way: plain Python over rows, one group and one person after the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import combinations
from math import sqrt
from typing import Any

Row = Mapping[str, Any]
Group = tuple[tuple[str, str], ...]
Told = tuple[float, frozenset[int]]
"""A number and the persons behind it."""

SHARES = {
    "q05": (5, 100),
    "q10": (1, 10),
    "q25": (1, 4),
    "median": (1, 2),
    "q75": (3, 4),
    "q90": (9, 10),
    "q95": (95, 100),
}


def table_of(
    rows: Sequence[Row],
    keys: Mapping[str, Callable[[Row], str]],
    measures: Iterable[tuple[str, Callable[[Row], Any], Callable[[Row], bool]]],
    margins: Iterable[Sequence[str]],
) -> dict[tuple[Group, int], Told]:
    """Each measure of each group that has it.

    In: measures — estimate, what of a row it is about, and whether a row counts
    """
    found: dict[tuple[Group, int], Told] = {}
    for margin in margins:
        groups: dict[Group, list[Row]] = defaultdict(list)
        for row in rows:
            groups[tuple((name, keys[name](row)) for name in margin)].append(row)
        for group, own in groups.items():
            for number, (estimate, value, counts) in enumerate(measures):
                kept = [row for row in own if counts(row) and value(row) is not None]
                told = _number(estimate, kept, value)
                if told is not None:
                    found[group, number] = (told, frozenset(row["person_id"] for row in kept))
    return found


def _number(estimate: str, rows: Sequence[Row], value: Callable[[Row], Any]) -> float | None:
    values = sorted(Fraction(value(row)) for row in rows)
    if not rows or (estimate == "sd" and len(rows) == 1):
        return None
    if estimate.endswith("_count"):
        return len(rows if estimate == "record_count" else set(values))
    mean = sum(values) / len(values)
    if estimate == "sum":
        return float(sum(values))
    if estimate == "mean":
        return float(mean)
    if estimate == "sd":
        return sqrt(sum((each - mean) ** 2 for each in values) / (len(values) - 1))
    share = Fraction(*SHARES[estimate])
    place = share * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return float(values[low] + (values[high] - values[low]) * (place - low))


def all_margins(names: Sequence[str]) -> list[tuple[str, ...]]:
    """The groupings of CUBE."""
    return [each for size in range(len(names) + 1) for each in combinations(names, size)]


def largest_two(totals: Iterable[float]) -> tuple[float, float]:
    """The two persons who add most."""
    first, second, *_ = [*sorted((abs(each) for each in totals), reverse=True), 0.0, 0.0]
    return first, second
