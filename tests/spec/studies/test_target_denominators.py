"""Persons who count only while they are in a target cohort.

Source of the example: IncidencePrevalence 1.2, vignette on target denominator populations: five persons, of whom three
had acute asthma (here the cohort ``others``); results there are drawn, ours are the dates that the drawings show.
"""

from datetime import date

import pytest

from enclos.studies.model import AgeGroup, DateRange, DayWindow, Population, Sex, Target
from factories.study_tables import at_risk, rows_of

ASTHMA = """
    person | sex | born       | observed               | events | others
    1      | M   | 2000-06-01 | 2010-12-19..2011-06-19 |        |
    2      | M   | 2000-06-01 | 2005-04-01..2005-11-29 |        | 2005-08-20..2005-09-20
    3      | F   | 2000-06-01 | 2009-04-10..2016-01-02 |        | 2011-01-01..2013-01-01, 2015-06-01..2015-12-31
    4      | F   | 2000-06-01 | 2010-08-20..2011-12-11 |        |
    5      | F   | 2000-06-01 | 2010-01-01..2015-06-01 |        | 2010-06-01..2010-06-01, 2014-10-01..2015-04-01
"""


def girls(**options: object) -> Population:
    return Population((AgeGroup(11, 15),), (Sex.FEMALE,), target=Target("others", **options))  # type: ignore[arg-type]


def test_everybody_counts_while_in_the_target_once_for_each_entry() -> None:
    assert at_risk(ASTHMA, Population(target=Target("others"))) == rows_of("""
        denominator | person | at risk
        1           | 2      | 2005-08-20..2005-09-20
        1           | 3      | 2011-01-01..2013-01-01
        1           | 3      | 2015-06-01..2015-12-31
        1           | 5      | 2010-06-01..2010-06-01
        1           | 5      | 2014-10-01..2015-04-01
    """)


def test_entries_of_those_too_young_on_the_day_of_entry_are_left_out() -> None:
    assert at_risk(ASTHMA, girls()) == rows_of("""
        denominator | person | at risk
        1           | 3      | 2015-06-01..2015-12-31
        1           | 5      | 2014-10-01..2015-04-01
    """)


def test_or_they_count_from_whenever_they_are_old_enough() -> None:
    assert at_risk(ASTHMA, girls(requirements_at_entry=False)) == rows_of("""
        denominator | person | at risk
        1           | 3      | 2011-06-01..2013-01-01
        1           | 3      | 2015-06-01..2015-12-31
        1           | 5      | 2014-10-01..2015-04-01
    """)


def test_each_window_after_entry_is_a_denominator_of_its_own() -> None:
    assert at_risk(ASTHMA, girls(windows=(DayWindow(0, 30), DayWindow(31, 60)))) == rows_of("""
        denominator | person | at risk
        1           | 3      | 2015-06-01..2015-07-01
        1           | 5      | 2014-10-01..2014-10-31
        2           | 3      | 2015-07-02..2015-07-31
        2           | 5      | 2014-11-01..2014-11-30
    """)


@pytest.mark.parametrize(("at_entry", "first_day"), [(True, None), (False, "2012-01-01")])
def test_the_entry_lies_in_the_study_or_time_from_its_first_day_on_counts(
    at_entry: bool, first_day: str | None
) -> None:
    """The vignette: with requirements at entry one must enter the target during the date range."""
    study = Population(
        date_range=DateRange(date(2012, 1, 1), date(2012, 12, 31)),
        target=Target("others", requirements_at_entry=at_entry),
    )
    assert at_risk(ASTHMA, study) == ([("1", "3", f"{first_day}..2012-12-31")] if first_day else [])


@pytest.mark.parametrize(
    ("days", "at_entry", "expected"),
    [
        (151, True, ["2010-06-01..2010-06-01", "2014-10-01..2015-04-01"]),
        (152, True, ["2014-10-01..2015-04-01"]),
        (1735, False, ["2014-10-02..2015-04-01"]),
    ],
)
def test_days_of_prior_observation_are_those_before_entry_or_before_the_day(
    days: int, at_entry: bool, expected: list[str]
) -> None:
    """151 days lie between 1 January and 1 June 2010; 1734 between 1 January 2010 and 1 October 2014."""
    fifth = "\n".join(line for line in ASTHMA.splitlines() if not line.strip() or line.split()[0] in {"person", "5"})
    study = Population(days_prior_observation=(days,), target=Target("others", requirements_at_entry=at_entry))
    assert [row[2] for row in at_risk(fifth, study)] == expected


def test_an_age_group_is_left_on_a_birthday_also_when_requirements_hold_at_entry() -> None:
    population = Population((AgeGroup(10, 10), AgeGroup(11, 15)), target=Target("others"))
    found = [row for row in at_risk(ASTHMA, population) if row[1] == "3"]
    assert found == [("1", "3", "2011-01-01..2011-05-31"), ("2", "3", "2015-06-01..2015-12-31")]


def test_an_entry_ends_with_the_observation_period_that_it_starts_in() -> None:
    persons = """
        person | sex | born       | observed                                       | events | others
        1      | F   | 1980-01-01 | 2019-01-01..2019-06-30, 2019-07-01..2020-12-31 |        | 2019-06-20..2019-07-10
    """
    assert at_risk(persons, Population(target=Target("others"))) == [("1", "1", "2019-06-20..2019-06-30")]
