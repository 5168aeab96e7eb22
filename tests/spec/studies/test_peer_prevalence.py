"""The worked examples of IncidencePrevalence's own tests: shares, and the days that are asked.

Source: darwin-eu/IncidencePrevalence, ``tests/testthat/test-estimatePrevalence.R`` and ``test-getStudyDays.R``. The
figures are theirs, each example has the name of its test there. What is covered where:

- working examples, minimum counts, study time periods, fullContribution, calendar dates, multiple outcome ids, empty
  result sets, multiple observation periods, multiple denominators and outcomes, point and period output: here.
- strata, with and without those of all: ``test_strata.py``; suppression: ``tests/spec/release``.
- outcome lookback and points by day are gone from the package; what lasts longer is a cohort with another end.
- output format, conversion of input, messages, errors, participants: how R is called; nothing to compare.
"""

from __future__ import annotations

from datetime import date

import pytest

from enclos.studies.model import (
    AgeGroup,
    DateRange,
    Interval,
    PeriodPrevalence,
    PointPrevalence,
    Population,
    Sex,
    Study,
    Target,
    TimePoint,
)
from enclos.studies.steps import run_study
from factories.studies import counted
from factories.study_tables import EVENTS, OTHERS, Row, cdm, shares

EVERYBODY = Population()
MONTHS, YEARS, QUARTERS, WEEKS = (Interval.MONTHS,), (Interval.YEARS,), (Interval.QUARTERS,), (Interval.WEEKS,)
OBSERVED_2010 = """
    person | sex | born       | observed               | events
    1      | M   | 2000-01-01 | 2010-01-01..2010-12-31 | 2010-02-05, 2010-02-08, 2010-02-20
"""


def counts(rows: list[Row]) -> list[tuple[int, int]]:
    """Cases and persons of each window."""
    return [(int(row[3]), int(row[2])) for row in rows]


def test_working_examples_2() -> None:
    """Nobody has the outcome on the first of a month; in February 2010 the one person has it."""
    persons = OBSERVED_2010.replace("2010-12-31", "2012-06-01")
    assert {row[3] for row in shares(persons, PointPrevalence(("events",), EVERYBODY, MONTHS))} == {"0"}
    assert [row[3] for row in shares(persons, PeriodPrevalence(("events",), EVERYBODY, MONTHS))][:3] == ["0", "1", "0"]


def test_check_study_time_periods() -> None:
    assert len(shares(OBSERVED_2010, PointPrevalence(("events",), EVERYBODY, MONTHS))) == 12


def test_check_minimum_counts() -> None:
    """Seventeen persons are observed in January alone and have the outcome then; the others stay and have it later."""
    rows = [f"{n} | M | 2000-01-01 | 2000-01-01..2000-01-31 | 2000-01-02..2000-01-03" for n in range(1, 18)]
    rows += [f"{n} | M | 2000-01-01 | 2000-01-01..2012-06-01 | 2000-02-02..2000-02-03" for n in range(18, 21)]
    persons = "\n".join(["person | sex | born | observed | events", *rows])
    found = shares(persons, PeriodPrevalence(("events",), EVERYBODY, MONTHS))
    assert counts(found)[:3] == [(17, 20), (3, 3), (0, 3)]


@pytest.mark.parametrize(("whole", "n_persons"), [(False, [2, 2]), (True, [2, 1])])
def test_check_full_contribution_requirement(whole: bool, n_persons: list[int]) -> None:
    persons = """
        person | sex | born       | observed               | events
        1      | M   | 2000-01-01 | 2010-01-01..2011-06-01 | 2010-02-05, 2010-02-08, 2010-02-20
        2      | M   | 2000-01-01 | 2010-01-01..2012-06-01 |
    """
    found = shares(persons, PeriodPrevalence(("events",), EVERYBODY, YEARS, full_contribution=whole))
    assert [n for _, n in counts(found)] == n_persons


@pytest.mark.parametrize(
    ("complete", "interval", "start", "first_days"),
    [
        (False, YEARS, None, ["2010-06-05", "2011-01-01", "2012-01-01", "2013-01-01"]),
        (True, YEARS, None, ["2011-01-01", "2012-01-01"]),
        (False, MONTHS, date(2011, 1, 15), ["2011-01-15"]),
        (True, MONTHS, date(2011, 1, 15), ["2011-02-01"]),
    ],
)
def test_check_periods_follow_calendar_dates(
    complete: bool, interval: tuple[Interval, ...], start: date | None, first_days: list[str]
) -> None:
    persons = """
        person | sex | born       | observed               | events
        1      | M   | 2000-01-01 | 2010-06-05..2013-06-15 | 2011-01-31, 2011-02-01, 2011-03-01
    """
    population = Population(date_range=DateRange(start))
    found = shares(persons, PeriodPrevalence(("events",), population, interval, complete_intervals=complete))
    starts = [row[1][:10] for row in found]
    assert starts == first_days if start is None else starts[:1] == first_days


def test_check_multiple_outcome_ids() -> None:
    persons = """
        person | sex | born       | observed               | events     | others
        1      | M   | 2000-01-01 | 2011-01-01..2012-06-01 | 2011-02-05 |
        2      | M   | 2000-01-01 | 2011-01-01..2012-06-01 |            | 2011-02-05
    """
    asked = PeriodPrevalence(("events", "others"), EVERYBODY, YEARS)
    found = counted(run_study(Study("spec", (EVENTS, OTHERS), (asked,)), cdm(persons)), "prevalence")
    assert [[each.n_outcomes for each in windows.values()] for windows in found.values()] == [[1], [1]]


def test_some_empty_result_sets() -> None:
    """Half a year holds no whole year, but whole months."""
    persons = """
        person | sex | born       | observed               | events
        1      | M   | 2000-01-01 | 2012-01-01..2012-06-01 |
        2      | M   | 2000-01-01 | 2012-01-01..2012-06-01 |
    """
    assert shares(persons, PeriodPrevalence(("events",), EVERYBODY, YEARS)) == []
    assert len(shares(persons, PeriodPrevalence(("events",), EVERYBODY, (*MONTHS, *YEARS)))) == 5


def test_multiple_observation_periods() -> None:
    """The person has the outcome in three of the months; the entry that lies outside observation is none."""
    persons = """
        person | sex | born | observed | events | others
        1 | M | 1998-02-12 | 2005-04-01..2005-11-29, 2009-04-10..2010-01-02, 2010-08-20..2011-12-11 | 2005-08-09, \
2005-08-10, 2005-08-11, 2009-11-11, 2009-11-21, 2010-12-21 | 2005-04-01..2005-11-29, 2009-06-10..2010-01-02, \
2010-08-20..2011-10-11
        2 | M | 1976-06-01 | 2012-01-01..2015-06-01 | 2014-04-04 | 2010-01-01..2015-06-01
    """
    in_target = Population(target=Target("others"))
    by_month = counts(shares(persons, PeriodPrevalence(("events",), in_target, MONTHS)))
    assert (sum(cases for cases, _ in by_month), sum(n for _, n in by_month)) == (3, 8 + 8 + 14)
    on_the_first = counts(shares(persons, PointPrevalence(("events",), in_target, MONTHS)))
    assert sum(cases for cases, _ in on_the_first) == 0


ELEVEN = """
    person | sex | born       | observed               | events                 | others
    1      | M   | 1943-02-07 | 2005-04-02..2006-04-01 | 2005-07-01             |
    2      | M   | 1955-06-06 | 2009-04-10..2020-04-10 | 2010-01-20, 2010-05-10 |
    3      | M   | 1956-01-23 | 1990-08-20..2021-08-20 |                        |
    4      | M   | 1958-03-10 | 1977-04-01..2021-04-01 |                        | 2010-06-17
    5      | M   | 1976-12-13 | 2001-04-10..2021-04-10 | 2010-11-06             |
    6      | M   | 1987-11-24 | 2000-08-20..2018-08-20 | 2010-12-11             |
    7      | M   | 1989-10-05 | 2002-04-01..2011-04-01 |                        | 2010-06-05
    8      | F   | 1954-10-17 | 1972-04-10..2013-04-10 |                        | 2010-09-02
    9      | F   | 1968-09-19 | 1967-08-20..2019-08-20 | 2010-07-12             |
    10     | F   | 1968-04-05 | 2001-04-01..2022-04-01 | 2010-03-03             | 2010-10-26
    11     | F   | 1991-04-23 | 2009-11-01..2022-01-01 | 2010-03-22             |
"""
EIGHT_DENOMINATORS = Population(
    (AgeGroup(0, 50), AgeGroup(51, 100)),
    (Sex.MALE, Sex.FEMALE),
    (0, 365),
    DateRange(date(2010, 1, 1), date(2010, 12, 31)),
)


def of_eleven(analysis: PeriodPrevalence | PointPrevalence) -> list[list[tuple[int, int]]]:
    """Cases and persons of each window: eight denominators of the first outcome, then of the second."""
    found = counted(run_study(Study("spec", (EVENTS, OTHERS), (analysis,)), cdm(ELEVEN)), "prevalence")
    return [[(each.n_outcomes, each.n_denominator) for each in windows.values()] for windows in found.values()]


@pytest.mark.parametrize(
    ("whole", "expected"),
    [
        (True, "2/3 2/3 3/3 2/2 1/3 0/2 0/1 0/1 1/3 1/3 1/3 1/2 1/3 1/2 1/1 1/1"),
        (False, "2/3 2/3 3/3 2/3 1/3 1/3 0/1 0/1 1/3 1/3 1/3 1/3 1/3 1/3 1/1 1/1"),
    ],
)
def test_multiple_denominators_and_outcomes(whole: bool, expected: str) -> None:
    asked = PeriodPrevalence(("events", "others"), EIGHT_DENOMINATORS, YEARS, full_contribution=whole)
    assert [f"{cases}/{n}" for ((cases, n),) in of_eleven(asked)] == expected.split()


@pytest.mark.parametrize(("whole", "n_persons"), [(True, 2), (False, 3)])
def test_multiple_denominators_and_outcomes_by_month(whole: bool, n_persons: int) -> None:
    asked = PeriodPrevalence(("events", "others"), EIGHT_DENOMINATORS, MONTHS, full_contribution=whole)
    found = of_eleven(asked)
    assert sum(cases for months in found for cases, _ in months) == 20
    young_women, men_observed_a_year = found[2], found[5]
    assert [young_women[month - 1][0] for month in (3, 7)] == [2, 1]
    assert men_observed_a_year[4 - 1][1] == n_persons


@pytest.mark.parametrize("time_point", TimePoint)
def test_multiple_denominators_and_outcomes_on_a_day(time_point: TimePoint) -> None:
    """No outcome lasts over the first, the middle or the last day of the year."""
    asked = PointPrevalence(("events", "others"), EIGHT_DENOMINATORS, YEARS, time_point)
    assert sum(cases for days in of_eleven(asked) for cases, _ in days) == 0


def days_asked(first: str, last: str, interval: tuple[Interval, ...], time_point: TimePoint | None) -> list[str]:
    """The first day of each window between two days: of points, or of whole periods."""
    persons = f"""
        person | sex | born       | observed        | events
        1      | M   | 2000-01-01 | {first}..{last} |
    """
    asked = (
        PeriodPrevalence(("events",), EVERYBODY, interval)
        if time_point is None
        else PointPrevalence(("events",), EVERYBODY, interval, time_point)
    )
    return [row[1][:10] for row in shares(persons, asked)]


@pytest.mark.parametrize(
    ("last", "interval", "time_point", "days"),
    [
        ("2012-01-01", YEARS, None, "2010-01-01 2011-01-01"),
        ("2012-01-01", YEARS, TimePoint.START, "2010-01-01 2011-01-01 2012-01-01"),
        ("2012-01-01", YEARS, TimePoint.MIDDLE, "2010-07-01 2011-07-01"),
        ("2012-01-01", YEARS, TimePoint.END, "2010-12-31 2011-12-31"),
        (
            "2012-01-01",
            QUARTERS,
            TimePoint.MIDDLE,
            "2010-02-15 2010-05-15 2010-08-15 2010-11-15 2011-02-15 2011-05-15 2011-08-15 2011-11-15",
        ),
        (
            "2012-01-01",
            QUARTERS,
            TimePoint.END,
            "2010-03-31 2010-06-30 2010-09-30 2010-12-31 2011-03-31 2011-06-30 2011-09-30 2011-12-31",
        ),
        ("2010-03-02", MONTHS, None, "2010-01-01 2010-02-01"),
        ("2010-03-02", MONTHS, TimePoint.START, "2010-01-01 2010-02-01 2010-03-01"),
        ("2010-03-02", MONTHS, TimePoint.MIDDLE, "2010-01-15 2010-02-15"),
        ("2010-03-02", MONTHS, TimePoint.END, "2010-01-31 2010-02-28"),
        (
            "2010-03-02",
            WEEKS,
            None,
            "2010-01-04 2010-01-11 2010-01-18 2010-01-25 2010-02-01 2010-02-08 2010-02-15 2010-02-22",
        ),
        (
            "2010-03-02",
            WEEKS,
            TimePoint.START,
            "2010-01-04 2010-01-11 2010-01-18 2010-01-25 2010-02-01 2010-02-08 2010-02-15 2010-02-22 2010-03-01",
        ),
        (
            "2010-03-02",
            WEEKS,
            TimePoint.END,
            "2010-01-03 2010-01-10 2010-01-17 2010-01-24 2010-01-31 2010-02-07 2010-02-14 2010-02-21 2010-02-28",
        ),
    ],
)
def test_check_point_and_period_output_correctly(
    last: str, interval: tuple[Interval, ...], time_point: TimePoint | None, days: str
) -> None:
    assert days_asked("2010-01-01", last, interval, time_point) == days.split()
