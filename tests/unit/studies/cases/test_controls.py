"""Positive controls around cases: what is added is found again, exactly where one can say what must be found."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from enclos.studies.calibration.model import PositiveControls
from enclos.studies.calibration.rules.controlled import FoundControl
from enclos.studies.cases.controls import rates_with_more, sets_with_more
from enclos.studies.cases.estimates import odds_ratios
from enclos.studies.sccs.intervals import Bools, Ints

EFFECTS = PositiveControls((1.5, 2.0, 4.0), seed=5)


def sets(seed: int, n_sets: int = 400, n_controls: int = 4) -> tuple[Ints, Bools, Bools]:
    """Persons alike but for chance, with a second exposure that doubles the odds and often comes with the first."""
    random = np.random.default_rng(seed)
    size = n_controls + 1
    drug = random.random((n_sets, size)) < 0.25
    other = random.random(drug.shape) < np.where(drug, 0.5, 0.2)
    odds = np.where(other, 2.0, 1.0)
    reach = odds.cumsum(axis=1)
    case = (reach < (random.random(n_sets) * reach[:, -1])[:, None]).sum(axis=1)
    number = np.repeat(np.arange(n_sets), size)
    is_case = (np.arange(size) == case[:, None]).ravel()
    return number, is_case, np.column_stack((drug.ravel(), other.ravel()))


def of_sets(seed: int) -> Sequence[FoundControl]:
    return list(sets_with_more("null", *sets(seed), 0, EFFECTS))


def of_rates(seed: int) -> Sequence[FoundControl]:
    n_risk, n_control = np.random.default_rng(seed).poisson((120, 60)).tolist()
    return list(rates_with_more("null", (n_risk, n_control), (60_000, 30_000), EFFECTS))


@pytest.mark.parametrize("copies", [2.0, 4.0])
def test_sets_that_count_again_multiply_the_odds_ratio_by_as_much(copies: float) -> None:
    """Also where sets have several controls and another exposure is in the model."""
    number, is_case, exposed = sets(1)
    before, beside = odds_ratios(number, is_case, exposed)
    (found,) = sets_with_more("null", number, is_case, exposed, 0, PositiveControls((copies,), 1))
    assert found.true_log == pytest.approx(math.log(copies))
    assert beside.log_ratio == pytest.approx(math.log(2), abs=0.5)
    assert found.effect.log_ratio - before.log_ratio == pytest.approx(found.true_log, abs=0.05)
    pairs = sets(2, n_controls=1)
    alone = pairs[2][:, :1]
    (null,) = odds_ratios(*pairs[:2], alone)
    (made,) = sets_with_more("null", *pairs[:2], alone, 0, PositiveControls((copies,), 1))
    assert made.effect.log_ratio == pytest.approx(null.log_ratio + made.true_log, abs=1e-6)
    # Pairs that differ, four times as many of one kind: what varies is how many there were.
    differ = alone.reshape(-1, 2)[:, 0] != alone.reshape(-1, 2)[:, 1]
    n_exposed = int((pairs[1] & alone[:, 0]).reshape(-1, 2).any(axis=1)[differ].sum())
    wanted = math.sqrt(1 / n_exposed + 1 / (int(differ.sum()) - n_exposed))
    assert made.effect.standard_error == pytest.approx(wanted, rel=0.02)


def test_a_rate_grows_by_what_is_added() -> None:
    (found,) = rates_with_more("null", (40, 30), (5000, 4000), PositiveControls((2.0,), 1))
    assert math.exp(found.effect.log_ratio) == pytest.approx(80 / 5000 / (30 / 4000))
    assert found.true_log == pytest.approx(math.log(2))
    assert found.effect.standard_error == pytest.approx(math.sqrt(1 / 40 + 1 / 30), rel=0.05)


def test_too_few_outcomes_make_no_control() -> None:
    number, is_case, exposed = sets(3, n_sets=60)
    alone = np.bincount(number, ~exposed[:, 0]) > 0
    n_telling = int((is_case & exposed[:, 0] & alone[number]).sum())
    for least, n_made in ((n_telling, 1), (n_telling + 1, 0)):
        asked = PositiveControls((2.0,), 1, least)
        assert len(list(sets_with_more("null", number, is_case, exposed, 0, asked))) == n_made
        assert len(list(rates_with_more("null", (n_telling, 9), (10, 10), asked))) == n_made
    assert not list(sets_with_more("null", number, is_case, exposed, 0, None))
    assert not list(sets_with_more("null", number[:0], is_case[:0], exposed[:0], 0, EFFECTS))
    assert not list(rates_with_more("null", (99, 9), (10, 10), None))


def judge(n_populations: int) -> None:
    for made in (of_sets, of_rates):
        found = [each for seed in range(n_populations) for each in made(seed)]
        assert len(found) == 3 * n_populations
        for effect in EFFECTS.effects:
            own = [each for each in found if math.exp(each.true_log) == pytest.approx(effect, rel=0.02)]
            errors = [each.effect.log_ratio - each.true_log for each in own]
            assert abs(np.mean(errors)) < 3 * np.std(errors, ddof=1) / math.sqrt(n_populations)
        held = np.mean([each.effect.lower <= each.true_log <= each.effect.upper for each in found])
        # Controls made of one negative control share its chance; exact intervals hold more often.
        monte_carlo = 3 * math.sqrt(0.95 * 0.05 / n_populations)
        assert 0.95 - monte_carlo <= held <= (1 if made is of_rates else 0.95 + monte_carlo)


def test_positive_controls_have_the_effect_put_into_them() -> None:
    judge(20)


@pytest.mark.slow
def test_positive_controls_have_the_effect_in_two_hundred_populations() -> None:
    judge(200)
