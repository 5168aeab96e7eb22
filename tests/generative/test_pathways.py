"""Random histories: each person has the path that the slow oracle finds, in any number of buckets."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclos.studies.model import AfterDays, ConceptCohort, Domain, Limit, OpenEnd, Study
from enclos.studies.pathways.model import Keep, Pathways, Steps, Stratum
from enclos.studies.steps import run_study
from factories.examples import drawn
from factories.studies import oracle_cohort, tables_of
from fakes.cdm import cdm_of_rows
from oracle.histories import FEMALE, MALE, History, Record
from oracle.pathways import PathRules, path

FIRST = date(2019, 12, 1)
N_DAYS = 150


@st.composite
def histories(draw: st.DrawFn, person_id: int) -> History:
    """One person treated over a new year and a leap day, eras that touch, overlap and hold one another."""
    start = draw(st.integers(0, 20))
    end = draw(st.integers(start + 40, N_DAYS))
    day = st.integers(0, (N_DAYS - 1) // 5).map(lambda n: 5 * n) | st.integers(0, N_DAYS)
    records = [Record(1, on_day(draw(st.integers(start, start + 20))), None) for _ in range(draw(st.integers(0, 2)))]
    for concept in draw(st.lists(st.sampled_from([2, 3, 4]), min_size=1, max_size=7)):
        first = draw(day)
        records.append(Record(concept, on_day(first), on_day(first + draw(st.sampled_from([0, 1, 5, 10, 30, 60])))))
    gender = draw(st.sampled_from([MALE, FEMALE, 8551]))
    return History(person_id, gender, (1980, 2, 29), ((on_day(start), on_day(end)),), tuple(records))


def on_day(n: int) -> date:
    return FIRST + timedelta(days=n)


PEOPLE = st.integers(3, 8).flatmap(lambda n: st.tuples(*(histories(2**40 * at + 7 * at + 1) for at in range(n))))
DAYS = st.sampled_from([0, 1, 5, 10, 30])
DRAWN = {
    "people": PEOPLE,
    "follow_up": st.sampled_from([None, 30, 200]),
    "steps": st.builds(Steps, DAYS, DAYS, DAYS, DAYS, st.sampled_from(Keep), st.sampled_from([1, 3, 20])),
    "n_buckets": st.integers(1, 3),
}
TARGET = ConceptCohort("target", (1,), False, Domain.CONDITION, Limit.ALL, AfterDays(90))
TREATMENTS = tuple(
    ConceptCohort(name, (concept,), False, Domain.CONDITION, Limit.ALL, OpenEnd.EVENT_END)
    for name, concept in (("a", 2), ("b", 3), ("c", 4))
)
SEXES = {MALE: "Male", FEMALE: "Female", 8551: "None"}


def check_paths_are_those_of_the_oracle(
    people: tuple[History, ...], follow_up: int | None, steps: Steps, n_buckets: int
) -> None:
    asked = Pathways(("target",), ("a", "b", "c"), follow_up, steps, strata=(Stratum.SEX,))
    result = run_study(Study("random", (TARGET, *TREATMENTS), (asked,)), cdm_of_rows(tables_of(people), n_buckets))
    rules = PathRules(
        follow_up,
        steps.min_era_days,
        steps.collapse_days,
        steps.combination_days,
        steps.min_part_days,
        steps.keep.value,
        steps.max_length,
    )
    treatments = [oracle_cohort(each) for each in TREATMENTS]
    expected: dict[tuple[str, str], set[int]] = {}
    everyone: dict[str, set[int]] = {}
    for person in people:
        found = path(person, oracle_cohort(TARGET), treatments, rules)
        for level in ("overall", SEXES[person.gender_concept_id]) if found is not None else ():
            expected.setdefault((level, str(found)), set()).add(person.person_id)
            everyone.setdefault(level, set()).add(person.person_id)
    counts = {
        (row["strata_level"], row["variable_level"]): int(row["estimate_value"])
        for row in result.of_type("treatment_pathways").to_pylist()
        if row["estimate_name"] == "count"
    }
    assert counts == {key: len(persons) for key, persons in expected.items()}
    behind = {(cell.strata_level, cell.variable_level): cell for cell in result.cells}
    assert {key: set(cell.numerator) for key, cell in behind.items()} == expected
    assert all(set(cell.denominator) == everyone[level] for (level, _), cell in behind.items())


@settings(max_examples=drawn(60), deadline=None)
@given(**DRAWN)
def test_paths_are_those_of_the_oracle(**drawn: Any) -> None:
    check_paths_are_those_of_the_oracle(**drawn)


@pytest.mark.slow
@settings(max_examples=drawn(3000), deadline=None)
@given(**DRAWN)
def test_paths_are_those_of_the_oracle_thousands_of_times(**drawn: Any) -> None:
    check_paths_are_those_of_the_oracle(**drawn)
