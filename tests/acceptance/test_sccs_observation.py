"""Where an outcome ends observation, weighed time gives the ratio that cases were made with, plain time does not."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from enclos.studies.calibration.model import Effect
from enclos.studies.sccs.diagnostics import rare_outcome
from enclos.studies.sccs.intervals import People, Stretches
from enclos.studies.sccs.model import Cases, Sccs
from enclos.studies.sccs.observation import Ending, Ends, Weighing, fit_ends, log_density
from enclos.studies.sccs.steps import analyse

_DATA_END, _MOST_DAYS, _EXPOSED_DAYS = 20_000, 1500, 120
WEIGHED = Sccs(
    ("drug",),
    ("bleed",),
    cases=Cases(first_outcome_only=True),
    pre_exposure_days=0,
    end_of_observation_days=0,
    weigh_observation=True,
)
PLAIN = replace(WEIGHED, weigh_observation=False)


def cases(seed: int, ratio: float, n: int = 600) -> tuple[People, Stretches]:
    """Cases observed for up to four years; half of them leave weeks after the outcome, the others stay.

    Exposure begins late in the time planned, so that the time lost after early outcomes is exposed as often as not.
    """
    random = np.random.default_rng(seed)
    days = np.arange(_MOST_DAYS)
    exposed = random.integers(_MOST_DAYS // 2, _MOST_DAYS - _EXPOSED_DAYS, n)
    rates = np.where((days >= exposed[:, None]) & (days < exposed[:, None] + _EXPOSED_DAYS), ratio, 1.0)
    reach = rates.cumsum(axis=1)
    outcome = (reach < (random.random(n) * reach[:, -1])[:, None]).sum(axis=1)
    soon = outcome + random.exponential(60, n).astype(np.int64)
    last = np.where(random.random(n) < 0.5, np.minimum(_MOST_DAYS - 1, soon), _MOST_DAYS - 1)
    start = np.full(n, _DATA_END - _MOST_DAYS + 1)
    born = start - random.integers(18_000, 30_000, n)
    case = np.arange(n)
    kept = exposed <= last
    people = People(start, start + last, born, case, start + outcome)
    first = (start + exposed)[kept]
    return people, Stretches(case[kept], np.zeros(kept.sum(), dtype=np.int64), first, first + _EXPOSED_DAYS - 1)


def effect(seed: int, ratio: float, asked: Sccs) -> Effect:
    people, eras = cases(seed, ratio)
    rare = rare_outcome(1, 100, 0.1, first_only=True)
    return analyse(asked, people, eras, np.arange(len(people)), rare, _DATA_END).model.effects[0]


def judge(ratio: float, n_populations: int) -> None:
    plain, weighed = ([effect(seed, ratio, asked) for seed in range(n_populations)] for asked in (PLAIN, WEIGHED))
    truth = math.log(ratio)
    off, errors = (np.array([each.log_ratio - truth for each in found]) for found in (plain, weighed))
    error = errors.std(ddof=1) / math.sqrt(n_populations)
    assert abs(errors.mean()) < 3 * error
    assert abs(off.mean()) > 3 * abs(errors.mean())
    assert abs(off.mean()) > 4 * off.std(ddof=1) / math.sqrt(n_populations)
    held = np.mean([each.lower <= truth <= each.upper for each in weighed])
    assert abs(held - 0.95) <= 3 * math.sqrt(0.95 * 0.05 / n_populations) + 0.02


def test_weighed_time_gives_the_ratio_that_cases_were_made_with() -> None:
    judge(2.0, 6)


@pytest.mark.slow
@pytest.mark.parametrize("ratio", [1.0, 2.0, 0.5], ids=["null", "harmful", "protective"])
def test_weighed_time_gives_the_ratio_in_two_hundred_populations(ratio: float) -> None:
    judge(ratio, 200)


@pytest.mark.parametrize("ending", Ending)
def test_every_mixture_adds_up_to_one(ending: Ending) -> None:
    """Of an outcome at 40: the density up to an age and the chance to be observed beyond it are one."""
    parameters = np.array([-1.5, 3.9 if ending.by_age else 1.0, 0.1, -0.5, 0.01, 1.2 if ending.by_age else 0.2, 0.05])
    until, steps = 48.0, 200_000
    ages = 40 + (np.arange(steps) + 0.5) * (until - 40) / steps
    start, at = np.full(steps, 35.0), np.full(steps, 40.0)
    inside = np.exp(log_density(ending, parameters, Ends(start, ages, np.zeros(steps, dtype=np.bool_)), at)).mean() * 8
    one = Ends(start[:1], np.array([until]), np.ones(1, dtype=np.bool_))
    beyond = float(np.exp(log_density(ending, parameters, one, at[:1]))[0])
    assert inside + beyond == pytest.approx(1, abs=2e-3)


def test_pieces_count_for_what_their_days_count_for() -> None:
    """The integral by nodes against a sum over tenths of days; a case counts for as many days as it has."""
    people, _ = cases(3, 1.0, 200)
    weighing = Weighing.of(people, people.last_day >= _DATA_END)
    at = int(np.argmax(people.last_day - people.first_day < 900))
    first, last = int(people.first_day[at]), int(people.last_day[at])
    edges = np.array([first, first + 100, last - 30, last + 1])
    n_days = np.diff(edges)
    found = weighing.days(np.full(3, at), edges[:-1], n_days)
    assert found.sum() == pytest.approx(n_days.sum())
    ages = (np.arange(first, last + 1, 0.1) + 0.05 - people.born_day[at]) / 365.25
    one = Ends(*(np.full(len(ages), getattr(weighing.ends, name)[at]) for name in Ends.__slots__))
    weights = np.exp(log_density(weighing.model.ending, weighing.model.parameters, one, ages))
    places = np.searchsorted(edges, np.arange(first, last + 1, 0.1), side="right") - 1
    slow = np.bincount(places, weights)
    np.testing.assert_allclose(found / found.sum(), slow / slow.sum(), rtol=2e-2)


@pytest.mark.parametrize("ending", Ending)
@pytest.mark.parametrize("far", [900.0, -900.0])
def test_a_shape_that_no_number_holds_gives_chances_all_the_same(ending: Ending, far: float) -> None:
    """Slopes are sought freely: at an age far from the cases' a shape may be beyond all numbers."""
    ends = Ends(np.array([35.0, 35.0]), np.array([41.0, 45.0]), np.array([False, True]))
    found = log_density(ending, np.array([-1.0, 1.0, 0.0, 0.0, 0.0, far, 0.0]), ends, np.array([40.0, 40.0]))
    assert np.isfinite(found).all()


def test_the_mixture_that_made_the_ends_is_found_again() -> None:
    """Ends soon after the outcome in a third of cases, those of others by interval: chances are told within 0.03."""
    random = np.random.default_rng(4)
    n = 2000
    outcome = random.uniform(40, 60, n)
    since = np.where(random.random(n) < 1 / 3, random.exponential(0.1, n), 4 * random.weibull(2.0, n))
    ends = Ends(outcome - 2, outcome + np.minimum(since, 5), since > 5)
    found = fit_ends(ends, outcome)
    assert not found.ending.by_age
    for years in (0.2, 1.0, 3.0):
        later = Ends(np.full(1, 48.0), np.full(1, 50.0 + years), np.ones(1, dtype=np.bool_))
        chance = float(np.exp(log_density(found.ending, found.parameters, later, np.full(1, 50.0)))[0])
        assert chance == pytest.approx(float((since > years).mean()), abs=0.03)
