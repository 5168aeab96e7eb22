"""The worked example of omopgenerics' suppression: what it hides is hidden here too.

Source: darwin-eu/omopgenerics, ``tests/testthat/test-methodSuppress.R``; the figures of the first stratum are theirs:
ten records, five in one age group and three in the other. There a count from one up to the least shown is hidden with
its percentage, and with a group's own number of records everything that is said of the group. Here that is the least:
what would give a hidden number away is hidden as well, which the package leaves to its reader. A hidden number is a
mark in its line in both (there ``<k`` or ``-`` by version, and NA for what goes with it).

Not here: the options to drop lines or to choose the mark; a count of their second stratum that is more than the whole.
"""

from __future__ import annotations

import pytest

from enclos.contracts.result import HIDDEN
from enclos.release.rules.disclosure import assess
from factories.groups import Subject, description_of

YOUNG, OLD = "under 50", "50 or more"
AGES = [YOUNG] * 5 + [OLD] * 3 + ["not known"] * 2


@pytest.mark.parametrize(
    ("k", "hidden"),
    [
        (2, set()),
        (4, {OLD}),
        (5, {OLD}),
        (6, {YOUNG, OLD}),
        (10, {YOUNG, OLD}),
    ],
)
def test_what_the_package_hides_is_hidden(k: int, hidden: set[str]) -> None:
    safe = assess(description_of([Subject("all", "Female", age) for age in AGES]), k).safe
    assert safe is not None
    told = {
        (row["variable_name"], row["variable_level"], row["estimate_name"]): row["estimate_value"]
        for row in safe.table.to_pylist()
        if row["strata_name"] == "overall"
    }
    assert told["Number subjects", None, "count"] == "10"
    for level in hidden:
        assert told["Age group", level, "count"] == told["Age group", level, "percentage"] == HIDDEN
    if not hidden:
        assert (told["Age group", YOUNG, "count"], told["Age group", OLD, "count"]) == ("5", "3")
        assert (told["Age group", YOUNG, "percentage"], told["Age group", OLD, "percentage"]) == ("50.0000", "30.0000")


@pytest.mark.parametrize("k", [11, 13])
def test_of_a_group_that_is_too_small_nothing_is_told(k: int) -> None:
    safe = assess(description_of([Subject("all", "Female", age) for age in AGES]), k).safe
    shown = {row["estimate_value"] for row in safe.table.to_pylist()} if safe else set()
    assert shown <= {HIDDEN}
