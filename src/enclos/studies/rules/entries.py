"""The entries of a bucket as columns."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from enclos.contracts.result import OVERALL
from enclos.studies.model import AgeGroup, DayWindow, Stratum
from enclos.studies.plans.entries import FEMALE, MALE, NO_SEX, from_day, to_day

_Ints: TypeAlias = npt.NDArray[np.int64]


class EntryColumns:
    """The entries of a bucket as columns; what is missing is not a number.

    In: table — see plan_entry_rows; first_person — the dense number of ordinal 0; homes — see plan_homes, where the
        analysis tells persons apart by it
    """

    def __init__(self, table: pa.Table, first_person: int, homes: pa.Table | None = None) -> None:
        def whole(name: str) -> _Ints:
            numbers: _Ints = table[name].to_numpy().astype(np.int64)
            return numbers

        self.n = table.num_rows
        self.cohort, self.sex, self.first_day = whole("cohort"), whole("sex"), whole("first_day")
        self.last_day, self.ordinal = whole("last_day"), whole("ordinal")
        self.person = (self.ordinal + first_person).astype(np.uint32)
        self.prior = self.first_day - whole("observed_first")
        self.future = whole("observed_last") - self.first_day
        self.age = table["age"].to_numpy().astype(np.float64)
        self.to_next = table["next_day"].to_numpy().astype(np.float64) - self.last_day

        self.home = None if homes is None else homes_of(homes, self.ordinal)
        """Where the person of each entry lives."""

        self.is_first = np.ones(self.n, dtype=np.bool_)
        """Whether an entry is the person's first into its cohort; entries are in order."""
        again = (self.cohort[1:] == self.cohort[:-1]) & (self.ordinal[1:] == self.ordinal[:-1])
        self.is_first[1:] = ~again

    def observed(self, window: DayWindow) -> npt.NDArray[np.bool_]:
        """The entries for which some day of a window is observed."""
        return (-self.prior <= to_day(window)) & (self.future >= from_day(window))


def homes_of(homes: pa.Table, ordinals: _Ints) -> list[str]:
    """Where the person of each ordinal lives; see plan_homes."""
    known = dict(zip(homes["ordinal"].to_pylist(), homes["department"].to_pylist(), strict=True))
    return [known.get(ordinal, NOT_KNOWN) for ordinal in ordinals.tolist()]


NOT_KNOWN = "None"
"""The level of those whose sex or age is not known, or whose age is in no group."""
SEXES = {FEMALE: "Female", MALE: "Male", NO_SEX: NOT_KNOWN}
Strata: TypeAlias = tuple[str, str]
WHOLE: Strata = (OVERALL, OVERALL)
Levels: TypeAlias = Mapping[Stratum, tuple[list[str], _Ints]]
"""Of sex, age group and, where it is asked for, department: the levels, and the index of the level of each entry."""


def levels_of(entries: EntryColumns, age_groups: Sequence[AgeGroup]) -> Levels:
    """The levels of each entry."""
    sexes = list(SEXES.values())
    sex = np.array([sexes.index(SEXES[code]) for code in range(len(SEXES))])[entries.sex]
    age = np.full(entries.n, len(age_groups))
    for at, group in enumerate(age_groups):
        age[(entries.age >= group.min_years) & (entries.age <= group.max_years)] = at
    ages = [*(group.word for group in age_groups), NOT_KNOWN]
    found: dict[Stratum, tuple[list[str], _Ints]] = {Stratum.SEX: (sexes, sex), Stratum.AGE_GROUP: (ages, age)}
    if entries.home is not None:
        homes, code = np.unique(np.array(entries.home, dtype=str), return_inverse=True)
        found[Stratum.DEPARTMENT] = (homes.tolist(), code.astype(np.int64))
    return found


def parts_of(
    entries: EntryColumns, cohorts: Mapping[str, int], strata: Sequence[Stratum], levels: Levels
) -> Iterator[tuple[tuple[str, Strata], _Ints]]:
    """The entries of each cohort, whole and in each stratum that has any.

    In: cohorts — the index of each by name
    """
    for name, cohort in cohorts.items():
        own = np.flatnonzero(entries.cohort == cohort)
        yield (name, WHOLE), own
        for stratum in strata:
            words, code = levels[stratum]
            for at, word in enumerate(words):
                if len(some := own[code[own] == at]):
                    yield (name, (stratum.value, word)), some


def strata_in_order(
    strata: Sequence[Stratum], age_groups: Sequence[AgeGroup], having: Collection[Strata]
) -> list[Strata]:
    """The whole, then the strata that any cohort has somebody in; departments in the order of their numbers."""
    words = {
        Stratum.SEX: list(SEXES.values()),
        Stratum.AGE_GROUP: [*(group.word for group in age_groups), NOT_KNOWN],
        Stratum.DEPARTMENT: sorted(
            {level for name, level in having if name == Stratum.DEPARTMENT.value},
            key=lambda word: (word == NOT_KNOWN, word),
        ),
    }
    wanted = [(stratum.value, word) for stratum in strata for word in words[stratum]]
    return [WHOLE, *(each for each in wanted if each in having)]
