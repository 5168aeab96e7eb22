"""Cohorts made of other cohorts of the study."""

import pytest

from enclos.studies.derived.model import Collapse, First, Intersection, Near, Require, Sample, Union
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
