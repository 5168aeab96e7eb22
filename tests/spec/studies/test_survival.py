"""How long the persons of a cohort go without an outcome, and who counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from enclos.contracts.result import StudyResult
from enclos.studies.model import AgeGroup, ConceptCohort, Domain, Limit, OpenEnd, Stratum, Study
from enclos.studies.steps import run_study
from enclos.studies.survival.model import FollowUp, Shown, Survival, Washout
from factories.studies import tables_of
from factories.study_tables import Row, people_of_cohorts, rows_of
from factories.survival import left, said
from fakes.cdm import cdm_of_rows

TREATED = ConceptCohort("treated", (1,), False, Domain.CONDITION, Limit.ALL, OpenEnd.EVENT_END)
BLEED = replace(TREATED, name="bleed", concepts=(2,))
DEATH = replace(TREATED, name="death", concepts=(3,))
ASKED = Survival(("treated",), ("bleed",), shown=Shown(estimate_gap_days=10, event_gap_days=10))

# Five persons are treated on 1 January. Two bleed, on days 10 and 20; one is lost on day 15; two are seen to day 30.
PERSONS = """
    person | sex | born       | observed               | treated    | bleed      | death
    1      | F   | 1980-01-01 | 2019-01-01..2020-01-31 | 2020-01-01 | 2020-01-11 |
    2      | M   | 1950-01-01 | 2019-01-01..2020-01-31 | 2020-01-01 | 2020-01-21 |
    3      | F   | 1950-01-01 | 2019-01-01..2020-01-16 | 2020-01-01 |            |
    4      | M   | 1980-01-01 | 2019-01-01..2020-01-31 | 2020-01-01 |            | 2020-01-21
    5      | F   | 1950-01-01 | 2019-01-01..2020-01-31 | 2020-01-01 |            |
"""


def result_of(persons: str, asked: Survival) -> StudyResult:
    cohorts = tuple(each for each in (TREATED, BLEED, DEATH) if each.name in asked.cohort_names)
    return run_study(Study("spec", cohorts, (asked,)), cdm_of_rows(tables_of(people_of_cohorts(persons)), n_buckets=2))


def shown(persons: str, asked: Survival) -> list[Row]:
    """Outcome, stratum, day, at risk, outcomes, lost and estimate of each row; gaps are the same for all."""
    result = result_of(persons, asked)
    rows = []
    for where, days in said(result, "events").items():
        estimates = said(result, "estimates")[where]
        for day, counts in days.items():
            numbers = [f"{counts[name]:.0f}" for name in ("n_risk_count", "n_events_count", "n_censor_count")]
            estimate = f"{estimates[day]['estimate']:.4g}" if day in estimates else ""
            rows.append((where[1], where[3], str(day), *numbers, estimate))
    return rows


def kept(persons: str, asked: Survival) -> list[tuple[str, int]]:
    """Each reason with the entries that it leaves."""
    (reasons,) = left(result_of(persons, asked)).values()
    return [(reason, n_entries) for reason, n_entries, _ in reasons]


def test_the_share_falls_by_the_part_of_those_at_risk_who_have_the_outcome() -> None:
    # Day 10: 4 of 5 go on. Day 20: 3 are left at risk, since one was lost on day 15; 2 of 3 go on: 0.8 x 2/3.
    assert shown(PERSONS, ASKED) == rows_of("""
        outcome | stratum | day | at risk | outcomes | lost | share
        bleed   | overall | 0   | 5       | 0        | 0    | 1
        bleed   | overall | 10  | 5       | 1        | 0    | 0.8
        bleed   | overall | 20  | 3       | 1        | 1    | 0.5333
        bleed   | overall | 30  | 2       | 0        | 2    | 0.5333
    """)


def test_beside_a_competing_outcome_each_has_its_own_share_and_neither_is_a_loss() -> None:
    assert shown(PERSONS, replace(ASKED, competing_outcome="death")) == rows_of("""
        outcome | stratum | day | at risk | outcomes | lost | share
        bleed   | overall | 0   | 5       | 0        | 0    | 0
        bleed   | overall | 10  | 5       | 1        | 0    | 0.2
        bleed   | overall | 20  | 3       | 1        | 1    | 0.4667
        bleed   | overall | 30  | 1       | 0        | 1    | 0.4667
        death   | overall | 0   | 5       | 0        | 0    | 0
        death   | overall | 10  | 5       | 0        | 0    | 0
        death   | overall | 20  | 3       | 1        | 1    | 0.2667
        death   | overall | 30  | 1       | 0        | 1    | 0.2667
    """)


def test_strata_are_followed_each_to_its_own_last_day() -> None:
    by = replace(ASKED, strata=((Stratum.AGE_GROUP,),), age_groups=(AgeGroup(0, 64), AgeGroup(65, 150)))
    assert [row for row in shown(PERSONS, by) if row[1] != "overall"] == rows_of("""
        outcome | stratum   | day | at risk | outcomes | lost | share
        bleed   | 0 to 64   | 0   | 2       | 0        | 0    | 1
        bleed   | 0 to 64   | 10  | 2       | 1        | 0    | 0.5
        bleed   | 0 to 64   | 20  | 1       | 0        | 0    | 0.5
        bleed   | 0 to 64   | 30  | 1       | 0        | 1    | 0.5
        bleed   | 65 to 150 | 0   | 3       | 0        | 0    | 1
        bleed   | 65 to 150 | 10  | 3       | 0        | 0    | 1
        bleed   | 65 to 150 | 20  | 2       | 1        | 1    | 0.5
        bleed   | 65 to 150 | 30  | 1       | 0        | 1    | 0.5
    """)


@pytest.mark.parametrize(
    ("follow_up", "n_outcomes", "last_day"),
    [
        (FollowUp(), 2, 30),
        (FollowUp(n_days=20), 2, 20),  # an outcome on the last day counts
        (FollowUp(n_days=19), 1, 19),
        (FollowUp(on_date=date(2020, 1, 21)), 1, 20),  # an outcome on the date of censoring does not
        (FollowUp(on_date=date(2020, 1, 22)), 2, 21),
    ],
)
def test_following_ends_after_some_days_or_on_a_date(follow_up: FollowUp, n_outcomes: int, last_day: int) -> None:
    rows = shown(PERSONS, replace(ASKED, follow_up=follow_up))
    assert sum(int(row[4]) for row in rows) == n_outcomes
    assert rows[-1][2] == str(last_day)


def test_following_can_end_with_the_cohort() -> None:
    persons = """
        person | sex | born       | observed               | treated                | bleed      | death
        1      | F   | 1980-01-01 | 2019-01-01..2020-12-31 | 2020-01-01..2020-01-10 | 2020-01-11 |
        2      | F   | 1980-01-01 | 2019-01-01..2020-12-31 | 2020-01-01..2020-01-11 | 2020-01-11 |
    """
    rows = shown(persons, replace(ASKED, follow_up=FollowUp(on_cohort_exit=True)))
    assert [(row[2], row[4], row[5]) for row in rows] == [("0", "0", "0"), ("10", "1", "1")]


WASHED = """
    person | sex | born       | observed               | treated    | bleed                  | death
    1      | F   | 1980-01-01 | 2019-01-01..2020-12-31 | 2020-01-01 | 2019-03-01             |
    2      | F   | 1980-01-01 | 2019-01-01..2020-12-31 | 2020-01-01 | 2019-03-01..2019-12-25 |
    3      | F   | 1980-01-01 | 2019-01-01..2020-12-31 | 2020-01-01 | 2020-01-01             |
    4      | F   | 1980-01-01 | 2019-01-01..2020-12-31 | 2020-01-01 |                        |
"""


@pytest.mark.parametrize(
    ("washout", "minimum", "n_left"),
    [
        (Washout(), 1, [4, 2, 1]),  # all time: neither of the first two; the third bleeds on the day of entry
        (Washout(30), 1, [4, 3, 2]),  # the second still had it in the last 30 days
        (Washout(0), 1, [4, 4, 3]),
        (Washout(0), 0, [4, 4, 4]),
    ],
)
def test_an_outcome_before_entry_or_on_its_day_leaves_an_entry_out(
    washout: Washout, minimum: int, n_left: list[int]
) -> None:
    asked = replace(ASKED, washout=washout, follow_up=FollowUp(minimum_days=minimum))
    days = "Inf" if washout.n_days is None else washout.n_days
    reasons = [
        "Initial qualifying events",
        f"No outcome event in washout period of {days} days",
        f"Survival days for outcome less than {minimum}",
    ]
    assert kept(WASHED, asked) == list(zip(reasons, n_left, strict=True))


def test_a_person_is_lost_at_the_end_of_the_observation_period_of_the_entry() -> None:
    persons = """
        person | sex | born       | observed                                       | treated    | bleed      | death
        1      | F   | 1980-01-01 | 2019-01-01..2020-01-11, 2020-02-01..2020-12-31 | 2020-01-01 | 2020-03-01 |
    """
    rows = shown(persons, ASKED)
    assert [(row[2], row[4], row[5]) for row in rows] == [("0", "0", "0"), ("10", "0", "1")]


def test_of_an_outcome_and_a_competing_one_on_one_day_the_competing_one_counts() -> None:
    persons = """
        person | sex | born       | observed               | treated    | bleed      | death
        1      | F   | 1980-01-01 | 2019-01-01..2020-12-31 | 2020-01-01 | 2020-01-11 | 2020-01-11
        2      | F   | 1980-01-01 | 2019-01-01..2020-01-11 | 2020-01-01 | 2020-01-11 |
    """
    rows = shown(persons, replace(ASKED, competing_outcome="death"))
    assert [(row[0], row[2], row[4]) for row in rows] == [
        ("bleed", "0", "0"),
        ("bleed", "10", "1"),
        ("death", "0", "0"),
        ("death", "10", "1"),
    ]
