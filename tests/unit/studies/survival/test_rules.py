"""The estimators of survival against the definition, and against published numbers."""

from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest

from enclos.studies.survival import rules
from enclos.studies.survival.rules import Curve, LifeTable, life_table
from oracle.survival import CENSORED, COMPETING, OUTCOME, Entry, Z, having_had, mean_of_days, surviving, with_error

ENDINGS = (CENSORED, OUTCOME, COMPETING)
# Acute myelogenous leukaemia, maintained group: weeks to relapse, + when censored.
# Source: Miller 1981, Survival Analysis, p. 49; data set aml of R's survival package.
MAINTAINED = "9 13 13+ 18 23 28+ 31 34 45+ 48 161+"


def table_of(entries: list[Entry]) -> LifeTable:
    endings = np.zeros((3, max(each.n_days for each in entries) + 1), dtype=np.int64)
    for each in entries:
        endings[ENDINGS.index(each.ending), each.n_days] += 1
    kinds = 3 if any(each.ending == COMPETING for each in entries) else 2
    return life_table(endings[:kinds])


def entry(n_days: int, ending: str) -> Entry:
    return Entry(1, n_days, ending, None, 40, "Male")


def relapses() -> list[Entry]:
    return [entry(int(word.rstrip("+")), CENSORED if word.endswith("+") else OUTCOME) for word in MAINTAINED.split()]


def drawn(seed: int) -> list[Entry]:
    """Some entries of a random study in which each ending occurs and days are shared."""
    random = Random(seed)  # noqa: S311 - test data
    some = [entry(random.randint(0, 12), random.choice(ENDINGS)) for _ in range(random.randint(3, 14))]
    return [*some, *(entry(random.randint(1, 12), each) for each in ENDINGS)]


def test_kaplan_meier_of_the_leukaemia_trial_has_its_published_numbers() -> None:
    table = table_of(relapses())
    curve = rules.kaplan_meier(table)
    where = curve.step_on(np.array([8, 9, 13, 18, 23, 31, 34, 48, 161]))
    share, lower, upper = (each[where] for each in curve.steps())
    # Source: R, summary(survfit(Surv(time, status) ~ x, aml)), as printed in its documentation.
    assert np.round(share, 3).tolist() == [1.0, 0.909, 0.818, 0.716, 0.614, 0.491, 0.368, 0.184, 0.184]
    assert np.round(lower[1:], 4).tolist() == [0.7541, 0.6192, 0.4884, 0.3769, 0.2549, 0.1549, 0.0359, 0.0359]
    assert np.round(upper[1:], 3).tolist() == [1.0, 1.0, 1.0, 0.999, 0.946, 0.875, 0.944, 0.944]
    assert rules.median(curve)[:2] == (31.0, 18.0)
    assert math.isnan(rules.median(curve)[2])


def checked(curve: Curve, kind: str | None, entries: list[Entry]) -> None:
    """A curve is what its definition gives, day by day, and so is its interval."""
    for day in range(max(each.n_days for each in entries) + 1):

        def estimate(weights: object, day: int = day) -> float:
            if kind is None:
                return surviving(entries, weights, day)  # type: ignore[arg-type]
            return having_had(entries, weights, kind, day)  # type: ignore[arg-type]

        value, error = with_error(estimate, len(entries))
        step = curve.step_on(np.array([day]))
        share, lower, upper = (float(each[step][0]) for each in curve.steps())
        assert share == pytest.approx(value, abs=1e-12)
        if value < 1e-12:
            assert math.isnan(lower)
            assert math.isnan(upper)
        else:
            assert lower == pytest.approx(value * math.exp(-Z * error / value), abs=1e-6)
            assert upper == pytest.approx(min(1.0, value * math.exp(Z * error / value)), abs=1e-6)


@pytest.mark.parametrize("seed", range(12))
def test_curves_and_their_intervals_are_those_of_the_definition(seed: int) -> None:
    entries = drawn(seed)
    checked(rules.kaplan_meier(table_of(entries)), None, entries)
    for kind, curve in zip((OUTCOME, COMPETING), rules.aalen_johansen(table_of(entries)), strict=True):
        checked(curve, kind, entries)


@pytest.mark.parametrize("to_day", [1, 5, 12, 20])
@pytest.mark.parametrize("seed", range(6))
def test_restricted_means_and_their_errors_are_those_of_the_definition(seed: int, to_day: int) -> None:
    entries = drawn(seed)
    table = table_of(entries)
    found = [rules.restricted_mean(table, to_day)]
    wanted = [with_error(lambda w: mean_of_days(lambda day: surviving(entries, w, day), to_day), len(entries))]
    for at, kind in enumerate((OUTCOME, COMPETING)):
        found.append(rules.mean_days_with(table, at, to_day))
        wanted.append(
            with_error(
                lambda w, kind=kind: mean_of_days(lambda day: having_had(entries, w, kind, day), to_day), len(entries)
            )
        )
    assert found == [(pytest.approx(mean, abs=1e-9), pytest.approx(error, abs=1e-5)) for mean, error in wanted]


def curve_of(shares: list[float]) -> Curve:
    share = np.array(shares)
    return Curve(np.arange(1, len(shares) + 1) * 10, 1.0, share, share, share)


@pytest.mark.parametrize(
    ("p", "day"),
    [
        (0.0, 0.0),  # nobody needs to have had it
        (0.1, 10.0),
        (0.25, 25.0),  # exactly a quarter from day 20 to day 30: the middle
        (0.5, 30.0),
        (0.6, 35.0),  # exactly the last level, kept to the last day: the middle
        (0.61, math.nan),
    ],
)
def test_a_quantile_is_the_first_day_or_the_middle_of_the_days_at_its_level(p: float, day: float) -> None:
    found = rules.quantile(curve_of([0.8, 0.75, 0.4, 0.4]), p)
    assert found == (pytest.approx(day, nan_ok=True),) * 3


def test_a_curve_that_ends_at_one_half_has_its_median_where_it_gets_there() -> None:
    assert rules.median(curve_of([0.5, 0.5, 0.5])) == (10.0, 10.0, 10.0)
    assert rules.median(curve_of([0.5, 0.5, 0.2])) == (20.0, 20.0, 20.0)


def test_on_a_day_that_nobody_survives_the_share_is_zero_and_has_no_interval() -> None:
    share, lower, upper = rules.kaplan_meier(table_of([entry(3, OUTCOME), entry(5, OUTCOME)])).steps()
    assert share.tolist() == [1.0, 0.5, 0.0]
    assert math.isnan(lower[-1])
    assert math.isnan(upper[-1])
