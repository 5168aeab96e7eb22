"""Which events a demographic criterion holds for: tests of the person and of the event's days."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from enclos.studies.circe.domains import END, START, Joined, Target
from enclos.studies.circe.model import (
    Comparison,
    ConceptSet,
    ConceptSetTest,
    ConceptsTest,
    DayTest,
    Demographic,
    NumberTest,
    Test,
)
from enclos.studies.circe.rules.columns import NEVER, Events, Integers, Truth

YEAR_OF_BIRTH = "year_of_birth"
_DAY_ZERO = date(1970, 1, 1)
_SIGNS: Mapping[Comparison, Callable[[Integers, int], Truth]] = {
    Comparison.LESS: np.less,
    Comparison.AT_MOST: np.less_equal,
    Comparison.EQUAL: np.equal,
    Comparison.NOT_EQUAL: np.not_equal,
    Comparison.MORE: np.greater,
    Comparison.AT_LEAST: np.greater_equal,
}


@dataclass(frozen=True, slots=True, repr=False)
class Persons:
    """Persons in order, with what demographic criteria read of them."""

    person: Integers
    columns: Mapping[str, Integers]


def told(
    demographic: Demographic,
    events: Events,
    persons: Callable[[], Persons],
    concepts: Callable[[ConceptSet], Sequence[int]],
) -> Truth:
    """Which events a demographic criterion holds for; what is not recorded passes no test.

    In: persons — asked when a test reads of them; concepts — those of a concept set
    """
    held = np.ones(len(events), dtype=np.bool_)
    if any(each.target.joined is Joined.PERSON for each in demographic.filters):
        known = persons()
        if not len(known.person):
            return np.zeros(len(events), dtype=np.bool_)
        at = np.minimum(np.searchsorted(known.person, events.person), len(known.person) - 1)
        held = known.person[at] == events.person
    for each in demographic.filters:
        if each.target == START:
            values = events.start
        elif each.target == END:
            values = events.end
        else:
            values = _of_person(each.target, events, known.columns, at)
        held &= passing(values, each.test, concepts)
    return held


def _of_person(target: Target, events: Events, columns: Mapping[str, Integers], at: Integers) -> Integers:
    (name,) = target.beside
    values = columns[name][at]
    if name != YEAR_OF_BIRTH:
        return values
    years = events.start.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + _DAY_ZERO.year
    return np.where(values == NEVER, NEVER, years - values)


def passing(values: Integers, test: Test, concepts: Callable[[ConceptSet], Sequence[int]]) -> Truth:
    """Which values pass a test; what is not recorded passes none.

    In: concepts — those of a concept set
    """
    match test:
        case ConceptSetTest():
            found = concepts(test.concept_set)
            if not found:
                return np.full(len(values), test.negated)
            held = np.isin(values, found)
        case ConceptsTest():
            held = np.isin(values, test.concepts)
        case DayTest():
            extent = None if test.extent is None else (test.extent - _DAY_ZERO).days
            held = _in_range(values, test.comparison, (test.value - _DAY_ZERO).days, extent)
        case NumberTest():
            held = _in_range(
                values, test.comparison, int(test.value), None if test.extent is None else int(test.extent)
            )
        case _:
            raise TypeError(test)
    if isinstance(test, ConceptSetTest | ConceptsTest) and test.negated:
        held = ~held
    return np.asarray(held & (values != NEVER))


def _in_range(values: Integers, comparison: Comparison, value: int, extent: int | None) -> Truth:
    if extent is None:
        return _SIGNS[comparison](values, value)
    within = (values >= value) & (values <= extent)
    return within if comparison is Comparison.BETWEEN else ~within
