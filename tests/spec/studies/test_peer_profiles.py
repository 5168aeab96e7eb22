"""The worked examples of PatientProfiles' own tests: other cohorts around an entry, and who somebody is on its day.

Source: darwin-eu/PatientProfiles, ``tests/testthat``; the figures are theirs, each example says which test it is of.
Theirs are per entry, ours per cohort: of five entries the least, the quartiles and the largest value are the five
values, and of two the least and the largest. What is covered where:

- test-addIntersect (working examples, with multiple cohort ids), test-addDemographics (several observation periods,
  age computation): here.
- the last of several (``order``), the end of the cohort as index, columns of records: no option of a study.
- an age that is computed as if everybody were born in January, or on the first: no option; a birth day or month that is
  not known is the first (``test_peer_denominators.py``).
- names of columns, temporary tables, errors of R: nothing to compare.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from enclos.studies.characterise.model import Characterisation, Intersection, Shown
from enclos.studies.model import ConceptCohort, DayWindow, Domain, Limit, OpenEnd, Study
from enclos.studies.steps import run_study
from factories.studies import tables_of
from factories.study_tables import people_of_cohorts
from fakes.cdm import cdm_of_rows

LATER, BEFORE, AROUND = DayWindow(0, None), DayWindow(None, 0), DayWindow(-30, 30)
FIVE = ("min", "q25", "median", "q75", "max")
ONE_OTHER = """
    person | sex | born       | observed               | target                             | one
    1      | F   | 1980-01-01 | 2010-01-01..2025-01-01 | 2020-01-01, 2020-01-15, 2020-01-20 \
| 2020-01-15, 2020-01-25, 2020-01-26, 2020-02-16
    2      | F   | 1980-01-01 | 2010-01-01..2025-01-01 | 2020-01-01, 2020-02-01 | 2020-01-24, 2020-01-29, 2020-03-15
"""
THREE_OTHERS = """
    person | sex | born       | observed               | target                             | one | two | three
    1      | F   | 1980-01-01 | 2010-01-01..2025-01-01 | 2020-01-01, 2020-01-15, 2020-01-20 \
| 2020-01-15, 2020-01-25 | 2020-01-26 | 2020-02-16
    2      | F   | 1980-01-01 | 2010-01-01..2025-01-01 | 2020-01-01, 2020-02-01 \
| | 2020-01-29 | 2020-01-24, 2020-03-15
"""


def estimates(persons: str, *intersections: Intersection) -> dict[tuple[str, str, str], str]:
    """What is told of the cohort ``target``, by variable, level and estimate."""
    cohorts = tuple(
        ConceptCohort(name, (concept,), False, Domain.CONDITION, Limit.ALL, OpenEnd.EVENT_END)
        for concept, name in enumerate(("target", "one", "two", "three"), start=1)
    )
    asked = Characterisation(("target",), intersections=intersections)
    result = run_study(Study("spec", cohorts, (asked,)), cdm_of_rows(tables_of(people_of_cohorts(persons))))
    return {
        (row["variable_name"], row["variable_level"] or "", row["estimate_name"]): row["estimate_value"]
        for row in result.of_type("summarise_characteristics").to_pylist()
    }


def told(persons: str, shown: Shown, window: DayWindow, name: str, which: Sequence[str]) -> list[int]:
    """Estimates of what is shown of another cohort in a window."""
    asked = Intersection((name,), window, shown)
    found = estimates(persons, asked)
    return [int(float(found[asked.variable, name.capitalize(), estimate])) for estimate in which]


@pytest.mark.parametrize(
    ("window", "counts", "n_with", "days", "of_days"),
    [
        (LATER, [4, 4, 3, 3, 1], 5, [14, 0, 5, 23, 43], FIVE),
        (BEFORE, [0, 1, 1, 0, 2], 3, [0, -5, -8], ("min", "median", "max")),
        (AROUND, [3, 3, 4, 2, 2], 5, [14, 0, -5, 23, -8], FIVE),
    ],
    ids=["later", "before", "around"],
)
def test_add_intersect_working_examples(
    window: DayWindow, counts: list[int], n_with: int, days: list[int], of_days: Sequence[str]
) -> None:
    """How many entries of another cohort begin around each of five entries, and the days to the first of them."""
    assert told(ONE_OTHER, Shown.COUNT, window, "one", FIVE) == sorted(counts)
    assert told(ONE_OTHER, Shown.FLAG, window, "one", ["count"]) == [n_with]
    assert told(ONE_OTHER, Shown.DAYS, window, "one", of_days) == sorted(days)


@pytest.mark.parametrize(
    ("name", "counts", "n_with", "days", "of_days"),
    [
        ("one", [2, 2, 1, 0, 0], 3, [14, 0, 5], ("min", "median", "max")),
        ("two", [1, 1, 1, 1, 0], 4, [6, 28], ("min", "max")),
        ("three", [1, 1, 1, 2, 1], 5, [46, 32, 27, 23, 43], FIVE),
    ],
    ids=["one", "two", "three"],
)
def test_add_intersect_multiple_cohort_ids(
    name: str, counts: list[int], n_with: int, days: list[int], of_days: Sequence[str]
) -> None:
    """The same records as three cohorts; the days of the second are not in the peer's test."""
    assert told(THREE_OTHERS, Shown.COUNT, LATER, name, FIVE) == sorted(counts)
    assert told(THREE_OTHERS, Shown.FLAG, LATER, name, ["count"]) == [n_with]
    assert told(THREE_OTHERS, Shown.DAYS, LATER, name, of_days) == sorted(days)


def test_add_demographics_prior_observation_multiple_observation_periods() -> None:
    """Days since the start of the period that the entry lies in, and to its end."""
    found = estimates("""
        person | sex | born       | observed                                       | target
        1      | M   | 1980-01-01 | 2000-01-01..2005-01-01, 2010-01-01..2015-01-01 | 2012-02-01..2013-02-01
        2      | M   | 1980-01-01 | 2010-01-01..2015-01-01                         | 2012-02-01..2013-02-01
    """)
    assert {found["Prior observation", "", each] for each in FIVE} == {"761"}
    assert {found["Future observation", "", each] for each in FIVE} == {"1065"}


def test_add_demographics_check_age_computation() -> None:
    """The day before a first birthday, and the day after."""
    found = estimates("""
        person | sex | born       | observed               | target
        1      | M   | 2001-12-01 | 2001-12-01..2020-01-01 | 2002-11-30..2015-01-01
        2      | M   | 2001-12-01 | 2001-12-01..2020-01-01 | 2002-12-02..2013-01-01
    """)
    assert (found["Age", "", "min"], found["Age", "", "max"]) == ("0", "1")
