"""What of a description of a group may leave."""

from __future__ import annotations

import pyarrow as pa
import pytest

from enclos.contracts.result import HIDDEN, StudyResult
from enclos.lexicon.verdicts import Verdict
from enclos.release.rules.disclosure import assess
from factories.groups import Subject, description_of


def cohort(n_young: int, n_old: int, n_gout: int = 0, *, known: bool = True) -> list[Subject]:
    """Women of one cohort; the first so many have gout, and each a number of days."""
    ages = ["0 to 64"] * n_young + ["65 to 150"] * n_old
    return [
        Subject("statin", "Female", age, frozenset({"gout"} if at < n_gout else ()), at if known else None)
        for at, age in enumerate(ages)
    ]


def shown(result: StudyResult, k: int = 10) -> dict[tuple[str, str, str], str]:
    """What is shown of all, by variable, level and estimate; nothing when it is refused."""
    safe = assess(result, k).safe
    rows = safe.table.to_pylist() if safe else []
    return {
        (row["variable_name"], row["variable_level"] or "", row["estimate_name"]): row["estimate_value"]
        for row in rows
        if row["strata_name"] == "overall"
    }


def test_counts_and_shares_of_enough_persons_are_shown_as_they_are() -> None:
    told = shown(description_of(cohort(30, 20)))
    assert told["Number subjects", "", "count"] == "50"
    assert told["Age group", "0 to 64", "count"] == "30"
    assert told["Age group", "65 to 150", "percentage"] == "40.0000"


def test_the_smallest_and_the_largest_value_are_one_person_s_and_never_leave() -> None:
    told = shown(description_of(cohort(300, 200)))
    assert told["Days", "", "min"] == told["Days", "", "max"] == HIDDEN
    assert told["Days", "", "mean"] == "249.500"


def test_a_quantile_needs_the_minimum_on_either_side() -> None:
    assert shown(description_of(cohort(20, 19)))["Days", "", "q25"] == HIDDEN
    assert shown(description_of(cohort(20, 20)))["Days", "", "q25"] == "9.750"
    assert shown(description_of(cohort(10, 9)))["Days", "", "median"] == HIDDEN
    assert shown(description_of(cohort(10, 10)))["Days", "", "median"] == "9.500"


def test_one_hidden_level_hides_another_that_would_tell_it() -> None:
    told = shown(description_of(cohort(30, 3)))
    assert told["Age group", "65 to 150", "count"] == HIDDEN
    assert told["Age group", "0 to 64", "count"] == HIDDEN
    assert told["Number subjects", "", "count"] == "33"


def test_few_without_a_condition_are_as_telling_as_few_with_it() -> None:
    told = shown(description_of(cohort(30, 20, n_gout=47), ["gout"]))
    assert told["Conditions", "gout", "count"] == told["Conditions", "gout", "percentage"] == HIDDEN


def test_a_condition_that_everybody_has_is_not_told_and_one_that_nobody_has_is() -> None:
    assert shown(description_of(cohort(30, 20, n_gout=50), ["gout"]))["Conditions", "gout", "percentage"] == HIDDEN
    assert shown(description_of(cohort(30, 20, n_gout=0), ["gout"]))["Conditions", "gout", "count"] == "0"


def test_labels_that_a_page_or_a_spreadsheet_would_run_are_refused() -> None:
    for label in (
        "<b>gout",
        "=1+1",
        "@gout",
        "-gout",
        "two\nlines",
        "1 85 03 12 345 678 90 has it",
        "since 2021-03-04",
    ):
        people = [Subject("statin", "Female", label) for _ in range(40)]
        found = assess(description_of(people), 10)
        assert found.safe is None
        assert found.verdict is Verdict.REFUSE


def test_nothing_left_is_refused() -> None:
    assert assess(description_of(cohort(3, 2)), 10).verdict is Verdict.REFUSE


def test_what_another_number_tells_of_the_same_persons_is_not_hidden() -> None:
    people = [Subject("statin", "Female", "0 to 64", value=1) for _ in range(30)]
    people += [Subject("statin", "Male", "65 to 150", value=1) for _ in range(26)]
    people += [Subject("other", "Male", "65 to 150", value=1) for _ in range(3)]
    rows = assess(description_of(people), 10).safe.table.to_pylist()  # type: ignore[union-attr]
    told = {
        (row["strata_level"], row["variable_name"], row["variable_level"], row["estimate_name"]): row["estimate_value"]
        for row in rows
        if row["group_level"] == "statin"
    }
    assert told["Male", "Number subjects", None, "count"] == told["overall", "Age group", "65 to 150", "count"] == "26"


def altered(result: StudyResult, variable: str, estimate: str, value: str) -> StudyResult:
    """The result with one line of it saying something else."""
    rows = result.table.to_pylist()
    (row, *_) = [row for row in rows if (row["variable_name"], row["estimate_name"]) == (variable, estimate)]
    row["estimate_value"] = value
    return StudyResult(pa.Table.from_pylist(rows, result.table.schema), result.settings, result.cells)


@pytest.mark.parametrize(
    ("variable", "estimate", "value"),
    [("Number subjects", "count", "49"), ("Age group", "count", "3"), ("Age group", "percentage", "1850312")],
)
def test_a_line_that_its_persons_do_not_bear_out_is_refused(variable: str, estimate: str, value: str) -> None:
    result = description_of(cohort(30, 20))
    assert assess(altered(result, variable, estimate, value), 10).safe is None


def test_a_few_entries_more_than_persons_are_not_told() -> None:
    result = altered(description_of(cohort(30, 20)), "Age group", "count", "31")
    assert shown(result)["Age group", "0 to 64", "count"] == HIDDEN


def test_everybody_of_a_part_is_not_told_by_a_subtraction() -> None:
    people = [Subject("statin", "Male", "0 to 64", frozenset({"gout"})) for _ in range(30)]
    people += [Subject("statin", "Female", "0 to 64", frozenset({"gout"} if at < 30 else ())) for at in range(50)]
    rows = assess(description_of(people, ["gout"]), 10).safe.table.to_pylist()  # type: ignore[union-attr]
    told = {
        row["strata_level"]: row["estimate_value"]
        for row in rows
        if (row["variable_level"], row["estimate_name"]) == ("gout", "count")
    }
    assert told["Male"] == told["Female"] == HIDDEN
