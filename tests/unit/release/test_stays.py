"""Shares of stays leave where persons would; a few who have several stays are told by no count of stays."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from enclos.contracts.result import HIDDEN, StudyResult
from enclos.release.rules.disclosure import assess
from enclos.studies.model import AgeGroup, Incidence, Interval, Level, PeriodPrevalence, Population, Sex, Study
from enclos.studies.steps import run_study
from factories.studies import tables_of
from factories.study_tables import EVENTS, people
from fakes.cdm import cdm_of_rows

K = 11
STAYS = ("2019-01-10..2019-02-10", "2019-04-01..2019-05-01", "2019-07-01..2019-08-01", "2019-10-01..2019-11-01")
Block = tuple[int, str, int, int]
"""So many persons of a sex, with so many stays each, in so many of which the outcome is."""


def shares(
    blocks: Sequence[Block], population: Population | None = None, born_women: str = "", *, by_person: bool = False
) -> StudyResult:
    """Shares of stays in a year."""
    lines = ["person | sex | born | observed | events"]
    for n, sex, n_stays, n_with in blocks:
        for _ in range(n):
            days = ", ".join(each[:10] for each in STAYS[:n_with])
            born = born_women if born_women and sex == "F" else "1990-03-01"
            lines.append(f"{len(lines)} | {sex} | {born} | {', '.join(STAYS[:n_stays])} | {days}")
    asked = [PeriodPrevalence(("events",), population or Population(), (Interval.OVERALL,), level=Level.RECORD)]
    if by_person:
        asked.append(PeriodPrevalence(("events",), population or Population(), (Interval.OVERALL,)))
    return run_study(Study("spec", (EVENTS,), tuple(asked)), cdm_of_rows(tables_of(people("\n".join(lines)))))


def shown(found: StudyResult) -> dict[tuple[str, str], str | None]:
    """Each number by the sex or the age of its denominator."""
    safe = assess(found, K).safe
    if safe is None:
        return {}
    of = {
        each.result_id: each.values["denominator_sex"]
        if each.values["denominator_age_group"] == "0 to 150"
        else each.values["denominator_age_group"]
        for each in safe.settings
    }
    rows = safe.of_type("prevalence_of_records").to_pylist()
    return {(of[row["result_id"]], row["estimate_name"]): row["estimate_value"] for row in rows}


def test_shares_of_many_stays_of_many_leave() -> None:
    told = shown(shares([(30, "F", 2, 1), (40, "M", 2, 0)]))
    assert (told["Both", "denominator_count"], told["Both", "outcome_count"]) == ("140", "30")
    assert told["Both", "prevalence"] is not None
    assert HIDDEN not in told.values()


def test_what_a_few_have_in_many_stays_is_hidden_with_their_share() -> None:
    told = shown(shares([(5, "F", 4, 4), (60, "M", 1, 0)]))  # twenty stays of five persons
    assert told["Both", "outcome_count"] == told["Both", "prevalence"] == HIDDEN
    assert told["Both", "denominator_count"] == "80"


@pytest.mark.parametrize(("n_twice", "leaves"), [(3, False), (20, True)])
def test_how_many_stay_twice_is_told_of_none_or_of_enough(n_twice: int, leaves: bool) -> None:
    told = shown(shares([(n_twice, "F", 2, 0), (60, "M", 1, 0), (40, "M", 1, 1)]))
    assert (told.get(("Both", "denominator_count"), HIDDEN) != HIDDEN) is leaves


def test_a_few_who_never_have_it_are_not_told() -> None:
    told = shown(shares([(60, "M", 2, 1), (4, "M", 4, 0)]))  # sixteen more stays without
    assert told["Both", "outcome_count"] == HIDDEN


def test_a_small_sex_is_not_told_by_both_and_the_other() -> None:
    sexes = Population(sexes=(Sex.BOTH, Sex.MALE, Sex.FEMALE))
    told = shown(shares([(6, "F", 4, 4), (60, "M", 2, 1), (60, "M", 1, 0), (60, "F", 1, 0)], sexes))
    cases = [told[sex, "outcome_count"] for sex in ("Both", "Male", "Female")]
    assert told["Female", "outcome_count"] == HIDDEN
    assert cases.count(HIDDEN) >= 2


def test_stays_of_a_few_are_not_told_where_all_of_them_are_in_both_age_groups() -> None:
    """Eight turn forty: all stays less those before forty are theirs, though the persons are the same."""
    young = Population(age_groups=(AgeGroup(0, 39), AgeGroup(0, 150)))
    told = shown(shares([(8, "F", 4, 0), (100, "M", 4, 0), (30, "M", 4, 1)], young, "1979-03-01"))
    denominators = [told.get((each, "denominator_count"), HIDDEN) for each in ("0 to 39", "Both")]
    assert HIDDEN in denominators


def test_persons_beside_stays_do_not_tell_a_few() -> None:
    found = shares([(3, "F", 2, 0), (60, "M", 1, 0), (40, "M", 1, 1)], by_person=True)
    safe = assess(found, K).safe
    assert safe is not None
    persons = safe.of_type("prevalence").to_pylist()
    assert {row["estimate_value"] for row in persons if row["estimate_name"] == "denominator_count"} == {"103"}
    assert set(shown(found).values()) == {HIDDEN}


def test_a_count_of_stays_below_its_persons_is_refused() -> None:
    found = shares([(30, "F", 2, 1), (40, "M", 2, 0)])
    rows = found.table.to_pylist()
    for row in rows:
        if row["estimate_name"] == "denominator_count":
            row["estimate_value"] = "60"
    forged = StudyResult(found.table.from_pylist(rows, found.table.schema), found.settings, found.cells)
    assert assess(forged, K).safe is None


def test_rates_beside_stays_are_as_without_them() -> None:
    population = Population()
    lines = ["person | sex | born | observed | events"]
    lines += [f"{number} | F | 1980-01-01 | 2019-01-01..2020-12-31 | 2019-07-02" for number in range(1, 31)]
    lines += [f"{number} | F | 1980-01-01 | 2019-01-01..2020-12-31 | " for number in range(31, 91)]
    stays = PeriodPrevalence(("events",), population, level=Level.RECORD)
    cdm = cdm_of_rows(tables_of(people("\n".join(lines))))
    alone = assess(run_study(Study("spec", (EVENTS,), (Incidence(("events",), population),)), cdm), K)
    both = assess(run_study(Study("spec", (EVENTS,), (Incidence(("events",), population), stays)), cdm), K)
    assert alone.safe is not None
    assert both.safe is not None
    assert both.safe.of_type("incidence").to_pylist() == alone.safe.of_type("incidence").to_pylist()


@pytest.mark.parametrize(("n_turning", "n_older", "is_told"), [(8, 0, False), (8, 20, True), (0, 20, True)])
def test_events_of_a_few_are_not_told_where_all_of_them_have_some_in_both_age_groups(
    n_turning: int, n_older: int, *, is_told: bool
) -> None:
    """Eight turn forty and go on: all events less those before forty are theirs, unless others have some too."""
    lines = ["person | sex | born | observed | events"]
    for n, born, days in (
        (60, "1990-01-01", "2019-03-01"),
        (60, "1990-01-01", ""),
        (60, "1960-01-01", ""),
        (n_older, "1960-01-01", "2019-03-01, 2019-05-01"),
        (n_turning, "1979-03-01", "2019-02-02, 2019-04-02, 2019-06-02, 2019-08-02"),
    ):
        lines += [f"{len(lines) + at} | F | {born} | 2019-01-01..2019-12-31 | {days}" for at in range(n)]
    population = Population(age_groups=(AgeGroup(0, 39), AgeGroup(0, 150)))
    asked = Incidence(("events",), population, (Interval.OVERALL,), washout_days=0, repeated_events=True)
    found = run_study(Study("spec", (EVENTS,), (asked,)), cdm_of_rows(tables_of(people("\n".join(lines)))))
    safe = assess(found, K).safe
    assert safe is not None
    told = [
        row["estimate_value"]
        for row in safe.of_type("incidence").to_pylist()
        if row["estimate_name"] == "outcome_count"
    ]
    assert (HIDDEN not in told) is is_told
