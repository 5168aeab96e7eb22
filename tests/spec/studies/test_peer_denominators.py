"""The worked examples of IncidencePrevalence's own tests: who is at risk, and from when to when.

Source: darwin-eu/IncidencePrevalence, ``tests/testthat/test-generateDenominatorCohortSet.R``. The dates are theirs,
each example has the name of its test there. What is covered where:

- working example, examples we expect to work, subset by cohort, one male one female, restriction on sex, restriction on
  age, age edge cases, age strata entry and exit, strata prior history, strataRequirementsAtEntry, multiple observation
  periods, imputation of date of birth, edge cases (zero results), attrition table logic: here.
- attrition with multiple cohorts: ``tests/generative/test_studies.py``, against the slow oracle.
- output format, compute permanent, expected errors: how R is called; what a study file refuses is in
  ``tests/unit/studies``. ``requirementInteractions = FALSE``: not here; a study names the populations that it wants.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from enclos.studies.model import AgeGroup, DateRange, Incidence, Population, Sex, Study, Target
from enclos.studies.steps import denominator_table, run_study
from factories.studies import attrition, tables_of
from factories.study_tables import EVENTS, Row, at_risk, people, rows_of
from fakes.cdm import cdm_of_rows

EVERYBODY = Population()
IN_TARGET = Population(target=Target("others"))


def aged(lowest: int, highest: int, population: Population = EVERYBODY) -> Population:
    """A population of some ages."""
    return replace(population, age_groups=(AgeGroup(lowest, highest),))


def between(first: date | None, last: date | None) -> Population:
    """A population of some study days."""
    return Population(date_range=DateRange(first, last))


def stays(persons: str, population: Population) -> list[Row]:
    """Person and stretch of each stay of a population with one denominator."""
    return [row[1:] for row in at_risk(persons, population)]


ONE_PERSON = """
    person | sex | born       | observed               | events | others
    1      | M   | 2000-01-01 | 2010-01-01..2012-06-01 |        | 2010-03-15..2012-03-15
"""


def test_checks_on_working_example() -> None:
    """Denominators of which some have nobody."""
    by_sex = Population((AgeGroup(0, 59), AgeGroup(60, 69)), (Sex.FEMALE, Sex.MALE))
    assert [row[0] for row in at_risk(ONE_PERSON, by_sex)] == ["2"]
    old = Population((AgeGroup(50, 59), AgeGroup(60, 69)), days_prior_observation=(0, 365))
    assert at_risk(ONE_PERSON, old) == []
    assert stays(ONE_PERSON, IN_TARGET) == [("1", "2010-03-15..2012-03-15")]


def test_check_example_we_expect_to_work() -> None:
    persons = """
        person | sex | born       | observed               | events
        1      | M   | 2000-06-01 | 2010-01-01..2015-06-01 |
    """
    assert stays(persons, Population()) == [("1", "2010-01-01..2015-06-01")]
    assert stays(persons, between(date(2010, 2, 15), date(2010, 5, 15))) == [("1", "2010-02-15..2010-05-15")]
    assert stays(persons, aged(10, 10)) == [("1", "2010-06-01..2011-05-31")]
    assert stays(persons, aged(10, 150)) == [("1", "2010-06-01..2015-06-01")]
    assert stays(persons, aged(0, 10)) == [("1", "2010-01-01..2011-05-31")]


@pytest.mark.parametrize(
    "population",
    [
        between(date(2100, 1, 1), None),
        between(None, date(1800, 1, 1)),
        aged(0, 1),
        replace(aged(0, 15), days_prior_observation=(99_999,)),
    ],
    ids=["after all", "before all", "too old", "never observed so long"],
)
def test_check_edge_cases(population: Population) -> None:
    persons = """
        person | sex | born       | observed               | events
        1      | M   | 2000-06-01 | 2010-01-01..2015-06-01 |
    """
    assert stays(persons, population) == []


def test_check_another_example_and_imputation_of_date_of_birth() -> None:
    """A missing month or day of birth counts as the first; who was born nobody knows when is not at risk."""
    complete = people("""
        person | sex | born       | observed               | events
        1      | M   | 1995-07-25 | 2000-01-01..2015-06-01 |
        2      | F   | 1993-01-01 | 2000-01-01..2015-06-01 |
        3      | M   | 1994-06-01 | 2000-01-01..2015-06-01 |
        4      | F   | 1996-05-02 | 2000-01-01..2015-06-01 |
        5      | F   | 1996-04-03 | 2000-01-01..2015-06-01 |
        6      | M   | 2000-01-03 | 2010-01-01..2015-06-01 |
        7      | M   | 2000-03-01 | 2010-01-01..2015-06-01 |
    """)
    missing = {2: (1993, None, None), 5: (None, 4, 3), 6: (2000, None, 3), 7: (2000, 3, None)}
    histories = [replace(each, born=missing.get(each.person_id, each.born)) for each in complete]

    def dates(population: Population, column: str) -> dict[int, str]:
        rows = denominator_table(population, cdm_of_rows(tables_of(histories))).to_pylist()
        return {row["subject_id"]: str(row[column]) for row in rows}

    assert dates(aged(10, 100), "cohort_start_date") == {
        1: "2005-07-25",
        2: "2003-01-01",
        3: "2004-06-01",
        4: "2006-05-02",
        6: "2010-01-03",
        7: "2010-03-01",
    }
    ends = dates(aged(0, 10), "cohort_end_date")
    assert [ends[person] for person in (1, 2, 3, 4)] == ["2006-07-24", "2003-12-31", "2005-05-31", "2007-05-01"]


def test_subset_denominator_by_cohort() -> None:
    persons = """
        person | sex | born       | observed               | events | others
        1      | M   | 2000-06-01 | 2010-01-01..2015-06-01 |        | 2012-06-06..2013-06-06
        2      | M   | 2000-06-01 | 2010-01-01..2015-06-01 |        | 2012-06-06..2013-06-06, 2013-11-01..2014-02-01
        3      | M   | 2000-06-01 | 2010-01-01..2015-06-01 |        |
        4      | M   | 2000-06-01 | 2008-01-01..2008-06-01, 2009-01-01..2009-06-01, 2010-01-01..2010-06-01 | | \
2008-02-01..2008-04-01, 2009-02-01..2009-04-01, 2010-02-01..2010-04-01
    """
    assert stays(persons, IN_TARGET) == rows_of("""
        person | at risk
        1      | 2012-06-06..2013-06-06
        2      | 2012-06-06..2013-06-06
        2      | 2013-11-01..2014-02-01
        4      | 2008-02-01..2008-04-01
        4      | 2009-02-01..2009-04-01
        4      | 2010-02-01..2010-04-01
    """)
    assert len(stays(persons, Population())) == 6


@pytest.mark.parametrize(("sex", "members"), [(Sex.MALE, "1 2"), (Sex.BOTH, "1 2 3"), (Sex.FEMALE, "3")])
def test_check_example_with_restriction_on_sex(sex: Sex, members: str) -> None:
    persons = """
        person | sex | born       | observed               | events
        1      | M   | 2000-06-01 | 2010-01-01..2015-06-01 |
        2      | M   | 2000-06-01 | 2010-01-01..2015-06-01 |
        3      | F   | 2000-06-01 | 2010-01-01..2015-06-01 |
    """
    assert [person for person, _ in stays(persons, Population(sexes=(sex,)))] == members.split()


@pytest.mark.parametrize(("lowest", "n_persons"), [(0, 3), (8, 2), (12, 1), (40, 0)])
def test_check_example_with_restriction_on_age(lowest: int, n_persons: int) -> None:
    persons = """
        person | sex | born       | observed               | events
        1      | M   | 2000-06-01 | 2010-01-01..2015-06-01 |
        2      | M   | 2005-06-01 | 2010-01-01..2015-06-01 |
        3      | M   | 2010-06-01 | 2010-06-01..2015-06-01 |
    """
    assert len(stays(persons, aged(lowest, 150))) == n_persons


def test_check_age_strata_entry_and_exit() -> None:
    persons = """
        person | sex | born       | observed               | events
        1      | M   | 2000-01-01 | 2008-01-01..2018-06-01 |
    """
    assert at_risk(persons, Population((AgeGroup(11, 12), AgeGroup(13, 14)))) == rows_of("""
        denominator | person | at risk
        1           | 1      | 2011-01-01..2012-12-31
        2           | 1      | 2013-01-01..2014-12-31
    """)


@pytest.mark.parametrize(
    ("in_target", "n_days", "first_days"),
    [
        (False, 0, ["2011-01-01"]),
        (False, 365, ["2011-07-01"]),
        (True, 0, ["2012-01-01"]),
        (True, 365, ["2012-01-01"]),
        (True, 10_000, []),
    ],
)
def test_check_strata_prior_history_requirement(in_target: bool, n_days: int, first_days: list[str]) -> None:
    persons = """
        person | sex | born       | observed               | events | others
        1      | M   | 2000-01-01 | 2010-07-01..2018-06-01 |        | 2012-01-01..2018-06-01
    """
    asked = replace(aged(11, 12, IN_TARGET if in_target else Population()), days_prior_observation=(n_days,))
    assert [stretch[:10] for _, stretch in stays(persons, asked)] == first_days


def test_strata_requirements_at_entry() -> None:
    """The second person is observed for a day before the entry, the first for four."""
    persons = """
        person | sex | born       | observed               | events | others
        1      | M   | 2000-01-01 | 2012-01-01..2018-06-01 |        | 2012-01-05..2018-06-01
        2      | M   | 2000-01-01 | 2013-01-04..2018-06-01 |        | 2013-01-05..2018-06-01
    """
    asked = replace(IN_TARGET, days_prior_observation=(0, 2, 4, 10))
    assert [(row[0], row[1], row[2][:10]) for row in at_risk(persons, asked)] == rows_of("""
        denominator | person | first day
        1           | 1      | 2012-01-05
        1           | 2      | 2013-01-05
        2           | 1      | 2012-01-05
        3           | 1      | 2012-01-05
    """)
    nine_years_old = """
        person | sex | born       | observed               | events | others
        1      | M   | 2000-02-02 | 2005-01-01..2018-06-01 |        | 2010-01-01..2018-06-01
    """
    from_nine_and_from_ten = replace(IN_TARGET, age_groups=(AgeGroup(9, 100), AgeGroup(10, 100)))
    assert [row[0] for row in at_risk(nine_years_old, from_nine_and_from_ten)] == ["1"]


def test_check_example_with_multiple_observation_periods() -> None:
    persons = """
        person | sex | born       | observed                                       | events
        1      | M   | 2000-06-01 | 2010-01-01..2010-06-01, 2011-01-01..2011-06-01 |
    """
    assert stays(persons, Population()) == [("1", "2010-01-01..2010-06-01"), ("1", "2011-01-01..2011-06-01")]
    assert stays(persons, between(date(2011, 1, 1), None)) == [("1", "2011-01-01..2011-06-01")]
    assert stays(persons, between(None, date(2010, 12, 31))) == [("1", "2010-01-01..2010-06-01")]


SEVEN = """
    person | sex | born       | observed               | events
    1      | M   | 1995-07-25 | 2017-01-01..2020-06-01 |
    2      | F   | 1993-02-14 | 2000-01-01..2017-06-01 |
    3      | M   | 1994-06-01 | 2000-01-01..2017-06-01 |
    4      | F   | 1996-05-02 | 2000-01-01..2017-06-01 |
    5      | F   | 1998-04-03 | 2016-01-01..2020-06-01 |
    6      | M   | 2000-10-10 | 2016-01-01..2020-06-01 |
    7      | M   | 1993-01-12 | 2016-01-01..2020-06-01 |
"""


@pytest.mark.parametrize(
    ("population", "reason", "n_excluded"),
    [
        (Population(), 2, 1),
        (Population(), 3, 1),
        (Population(sexes=(Sex.MALE,)), 8, 3),
        (Population(sexes=(Sex.FEMALE,)), 8, 2),
        (between(date(2010, 1, 1), date(2012, 1, 1)), 5, 2),
        (replace(between(date(2015, 1, 1), date(2016, 6, 30)), days_prior_observation=(365,)), 7, 1),
    ],
    ids=["birth unknown", "sex unknown", "not male", "not female", "not observed in the study", "observed too short"],
)
def test_check_attrition_table_logic(population: Population, reason: int, n_excluded: int) -> None:
    """The sixth person's birth is not known, nor is the seventh's sex."""
    changed = {6: {"born": (None, 10, 10)}, 7: {"gender_concept_id": 0}}
    histories = [replace(each, **changed.get(each.person_id, {})) for each in people(SEVEN)]  # type: ignore[arg-type]
    study = Study("spec", (EVENTS,), (Incidence(("events",), population),))
    result = run_study(study, cdm_of_rows(tables_of(histories), n_buckets=2))
    (rows,) = attrition(result, "incidence_attrition").values()
    left = {number: n_records for number, n_records, _ in rows}
    before = max(number for number in left if number < reason)
    assert left[before] - left[reason] == n_excluded
