"""What is released withstands an attacker who has only the table, whatever was asked about whomever."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclos.contracts.result import Cell, StudyResult
from enclos.release.rules.disclosure import assess
from factories.examples import drawn
from factories.results import ALL_AGES, Asked, crowd, result_of
from oracle.suppression import HIDDEN, KINDS, attack_of

COUNTS = {"outcome_count": "n_numerator", "denominator_count": "n_denominator"}


@st.composite
def questions(draw: st.DrawFn) -> Asked:
    sexes = draw(st.sampled_from([("Both",), ("Both", "Male"), ("Both", "Male", "Female"), ("Male", "Female")]))
    ages = draw(
        st.sampled_from(
            [
                (ALL_AGES,),
                (ALL_AGES, (65, 150)),
                (ALL_AGES, (0, 64), (65, 150)),
                ((0, 39), (40, 64), (65, 150), (40, 150)),
            ]
        )
    )
    priors = draw(st.sampled_from([(0,), (0, 365)]))
    overall, years = draw(st.sampled_from([(True, True), (True, False), (False, True)]))
    return Asked(sexes, ages, priors, overall, years)


def key_of(row: dict[str, Any]) -> tuple[Any, ...]:
    first = tuple(row[name] for name in ("result_id", "group_level", "strata_name", "strata_level"))
    return (*first, "", "", row["additional_level"])


def who_of(row: dict[str, Any], values: dict[str, str]) -> tuple[Any, ...]:
    youngest, oldest = values["denominator_age_group"].split(" to ")
    first, last = (date.fromisoformat(day) for day in row["additional_level"].split(" &&& ")[:2])
    return (
        values["analysis_outcome_washout"],
        row["group_level"].split(" &&& ")[1],
        (int(youngest), int(oldest)),
        values["denominator_sex"],
        int(values["denominator_days_prior_observation"]),
        first,
        last,
    )


def check_released(result: StudyResult, safe: StudyResult, k: int) -> None:
    cells = {cell.key: cell for cell in result.cells}
    values = {each.result_id: dict(each.values) for each in safe.settings}
    rows = safe.table.to_pylist()
    attack = attack_of(rows, values)
    shown_sets: dict[tuple[str, int], Any] = {}
    for row in rows:
        if row["strata_name"] == "reason":
            if row["estimate_value"] not in {None, HIDDEN}:
                assert not 0 < int(row["estimate_value"]) < k
            continue
        cell = cells[key_of(row)]
        if row["estimate_name"] in COUNTS:
            check_count(row, cell, attack, who_of(row, values[row["result_id"]]), k)
            if row["estimate_value"] != HIDDEN:
                shown_sets.update(shown_set(row, cell))
        elif row["estimate_value"] != HIDDEN:
            check_derived(row, [other for other in rows if key_of(other) == key_of(row)])
    check_differences(list(shown_sets.values()), k)


def shown_set(row: dict[str, Any], cell: Cell) -> dict[tuple[str, int], Any]:
    if row["estimate_name"] == "denominator_count":
        return {("persons", id(cell)): (("persons", cell.additional_level), cell.dense_denominator)}
    return {("events", id(cell)): (("events", cell.additional_level), cell.dense_numerator)}


def check_count(row: dict[str, Any], cell: Cell, attack: Any, who: tuple[Any, ...], k: int) -> None:
    """A shown count is large enough, and so are those it leaves; a small hidden one cannot be narrowed."""
    n = getattr(cell, COUNTS[row["estimate_name"]])
    if row["estimate_value"] != HIDDEN:
        assert int(row["estimate_value"]) == n
        assert not 0 < n < k
        denominator = attack.shown.get(("persons", *who))
        if row["estimate_name"] == "outcome_count" and denominator is not None:
            assert not 0 < denominator - n < k
    elif 0 < n < k:
        lower, upper = attack.interval((KINDS[row["estimate_name"]], *who))
        assert lower <= n + 1e-6
        assert n - 1e-6 <= upper
        assert upper == math.inf or math.floor(upper + 1e-6) - math.ceil(lower - 1e-6) >= k


def check_derived(row: dict[str, Any], cell_rows: list[dict[str, Any]]) -> None:
    """Nothing computed from a hidden number is shown."""
    by_name = {other["estimate_name"]: other["estimate_value"] for other in cell_rows}
    needs = ["person_days"] if row["estimate_name"].startswith("person_") else list(KINDS)
    assert all(by_name[name] != HIDDEN for name in needs), row["estimate_name"]


def check_differences(shown: list[tuple[tuple[str, str], Any]], k: int) -> None:
    """No two shown sets of the same days differ by a few persons."""
    for label, few in shown:
        for other_label, many in shown:
            if label == other_label and few < many:
                assert len(many) - len(few) >= k


TOWNS = given(
    st.integers(1, 400),
    st.integers(0, 10**6),
    st.sampled_from([0.02, 0.1, 0.5, 0.95]),
    questions(),
    st.sampled_from([1, 3, 5, 11]),
)


@settings(max_examples=drawn(30), deadline=None)
@TOWNS
def test_an_attacker_learns_nothing_small(n_persons: int, seed: int, p_event: float, asked: Asked, k: int) -> None:
    check_town(n_persons, seed, p_event, asked, k)


@pytest.mark.slow
@settings(max_examples=drawn(400), deadline=None)
@TOWNS
def test_an_attacker_of_many_towns_learns_nothing_small(
    n_persons: int, seed: int, p_event: float, asked: Asked, k: int
) -> None:
    check_town(n_persons, seed, p_event, asked, k)


def check_town(n_persons: int, seed: int, p_event: float, asked: Asked, k: int) -> None:
    result = result_of(crowd(n_persons, seed, p_event=p_event), asked)
    assessment = assess(result, k)
    if assessment.safe is not None:
        check_released(result, assessment.safe, k)
        assert k > 1 or assessment.safe.table.equals(result.table)


TWICE = given(st.integers(20, 300), st.integers(0, 10**6), questions(), st.sampled_from([3, 11]))


@settings(max_examples=6, deadline=None)
@TWICE
def test_two_analyses_of_the_same_persons(n_persons: int, seed: int, asked: Asked, k: int) -> None:
    check_two_analyses(n_persons, seed, asked, k)


@pytest.mark.slow
@settings(max_examples=drawn(100), deadline=None)
@TWICE
def test_two_analyses_of_the_persons_of_many_towns(n_persons: int, seed: int, asked: Asked, k: int) -> None:
    check_two_analyses(n_persons, seed, asked, k)


def check_two_analyses(n_persons: int, seed: int, asked: Asked, k: int) -> None:
    people = crowd(n_persons, seed)
    other = Asked(asked.sexes, asked.ages, (0,), asked.overall, asked.years, washout="365")
    result = result_of(people, asked, other)
    assessment = assess(result, k)
    if assessment.safe is not None:
        check_released(result, assessment.safe, k)


@settings(max_examples=8, deadline=None)
@given(st.integers(1, 60), st.integers(0, 10**6), questions())
def test_the_order_of_lines_decides_nothing(n_persons: int, seed: int, asked: Asked) -> None:
    result = result_of(crowd(n_persons, seed), asked)
    order = list(range(result.n_rows))[::-1]
    backwards = StudyResult(result.table.take(order), result.settings, result.cells[::-1])
    one, other = assess(result, 5), assess(backwards, 5)
    assert one.verdict is other.verdict
    assert (one.safe is None) is (other.safe is None)
    if one.safe is not None and other.safe is not None:
        assert one.safe.table.take(order).equals(other.safe.table)
