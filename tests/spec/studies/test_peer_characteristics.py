"""The worked examples of CohortCharacteristics' own tests.

Source: darwin-eu/CohortCharacteristics, ``tests/testthat``; the figures are theirs. What is covered where:

- test-summariseCharacteristics (counts around entry, days in the cohort), test-summariseLargeScaleCharacteristics
  (events and episodes in windows), test-summariseCohortOverlap (persons; every pair): here.
- demographics, strata, timing, attrition: on GiBleed against the package, ``test_gibleed_parity_characterise.py``.
- PatientProfiles' test-addIntersect and test-addDemographics: ``test_peer_profiles.py``.
- overlap by other columns than the person, ATC classes, source concepts, weights: not here.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from enclos.contracts.result import SEPARATOR
from enclos.studies.characterise.model import Characterisation, Intersection, LargeScale, Shown
from enclos.studies.model import ConceptCohort, DayWindow, Domain, Limit, OpenEnd, Study
from enclos.studies.steps import run_study
from factories.studies import tables_of
from factories.study_tables import people_of_cohorts, place_rows
from fakes.cdm import cdm_of_rows
from oracle.histories import FEMALE, MALE, History, Record

FIRST = ConceptCohort("exposed", (1,), False, Domain.CONDITION, Limit.ALL, OpenEnd.EVENT_END)
COHORTS = tuple(
    replace(FIRST, name=name, concepts=(number,))
    for number, name in enumerate(("exposed", "unexposed", "covid", "headache", "acetaminophen", "ibuprophen"), start=1)
)
PERSONS = """
    person | sex | born | observed | exposed | unexposed | covid | headache | acetaminophen | ibuprophen
    1 | M | 1985-10-30 | 1985-01-01..2011-03-04 | 1990-04-19, 1991-04-19..1992-04-19 | | 1990-01-01 | 1990-06-01 \
| 1990-02-01, 1990-08-01 |
    2 | F | 2000-05-10 | 1989-04-29..2022-03-14 | 2010-11-14..2010-12-14 | | | | | 2009-01-01
    3 | F | 1962-09-24 | 1974-12-03..2023-07-10 | | 2000-05-25..2000-05-26 | 2000-06-01 | 2000-01-01 | 1995-06-01 |
"""


def test_summarise_characteristics() -> None:
    asked = Characterisation(
        ("exposed", "unexposed"),
        intersections=(
            Intersection(("acetaminophen", "ibuprophen"), DayWindow(-365, 0), Shown.FLAG, "medications"),
            Intersection(("covid", "headache"), DayWindow(None, 0), Shown.FLAG, "comorbidities"),
        ),
    )
    result = run_study(Study("spec", COHORTS, (asked,)), cdm_of_rows(tables_of(people_of_cohorts(PERSONS))))
    flags = {
        (row[0], row[3]): int(row[4].split(",")[0].removeprefix("count "))
        for row in place_rows(result, "Medications", "Comorbidities")
    }
    assert flags == {
        ("exposed", "Covid"): 2,
        ("exposed", "Headache"): 1,
        ("exposed", "Acetaminophen"): 2,
        ("exposed", "Ibuprophen"): 0,
        ("unexposed", "Covid"): 0,
        ("unexposed", "Headache"): 1,
        ("unexposed", "Acetaminophen"): 0,
        ("unexposed", "Ibuprophen"): 0,
    }
    days = [row[4] for row in place_rows(result, "Days in cohort", without={"mean", "sd"})]
    assert days == ["min 1, q25 16, median 31, q75 199, max 367", "min 2, q25 2, median 2, q75 2, max 2"]


ASTHMA, HEADACHE, OTHER = 4, 5, 6


@pytest.mark.parametrize(
    ("as_events", "expected"),
    [
        (True, {ASTHMA: (0, 2), HEADACHE: (0, 1), OTHER: (0, 2)}),
        (False, {ASTHMA: (1, 2), HEADACHE: (1, 1), OTHER: (2, 2)}),
    ],
    ids=["event in window", "episode in window"],
)
def test_large_scale_characteristics(as_events: bool, expected: dict[int, tuple[int, int]]) -> None:
    """Of three entries, how many have a condition on the day of entry, and more than a year before."""

    def records(*given: tuple[int, str, str]) -> tuple[Record, ...]:
        return tuple(
            Record(concept, date.fromisoformat(first), date.fromisoformat(last) if last else None)
            for concept, first, last in given
        )

    first = records(
        (1, "2012-10-10", "2012-10-10"),
        (1, "2015-01-01", "2015-01-01"),
        (ASTHMA, "2012-10-01", "2013-01-01"),
        (HEADACHE, "2012-01-01", "2012-04-01"),
        (HEADACHE, "2014-01-01", "2014-10-12"),
        (OTHER, "2010-01-01", "2015-01-01"),
    )
    second = records(
        (1, "2013-10-10", "2013-10-10"),
        (ASTHMA, "2015-02-01", "2015-03-01"),
        (ASTHMA, "2012-01-01", "2012-04-01"),
        (HEADACHE, "2013-10-01", "2013-12-01"),
        (OTHER, "2014-10-10", ""),
    )
    people = [
        History(1, MALE, (1990, 1, 1), ((date(2011, 10, 7), date(2031, 10, 7)),), first),
        History(2, FEMALE, (1992, 1, 1), ((date(2000, 1, 1), date(2030, 1, 1)),), second),
    ]
    windows = (DayWindow(0, 0), DayWindow(None, -366))
    tables = ((Domain.CONDITION,), ()) if as_events else ((), (Domain.CONDITION,))
    asked = Characterisation(("exposed",), large_scale=LargeScale(windows, *tables, minimum_frequency=0))
    result = run_study(Study("spec", (FIRST,), (asked,)), cdm_of_rows(tables_of(people)))
    found = {each: [0, 0] for each in expected}
    for row in result.of_type("summarise_large_scale_characteristics").to_pylist():
        concept = int(row["additional_level"].split(SEPARATOR)[-1])
        if concept in found and row["estimate_name"] == "count":
            found[concept][["0 to 0", "-inf to -366"].index(row["variable_level"])] = int(row["estimate_value"])
    assert {concept: tuple(counts) for concept, counts in found.items()} == expected


def test_cohort_overlap_of_persons() -> None:
    """Three of the four persons of the first cohort are in the second, who are all of it."""
    persons = """
        person | sex | born       | observed               | exposed    | unexposed
        1      | F   | 1950-01-01 | 1950-01-01..2025-01-01 | 2020-01-01 | 2020-01-01, 2020-02-01, 2020-03-01
        2      | F   | 1950-01-01 | 1950-01-01..2025-01-01 | 2020-01-01 | 2020-01-01
        3      | F   | 1950-01-01 | 1950-01-01..2025-01-01 | 2020-01-01 |
        4      | F   | 1950-01-01 | 1950-01-01..2025-01-01 | 2020-01-01 | 2020-01-01
    """
    asked = Characterisation(("exposed", "unexposed"), overlap=True)
    result = run_study(Study("spec", COHORTS[:2], (asked,)), cdm_of_rows(tables_of(people_of_cohorts(persons))))
    found = {
        (row["group_level"].split(SEPARATOR)[0], row["variable_name"]): row["estimate_value"]
        for row in result.of_type("summarise_cohort_overlap").to_pylist()
        if row["estimate_name"] == "count"
    }
    assert found["exposed", "In both cohorts"] == found["unexposed", "In both cohorts"] == "3"
    assert found["exposed", "Only in reference cohort"] == found["unexposed", "Only in comparator cohort"] == "1"
    assert found["exposed", "Only in comparator cohort"] == found["unexposed", "Only in reference cohort"] == "0"
