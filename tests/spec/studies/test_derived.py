"""Cohorts made of other cohorts of the study."""

import pytest

from enclos.studies.derived.model import (
    Collapse,
    First,
    Intersection,
    Match,
    Near,
    Require,
    Sample,
    Side,
    Trait,
    Union,
)
from enclos.studies.model import AgeGroup, DayWindow, Operation, Sex
from factories.study_tables import Row, derived_members, rows_of

PERSONS = """
    person | sex | born       | observed               | events                             | others
    1      | F   | 1980-02-29 | 2020-01-01..2020-12-31 | 2020-02-01..2020-02-10, 2020-02-29 | 2020-02-05..2020-02-20
    2      | M   | 1950-01-01 | 2020-01-01..2020-06-30 | 2020-03-01..2020-03-05             | 2020-03-06..2020-03-09
    3      | M   | 1990-01-01 | 2020-01-01..2020-12-31 | 2020-05-01                         |
"""
BOTH = ("events", "others")


def test_a_union_joins_entries_that_share_a_day_and_those_that_only_follow_stay_apart() -> None:
    assert derived_members(PERSONS, Union(BOTH)) == rows_of("""
        person | stretch
        1      | 2020-02-01..2020-02-20
        1      | 2020-02-29..2020-02-29
        2      | 2020-03-01..2020-03-05
        2      | 2020-03-06..2020-03-09
        3      | 2020-05-01..2020-05-01
    """)


def test_an_intersection_is_the_days_shared() -> None:
    assert derived_members(PERSONS, Intersection(BOTH)) == [("1", "2020-02-05..2020-02-10")]


@pytest.mark.parametrize(
    ("window", "present", "left"),
    [
        (DayWindow(None, 0), False, ["1 2020-02-01", "2 2020-03-01", "3 2020-05-01"]),
        (DayWindow(None, 0), True, ["1 2020-02-29"]),
        (DayWindow(0, 5), True, ["1 2020-02-01", "2 2020-03-01"]),
        (DayWindow(0, 4), True, ["1 2020-02-01"]),
        (DayWindow(0, 3), True, []),
        (DayWindow(-9, -1), True, ["1 2020-02-29"]),
        (DayWindow(-8, -1), True, []),
    ],
)
def test_one_day_of_the_other_cohort_in_the_window_is_enough(window: DayWindow, present: bool, left: list[str]) -> None:
    found = derived_members(PERSONS, Near("events", "others", window, present))
    assert [f"{person} {stretch[:10]}" for person, stretch in found] == left


@pytest.mark.parametrize(
    ("asked", "left"),
    [
        (Require("events", ages=AgeGroup(39, 39)), ["1 2020-02-01"]),
        (Require("events", ages=AgeGroup(40, 80)), ["1 2020-02-29", "2 2020-03-01"]),
        (Require("events", sex=Sex.MALE), ["2 2020-03-01", "3 2020-05-01"]),
        (Require("events", n_days_prior_observation=59), ["1 2020-02-29", "2 2020-03-01", "3 2020-05-01"]),
        (Require("events", n_days_prior_observation=60), ["2 2020-03-01", "3 2020-05-01"]),
        (Require("events", n_days_prior_observation=61), ["3 2020-05-01"]),
    ],
)
def test_requirements_hold_on_the_first_day_of_an_entry(asked: Require, left: list[str]) -> None:
    assert [f"{person} {stretch[:10]}" for person, stretch in derived_members(PERSONS, asked)] == left


@pytest.mark.parametrize(("gap", "n_entries"), [(18, 4), (19, 3)])
def test_a_gap_is_counted_from_the_last_day_to_the_next_first_day(gap: int, n_entries: int) -> None:
    assert len(derived_members(PERSONS, Collapse("events", gap))) == n_entries


def test_a_gap_is_not_bridged_over_time_without_observation() -> None:
    persons = """
        person | sex | born       | observed                                       | events                  | others
        1      | F   | 1980-01-01 | 2020-01-01..2020-03-31, 2020-04-01..2020-12-31 | 2020-03-31, 2020-04-02 |
    """
    assert len(derived_members(persons, Collapse("events", 30))) == 2


ADULTS_BEFORE_FIRST = (Require("events", ages=AgeGroup(40, 80)), First("step_1"))
FIRST_BEFORE_ADULTS = (First("events"), Require("step_1", ages=AgeGroup(40, 80)))


@pytest.mark.parametrize(
    ("operations", "rows"),
    [
        (ADULTS_BEFORE_FIRST, [("1", "2020-02-29..2020-02-29"), ("2", "2020-03-01..2020-03-05")]),
        (FIRST_BEFORE_ADULTS, [("2", "2020-03-01..2020-03-05")]),
    ],
)
def test_operations_follow_each_other_in_the_order_of_what_is_made_of_what(
    operations: tuple[Operation, ...], rows: list[Row]
) -> None:
    assert derived_members(PERSONS, *operations) == rows


def test_a_sample_keeps_all_entries_of_the_persons_that_the_seed_draws() -> None:
    assert derived_members(PERSONS, Sample("events", 0.5, 1)) == [("2", "2020-03-01..2020-03-05")]
    assert derived_members(PERSONS, Sample("events", 0.5, 2)) == rows_of("""
        person | stretch
        1      | 2020-02-01..2020-02-10
        1      | 2020-02-29..2020-02-29
        2      | 2020-03-01..2020-03-05
    """)


def test_a_sample_of_so_many_persons_takes_those_whom_the_seed_puts_first() -> None:
    one, two, all_three = (
        {person for person, _ in derived_members(PERSONS, Sample("events", None, 1, n))} for n in (1, 2, 4)
    )
    assert (one, two, all_three) == ({"2"}, {"2", "3"}, {"1", "2", "3"})


ALIKE = """
    person | sex | born       | observed                                       | events     | others
    1      | F   | 1980-02-29 | 2020-01-01..2020-12-31                         | 2020-02-01 |
    2      | F   | 1980-11-30 | 2020-01-01..2020-06-30                         |            |
    3      | F   | 1980-01-01 | 2020-02-02..2020-12-31                         |            |
    4      | F   | 1981-01-01 | 2020-01-01..2020-12-31                         |            |
    5      | M   | 1980-01-01 | 2020-01-01..2020-12-31                         |            |
    6      | F   | 1980-05-05 | 2019-01-01..2019-12-31, 2020-01-15..2020-10-31 |            | 2020-03-01
"""


def test_a_match_has_the_same_sex_and_year_of_birth_and_is_observed_on_the_day_of_the_entry() -> None:
    assert derived_members(ALIKE, Match("events", 1, ratio=9)) == rows_of("""
        person | stretch
        2      | 2020-02-01..2020-06-30
        6      | 2020-02-01..2020-10-31
    """)
    assert derived_members(ALIKE, Match("events", 1)) == [("6", "2020-02-01..2020-10-31")]
    assert derived_members(ALIKE, Match("events", 2)) == [("2", "2020-02-01..2020-06-30")]


def test_the_entries_that_have_a_match_are_a_cohort_too() -> None:
    assert derived_members(ALIKE, Match("events", 1, keep=Side.CASES)) == [("1", "2020-02-01..2020-02-01")]
    assert derived_members(PERSONS, Match("events", 1, keep=Side.CASES)) == []


def test_a_match_can_be_asked_to_have_fewer_traits() -> None:
    women = derived_members(ALIKE, Match("events", 1, ratio=9, traits=(Trait.SEX,)))
    assert [person for person, _ in women] == ["2", "4", "6"]


def test_nobody_who_ever_enters_the_cohort_is_a_match_and_each_person_is_one_once() -> None:
    persons = """
        person | sex | born       | observed               | events                 | others
        1      | F   | 1980-02-29 | 2020-01-01..2020-12-31 | 2020-02-01, 2020-05-01 |
        2      | F   | 1980-11-30 | 2020-01-01..2020-12-31 | 2020-12-01             |
        3      | F   | 1980-01-01 | 2020-01-01..2020-12-31 |                        |
        4      | F   | 1980-01-01 | 2020-01-01..2020-12-31 |                        |
    """
    matches = derived_members(persons, Match("events", 1, ratio=3))
    assert sorted(person for person, _ in matches) == ["3", "4"]
    entries = derived_members(persons, Match("events", 1, ratio=3, keep=Side.CASES))
    assert sorted(stretch[:10] for _, stretch in matches) == sorted(stretch[:10] for _, stretch in entries)


def test_a_matching_can_follow_a_sample_of_so_many_persons() -> None:
    followed = derived_members(ALIKE, Sample("events", None, 1, 5), Match("step_1", 1))
    assert followed == derived_members(ALIKE, Match("events", 1))
