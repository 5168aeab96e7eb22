"""A comparison gives what CohortMethod 6.0.2 gives on its simulation of 10 000 persons, step by step.

Its tables lie beside the checkout. Where they are absent, entries made here take their place, and the slow oracle of
this repository says what is right.
"""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np
import numpy.typing as npt
import pytest
from scipy.sparse import csc_array

from enclos.studies.compare.model import (
    Duplicates,
    Estimand,
    FollowUp,
    Match,
    OutcomeModel,
    Propensity,
    Stratify,
    Weight,
)
from enclos.studies.compare.rules import population
from enclos.studies.compare.rules.balance import Balance, balance, p_above, set_weights
from enclos.studies.compare.rules.covariates import CovariateMatrix
from enclos.studies.compare.rules.matching import UNMATCHED, caliper_of, matched
from enclos.studies.compare.rules.population import Entries, Events, Followed, no_switch
from enclos.studies.compare.rules.scores import area_under_curve, preference, share_in_equipoise, strata_of, weights_of
from enclos.studies.compare.steps.effects import effect_of
from enclos.studies.compare.steps.scoring import score_of
from factories.cohortmethod import FOLDER, entries, events, peer
from oracle import compare as oracle

Ints = npt.NDArray[np.int64]


def made() -> tuple[Entries, Events, npt.NDArray[np.float64]]:
    """Entries, outcomes and scores of our own, for where the peer's are absent."""
    rng = np.random.default_rng(9)
    n = 160
    score = np.round(rng.beta(3, 4, n), 2)
    zeros = np.zeros(n, dtype=np.int64)
    days = rng.integers(0, 400, n)
    found = Entries(
        np.arange(n), rng.random(n) < score, zeros, zeros, zeros, zeros + 400, days // 2, days, no_switch(n)
    )
    return found, Events(rng.integers(0, n, 90), rng.integers(-50, 400, 90)), score


def seen_of(found: Entries, outcomes: Events) -> Followed:
    risk = population.at_risk(found, FollowUp(), Duplicates.KEEP_ALL)
    kept = ~population.prior_outcomes(len(found), outcomes, 0, None) & (risk.n_days >= 1)
    return population.followed(found, risk, outcomes, kept)


def test_study_population() -> None:
    if FOLDER is None:
        found, outcomes, _ = made()
        seen = seen_of(found, outcomes)
        rows = [
            oracle.Row(
                at,
                bool(found.treated[at]),
                0,
                400,
                int(found.days_to_cohort_end[at]),
                int(found.days_to_observed_end[at]),
            )
            for at in range(len(found))
        ]
        pairs = list(zip(outcomes.entry.tolist(), outcomes.days.tolist(), strict=True))
        expected = oracle.study_population(
            rows, pairs, on_treatment=False, from_day=0, grace=0, longest=None, washout=None, min_days=1
        )
        got = zip(
            seen.at.tolist(), seen.n_outcomes.tolist(), seen.days_at_risk.tolist(), seen.days.tolist(), strict=True
        )
        assert list(got) == expected
        return
    seen, theirs = seen_of(entries(), events()), peer("studypop")
    assert len(seen) == 8196
    np.testing.assert_array_equal(seen.at + 1, theirs["rowId"])
    np.testing.assert_array_equal(seen.treated, theirs["treatment"] == 1)
    np.testing.assert_array_equal(seen.n_outcomes, theirs["outcomeCount"])
    np.testing.assert_array_equal(seen.days_at_risk, theirs["timeAtRisk"])
    np.testing.assert_array_equal(seen.days, theirs["survivalTime"])


def test_scores_and_strata() -> None:
    if FOLDER is None:
        found, _, score = made()
        assert area_under_curve(score, found.treated) == pytest.approx(
            oracle.auc(score.tolist(), found.treated.tolist())
        )
        expected = oracle.strata(score.tolist(), score.tolist(), 5)
        assert strata_of(score, found.treated, Stratify(5)).tolist() == expected
        return
    theirs = peer("ps")
    score, treated = theirs["propensityScore"], theirs["treatment"] == 1
    preferred = preference(score, float(treated.mean()))
    np.testing.assert_allclose(preferred, theirs["preferenceScore"], atol=1e-12)
    np.testing.assert_allclose(weights_of(score, treated, Weight(Estimand.ATT)), theirs["iptw"], atol=1e-12)
    assert area_under_curve(score, treated) == pytest.approx(0.598321042, abs=1e-9)
    assert share_in_equipoise(preferred) == pytest.approx(0.9987798926, abs=1e-9)
    strata = strata_of(score, treated, Stratify(5))
    np.testing.assert_array_equal(strata, peer("stratified")["stratumId"])
    counts = [[int((strata[treated == arm] == each).sum()) for each in range(1, 6)] for arm in (False, True)]
    assert counts == [[1174, 1101, 1011, 931, 803], [466, 538, 628, 708, 836]]


@pytest.mark.parametrize(
    ("name", "ratio", "n", "n_sets"), [("matched", 1, 6182, 3091), ("matched_var", 100, 8108, 3091)]
)
def test_matching(name: str, ratio: int, n: int, n_sets: int) -> None:
    """Persons and sets as many as the peer's; which of several of one score are taken is left open by the peer."""
    if FOLDER is None:
        found, _, score = made()
        order = np.lexsort((np.arange(len(score)), score))
        values, caliper = caliper_of(score, Match(ratio))
        expected = oracle.greedy_sets(values[order].tolist(), found.treated[order].tolist(), caliper, ratio)
        assert matched(score, found.treated, Match(ratio))[order].tolist() == expected
        return
    theirs, scores = peer(name), peer("ps")
    score, row = scores["propensityScore"], scores["rowId"]
    sets = matched(score, scores["treatment"] == 1, Match(ratio))
    assert int((sets != UNMATCHED).sum()) == n == len(theirs["rowId"])
    assert int(sets.max()) + 1 == n_sets
    of_row = dict(zip(row.tolist(), score.tolist(), strict=True))
    own = scores_of_sets(sets[sets != UNMATCHED].tolist(), score[sets != UNMATCHED].tolist())
    others = scores_of_sets(theirs["stratumId"].tolist(), [of_row[each] for each in theirs["rowId"].tolist()])
    assert sorted(map(len, own)) == sorted(map(len, others))
    if ratio == 1:
        assert own == others
    else:
        # An earlier tie decides what is left for later rounds: the widths of the sets are alike as a whole.
        width = [np.mean([max(each) - min(each) for each in sets]) for sets in (own, others)]
        assert width[0] == pytest.approx(width[1], rel=0.01)


def scores_of_sets(sets: list[int], scores: list[float]) -> list[tuple[float, ...]]:
    """The scores of each set, in order."""
    found = defaultdict(list)
    for number, score in zip(sets, scores, strict=True):
        found[number].append(score)
    return sorted(tuple(sorted(each)) for each in found.values())


def test_balance_of_every_covariate() -> None:
    if FOLDER is None:
        found, _, score = made()
        values = np.c_[score > 0.4, np.arange(len(score)) % 7].astype(float)
        told = balance(csc_array(values), found.treated)
        for column in range(2):
            expected = oracle.difference(values[:, column].tolist(), found.treated.tolist(), None)
            assert told.difference[column] == pytest.approx(expected)
        return
    theirs, all_entries, covariates = peer("balance_matched"), entries(), matrix()
    before = balance(covariates.values, all_entries.treated)
    sample = peer("matched")
    at = sample["rowId"] - 1
    weights = set_weights(sample["stratumId"].astype(np.int64), all_entries.treated[at])
    after = balance(csc_array(covariates.values.tocsr()[at]), all_entries.treated[at], weights)
    assert before.largest == pytest.approx(0.1301044683, abs=1e-9)
    assert after.largest == pytest.approx(0.08710465844, abs=1e-9)
    column = np.searchsorted(covariates.ids, theirs["covariateId"])
    assert len(column) == 7004
    assert_balance(before, theirs, column, "beforeMatching")
    assert_balance(after, theirs, column, "afterMatching")
    treated = all_entries.treated
    p = p_above(before.difference, int(treated.sum()), int((~treated).sum()))
    np.testing.assert_allclose(p[column], theirs["beforeMatchingSdmP"].astype(float), atol=1e-6)


def assert_balance(own: Balance, theirs: dict[str, npt.NDArray[np.float64]], column: Ints, prefix: str) -> None:
    parts = {
        "MeanTarget": own.target.mean,
        "MeanComparator": own.comparator.mean,
        "SumTarget": own.target.total,
        "SumComparator": own.comparator.total,
        "SdTarget": own.target.deviation,
        "SdComparator": own.comparator.deviation,
        "StdDiff": own.difference,
    }
    for name, values in parts.items():
        told = theirs[prefix + name].astype(float)
        there = ~np.isnan(told)  # nobody of the matched has the others
        np.testing.assert_allclose(values[column][there], told[there], atol=1e-12, err_msg=prefix + name)


def matrix() -> CovariateMatrix:
    covariates = peer("covariates")
    ids = np.unique(covariates["covariateId"])
    place = (covariates["rowId"] - 1, np.searchsorted(ids, covariates["covariateId"]))
    return CovariateMatrix(
        ids, csc_array((covariates["covariateValue"].astype(float), place), shape=(10_000, len(ids)))
    )


RESULTS = {
    "unadjusted": (OutcomeModel.COX, 0.81446657, 0.70874991, 0.93414347),
    "matched": (OutcomeModel.COX, 0.933030254, 0.797389186, 1.091527489),
    "matched_var": (OutcomeModel.COX, 0.83880064, 0.69817947, 1.00508718),
    "stratified": (OutcomeModel.COX, 0.90294947, 0.78405807, 1.03787652),
    "weighted": (OutcomeModel.COX, 0.86323893, 0.68812663, 1.07818678),
    "matched by odds": (OutcomeModel.LOGISTIC, 0.951443539, 0.806353997, 1.122453216),
    "matched by rates": (OutcomeModel.POISSON, 0.979646679, 0.855884685, 1.121330446),
}


@pytest.mark.parametrize("how", list(RESULTS))
def test_effects(how: str) -> None:
    """Estimates to the digits that both find; ends of intervals to the tolerance of the peer's search for them."""
    model, *expected = RESULTS[how]
    if FOLDER is None:
        found, outcomes, score = made()
        seen = seen_of(found, outcomes)
        effect = effect_of(seen, model)
        assert effect.lower < effect.log_ratio < effect.upper
        sets = strata_of(score[seen.at], seen.treated, Stratify(5))
        within = effect_of(seen, model, sets)
        assert within.log_ratio != effect.log_ratio
        return
    seen = seen_of(entries(), events())
    sets: Ints | None = None
    weights = None
    if (name := how.split(maxsplit=1)[0]) in {"matched", "matched_var", "stratified"}:
        theirs = peer(name)
        seen = seen.take(np.searchsorted(seen.at, theirs["rowId"] - 1))
        sets = theirs["stratumId"].astype(np.int64) if name != "matched" else None
    elif name == "weighted":
        weights = peer("ps")["iptw"]
    effect = effect_of(seen, model, sets, weights, robust=False)
    told = [math.exp(each) for each in (effect.log_ratio, effect.lower, effect.upper)]
    assert told[0] == pytest.approx(expected[0], abs=1e-6)
    assert told[1:] == pytest.approx(expected[1:], rel=5e-4)


def test_score_with_a_fixed_variance() -> None:
    if FOLDER is None:
        rng = np.random.default_rng(3)
        values = csc_array((rng.random((300, 12)) < 0.3).astype(float))
        treated = rng.random(300) < 0.3 + 0.4 * values.toarray()[:, 0]
        found = score_of(CovariateMatrix(np.arange(12), values), treated, Propensity(variance=0.01), 0.001)
        assert found.fitted
        assert found.auc > 0.55
        assert found.coefficients[1] == max(found.coefficients[1:])
        return
    theirs, model = peer("ps_fixedvar0.01"), peer("ps_model_fixedvar0.01")
    covariates = matrix()
    rows = csc_array(covariates.values.tocsr()[theirs["rowId"] - 1])
    found = score_of(CovariateMatrix(covariates.ids, rows), theirs["treatment"] == 1, Propensity(variance=0.01), 0.001)
    np.testing.assert_allclose(found.score, theirs["propensityScore"], atol=1e-6)
    own = {
        None: found.coefficients[0],
        **dict(zip(found.covariates.tolist(), found.coefficients[1:].tolist(), strict=True)),
    }
    ids = [None if each is None or np.isnan(each) else int(each) for each in model["covariateId"].tolist()]
    assert len(ids) == 51 == np.count_nonzero(found.coefficients)
    for covariate, coefficient in zip(ids, model["coefficient"].tolist(), strict=True):
        assert own[covariate] == pytest.approx(coefficient, abs=1e-4)


@pytest.mark.slow
def test_score_whose_variance_is_chosen_by_folds() -> None:
    """Folds are drawn otherwise than the peer's; the scores are all but the same."""
    if FOLDER is None:
        test_score_with_a_fixed_variance()
        return
    theirs, covariates = peer("ps"), matrix()
    rows = csc_array(covariates.values.tocsr()[theirs["rowId"] - 1])
    found = score_of(CovariateMatrix(covariates.ids, rows), theirs["treatment"] == 1, Propensity(), 0.001)
    assert np.corrcoef(found.score, theirs["propensityScore"])[0, 1] > 0.999
    assert np.abs(found.score - theirs["propensityScore"]).max() < 0.02
    assert found.auc == pytest.approx(0.598321042, abs=0.005)
    assert found.equipoise == pytest.approx(0.9987798926, abs=0.005)
    assert np.count_nonzero(found.coefficients) == pytest.approx(51, abs=25)
