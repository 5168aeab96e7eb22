"""Cohorts made of other cohorts, person by person and day by day; shares no code with the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from hashlib import sha256

from oracle.histories import FEMALE, MALE, History, Stretch, born_on


def joined(history: History, stretches: Sequence[Stretch], gap: int) -> list[Stretch]:
    """Stretches of one period as one while the next starts at most so many days after the end of one before."""
    found: list[Stretch] = []
    for period_start, period_end in history.periods:
        own = sorted(each for each in stretches if period_start <= each[0] <= period_end)
        parts: list[list[Stretch]] = []
        for each in own:
            if parts and any((each[0] - end).days <= gap for _, end in parts[-1]):
                parts[-1].append(each)
            else:
                parts.append([each])
        found += [(part[0][0], max(end for _, end in part)) for part in parts]
    return found


def shared(some: Sequence[Stretch], others: Sequence[Stretch]) -> list[Stretch]:
    """The days that a stretch of each shares."""
    return [(max(a, c), min(b, d)) for a, b in some for c, d in others if max(a, c) <= min(b, d)]


def is_near(day: date, others: Sequence[Stretch], window: tuple[int | None, int | None]) -> bool:
    """Whether one of the days of a stretch is in the window around a day."""
    from_day, to_day = window
    return any(
        (from_day is None or (end - day).days >= from_day) and (to_day is None or (start - day).days <= to_day)
        for start, end in others
    )


def age_on(history: History, day: date) -> int | None:
    """Completed years; born on 29 February, a person turns a year older on 1 March of other years."""
    born = born_on(history)
    if born is None:
        return None
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def fits(
    history: History, day: date, ages: tuple[int, int] | None, sex: str, days_prior: int, dates: Stretch | None
) -> bool:
    """Whether the person meets every requirement on a day."""
    age = age_on(history, day)
    ((period_start, _),) = [period for period in history.periods if period[0] <= day <= period[1]]
    return (
        (ages is None or (age is not None and ages[0] <= age <= ages[1]))
        and (sex == "both" or history.gender_concept_id == {"male": MALE, "female": FEMALE}[sex])
        and day - timedelta(days=days_prior) >= period_start
        and (dates is None or dates[0] <= day <= dates[1])
    )


def is_followed(history: History, day: date, days: int) -> bool:
    """Whether the person is observed that long after a day."""
    return any(start <= day and day + timedelta(days=days) <= end for start, end in history.periods if day <= end)


def place_of(person_id: int, seed: int) -> int:
    """Where the seed puts a person."""
    return int(sha256(f"{seed}:{person_id}".encode()).hexdigest()[:12], 16)


def is_sampled(history: History, share: float, seed: int) -> bool:
    """Whether the hash of the seed and the person's number lies within the share."""
    return place_of(history.person_id, seed) < int(share * 16**12)


def first_persons(persons: Sequence[int], n: int, seed: int) -> set[int]:
    """The n persons whom the seed puts first."""
    return set(sorted(persons, key=lambda person: (place_of(person, seed), person))[:n])


def traits_of(history: History, traits: Sequence[str]) -> tuple[object, ...] | None:
    """What a person is matched on; None when one of it is not known."""
    sex = {MALE: "male", FEMALE: "female"}.get(history.gender_concept_id)
    known = {"sex": sex, "year_of_birth": history.born[0], "department": history.department}
    found = tuple(known[trait] for trait in traits)
    return None if None in found else found


def matches(
    people: Sequence[History], entries: Mapping[int, Sequence[Stretch]], traits: Sequence[str], ratio: int, seed: int
) -> list[tuple[int, Stretch, int, Stretch]]:
    """Case, its entry, the person matched and from when to when; one round after the other, one entry after the other.

    In: entries — of each person; whoever has none can be matched
    """
    of = {each.person_id: each for each in people}
    order = sorted(of, key=lambda person: (place_of(person, seed), person))
    choosing = [(person, entry) for person in order for entry in sorted(entries.get(person, ()))]
    left = [person for person in order if not entries.get(person)]
    found = []
    for _ in range(ratio):
        again = []
        for person, entry in choosing:
            wanted = traits_of(of[person], traits)
            fitting = [
                (other, end)
                for other in left
                for start, end in of[other].periods
                if wanted is not None and traits_of(of[other], traits) == wanted and start <= entry[0] <= end
            ]
            if fitting:
                other, end = fitting[0]
                left.remove(other)
                again.append((person, entry))
                found.append((person, entry, other, (entry[0], end)))
        choosing = again
    return found
