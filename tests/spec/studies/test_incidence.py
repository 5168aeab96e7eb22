"""New events per person-time: who is at risk on which days, and which events count."""

from datetime import date

import pytest

from enclos.studies.model import AgeGroup, DateRange, Incidence, Interval, Population, Study, Target
from enclos.studies.steps import run_study
from factories.study_tables import EVENTS, cdm, rates, rows_of

OVERALL = (Interval.OVERALL,)
ONE_EVENT = """
    person | sex | born       | observed               | events
    1      | F   | 1980-01-01 | 2020-01-01..2020-12-31 | 2020-03-01..2020-03-10
"""
TWO_EVENTS = """
    person | sex | born       | observed               | events
    1      | F   | 1980-01-01 | 2020-01-01..2020-12-31 | 2020-03-01..2020-03-10, 2020-06-01..2020-06-01
"""


def everyone(**options: object) -> Incidence:
    return Incidence(("events",), Population(), **{"intervals": OVERALL, **options})  # type: ignore[arg-type]


def test_a_person_is_at_risk_up_to_and_with_the_day_of_the_event() -> None:
    assert rates(ONE_EVENT, everyone()) == [("1", "2020-01-01..2020-03-01", "1", "61", "1")]


@pytest.mark.parametrize(
    ("washout_days", "person_days", "why"),
    [
        (0, 61 + 296, "at risk again on 11 March, the day after the event ended"),
        (30, 61 + 266, "at risk again on 10 April, when 30 more days have passed"),
        (295, 61 + 1, "at risk again on 31 December only"),
        (296, 61, "not at risk again within observation"),
        (None, 61, "never at risk again"),
    ],
)
def test_after_an_event_the_washout_passes_before_one_is_at_risk_again(
    washout_days: int | None, person_days: int, why: str
) -> None:
    found = rates(ONE_EVENT, everyone(washout_days=washout_days, repeated_events=True))
    assert found[0][3:] == (str(person_days), "1"), why


@pytest.mark.parametrize(
    ("washout_days", "repeated", "days", "events", "why"),
    [
        (30, True, 61 + 53 + 183, 2, "10 April to 1 June, then 2 July to the end"),
        (82, True, 61 + 1 + 131, 2, "the washout ends on the eve of the second event"),
        (83, True, 61 + 130, 1, "the second event falls in the washout, does not count, and starts it anew"),
        (30, False, 61, 1, "without repeated events one leaves at the first"),
    ],
)
def test_a_second_event_counts_when_one_is_at_risk_on_its_day(
    washout_days: int, repeated: bool, days: int, events: int, why: str
) -> None:
    found = rates(TWO_EVENTS, everyone(washout_days=washout_days, repeated_events=repeated))
    assert found[0][3:] == (str(days), str(events)), why


def test_an_event_before_the_study_counts_for_the_washout_and_not_as_event() -> None:
    from_april = Population(date_range=DateRange(date(2020, 4, 1), None))
    assert rates(ONE_EVENT, Incidence(("events",), from_april, OVERALL)) == []
    assert rates(ONE_EVENT, Incidence(("events",), from_april, OVERALL, washout_days=90)) == [
        ("1", "2020-06-09..2020-12-31", "1", "206", "0")
    ]


def test_the_first_event_in_a_later_observation_period_counts() -> None:
    """The peer keeps only the first stretch after an old outcome, and with it loses this event."""
    persons = """
        person | sex | born       | observed                                       | events
        1      | F   | 1980-01-01 | 2019-01-01..2019-06-30, 2020-01-01..2020-12-31 | 2019-01-10, 2020-02-01, 2020-08-01
    """
    study = Population(date_range=DateRange(date(2019, 2, 1), None))
    assert rates(persons, Incidence(("events",), study, OVERALL, washout_days=30)) == [
        ("1", "2019-02-10..2020-02-01", "1", str(141 + 32), "1")
    ]


def test_age_groups_share_a_year_in_which_someone_has_a_birthday() -> None:
    persons = """
        person | sex | born       | observed               | events
        1      | F   | 1955-06-15 | 2020-01-01..2020-12-31 | 2020-06-15
    """
    groups = Population((AgeGroup(0, 64), AgeGroup(65, 150)))
    assert rates(persons, Incidence(("events",), groups, complete_intervals=False)) == rows_of("""
        denominator | window                 | persons | days | events
        1           | 2020-01-01..2020-06-14 | 1       | 166  | 0
        2           | 2020-06-15..2020-06-15 | 1       | 1    | 1
    """)


SEVERAL_YEARS = """
    person | sex | born       | observed               | events
    1      | F   | 1980-01-01 | 2018-07-01..2021-12-31 |
    2      | M   | 1980-01-01 | 2019-01-01..2020-12-30 | 2020-03-15
    3      | M   | 1980-01-01 | 2018-09-01..2018-11-30 |
"""


def test_only_intervals_that_someone_is_at_risk_from_end_to_end_are_complete() -> None:
    assert rates(SEVERAL_YEARS, Incidence(("events",), Population(), (Interval.YEARS, Interval.OVERALL))) == rows_of("""
        denominator | window                 | persons | days | events
        1           | 2019-01-01..2019-12-31 | 2       | 730  | 0
        1           | 2020-01-01..2020-12-31 | 2       | 441  | 1
        1           | 2021-01-01..2021-12-31 | 1       | 365  | 0
        1           | 2018-07-01..2021-12-31 | 3       | 1811 | 1
    """)


def test_incomplete_intervals_are_cut_to_the_days_at_risk() -> None:
    found = rates(SEVERAL_YEARS, Incidence(("events",), Population(), complete_intervals=False))
    assert found[0] == ("1", "2018-07-01..2018-12-31", "2", "275", "0")
    assert [row[1] for row in found[1:]] == [
        "2019-01-01..2019-12-31",
        "2020-01-01..2020-12-31",
        "2021-01-01..2021-12-31",
    ]


def test_who_is_at_risk_only_outside_complete_intervals_is_counted_out() -> None:
    persons = SEVERAL_YEARS + "    4 | F | 1980-01-01 | 2021-12-31..2022-02-28, 2022-06-01..2022-06-30 |\n"
    study = Study("spec", (EVENTS,), (Incidence(("events",), Population()),))
    rows = run_study(study, cdm(persons)).of_type("incidence_attrition").to_pylist()
    last = {row["variable_name"]: row["estimate_value"] for row in rows[-4:]}
    assert rows[-1]["strata_level"] == "Not observed during the complete database interval"
    assert last == {
        "number_records": "3",
        "number_subjects": "3",
        "excluded_records": "2",
        "excluded_subjects": "1",
    }


def test_weeks_run_from_monday_to_sunday_across_the_new_year() -> None:
    persons = """
        person | sex | born       | observed               | events
        1      | F   | 1980-01-01 | 2020-12-24..2021-01-12 | 2021-01-05
    """
    assert rates(persons, Incidence(("events",), Population(), (Interval.WEEKS,))) == [
        ("1", "2020-12-28..2021-01-03", "1", "7", "0")
    ]


def test_an_interval_in_which_nobody_is_at_risk_has_no_rate() -> None:
    persons = """
        person | sex | born       | observed                                       | events
        1      | F   | 1980-01-01 | 2018-01-01..2018-12-31, 2020-01-01..2020-12-31 |
    """
    found = rates(persons, Incidence(("events",), Population()))
    assert [row[1] for row in found] == ["2018-01-01..2018-12-31", "2020-01-01..2020-12-31"]


@pytest.mark.parametrize(
    ("censored", "days", "events", "why"),
    [
        ("", 61, 1, "nothing ends time at risk but the event"),
        ("2020-02-01", 32, 0, "the day of censoring is the last at risk"),
        ("2020-03-01", 61, 1, "an event on the day of censoring counts"),
        ("2020-01-01", 1, 0, "who is censored on entry has that day"),
    ],
)
def test_time_at_risk_ends_on_the_first_day_of_the_censor_cohort(
    censored: str, days: int, events: int, why: str
) -> None:
    persons = f"""
        person | sex | born       | observed               | events     | others
        1      | F   | 1980-01-01 | 2020-01-01..2020-12-31 | 2020-03-01 | {censored}
    """
    assert [row[3:] for row in rates(persons, everyone(censor="others"))] == [(str(days), str(events))], why


def test_who_was_censored_before_the_study_is_not_at_risk() -> None:
    persons = """
        person | sex | born       | observed               | events     | others
        1      | F   | 1980-01-01 | 2019-01-01..2020-12-31 | 2020-03-01 | 2019-12-31
    """
    study = Population(date_range=DateRange(date(2020, 1, 1), None))
    assert rates(persons, Incidence(("events",), study, OVERALL, censor="others")) == []


def test_the_event_counts_while_in_the_target_and_the_washout_looks_beyond_it() -> None:
    persons = """
        person | sex | born       | observed               | events                 | others
        1      | F   | 1980-01-01 | 2020-01-01..2020-12-31 | 2020-02-01, 2020-06-01 | 2020-02-15..2020-08-01
    """
    study = Population(target=Target("others"))
    assert rates(persons, Incidence(("events",), study, OVERALL, washout_days=60)) == [
        ("1", "2020-04-02..2020-06-01", "1", "61", "1")
    ]
    assert rates(persons, Incidence(("events",), study, OVERALL)) == []
