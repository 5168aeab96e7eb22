"""A town with an outcome and a condition, and the tables that somebody would ask for about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from random import Random

import numpy as np

from enclos.contracts.result import StudyResult
from factories.groups import Subject, description_of
from factories.results import ALL_AGES, Asked, Person, result_of

SEXES = ("Female", "Male")
BANDS = ((0, 19), (20, 44), (45, 64), (65, 84), (85, 150))
_MIDDLE = (10, 30, 55, 75, 90)
_YEAR = 2019


@dataclass(frozen=True)
class Resident:
    """A kind of person: sex, place of the age band, whether with the outcome, whether with gout."""

    sex: str
    band: int
    has_outcome: bool
    has_gout: bool


KINDS = [Resident(*each) for each in product(SEXES, range(len(BANDS)), (False, True), (False, True))]


def town(n_persons: int, seed: int) -> list[Resident]:
    """Residents; few are very old, and the outcome and gout come with age."""
    random = Random(seed)  # noqa: S311 - test data
    found = []
    for _ in range(n_persons):
        band = random.choices(range(len(BANDS)), (24, 32, 25, 16, 3))[0]
        has_outcome = random.random() < (0.01, 0.04, 0.1, 0.25, 0.4)[band]
        found.append(Resident(random.choice(SEXES), band, has_outcome, random.random() < 0.02 + 0.04 * band))
    return found


def tables(residents: Sequence[Resident]) -> list[StudyResult]:
    """Incidence by sex and age, characteristics of all, of those with the outcome, and of those with gout."""
    numbers = np.arange(len(residents), dtype=np.int64)
    people = [
        Person(each.sex, _YEAR - _MIDDLE[each.band], (365,), 0 if each.has_outcome else None) for each in residents
    ]
    found = [result_of(people, Asked(ages=(ALL_AGES, *BANDS), overall=False), attrition=False)]
    for cohort in ("everybody", "outcome", "gout"):
        subjects = [_subject(each, cohort) for each in residents]
        found.append(description_of(subjects, ("outcome", "gout")))
    return [replace(each, cells=tuple(replace(cell, person_numbers=numbers) for cell in each.cells)) for each in found]


def _subject(each: Resident, cohort: str) -> Subject:
    flags = frozenset(name for name, has in (("outcome", each.has_outcome), ("gout", each.has_gout)) if has)
    youngest, oldest = BANDS[each.band]
    is_in = cohort == "everybody" or cohort in flags
    return Subject(cohort if is_in else "others", each.sex, f"{youngest} to {oldest}", flags)


def counted(residents: Sequence[Resident]) -> dict[int, int]:
    """How many residents there are of each kind."""
    n = Counter(residents)
    return {number: n[kind] for number, kind in enumerate(KINDS)}
