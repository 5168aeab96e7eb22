"""From entries, outcomes and covariates to estimates with their diagnostics, for one way of asking."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array

from enclos.studies.calibration.model import Effect, PositiveControls
from enclos.studies.calibration.rules.controlled import FoundControl
from enclos.studies.calibration.rules.strength import minimum_detectable
from enclos.studies.compare.model import Adjustment, Match, OutcomeModel, Stratify, Variant, Weight
from enclos.studies.compare.rules.balance import Balance, balance, set_weights
from enclos.studies.compare.rules.covariates import CovariateMatrix
from enclos.studies.compare.rules.diagnostics import (
    Diagnostic,
    Measured,
    effective_number,
    family_wise_p,
    judge,
)
from enclos.studies.compare.rules.matching import UNMATCHED, matched
from enclos.studies.compare.rules.population import (
    AtRisk,
    Bools,
    Entries,
    Events,
    Followed,
    at_risk,
    eligible,
    followed,
    prior_outcomes,
)
from enclos.studies.compare.rules.scores import strata_of, trimmed, weights_of
from enclos.studies.compare.steps.effects import UNKNOWN, effect_of
from enclos.studies.compare.steps.injecting import controls_of, expected_outcomes, true_log_of, with_added
from enclos.studies.compare.steps.scoring import Score, score_of

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """Who is left after a requirement."""

    reason: str
    person: Ints
    treated: Bools


@dataclass(frozen=True, slots=True, eq=False)
class Adjusted:
    """The entries of a study population made alike."""

    seen: Followed
    sets: Ints | None
    """The matched set or stratum of each entry; None where entries are weighted."""
    weights: Floats | None

    @property
    def within_sets(self) -> Ints | None:
        """The sets that the effect is estimated within: none where each is one pair, as in the peer."""
        if self.sets is None or set_weights(self.sets, self.seen.treated) is None:
            return None
        return self.sets

    @property
    def counted(self) -> Floats | None:
        """What each entry counts in means; None: all alike."""
        return self.weights if self.sets is None else set_weights(self.sets, self.seen.treated)

    @property
    def curve_weights(self) -> Floats | None:
        """What each entry counts in curves: within a set the comparator is as many as the target."""
        if self.sets is None:
            return self.weights
        treated = self.seen.treated
        _, key = np.unique(self.sets, return_inverse=True)
        sizes = [np.bincount(key[treated == arm], minlength=int(key.max(initial=-1)) + 1) for arm in (True, False)]
        ratio = np.divide(sizes[0], sizes[1], out=np.zeros(len(sizes[0])), where=sizes[1] > 0)
        return np.where(treated, (sizes[1] > 0)[key].astype(np.float64), ratio[key])


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Entries with their covariates, how alike these are before anything is done, and the score that they give."""

    covariates: CovariateMatrix
    before: Balance
    score: Score


def scored(covariates: CovariateMatrix, treated: Bools, asked: Variant) -> Scored:
    """The score of some entries of both cohorts."""
    before = balance(covariates.values, treated)
    return Scored(covariates, before, score_of(covariates, treated, asked.propensity, asked.covariates.min_fraction))


@dataclass(frozen=True, slots=True, eq=False)
class OutcomeFindings:
    """One outcome."""

    steps: tuple[Step, ...]
    """From the entries that the score was fitted on to those that are adjusted."""
    crude: Followed
    crude_effect: Effect
    adjusted: Adjusted
    balance: Balance | None
    """After adjustment; None for negative controls, and where a cohort is empty."""
    effect: Effect


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """One way of asking."""

    variant: Variant
    steps: tuple[Step, ...]
    """From all entries to those that the score was fitted on."""
    score: Score | None
    """None where a cohort is empty."""
    at: Ints
    """Positions of the entries that the score was fitted on."""
    treated: Bools
    """Of these entries."""
    covariates: CovariateMatrix | None
    before: Balance | None
    outcomes: Mapping[str, OutcomeFindings]
    controls: Mapping[str, OutcomeFindings]
    positives: Sequence[FoundControl]


def compared(
    variant: Variant,
    entries: Entries,
    events: Callable[[str], Events],
    scored: Callable[[Ints], Scored],
    outcomes: Sequence[str],
    controls: Sequence[str],
    positive: PositiveControls | None = None,
) -> Findings:
    """What one way of asking finds.

    In: scored — scores the entries at some positions, of both cohorts
    """
    risk = at_risk(entries, variant.follow_up, variant.eligibility.duplicates)
    required = _required(entries, risk, variant)
    steps = [Step(reason, entries.person[kept], entries.treated[kept]) for reason, kept in required]
    at = np.flatnonzero(required[-1][1]).astype(np.int64)
    treated = entries.treated[at]
    if not treated.any() or treated.all():
        return Findings(variant, tuple(steps), None, at, treated, None, None, {}, {}, ())
    found = scored(at)
    each = _EachOutcome(variant, entries, risk, at, found.score, found.covariates)
    return Findings(
        variant,
        tuple(steps),
        found.score,
        at,
        treated,
        found.covariates,
        found.before,
        {name: each.findings(events(name), with_balance=True) for name in outcomes},
        {name: each.findings(events(name), with_balance=False) for name in controls},
        [] if positive is None else [p for name in controls for p in each.positives(name, events(name), positive)],
    )


def _required(entries: Entries, risk: AtRisk, variant: Variant) -> list[tuple[str, Bools]]:
    """Each requirement but those of the outcome, with who is left."""
    steps = eligible(entries, variant.eligibility)
    least = max(variant.follow_up.min_days, 1)
    return [*steps, (f"At least {least} days at risk", steps[-1][1] & (risk.n_days >= least))]


@dataclass(frozen=True, slots=True, eq=False)
class _EachOutcome:
    """What all outcomes of one way of asking share."""

    variant: Variant
    entries: Entries
    risk: AtRisk
    at: Ints
    score: Score
    covariates: CovariateMatrix

    def findings(self, events: Events, *, with_balance: bool) -> OutcomeFindings:
        """One outcome."""
        asked = self.variant
        seen = self._seen(events)
        place = np.searchsorted(self.at, seen.at)
        score, preferred = self.score.score[place], self.score.preference[place]
        steps = [Step("No outcome before", seen.person, seen.treated)]
        crude = seen
        if asked.trim is not None:
            those = trimmed(score, preferred, seen.treated, asked.trim)
            seen, score, place = seen.take(those), score[those], place[those]
            steps.append(Step("Kept by trimming", seen.person, seen.treated))
        done, those = adjust(seen, score, asked.adjustment)
        steps.append(Step(_STEP_WORDS[type(asked.adjustment)], done.seen.person, done.seen.treated))
        both = done.seen.treated.any() and not done.seen.treated.all()
        rows = csc_array(self.covariates.values.tocsr()[place[those]]) if with_balance and both else None
        return OutcomeFindings(
            tuple(steps),
            crude,
            effect_of(crude, asked.model) if with_balance else UNKNOWN,
            done,
            None if rows is None else balance(rows, done.seen.treated, done.counted),
            effect_of(done.seen, asked.model, done.within_sets, done.weights),
        )

    def positives(self, name: str, events: Events, asked: PositiveControls) -> Iterator[FoundControl]:
        """The positive controls made of a negative one, each estimated as an outcome is."""
        variant, seen = self.variant, self._seen(events)
        target = seen.take(seen.treated)
        first_only = variant.model is not OutcomeModel.POISSON
        if (target.with_outcome if first_only else target.n_outcomes).sum() < asked.min_outcomes:
            return
        rows = csc_array(self.covariates.values.tocsr()[np.searchsorted(self.at, target.at)])
        least, fitted = variant.covariates.min_fraction, variant.propensity
        expected = expected_outcomes(target, rows, self.covariates.ids, least, fitted, first_only=first_only)
        for control in controls_of(target, expected, asked, first_only=first_only):
            added = with_added(events, control, self.risk)
            after = self._seen(added)
            true_log = true_log_of(variant.model, target, after.take(after.treated))
            effect = self.findings(added, with_balance=False).effect
            yield FoundControl(name, true_log, effect.widened(control.variance))

    def _seen(self, events: Events) -> Followed:
        """The entries without the outcome before, with what was seen of each."""
        asked = self.variant
        kept = np.zeros(len(self.entries), dtype=np.bool_)
        kept[self.at] = True
        washout = asked.eligibility.outcome_washout_days
        kept &= ~prior_outcomes(len(self.entries), events, asked.follow_up.from_day, washout)
        return followed(self.entries, self.risk, events, kept)


_STEP_WORDS: Mapping[type[Adjustment], str] = {
    Match: "Matched on the score",
    Stratify: "Stratified by the score",
    Weight: "Weighted by the score",
}


def adjust(seen: Followed, score: Floats, asked: Adjustment) -> tuple[Adjusted, npt.NDArray[np.bool_]]:
    """The entries made alike, and which of them are kept."""
    everybody = np.ones(len(seen), dtype=np.bool_)
    if isinstance(asked, Match):
        sets = matched(score, seen.treated, asked)
        kept = sets != UNMATCHED
        return Adjusted(seen.take(kept), sets[kept], None), kept
    if isinstance(asked, Stratify):
        return Adjusted(seen, strata_of(score, seen.treated, asked), None), everybody
    return Adjusted(seen, None, weights_of(score, seen.treated, asked)), everybody


def diagnostics_of(
    found: Findings, outcome: OutcomeFindings, ease: float | None, left_out: float | None = None
) -> tuple[Diagnostic, ...]:
    """The diagnostics of one outcome, judged.

    In: ease — the expected absolute systematic error over the negative controls; None without any
        left_out — the share of controls whose interval, calibrated by all others, holds
    """
    if found.score is None:
        raise AssertionError("diagnostics need a score")
    asked, done = found.variant.thresholds, outcome.adjusted
    numbers = [
        effective_number(None if done.counted is None else done.counted[those], int(those.sum()))
        for those in (done.seen.treated, ~done.seen.treated)
    ]
    largest, p = math.nan, math.nan
    if outcome.balance is not None:
        largest = outcome.balance.largest
        p = family_wise_p(outcome.balance, numbers[0], numbers[1], asked.max_smd or 0.0)
    n_before = int(found.treated.sum())
    measured = Measured(
        found.score.equipoise,
        largest,
        p,
        _mdrr(done.seen),
        ease,
        1 - int(done.seen.treated.sum()) / n_before,
        found.score.fitted,
        left_out,
    )
    return judge(measured, asked)


def _mdrr(seen: Followed) -> float:
    """The minimum detectable relative risk; not a number without outcomes."""
    found = minimum_detectable(int(seen.with_outcome.sum()), float(seen.treated.mean()) if len(seen) else 0.0)
    return math.nan if found is None else found.rate_ratio
