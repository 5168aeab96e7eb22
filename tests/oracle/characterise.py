"""Characteristics of cohorts, person by person and day by day, as plainly as they are defined."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from oracle.histories import DAY, FEMALE, MALE, Cohort, History, Stretch, born_on, days_of, spells

EPOCH = date(1970, 1, 1)
Window = tuple[int | None, int | None]
Number = int | float | date | None
Key = tuple[str, str, str, str, str, str]
"""Group level, strata name and level, variable, its level, additional level."""


@dataclass(frozen=True)
class Entry:
    """One entry of a person into a cohort."""

    person: History
    first: date
    last: date
    period: Stretch
    next_first: date | None


@dataclass
class Told:
    """Estimates of one place by name, and who is behind them."""

    estimates: dict[str, Number]
    persons: frozenset[int] = frozenset()
    among: frozenset[int] = frozenset()


@dataclass
class Asked:
    """The options of a characterisation."""

    ages: Sequence[tuple[int, int]] = ()
    strata: Sequence[str] = ()
    flags: Sequence[tuple[str, str, Cohort, Window]] = field(default_factory=list)
    """What is shown, variable, cohort, window."""


def entries_of(people: Iterable[History], cohort: Cohort) -> list[Entry]:
    """Every entry into a cohort."""
    found = []
    for person in people:
        stretches = spells(person, cohort)
        for at, (first, last) in enumerate(stretches):
            (period,) = [each for each in person.periods if each[0] <= first <= each[1]]
            after = stretches[at + 1][0] if at + 1 < len(stretches) else None
            found.append(Entry(person, first, last, period, after))
    return found


def age_of(entry: Entry) -> int | None:
    """Birthdays gone by; of one born on 29 February, on 1 March."""
    born = born_on(entry.person)
    if born is None:
        return None
    had_birthday = (entry.first.month, entry.first.day) >= (born.month, born.day)
    return entry.first.year - born.year - (0 if had_birthday else 1)


def sex_of(entry: Entry) -> str:
    """The person's sex."""
    return {MALE: "Male", FEMALE: "Female"}.get(entry.person.gender_concept_id, "None")


def age_group_of(entry: Entry, ages: Sequence[tuple[int, int]]) -> str:
    """The age group that holds the person's age."""
    age = age_of(entry)
    groups = [group for group in ages if age is not None and group[0] <= age <= group[1]]
    return f"{groups[0][0]} to {groups[0][1]}" if groups else "None"


def in_window(day: date, entry: Entry, window: Window) -> bool:
    """Whether a day is in the window around the entry."""
    n = (day - entry.first).days
    return (window[0] is None or window[0] <= n) and (window[1] is None or n <= window[1])


def is_observed(entry: Entry, window: Window) -> bool:
    """Whether any day of the window is in the period that the person enters in."""
    return any(in_window(day, entry, window) for day in days_of(entry.period))


def found_in(entry: Entry, cohort: Cohort, window: Window) -> list[Stretch]:
    """The stretches of another cohort that share a day with the window and one with the period."""
    return [
        (first, last)
        for first, last in spells(entry.person, cohort)
        if first <= entry.period[1]
        and last >= entry.period[0]
        and any(in_window(day, entry, window) for day in days_of((first, last)))
    ]


def spread(values: Sequence[float], whole: bool = True) -> dict[str, Number]:
    """The seven estimates of some values."""
    ordered = sorted(values)
    found: dict[str, Number] = {}
    for name, quarters in (("min", 0), ("q25", 1), ("median", 2), ("q75", 3), ("max", 4)):
        if not ordered:
            found[name] = None
            continue
        place = Fraction((len(ordered) - 1) * quarters, 4)
        low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
        exact = Fraction(low) + (Fraction(high) - Fraction(low)) * (place - math.floor(place))
        found[name] = round(exact) if whole else float(exact)
    mean = math.fsum(ordered) / len(ordered) if ordered else None
    found["mean"] = mean
    enough = mean is not None and len(ordered) > 1
    squares = math.fsum((value - (mean or 0)) ** 2 for value in ordered)
    found["sd"] = math.sqrt(squares / (len(ordered) - 1)) if enough else None
    return found


def date_spread(days: Sequence[date]) -> dict[str, Number]:
    """The five estimates of some days, counted from 1970-01-01."""
    found = spread([(day - EPOCH).days for day in days])
    return {
        name: None if value is None else EPOCH + DAY * int(value)  # type: ignore[arg-type]
        for name, value in found.items()
        if name not in {"mean", "sd"}
    }


def count_and_share(n: int, n_of: int) -> dict[str, Number]:
    """A count and its percentage."""
    return {"count": n, "percentage": 100 * n / n_of if n_of else 0}


def ids(entries: Iterable[Entry]) -> frozenset[int]:
    """The persons of some entries."""
    return frozenset(entry.person.person_id for entry in entries)


def strata_of(entries: Sequence[Entry], asked: Asked) -> dict[tuple[str, str], list[Entry]]:
    """The entries of each stratum, everybody first."""
    found: dict[tuple[str, str], list[Entry]] = {("overall", "overall"): list(entries)}
    for entry in entries:
        for name in asked.strata:
            level = sex_of(entry) if name == "sex" else age_group_of(entry, asked.ages)
            found.setdefault((name, level), []).append(entry)
    return found


MEASURES: dict[str, Callable[[Entry], int | None]] = {
    "Age": age_of,
    "Prior observation": lambda entry: (entry.first - entry.period[0]).days,
    "Future observation": lambda entry: (entry.period[1] - entry.first).days,
    "Days in cohort": lambda entry: (entry.last - entry.first).days + 1,
    "Days to next record": lambda entry: (entry.next_first - entry.last).days if entry.next_first else None,
}


def characteristics(people: Sequence[History], cohort: Cohort, asked: Asked) -> dict[Key, Told]:
    """Everything that is told of one cohort."""
    found: dict[Key, Told] = {}
    for strata, entries in strata_of(entries_of(people, cohort), asked).items():
        everyone = ids(entries)
        own = {
            ("Number records", ""): Told({"count": len(entries)}, everyone, everyone),
            ("Number subjects", ""): Told({"count": len(everyone)}, everyone, everyone),
            **{("Age group", f"{low} to {high}"): Told(count_and_share(0, 0)) for low, high in asked.ages},
        }
        if entries:
            own |= _of_themselves(entries, asked) | _of_others(entries, asked)
        found |= {(cohort.name, *strata, *place, "overall"): told for place, told in own.items()}
    return found


def _of_themselves(entries: Sequence[Entry], asked: Asked) -> dict[tuple[str, str], Told]:
    everyone = ids(entries)
    found = {
        ("Cohort start date", ""): Told(date_spread([entry.first for entry in entries]), everyone, everyone),
        ("Cohort end date", ""): Told(date_spread([entry.last for entry in entries]), everyone, everyone),
    }
    for variable, measure in MEASURES.items():
        having = [(entry, value) for entry in entries if (value := measure(entry)) is not None]
        estimates = spread([value for _, value in having])
        found[variable, ""] = Told(estimates, ids(entry for entry, _ in having), everyone)
    groups = [f"{low} to {high}" for low, high in asked.ages]
    levels = [("Age group", level) for level in (*groups, "None") if groups]
    levels += [("Sex", level) for level in ("Female", "Male", "None")]
    for variable, level in levels:
        own = [
            each for each in entries if level == (sex_of(each) if variable == "Sex" else age_group_of(each, asked.ages))
        ]
        if own or level in groups:
            found[variable, level] = Told(count_and_share(len(own), len(entries)), ids(own), everyone)
    return found


def _of_others(entries: Sequence[Entry], asked: Asked) -> dict[tuple[str, str], Told]:
    found = {}
    for shown, variable, other, window in asked.flags:
        could = [entry for entry in entries if is_observed(entry, window)]
        having = [entry for entry in entries if found_in(entry, other, window)]
        if shown == "flag":
            own = [entry for entry in could if entry in having]
            told = Told(count_and_share(len(own), len(could)), ids(own), ids(could))
        elif shown == "count":
            numbers = [len(found_in(entry, other, window)) for entry in could]
            told = Told(spread(numbers, whole=False), ids(could), ids(entries))
        else:
            firsts = [min(found_in(entry, other, window))[0] for entry in having]
            gaps = [(first - entry.first).days for first, entry in zip(firsts, having, strict=True)]
            told = Told(date_spread(firsts) if shown == "date" else spread(gaps), ids(having), ids(entries))
        found[variable, other.name.replace("_", " ").capitalize()] = told
    return found


def concepts(
    people: Sequence[History], cohort: Cohort, asked: Asked, windows: Sequence[Window], *, episodes: bool, least: float
) -> dict[Key, Told]:
    """The condition concepts of each window, those of at least a share of the entries."""
    found: dict[Key, Told] = {}
    for strata, entries in strata_of(entries_of(people, cohort), asked).items():
        for window in windows:
            could = [entry for entry in entries if is_observed(entry, window)]
            for concept in sorted({record.concept_id for entry in entries for record in entry.person.records}):
                own = [entry for entry in entries if _has(entry, concept, window, episodes=episodes)]
                share = f"{100 * len(own) / len(could) if could else 0:.2f}"
                if not own or not could or float(share) < 100 * least:
                    continue
                first, last = ("-inf" if window[0] is None else window[0]), ("inf" if window[1] is None else window[1])
                key = (cohort.name, *strata, f"concept {concept}", f"{first} to {last}", str(concept))
                found[key] = Told({"count": len(own), "percentage": float(share)}, ids(own), ids(could) | ids(own))
    return found


def _has(entry: Entry, concept: int, window: Window, *, episodes: bool) -> bool:
    for record in entry.person.records:
        last = record.end_on or record.start_on
        if record.concept_id != concept or not (record.start_on <= entry.period[1] and last >= entry.period[0]):
            continue
        first_n, last_n = (record.start_on - entry.first).days, (last - entry.first).days
        if not episodes:
            last_n = first_n
        if (window[0] is None or last_n >= window[0]) and (window[1] is None or first_n <= window[1]):
            return True
    return False


def overlap(people: Sequence[History], reference: Cohort, comparator: Cohort) -> dict[Key, Told]:
    """Who is in one, the other, or both."""
    mine, theirs = (ids(entries_of(people, cohort)) for cohort in (reference, comparator))
    parts = {
        "Only in reference cohort": mine - theirs,
        "In both cohorts": mine & theirs,
        "Only in comparator cohort": theirs - mine,
    }
    pair = f"{reference.name} &&& {comparator.name}"
    return {
        (pair, "overall", "overall", variable, "Subjects", "overall"): Told(
            count_and_share(len(persons), len(mine | theirs)), persons, mine | theirs
        )
        for variable, persons in parts.items()
    }


def timing(people: Sequence[History], reference: Cohort, comparator: Cohort, *, first_only: bool) -> dict[Key, Told]:
    """Days from entries into one cohort to entries into another."""
    days, persons, both = [], set(), set()
    for person in people:
        starts = [sorted(entry.first for entry in entries_of([person], cohort)) for cohort in (reference, comparator)]
        if first_only:
            starts = [each[:1] for each in starts]
        gaps = [(after - before).days for before in starts[0] for after in starts[1]]
        days += gaps
        if gaps:
            persons.add(person.person_id)
            both.add(person.person_id)
    if not days:
        return {}
    place = (f"{reference.name} &&& {comparator.name}", "overall", "overall")
    estimates = {name: value for name, value in spread(days).items() if name not in {"mean", "sd"}}
    told = {
        "number records": {"count": len(days)},
        "number subjects": {"count": len(persons)},
        "days_between_cohort_entries": estimates,
    }
    return {
        (*place, variable, "", "overall"): Told(dict(each), frozenset(persons), frozenset(both))
        for variable, each in told.items()
    }


def difference(first: Sequence[float], second: Sequence[float], *, share: bool) -> float | None:
    """The standardised mean difference of two lists of values."""
    if not first or not second or (not share and (len(first) < 2 or len(second) < 2)):
        return None
    means = [math.fsum(values) / len(values) for values in (first, second)]
    variances = []
    for values, mean in zip((first, second), means, strict=True):
        squares = math.fsum((value - mean) ** 2 for value in values)
        variances.append(squares / (len(values) if share else len(values) - 1))
    pooled = math.sqrt((variances[0] + variances[1]) / 2)
    if pooled == 0:
        return 0.0 if means[0] == means[1] else None
    return (means[0] - means[1]) / pooled
