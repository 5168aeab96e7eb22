"""What a mean, a deviation or a quantile may owe to few."""

from __future__ import annotations

import math

import numpy as np
import pytest

from enclos.contracts.result import HIDDEN
from enclos.release.rules.disclosure import assess
from enclos.release.rules.policy import policy
from enclos.studies.characterise.model import Characterisation
from enclos.studies.model import Study
from enclos.studies.rules.spread import Spread
from enclos.studies.steps import run_study
from factories.groups import Subject, description_of
from factories.study_tables import EVENTS, cdm

Shown = dict[str, str]


def costs(values: list[int], k: int = 10) -> Shown:
    """What is shown of a value of each person of one cohort, by estimate."""
    people = [Subject("statin", "Female", "0 to 64", value=value) for value in values]
    safe = assess(description_of(people), k).safe
    rows = safe.table.to_pylist() if safe else []
    return {
        row["estimate_name"]: row["estimate_value"]
        for row in rows
        if (row["strata_name"], row["variable_name"]) == ("overall", "Days")
    }


def test_the_values_of_many_are_shown() -> None:
    told = costs(list(range(100)))
    assert told["mean"] == "49.500"
    assert HIDDEN not in {told["sd"], told["median"], told["q25"]}


def test_a_mean_that_one_person_makes_is_not_shown() -> None:
    told = costs([*range(1, 60), 1_000_000])
    assert told["mean"] == told["sd"] == HIDDEN
    assert told["median"] == "30.500"


def test_a_deviation_that_one_person_makes_is_not_shown_even_where_the_mean_is() -> None:
    told = costs([*range(1_000, 1_100), 10_000])
    assert told["sd"] == HIDDEN
    assert told["mean"] != HIDDEN


def test_the_value_of_one_person_times_who_they_are_is_shown_as_nothing() -> None:
    """Cost times one-hot: neither its mean nor its deviation, which gives the cost back, is shown."""
    n, cost = 2_000, 1_240
    spread = Spread()
    spread.add(np.array([0] * (n - 1) + [cost]))
    assert spread.sd is not None
    assert spread.sd * math.sqrt(n) == pytest.approx(cost)
    told = costs([0] * (n - 1) + [cost])
    assert {told[name] for name in ("mean", "sd", "median", "q25")} == {HIDDEN}


def test_a_value_that_everybody_has_is_not_told_by_its_quantiles() -> None:
    assert set(costs([7] * 200).values()) == {HIDDEN}


def test_few_values_unlike_all_others_are_not_told_by_a_mean() -> None:
    assert costs([7] * 200 + list(range(100, 109)))["mean"] == HIDDEN
    assert costs([7] * 200 + list(range(100, 110)))["mean"] != HIDDEN


@pytest.mark.parametrize(
    ("largest", "total", "dominates"),
    [((50.0, 41.0), 100.0, True), ((50.0, 39.0), 100.0, False), ((86.0, 2.0), 96.0, True), ((0.0, 0.0), 0.0, False)],
)
def test_dominance_is_two_of_ninety_percent_or_ten_percent(
    largest: tuple[float, float], total: float, dominates: bool
) -> None:
    assert policy().dominance.dominates(largest, total) is dominates


def test_a_level_that_was_found_leaves_no_line_where_it_is_hidden() -> None:
    """A hidden code and one that nobody has look the same."""
    people = [Subject("statin", "Female", "0 to 64", frozenset({"gout"} if at < 3 else ())) for at in range(90)]
    with_three = assess(description_of(people, ["gout"], "code_use"), 10).safe
    without = assess(description_of(people, [], "code_use"), 10).safe
    assert with_three is not None
    assert without is not None
    assert with_three.table.to_pylist() == without.table.to_pylist()
    assert "gout" in str(assess(description_of(people, ["gout"]), 10).safe.table.to_pylist())  # type: ignore[union-attr]


def test_quantiles_of_days_are_judged_like_others() -> None:
    rows = [f"{n} | F | 1980-01-01 | 2020-01-01..2021-12-31 | 2020-{1 + n % 12:02}-{1 + n % 28:02}" for n in range(90)]
    persons = "\n".join(["person | sex | born | observed | events", *rows])
    result = run_study(Study("spec", (EVENTS,), (Characterisation(("events",)),)), cdm(persons))
    safe = assess(result, 10).safe
    assert safe is not None
    days = {
        row["estimate_name"]: row["estimate_value"]
        for row in safe.table.to_pylist()
        if row["variable_name"] == "Cohort start date"
    }
    assert days["min"] == days["max"] == HIDDEN
    assert "2020-01-01" < days["q25"] < days["median"] < days["q75"] < "2020-12-31"
