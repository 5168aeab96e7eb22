"""Which records make a cohort, and from when to when."""

from dataclasses import replace

import pytest

from enclos.studies.model import AfterDays, Limit, OpenEnd
from factories.study_tables import EVENTS, members, rows_of

PERSONS = """
    person | sex | born       | observed               | events
    1      | F   | 1980-01-01 | 2020-01-01..2020-12-31 | 2020-02-01..2020-02-10, 2020-02-10..2020-02-20, 2020-02-21
    2      | M   | 1980-01-01 | 2020-01-01..2020-06-30, 2020-09-01..2020-12-31 | 2020-06-25..2020-10-10, 2020-08-01
"""


def test_stretches_that_share_a_day_are_one_and_those_that_only_follow_stay_apart() -> None:
    assert members(PERSONS, EVENTS) == rows_of("""
        person | stretch
        1      | 2020-02-01..2020-02-20
        1      | 2020-02-21..2020-02-21
        2      | 2020-06-25..2020-06-30
    """)


def test_a_record_outside_observation_does_not_count_and_a_stretch_ends_with_its_period() -> None:
    assert [row for row in members(PERSONS, EVENTS) if row[0] == "2"] == [("2", "2020-06-25..2020-06-30")]


@pytest.mark.parametrize(
    ("end", "stretches"),
    [
        (AfterDays(0), ["2020-02-01..2020-02-01", "2020-02-10..2020-02-10", "2020-02-21..2020-02-21"]),
        (AfterDays(9), ["2020-02-01..2020-02-19", "2020-02-21..2020-03-01"]),
        (OpenEnd.OBSERVATION_END, ["2020-02-01..2020-12-31"]),
    ],
)
def test_the_end_is_counted_from_each_record_before_stretches_are_joined(
    end: AfterDays | OpenEnd, stretches: list[str]
) -> None:
    found = members(PERSONS, replace(EVENTS, end=end))
    assert [stretch for person, stretch in found if person == "1"] == stretches


def test_the_first_is_the_first_record_within_observation() -> None:
    persons = """
        person | sex | born       | observed               | events
        1      | F   | 1980-01-01 | 2020-01-01..2020-12-31 | 2019-05-05..2019-05-09, 2020-03-01, 2020-07-01
    """
    assert members(persons, replace(EVENTS, limit=Limit.FIRST)) == [("1", "2020-03-01..2020-03-01")]
