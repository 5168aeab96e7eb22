"""The share of persons who have the outcome, on a day or in an interval."""

import pytest

from enclos.studies.model import (
    Interval,
    Level,
    PeriodPrevalence,
    PointPrevalence,
    Population,
    Study,
    Target,
    TimePoint,
)
from enclos.studies.steps import run_study
from factories.studies import counted
from factories.study_tables import EVENTS, cdm, rows_of, shares

PERSONS = """
    person | sex | born       | observed               | events
    1      | F   | 1980-01-01 | 2019-01-01..2021-12-31 | 2019-12-20..2020-01-01
    2      | M   | 1980-01-01 | 2019-06-01..2020-06-30 | 2020-07-01..2020-07-10
    3      | M   | 1980-01-01 | 2020-01-01..2020-01-01 |
"""
EVERYONE = Population()


def test_on_one_day_those_present_are_asked_whether_they_have_it() -> None:
    assert shares(PERSONS, PointPrevalence(("events",), EVERYONE)) == rows_of("""
        denominator | day                    | persons | cases
        1           | 2019-01-01..2019-01-01 | 1       | 0
        1           | 2020-01-01..2020-01-01 | 3       | 1
        1           | 2021-01-01..2021-01-01 | 1       | 0
    """)


@pytest.mark.parametrize(
    ("interval", "time_point", "first_days"),
    [
        (Interval.YEARS, TimePoint.MIDDLE, ["2019-07-01", "2020-07-01"]),
        (Interval.YEARS, TimePoint.END, ["2019-12-31", "2020-12-31"]),
        (Interval.QUARTERS, TimePoint.MIDDLE, ["2019-02-15", "2019-05-15"]),
        (Interval.MONTHS, TimePoint.MIDDLE, ["2019-01-15", "2019-02-15"]),
        (Interval.MONTHS, TimePoint.END, ["2019-01-31", "2019-02-28"]),
        (Interval.WEEKS, TimePoint.START, ["2019-01-07", "2019-01-14"]),
        (Interval.WEEKS, TimePoint.MIDDLE, ["2019-01-03", "2019-01-10"]),
        (Interval.WEEKS, TimePoint.END, ["2019-01-06", "2019-01-13"]),
    ],
)
def test_the_day_of_an_interval(interval: Interval, time_point: TimePoint, first_days: list[str]) -> None:
    found = shares(PERSONS, PointPrevalence(("events",), EVERYONE, (interval,), time_point))
    assert [row[1].partition("..")[0] for row in found[:2]] == first_days


def test_in_an_interval_anyone_present_on_a_day_counts_and_a_case_has_it_on_such_a_day() -> None:
    assert shares(PERSONS, PeriodPrevalence(("events",), EVERYONE)) == rows_of("""
        denominator | window                 | persons | cases
        1           | 2019-01-01..2019-12-31 | 2       | 1
        1           | 2020-01-01..2020-12-31 | 3       | 1
        1           | 2021-01-01..2021-12-31 | 1       | 0
    """)


def test_full_contribution_asks_for_presence_on_every_day() -> None:
    assert shares(PERSONS, PeriodPrevalence(("events",), EVERYONE, full_contribution=True)) == rows_of("""
        denominator | window                 | persons | cases
        1           | 2019-01-01..2019-12-31 | 1       | 1
        1           | 2020-01-01..2020-12-31 | 1       | 1
        1           | 2021-01-01..2021-12-31 | 1       | 0
    """)


def test_an_interval_without_anyone_is_shown_empty() -> None:
    persons = """
        person | sex | born       | observed                                       | events
        1      | F   | 1980-01-01 | 2018-01-01..2018-12-31, 2020-01-01..2020-12-31 |
    """
    assert shares(persons, PeriodPrevalence(("events",), EVERYONE))[1] == ("1", "2019-01-01..2019-12-31", "0", "0")


def test_incomplete_intervals_are_cut_and_the_overall_interval_is_all_of_it() -> None:
    persons = """
        person | sex | born       | observed               | events
        1      | F   | 1980-01-01 | 2019-12-20..2020-01-10 | 2020-01-02
    """
    analysis = PeriodPrevalence(
        ("events",), EVERYONE, (Interval.OVERALL, Interval.YEARS), full_contribution=True, complete_intervals=False
    )
    assert shares(persons, analysis) == rows_of("""
        denominator | window                 | persons | cases
        1           | 2019-12-20..2019-12-31 | 1       | 0
        1           | 2020-01-01..2020-01-10 | 1       | 1
        1           | 2019-12-20..2020-01-10 | 1       | 1
    """)


def test_in_a_target_only_those_in_it_are_asked() -> None:
    persons = """
        person | sex | born       | observed               | events                 | others
        1      | F   | 1980-01-01 | 2019-01-01..2021-12-31 | 2019-12-20..2020-01-10 | 2019-06-01..2020-06-01
        2      | M   | 1980-01-01 | 2019-01-01..2021-12-31 | 2020-07-01..2020-07-10 | 2020-01-01..2020-06-30
        3      | M   | 1980-01-01 | 2019-01-01..2021-12-31 | 2020-01-01             |
    """
    in_target = Population(target=Target("others"))
    assert shares(persons, PointPrevalence(("events",), in_target)) == [("1", "2020-01-01..2020-01-01", "2", "1")]
    assert shares(
        persons, PeriodPrevalence(("events",), in_target, (Interval.YEARS,), complete_intervals=False)
    ) == rows_of("""
        denominator | window                 | persons | cases
        1           | 2019-06-01..2019-12-31 | 1       | 1
        1           | 2020-01-01..2020-06-30 | 2       | 1
    """)


def test_a_person_who_is_present_twice_counts_twice_where_records_are_counted() -> None:
    persons = """
        person | sex | born       | observed                                       | events
        1      | F   | 1980-01-01 | 2019-01-01..2019-03-31, 2019-06-01..2019-12-31 | 2019-07-01..2019-07-03
        2      | M   | 1980-01-01 | 2019-01-01..2019-12-31                         | 2019-02-01, 2019-08-01
    """
    asked = PeriodPrevalence(("events",), EVERYONE, level=Level.RECORD)
    study = Study("spec", (EVENTS,), (asked,))
    found = counted(run_study(study, cdm(persons)), "prevalence_of_records")[1, "events"]
    ((counts),) = found.values()
    assert (counts.n_outcomes, counts.n_denominator) == (2, 3)
    assert (counts.numerator, counts.denominator) == ({1, 2}, {1, 2})
