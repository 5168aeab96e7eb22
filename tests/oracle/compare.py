"""What a comparison should find, told slowly and plainly; shares nothing with the code that it judges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """An entry: who, into which cohort, when, and how long each thing goes on after it."""

    person: int
    target: bool
    day: int
    observed_before: int
    to_cohort_end: int
    to_observed_end: int


def first_entries(rows: Sequence[Row]) -> list[int]:
    """Entries that no earlier one of the same person into the same cohort precedes."""
    return [
        at
        for at, row in enumerate(rows)
        if not any(o.person == row.person and o.target == row.target and o.day < row.day for o in rows)
    ]


def without_duplicates(rows: Sequence[Row], kept: Sequence[int], rule: str) -> list[int]:
    """Entries that are left when persons are in one cohort only."""
    found = []
    for at in kept:
        row = rows[at]
        own = min(rows[o].day for o in kept if rows[o].person == row.person and rows[o].target == row.target)
        others = [rows[o].day for o in kept if rows[o].person == row.person and rows[o].target != row.target]
        if not others or (rule != "remove_all" and own < min(others)):
            found.append(at)
    return found


def study_population(
    rows: Sequence[Row],
    outcomes: Sequence[tuple[int, int]],
    *,
    on_treatment: bool,
    from_day: int,
    grace: int,
    longest: int | None,
    washout: int | None,
    min_days: int,
) -> list[tuple[int, int, int, int]]:
    """Position, outcomes, days at risk, days to the first outcome or the end, of each entry that is left.

    In: outcomes — position of the entry and days since it
    """
    found = []
    for at, row in enumerate(rows):
        own = [days for entry, days in outcomes if entry == at]
        since = -math.inf if washout is None else -washout
        if washout != 0 and any(since < days < from_day for days in own):
            continue
        last = row.to_observed_end
        if on_treatment:
            last = min(last, row.to_cohort_end + grace)
        if longest is not None:
            last = min(last, longest)
        at_risk = last - from_day + 1
        if at_risk < max(min_days, 1):
            continue
        inside = sorted(days for days in own if from_day <= days <= last)
        found.append((at, len(inside), at_risk, inside[0] - from_day + 1 if inside else at_risk))
    return found


def greedy_sets(values: Sequence[float], target: Sequence[bool], caliper: float, ratio: int) -> list[int]:
    """Matched sets by looking at every pair again and again: of pairs at one distance that of the lowest target, of its
    comparators one below it, and there the next in order.

    In: values — on the scale of the caliper, in ascending order, ties in the order that breaks them
    """
    sets = [-1] * len(values)
    sizes: list[int] = []
    for size in range(1, ratio + 1):
        progress = False
        while True:
            pairs = [
                (abs(values[t] - values[c]), t, c > t, abs(t - c), c)
                for t in range(len(values))
                if target[t] and (sizes[sets[t]] if sets[t] >= 0 else 0) == size - 1
                for c in range(len(values))
                if not target[c] and sets[c] < 0
            ]
            if not pairs or not min(pairs)[0] < caliper:
                break
            _, t, _, _, c = min(pairs)
            if sets[t] < 0:
                sets[t] = len(sizes)
                sizes.append(0)
            sets[c] = sets[t]
            sizes[sets[t]] += 1
            progress = True
        if not progress:
            break
    return sets


def quantile(values: Sequence[float], share: float) -> float:
    """R's quantile of type 7."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * share
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def strata(scores: Sequence[float], base: Sequence[float], n: int) -> list[int]:
    """The number of borders below each score, plus one."""
    borders = sorted({quantile(base, at / n) for at in range(1, n)})
    return [1 + sum(border < score for border in borders) for score in scores]


def difference(values: Sequence[float], target: Sequence[bool], weights: Sequence[float] | None) -> float:
    """The standardised difference of means of one covariate; not a number where nobody differs from anybody."""
    moments = []
    for arm in (True, False):
        own = [value for value, is_target in zip(values, target, strict=True) if is_target == arm]
        if weights is None:
            mean = sum(own) / len(own)
            variance = sum((value - mean) ** 2 for value in own) / len(own)
        else:
            w = [weight for weight, is_target in zip(weights, target, strict=True) if is_target == arm]
            share = [each / sum(w) for each in w]
            mean = sum(s * value for s, value in zip(share, own, strict=True))
            spread = sum(s * (value - mean) ** 2 for s, value in zip(share, own, strict=True))
            left = 1 - sum(s**2 for s in share)
            variance = spread / left if left > 0 else 0.0
        moments.append((mean, variance))
    pooled = math.sqrt((moments[0][1] + moments[1][1]) / 2)
    return math.nan if pooled < 1e-12 else (moments[0][0] - moments[1][0]) / pooled


def auc(scores: Sequence[float], target: Sequence[bool]) -> float:
    """The share of pairs in which the target has the higher score."""
    pairs = [
        (s, o)
        for s, is_target in zip(scores, target, strict=True)
        if is_target
        for o, other in zip(scores, target, strict=True)
        if not other
    ]
    return sum(1.0 if s > o else 0.5 if s == o else 0.0 for s, o in pairs) / len(pairs)


def curve(days: Sequence[int], outcome: Sequence[bool], weights: Sequence[float], day: int) -> float:
    """The weighted share without the outcome on a day."""
    share = 1.0
    for at in sorted(set(days)):
        if at > day:
            break
        at_risk = sum(w for d, w in zip(days, weights, strict=True) if d >= at)
        events = sum(w for d, o, w in zip(days, outcome, weights, strict=True) if d == at and o)
        share *= 1 - events / at_risk if at_risk else 1.0
    return share
