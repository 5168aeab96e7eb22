"""The model of cost: it finds the costs that made the figures, says how sure it is, and tells when a check is off."""

from __future__ import annotations

import random
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

YEARS = 5
BUCKET = 300_000
STEP = "rates: look"


@pytest.fixture(scope="module")
def cost(bench: Callable[[str], ModuleType]) -> ModuleType:
    return bench("cost")


def point(n_persons: int, seconds: float, *, check: bool = False) -> dict[str, Any]:
    units = -(-n_persons // BUCKET)
    found = {"step": STEP, "persons": n_persons, "years": YEARS, "units": units, "cpu": seconds}
    return found | ({"check": True} if check else {})


def taken(n_persons: int, noise: float = 0.0) -> float:
    exact = 0.4 * -(-n_persons // BUCKET) + 5e-6 * n_persons * YEARS
    return float(exact * (1 + noise))


def test_costs_of_a_bucket_and_of_a_person_year_are_found_apart(cost: ModuleType) -> None:
    fit = cost.fitted([point(n, taken(n)) for n in (50_000, 100_000, 200_000, 600_000)], STEP)
    assert fit.of_unit == pytest.approx(0.4, rel=1e-6)
    assert fit.of_person_year == pytest.approx(5e-6, rel=1e-6)
    assert fit.relative == pytest.approx(0, abs=1e-9)


def test_the_interval_holds_what_one_more_run_takes_about_as_often_as_it_says(cost: ModuleType) -> None:
    draw, n_held, n_tried = random.Random(7), 0, 400  # noqa: S311 - noise for a test
    for _ in range(n_tried):
        points = [point(n, taken(n, draw.gauss(0, 0.05))) for n in (50_000, 100_000, 200_000) for _ in range(2)]
        _, low, high = cost.fitted(points, STEP).predicted(7, 2_000_000 * YEARS)
        n_held += low <= taken(2_000_000, draw.gauss(0, 0.05)) <= high
    assert 0.91 < n_held / n_tried < 0.985


def test_a_check_takes_no_part_in_the_fit_and_says_by_how_much_it_is_off(cost: ModuleType) -> None:
    points = [point(n, taken(n)) for n in (50_000, 100_000, 200_000)]
    (told,) = cost.checks([*points, point(2_000_000, 1.3 * taken(2_000_000), check=True)])
    assert told["off"] == pytest.approx(0.3, abs=1e-3)
    assert told["predicted"] == pytest.approx(taken(2_000_000), rel=1e-3)


def test_two_points_are_no_model(cost: ModuleType) -> None:
    assert cost.fitted([point(50_000, 1.0), point(100_000, 2.0)], STEP) is None


def test_no_cost_is_below_nought(cost: ModuleType) -> None:
    fit = cost.fitted([point(50_000, 1.0), point(100_000, 2.2), point(200_000, 4.9)], STEP)
    assert fit.of_unit == 0
    assert fit.of_person_year > 0
    assert fit.interval[0] >= 0


def test_what_comes_once_costs_its_fixed_part_once_in_any_number_of_buckets(cost: ModuleType) -> None:
    assert [cost.units_of(step, 7) for step in (STEP, "rates: report", "build")] == [7, 1, 1]
