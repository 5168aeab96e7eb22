"""The worked examples of IncidencePrevalence's own tests: rates.

Source: darwin-eu/IncidencePrevalence, ``tests/testthat/test-estimateIncidence.R``. The figures are theirs, each example
has the name of its test there. What is covered where:

- working example 2, study periods, overall, person days, calendar dates, washout windows, overlapping with start of a
  period, months and years, entry and event same day, minimum counts, cohort before period start, full period (month),
  completeDatabaseIntervals, insufficient study days, with and without study dates, multiple observation periods,
  attrition with complete database intervals: here.
- output format, messages, conversion of input, compute permanent, participants: how R is called; nothing to compare.
- confidence intervals: ``tests/unit/studies/rules/test_estimates.py``, against SciPy; strata: ``test_strata.py``;
  suppression (minimum counts of 5): release, ``tests/spec/release``.
- cohort start overlaps with the outcome, outcome before observation, multiple overlapping outcomes: outcomes that begin
  before observation. A cohort of this platform has no such day: a record outside observation does not count, as
  omopgenerics asks of a cohort since. So no example of them.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from enclos.contracts.result import StudyResult
from enclos.studies.model import AgeGroup, DateRange, Incidence, Interval, Population, Study, Target
from enclos.studies.steps import run_study
from factories.studies import attrition
from factories.study_tables import EVENTS, OTHERS, cdm, rates, rows_of

EVERYBODY = Population()
AGED_20_TO_30 = Population((AgeGroup(20, 30),))
EVERY_EVENT = Incidence(("events",), EVERYBODY, washout_days=0, repeated_events=True, complete_intervals=False)
"""Every event counts, and intervals that are not wholly observed."""
FIRST_EVER = Incidence(("events",), EVERYBODY, complete_intervals=False)
MONTHS, YEARS, OVERALL = (Interval.MONTHS,), (Interval.YEARS,), (Interval.OVERALL,)


def in_target(**options: object) -> Incidence:
    """An incidence of every event among those in the cohort ``others``, by year."""
    return replace(EVERY_EVENT, population=Population(target=Target("others")), **options)  # type: ignore[arg-type]


def events_and_days(persons: str, analysis: Incidence) -> tuple[int, int]:
    """Events and person-days of all windows together."""
    found = rates(persons, analysis)
    return sum(int(row[4]) for row in found), sum(int(row[3]) for row in found)


def windows(persons: str, analysis: Incidence) -> list[str]:
    """The first day of each window."""
    return [row[1][:10] for row in rates(persons, analysis)]


ONE_PERSON = """
    person | sex | born       | observed               | events
    1      | M   | 2000-01-01 | 2010-01-01..2012-06-01 | 2010-02-05, 2010-02-08, 2010-02-20
"""


@pytest.mark.parametrize(
    ("repeated", "washout", "interval", "n_events"),
    [
        (False, 0, YEARS, 1),
        (True, 2, YEARS, 3),
        (True, 10, YEARS, 2),
        (True, None, YEARS, 1),
        (True, None, (Interval.WEEKS,), 1),
    ],
)
def test_working_example_2(repeated: bool, washout: int | None, interval: tuple[Interval, ...], n_events: int) -> None:
    asked = replace(EVERY_EVENT, repeated_events=repeated, washout_days=washout, intervals=interval)
    assert events_and_days(ONE_PERSON, asked)[0] == n_events


def test_check_study_periods() -> None:
    """From the middle of January to that of December: twelve months begin or end in it, ten are whole."""
    persons = """
        person | sex | born       | observed               | events
        1      | M   | 2000-01-01 | 2010-01-15..2010-12-15 | 2010-02-05, 2010-02-08, 2010-02-20
    """
    months = replace(EVERY_EVENT, intervals=MONTHS)
    assert len(windows(persons, months)) == 12
    assert len(windows(persons, replace(months, complete_intervals=True))) == 10


def test_check_overall() -> None:
    """Without a washout an event before the study takes nobody out; without repeated events the study ends with the
    last one's first event."""
    persons = """
        person | sex | born       | observed               | events
        1      | M   | 2000-01-01 | 2005-01-15..2007-05-01 | 2006-02-05
        2      | M   | 2000-01-01 | 2005-01-15..2011-06-15 | 2006-02-05, 2010-02-05
    """
    from_2007 = replace(EVERY_EVENT, population=Population(date_range=DateRange(date(2007, 1, 1))), intervals=OVERALL)
    found = [rates(persons, replace(from_2007, repeated_events=repeated))[0] for repeated in (False, True)]
    assert [row[1:3] for row in found] == rows_of("""
        window                 | persons
        2007-01-01..2010-02-05 | 2
        2007-01-01..2011-06-15 | 2
    """)


def test_check_person_days() -> None:
    """The second person turns 20 on 1 July 2019, the first a year later and has the event in 2021."""
    persons = """
        person | sex | born       | observed               | events
        1      | M   | 2000-07-01 | 2007-01-01..2022-12-31 | 2021-06-27
        2      | F   | 1999-07-01 | 2007-01-01..2022-10-05 |
    """
    found = rates(persons, replace(FIRST_EVER, population=AGED_20_TO_30))
    assert [(row[1][:4], row[3]) for row in found] == rows_of("""
        year | person-days
        2019 | 184
        2020 | 550
        2021 | 543
        2022 | 278
    """)


def test_check_periods_follow_calendar_dates() -> None:
    persons = """
        person | sex | born       | observed               | events
        1      | M   | 2000-01-01 | 2010-01-01..2012-12-31 | 2010-03-01, 2011-01-31, 2011-02-01, 2011-03-01
    """

    def events_from(day: date, interval: tuple[Interval, ...]) -> list[str]:
        population = Population(date_range=DateRange(day))
        return [row[4] for row in rates(persons, replace(EVERY_EVENT, population=population, intervals=interval))]

    assert events_from(date(2010, 2, 1), YEARS)[:2] == ["1", "3"]
    assert events_from(date(2011, 1, 15), MONTHS)[:3] == ["1", "1", "1"]


def test_check_washout_windows() -> None:
    """Two days lie between the end of the second event and the third, one day between that and the fourth."""
    persons = """
        person | sex | born       | observed               | events
        1      | M   | 2000-01-01 | 2010-01-01..2012-12-31 | 2010-06-01..2010-06-02, 2011-01-13..2011-01-14, \
2011-01-16..2011-01-17, 2011-01-18..2011-01-19
    """
    found = {days: events_and_days(persons, replace(EVERY_EVENT, washout_days=days)) for days in (0, 1, 2, 365, None)}
    assert [n_events for n_events, _ in found.values()] == [4, 3, 2, 1, 1]
    assert found[None][1] < found[365][1], "who comes back after a washout has more time at risk"


@pytest.mark.parametrize("events", ["2020-06-27..2020-07-19", "2020-06-27..2020-07-19, 2020-07-30..2020-08-20"])
def test_check_events_overlapping_with_start_of_a_period(events: str) -> None:
    """The first person has had the outcome before turning 20 and is never at risk."""
    persons = f"""
        person | sex | born       | observed               | events
        1      | M   | 2000-07-01 | 2000-01-21..2022-12-31 | {events}
        2      | F   | 1999-07-01 | 2007-01-01..2022-12-31 |
    """
    asked = Incidence(("events",), AGED_20_TO_30, repeated_events=True)
    assert {row[2] for row in rates(persons, asked)} == {"1"}


def test_compare_results_from_months_and_years() -> None:
    persons = """
        person | sex | born       | observed               | events
        1      | M   | 2000-01-01 | 2010-01-01..2012-01-01 | 2011-07-01
        2      | M   | 2000-01-01 | 2010-01-01..2012-01-01 |
    """
    population = Population(date_range=DateRange(date(2010, 1, 1), date(2011, 12, 31)))
    calendars = (*YEARS, *MONTHS, Interval.QUARTERS, Interval.WEEKS)
    by_interval = [
        events_and_days(persons, Incidence(("events",), population, (each,), complete_intervals=False))
        for each in calendars
    ]
    assert set(by_interval) == {(1, 1277)}


@pytest.mark.parametrize("repeated", [False, True])
def test_check_entry_and_event_on_same_day(repeated: bool) -> None:
    persons = """
        person | sex | born       | observed               | events
        1      | M   | 2000-01-01 | 2010-01-28..2012-12-31 | 2010-01-28
    """
    assert events_and_days(persons, replace(FIRST_EVER, repeated_events=repeated)) == (1, 1)


def test_check_minimum_counts() -> None:
    """Of twenty persons seventeen have the event in January, the other three in February."""
    rows = [
        f"{person} | M | 2000-01-01 | 2000-01-01..2012-06-01 | {day}"
        for person, day in enumerate(17 * ["2000-01-02..2000-01-03"] + 3 * ["2000-02-02..2000-02-03"], start=1)
    ]
    persons = "\n".join(["person | sex | born | observed | events", *rows])
    found = rates(persons, replace(FIRST_EVER, intervals=MONTHS))
    assert [(row[2], row[4]) for row in found] == [("20", "17"), ("3", "3")]


@pytest.mark.parametrize("washout", [0, None])
def test_cohort_before_period_start_ending_after_period(washout: int | None) -> None:
    persons = """
        person | sex | born       | observed               | events
        1      | M   | 1990-01-01 | 2000-07-31..2010-01-01 | 2000-08-02..2020-01-01
        2      | F   | 1990-01-01 | 2000-07-31..2010-01-01 | 2001-06-01..2001-07-01
    """
    in_2001 = Population(date_range=DateRange(date(2001, 1, 1), date(2001, 12, 31)))
    (row,) = rates(persons, replace(FIRST_EVER, population=in_2001, washout_days=washout))
    assert (row[2], row[4]) == ("1", "1")


def test_check_full_period_requirement_month() -> None:
    """Only January is observed to its end; the first person, whose observation would start later, is not in."""
    persons = """
        person | sex | born       | observed               | events
        2      | F   | 1995-07-01 | 2020-01-01..2020-01-31 |
    """
    asked = Incidence(("events",), AGED_20_TO_30, MONTHS, repeated_events=True)
    assert [row[1:3] for row in rates(persons, asked)] == [("2020-01-01..2020-01-31", "1")]


@pytest.mark.parametrize(
    ("repeated", "complete", "years"),
    [
        (True, True, [2020, 2021]),
        (False, True, [2020]),
        (True, False, [2019, 2020, 2021, 2022]),
        (False, False, [2019, 2020, 2021]),
    ],
)
def test_check_complete_database_intervals(repeated: bool, complete: bool, years: list[int]) -> None:
    persons = """
        person | sex | born       | observed               | events
        1      | M   | 1995-07-01 | 2019-05-09..2022-06-01 | 2020-04-28..2020-05-19
        2      | F   | 1995-07-01 | 2019-02-02..2021-06-06 |
    """
    asked = replace(
        EVERY_EVENT, washout_days=0 if repeated else None, repeated_events=repeated, complete_intervals=complete
    )
    assert [int(day[:4]) for day in windows(persons, asked)] == years


def test_check_insufficient_study_days() -> None:
    persons = """
        person | sex | born       | observed               | events
        1      | M   | 1995-07-01 | 2019-05-09..2019-06-01 |
        2      | F   | 1995-07-01 | 2019-02-02..2019-06-06 |
    """
    assert windows(persons, Incidence(("events",), EVERYBODY, repeated_events=True)) == []


@pytest.mark.parametrize("washout", [0, 365])
def test_check_with_and_without_study_start_and_end_date(washout: int) -> None:
    """What happens in 2010 does not depend on the days that a study looks at, when 2010 is among them."""
    persons = """
        person | sex | born       | observed               | events
        1      | M   | 2000-07-01 | 2007-01-01..2022-12-31 | 2007-01-01..2022-12-31
        2      | M   | 2000-07-01 | 2007-01-01..2022-12-31 | 2008-06-01..2008-10-01, 2008-11-01..2010-10-14, \
2010-12-01..2011-06-18, 2011-06-01..2012-12-31
        3      | M   | 2000-07-01 | 2007-01-01..2022-12-31 | 2009-06-01..2010-02-01, 2010-06-01..2022-12-31
        4      | M   | 2000-07-01 | 2007-01-01..2022-12-31 |
        5      | M   | 2000-07-01 | 2007-01-01..2009-06-01 |
        6      | M   | 2000-07-01 | 2010-06-01..2010-11-01 |
    """
    around = Population(date_range=DateRange(date(2009, 1, 1), date(2011, 1, 1)))
    of_2010 = [
        [
            row
            for row in rates(persons, replace(EVERY_EVENT, population=each, washout_days=washout))
            if "2010-" in row[1]
        ]
        for each in (EVERYBODY, around)
    ]
    assert of_2010[0] == of_2010[1] != []


SEVERAL_PERIODS = """
    person | sex | born       | observed                                       | events                 | others
    1      | M   | 1998-02-12 | 2005-04-01..2005-11-29, 2009-04-10..2016-01-02 | 2005-08-09, 2010-01-11 | {first}
    2      | M   | 1976-06-01 | 2010-08-20..2011-12-11, 2012-01-01..2015-06-01 | 2010-12-21, 2014-04-04 | {second}
"""


def test_multiple_observation_periods_an_entry_outside_them_is_none() -> None:
    persons = SEVERAL_PERIODS.format(first="2002-07-19..2016-01-02", second="2010-12-11..2015-06-01")
    assert events_and_days(persons, in_target()) == (1, 366)


LATE_START, EARLY_START = "2005-07-19..2005-08-11", "2005-06-19..2005-08-11"
LATER = "2009-04-10..2015-01-02"


@pytest.mark.parametrize(
    ("start", "earlier_event", "washout", "expected"),
    [
        (LATE_START, False, 10, (3, 22 + 2084 + 356)),
        (LATE_START, True, 10, (3, 22 + 2084 + 356 - 3)),
        (EARLY_START, True, 0, (4, 54 + 2094 + 366)),
        (EARLY_START, True, 30, (3, 23 + 2064 + 336)),
        (LATE_START, True, 30, (2, 0 + 2064 + 336)),
    ],
    ids=["two periods of one person", "an event before entry", "all events", "one within the washout", "none left"],
)
def test_multiple_observation_periods_each_has_its_own_time_at_risk(
    start: str, earlier_event: bool, washout: int, expected: tuple[int, int]
) -> None:
    persons = SEVERAL_PERIODS.format(first=f"{start}, {LATER}", second="2010-12-11..2011-12-11")
    if earlier_event:
        persons = persons.replace("| 2005-08-09,", "| 2005-07-11, 2005-08-09,")
    assert events_and_days(persons, in_target(washout_days=washout)) == expected


def test_multiple_observation_periods_events_on_days_in_a_row() -> None:
    persons = """
        person | sex | born | observed | events | others
        1 | M | 1998-02-12 | 2005-04-01..2005-11-29, 2009-04-10..2010-01-02, 2010-08-20..2011-12-11 | 2005-08-09, \
2005-08-10, 2005-08-11, 2009-11-11, 2009-11-21, 2010-12-21 | 2005-04-01..2005-11-29, 2009-06-10..2010-01-02, \
2010-08-20..2011-10-11
        2 | M | 1976-06-01 | 2012-01-01..2015-06-01 | 2014-04-04 | 2010-01-01..2015-06-01
    """
    assert events_and_days(persons, in_target(washout_days=1)) == (4, 240 + 205 + 417)
    assert events_and_days(persons, in_target(washout_days=1, repeated_events=False)) == (1, 131)


def test_check_attrition_with_complete_database_intervals() -> None:
    """Who is observed for a month of 2000 alone is in no year that is observed to its end."""
    persons = """
        person | sex | born       | observed               | events
        1      | M   | 2000-01-01 | 2000-06-01..2000-07-01 |
        2      | M   | 2000-01-01 | 2000-06-01..2012-06-01 |
    """
    result: StudyResult = run_study(Study("spec", (EVENTS, OTHERS), (Incidence(("events",), EVERYBODY),)), cdm(persons))
    ((*_, before, last),) = attrition(result, "incidence_attrition").values()
    assert (before[1:], last[1:]) == ((2, 2), (1, 1))
