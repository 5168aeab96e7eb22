"""Self-controlled case series day by day: what each day of a case is, then days that are alike together.

Written to judge an engine that sorts and counts. It shares no code with it.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Stretch = tuple[int, int]
"""First and last day, both included."""


@dataclass(frozen=True)
class Window:
    """Days around exposures, from the first or the last day of each."""

    from_day: int
    from_end: bool
    to_day: int
    to_end: bool
    first_only: bool = False


@dataclass(frozen=True)
class Case:
    """An observation period with its outcomes and the exposures of each kind."""

    days: Stretch
    born: int
    outcomes: tuple[int, ...]
    exposures: tuple[tuple[Stretch, ...], ...]


@dataclass(frozen=True)
class Rules:
    """What counts."""

    first_outcome_only: bool = False
    naive_days: int = 0
    ages: tuple[int, int] | None = None
    dates: tuple[int | None, int | None] = (None, None)
    end_days: int = 30


def runs(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The longest stretches of days one after the other."""
    days = sorted({day for first, last in stretches for day in range(first, last + 1)})
    return [
        (day, next(end for end in days if end >= day and end + 1 not in days)) for day in days if day - 1 not in days
    ]


def counted(case: Case, rules: Rules) -> tuple[set[int], list[int]]:
    """The days that count and the outcomes on them; no outcome when the case has none left."""
    outcomes = sorted(case.outcomes)[:1] if rules.first_outcome_only else list(case.outcomes)
    first: float
    last: float
    first, last = case.days
    for low, high in _limits(case, rules):
        first, last = max(first, low), min(last, high)
        if not math.ceil(first) < last:
            return set(), []
    days = set(range(math.ceil(first), int(last) + 1))
    return days, [day for day in outcomes if day in days]


def _limits(case: Case, rules: Rules) -> Iterable[tuple[float, float]]:
    if rules.naive_days:
        yield case.days[0] + rules.naive_days, math.inf
    if rules.ages is not None:
        yield case.born + rules.ages[0] * 365.25, case.born + round((rules.ages[1] + 1) * 365.25) - 1
    if rules.dates != (None, None):
        low, high = rules.dates
        yield -math.inf if low is None else low, math.inf if high is None else high


def windows_on(case: Case, windows: Sequence[Window], days: set[int], end_days: int) -> dict[int, frozenset[object]]:
    """For each day that counts, the windows that it is in: (window, exposure), or "end"."""
    found: dict[int, set[object]] = {day: set() for day in days}
    for kind, stretches in enumerate(case.exposures):
        eras = runs(stretches)
        for at, window in enumerate(windows):
            for number, (start, end) in enumerate(eras):
                if window.first_only and number:
                    continue
                low = window.from_day + (end if window.from_end else start)
                high = window.to_day + (end if window.to_end else start)
                following = eras[number + 1][0] if number + 1 < len(eras) and not window.first_only else math.inf
                for day in days:
                    if low <= day <= high and day < following:
                        found[day].add((at, kind))
    if end_days:
        for day in sorted(days)[-end_days:]:
            found[day].add("end")
    return {day: frozenset(each) for day, each in found.items()}


def rows(case: Case, windows: Sequence[Window], rules: Rules) -> dict[frozenset[object], tuple[int, int]]:
    """Days and outcomes by what the days are in; nothing for a case that tells nothing."""
    days, outcomes = counted(case, rules)
    if not outcomes:
        return {}
    on = windows_on(case, windows, days, rules.end_days)
    changes = sum(on[day] != on[day - 1] for day in days if day - 1 in days)
    # Two exposures of a kind with no day between their windows are one window, so nothing changes between them.
    if not changes:
        return {}
    n_days, n_outcomes = Counter(on.values()), Counter(on[day] for day in outcomes)
    return {kind: (n_days[kind], n_outcomes[kind]) for kind in n_days}


def log_likelihood(strata: Iterable[Sequence[tuple[int, int, Sequence[float]]]], beta: Sequence[float]) -> float:
    """The conditional Poisson log-likelihood, up to what no coefficient changes.

    In: strata — for each case, its rows: days, outcomes, and what the coefficients multiply
    """
    total = 0.0
    for stratum in strata:
        rates = [days * math.exp(sum(b * x for b, x in zip(beta, row, strict=True))) for days, _, row in stratum]
        whole = sum(rates)
        for rate, (_, n, _) in zip(rates, stratum, strict=True):
            total += n * math.log(rate / whole) if n else 0.0
    return total


def basis(knots: Sequence[float], at: float, degree: int) -> list[float]:
    """The B-splines at a point by the recursion of Cox and de Boor; whole intervals to the left of each knot's end."""
    memo: dict[tuple[int, int], float] = {}
    last = max(index for index in range(len(knots) - 1) if knots[index] < knots[index + 1])

    def value(index: int, order: int) -> float:
        if (index, order) in memo:
            return memo[index, order]
        if order == 0:
            inside = knots[index] <= at < knots[index + 1] or (index == last and at == knots[index + 1])
            found = float(inside)
        else:
            found = 0.0
            for step, sign in ((index, 1), (index + 1, -1)):
                width = knots[step + order] - knots[step]
                if width > 0:
                    distance = at - knots[step] if sign == 1 else knots[step + order] - at
                    found += distance / width * value(step, order - 1)
        memo[index, order] = found
        return found

    return [value(index, degree) for index in range(len(knots) - degree - 1)]


def by_person(cases: Iterable[tuple[int, Case]]) -> dict[int, list[Case]]:
    """The cases of each person."""
    found: dict[int, list[Case]] = defaultdict(list)
    for person, case in cases:
        found[person].append(case)
    return found
