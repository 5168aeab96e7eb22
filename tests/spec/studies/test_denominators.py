"""Who is at risk, and from when to when."""

from datetime import date

from enclos.studies.model import AgeGroup, DateRange, Population, Sex
from factories.study_tables import at_risk, rows_of

PERSONS = """
    person | sex | born       | observed                                       | events
    1      | F   | 1955-06-15 | 2019-03-01..2021-12-31                         |
    2      | M   | 1990-02-28 | 2020-01-01..2020-03-31, 2020-06-01..2021-05-31 |
"""


def test_time_starts_and_ends_with_observation_each_period_on_its_own() -> None:
    assert at_risk(PERSONS, Population()) == rows_of("""
        denominator | person | at risk
        1           | 1      | 2019-03-01..2021-12-31
        1           | 2      | 2020-01-01..2020-03-31
        1           | 2      | 2020-06-01..2021-05-31
    """)


def test_an_age_group_is_entered_on_a_birthday_and_left_the_day_before_one() -> None:
    assert at_risk(PERSONS, Population((AgeGroup(60, 64), AgeGroup(65, 150)))) == rows_of("""
        denominator | person | at risk
        1           | 1      | 2019-03-01..2020-06-14
        2           | 1      | 2020-06-15..2021-12-31
    """)


def test_someone_of_the_highest_age_stays_until_the_birthday() -> None:
    """The peer drops whoever was already of the highest age on the first day of the study."""
    study = Population((AgeGroup(60, 64),), date_range=DateRange(date(2020, 3, 1), None))
    assert at_risk(PERSONS, study) == [("1", "1", "2020-03-01..2020-06-14")]


def test_a_birthday_on_29_february_is_kept_on_the_28th() -> None:
    persons = """
        person | sex | born       | observed               | events
        1      | F   | 2000-02-29 | 2017-01-01..2021-12-31 |
    """
    assert at_risk(persons, Population((AgeGroup(18, 19),))) == [("1", "1", "2018-02-28..2020-02-28")]


def test_days_of_prior_observation_are_counted_in_the_period() -> None:
    assert at_risk(PERSONS, Population(days_prior_observation=(0, 90, 91))) == rows_of("""
        denominator | person | at risk
        1           | 1      | 2019-03-01..2021-12-31
        1           | 2      | 2020-01-01..2020-03-31
        1           | 2      | 2020-06-01..2021-05-31
        2           | 1      | 2019-05-30..2021-12-31
        2           | 2      | 2020-03-31..2020-03-31
        2           | 2      | 2020-08-30..2021-05-31
        3           | 1      | 2019-05-31..2021-12-31
        3           | 2      | 2020-08-31..2021-05-31
    """)


def test_prior_observation_may_lie_before_the_study_but_time_at_risk_does_not() -> None:
    study = Population(days_prior_observation=(30,), date_range=DateRange(date(2020, 1, 31), date(2020, 2, 29)))
    assert at_risk(PERSONS, study) == rows_of("""
        denominator | person | at risk
        1           | 1      | 2020-01-31..2020-02-29
        1           | 2      | 2020-01-31..2020-02-29
    """)


def test_combinations_are_numbered_age_first_then_sex_then_prior_observation() -> None:
    study = Population((AgeGroup(0, 150), AgeGroup(60, 150)), (Sex.BOTH, Sex.MALE), (0, 365))
    assert at_risk(PERSONS, study) == rows_of("""
        denominator | person | at risk
        1           | 1      | 2019-03-01..2021-12-31
        1           | 2      | 2020-01-01..2020-03-31
        1           | 2      | 2020-06-01..2021-05-31
        2           | 1      | 2020-02-29..2021-12-31
        3           | 2      | 2020-01-01..2020-03-31
        3           | 2      | 2020-06-01..2021-05-31
        5           | 1      | 2019-03-01..2021-12-31
        6           | 1      | 2020-02-29..2021-12-31
    """)
