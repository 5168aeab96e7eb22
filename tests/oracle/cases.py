"""The designs around cases person by person; exact ratios by summing chances. Shares no code with the engine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Stretch = tuple[int, int]


Rules = tuple[bool, int | None, int | None]
"""Same sex, years between births, days between entries."""


@dataclass(frozen=True)
class Person:
    """Days of one person; stretches of exposures by kind."""

    person_id: int
    sex: str | None
    born: int | None
    periods: tuple[Stretch, ...]
    outcomes: tuple[int, ...]
    exposures: tuple[tuple[Stretch, ...], ...]
    nested: tuple[Stretch, ...] = ()


@dataclass(frozen=True)
class Around:
    """How a self-controlled cohort looks around exposures."""

    risk: Stretch
    control: Stretch
    add_length: bool
    first_exposure: bool
    first_outcome: bool
    full: bool
    prior: int
    follow_up: int


def around_exposures(person: Person, kind: int, asked: Around) -> list[tuple[int, int, int, int]]:
    """For each exposure that counts: days and outcomes after, days and outcomes before."""
    exposures = sorted(person.exposures[kind])
    outcomes = sorted(person.outcomes)
    found = []
    for start, end in exposures[:1] if asked.first_exposure else exposures:
        (first, last), *_ = [each for each in person.periods if each[0] <= start <= each[1]]
        length = end - start if asked.add_length else 0
        after = range(start + asked.risk[0], start + asked.risk[1] + length + 1)
        before = range(start + asked.control[0] - length, start + asked.control[1] + 1)
        seen = [[day for day in days if first <= day <= last] for days in (after, before)]
        if not all(seen) or start - first < asked.prior or last - start < asked.follow_up:
            continue
        if asked.full and (len(seen[0]), len(seen[1])) != (len(after), len(before)):
            continue
        counted = outcomes[:1] if asked.first_outcome else outcomes
        n_after, n_before = (sum(day in days for day in counted) for days in seen)
        found.append((len(seen[0]), n_after, len(seen[1]), n_before))
    return found


def index_days(person: Person, first_only: bool, prior: int, nested: bool) -> list[tuple[int, Stretch]]:
    """The outcomes that make a case, each with the stretch that it lies in."""
    stays = person.nested if nested else person.periods
    outcomes = sorted(person.outcomes)[:1] if first_only else sorted(person.outcomes)
    return [(day, stay) for day in outcomes for stay in stays if stay[0] <= day <= stay[1] and day - stay[0] >= prior]


def is_exposed(person: Person, kind: int, first: int, last: int) -> bool:
    """Whether a day of a stretch lies between the two."""
    return any(start <= last and end >= first for start, end in person.exposures[kind])


def can_be_control(
    other: Person,
    case: Person,
    day: int,
    stay: Stretch,
    prior: int,
    nested: bool,
    rules: Rules,
) -> bool:
    """Whether a person can be compared with a case."""
    same_sex, years, entry_days = rules
    if other.person_id == case.person_id or any(outcome <= day for outcome in other.outcomes):
        return False
    if same_sex and (case.sex is None or other.sex != case.sex):
        return False
    if years is not None and (
        case.born is None or other.born is None or abs(other.born - case.born) > int(years * 365.25)
    ):
        return False
    stays = [each for each in (other.nested if nested else other.periods) if each[0] + prior <= day <= each[1]]
    return any(entry_days is None or abs(each[0] - stay[0]) <= entry_days for each in stays)


def exact_interval(n_risk: int, n_control: int, share: float) -> tuple[float, float]:
    """The ends of the exact interval of the ratio of two rates, by halving; share of the time that is at risk."""
    n = n_risk + n_control

    def at_most(k: int, p: float) -> float:
        return sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k + 1))

    def where(rising: object, low: float = 0.0, high: float = 1.0) -> float:
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (middle, high) if not rising(middle) else (low, middle)  # type: ignore[operator]
        return (low + high) / 2

    lower = 0.0 if n_risk == 0 else where(lambda p: 1 - at_most(n_risk - 1, p) >= 0.025)
    upper = 1.0 if n_control == 0 else where(lambda p: at_most(n_risk, p) <= 0.025)
    ratio = (1 - share) / share
    return ratio * lower / (1 - lower), math.inf if upper == 1.0 else ratio * upper / (1 - upper)


def conditional_log_likelihood(sets: Sequence[Sequence[Sequence[float]]], beta: Sequence[float]) -> float:
    """Of sets whose first row is the case."""
    total = 0.0
    for rows in sets:
        scores = [sum(b * x for b, x in zip(beta, row, strict=True)) for row in rows]
        total += scores[0] - math.log(sum(map(math.exp, scores)))
    return total
