"""From what was found to the rows of a result.

Result types: ``compare_estimates`` (effects, persons, diagnostics; one result id per way of asking and outcome, so that
all of them together are the forest plot), ``compare_controls``, ``compare_attrition``, ``compare_score``,
``compare_balance``, ``compare_survival``, ``compare_survival_events``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyroaring import BitMap

from enclos.contracts.result import OVERALL, SEPARATOR, EstimateType
from enclos.studies.calibration.findings import Said, control_lines
from enclos.studies.calibration.model import PROFILE_POINTS, Effect
from enclos.studies.calibration.rules.error_model import share_held
from enclos.studies.calibration.rules.strength import EValue
from enclos.studies.compare.model import Variant
from enclos.studies.compare.rules.balance import Balance
from enclos.studies.compare.rules.covariates import covariate_name
from enclos.studies.compare.rules.curves import weighted_curve
from enclos.studies.compare.rules.diagnostics import Diagnostic, failed
from enclos.studies.compare.rules.population import Followed
from enclos.studies.compare.steps import behind
from enclos.studies.compare.steps.calibrating import calibrated, controlled, e_value_of
from enclos.studies.compare.steps.effects import UNKNOWN, profile_of
from enclos.studies.compare.steps.estimating import Findings, OutcomeFindings, Step, diagnostics_of
from enclos.studies.compare.words import adjusted_by
from enclos.studies.rules.estimates import printed
from enclos.studies.rules.report import Estimate, Part, Place, Report, number, text_of
from enclos.studies.sensitivity.model import PRIMARY, WAY
from enclos.studies.survival.findings import COUNTS, LOST
from enclos.studies.survival.plans import CENSORED, OUTCOME
from enclos.studies.survival.tally import EndingTally, gaps_of

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
GROUP_NAME = SEPARATOR.join(("target_cohort_name", "comparator_cohort_name", "outcome_cohort_name"))
ADJUSTED, CRUDE, CALIBRATED = "Adjusted", "Crude", "Calibrated"
EFFECT, DIAGNOSTICS, BALANCE = "Effect", "Diagnostics", "Balance"
ARMS = {True: "Target", False: "Comparator"}
_CONTROL_WORDS = {Said.CONTROL: EFFECT, Said.COVERAGE: "Left-out coverage", Said.ERROR: "Systematic error"}
_ADJUSTMENT = "adjustment"
_CURVE_GAP_DAYS = 30
_N_BINS = 20
_DIGITS = 8
_TENTH = 0.1
"""The difference that is called large. Source: Austin 2009."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One outcome of one way of asking, with its diagnostics."""

    outcome: str
    found: OutcomeFindings
    diagnostics: tuple[Diagnostic, ...]

    @property
    def withheld_for(self) -> tuple[str, ...]:
        """Why its estimates are not shown; nothing when they are."""
        return failed(self.diagnostics)


def report_comparison(report: Report, all_found: Sequence[Findings], concept_names: dict[int, str]) -> None:
    """Add all result ids: the estimates of every way of asking first, then what stands behind them."""
    writers = [_Writer(report, found, concept_names) for found in all_found]
    for writer in writers:
        for judged in writer.judged:
            writer.estimates(judged)
    for writer in writers:
        writer.controls()
        writer.attrition()
        writer.score()
        for judged in writer.judged:
            writer.balance(judged)
            writer.curves(judged)


class _Writer:
    """Writes one way of asking."""

    def __init__(self, report: Report, found: Findings, concept_names: dict[int, str]) -> None:
        self._report, self._found, self._names = report, found, concept_names
        self._variant = found.variant
        self._controlled = controlled(found)
        self._calibration = self._controlled.calibration
        ease = self._calibration.ease if found.controls else None
        left_out = share_held(self._calibration.coverage) if found.controls else None
        self.judged = [
            Judged(name, each, diagnostics_of(found, each, ease, left_out)) for name, each in found.outcomes.items()
        ]

    def _place(self, outcome: str, adjustment: str, variable: str, level: str | None = None) -> Place:
        group = SEPARATOR.join((self._variant.target, self._variant.comparator, outcome))
        return Place(GROUP_NAME, group, variable, level, (_ADJUSTMENT, adjustment))

    def _start(self, result_type: str, additional: str = "", more: Mapping[str, str] | None = None) -> int:
        return self._report.start(
            result_type, GROUP_NAME, _ADJUSTMENT, additional, {**settings_of(self._variant), **(more or {})}
        )

    def estimates(self, judged: Judged) -> None:
        """Add the effects of one outcome, its persons and its diagnostics."""
        withheld = judged.withheld_for
        more = {
            "outcome_cohort": judged.outcome,
            "unblinded": "FALSE" if withheld else "TRUE",
            "withheld_for": SEPARATOR.join(withheld),
        }
        result_id = self._start("compare_estimates", more=more)
        found = judged.found
        effects = {ADJUSTED: found.effect, CRUDE: found.crude_effect}
        p_values: dict[str, float] = {}
        if self._found.controls:
            effects[CALIBRATED] = calibrated(self._calibration, found.effect)
            p_values[CALIBRATED] = self._calibration.p_value(found.effect.estimate)
        for adjustment, effect in effects.items():
            shown = UNKNOWN if withheld else effect
            p = math.nan if withheld else p_values.get(adjustment, effect.p_value)
            place = self._place(judged.outcome, adjustment, EFFECT)
            seen = {ADJUSTED: found.adjusted.seen, CRUDE: found.crude}.get(adjustment)
            strength = e_value_of(shown, self._variant.model, found.adjusted.seen if seen is None else seen)
            estimates = [*_effect_estimates(self._variant.model.ratio, shown, p), *_e_value_estimates(strength)]
            self._report.add(result_id, place, estimates)
            if seen is not None:
                self._persons(result_id, judged.outcome, adjustment, seen, shown=not withheld)
        if not withheld:
            self._profile(result_id, judged)
        place = self._place(judged.outcome, ADJUSTED, DIAGNOSTICS)
        self._report.add(result_id, place, list(_diagnostic_estimates(judged.diagnostics)))
        for adjustment, each in ((CRUDE, self._found.before), (ADJUSTED, found.balance)):
            if each is not None:
                place = self._place(judged.outcome, adjustment, BALANCE)
                self._report.add(result_id, place, list(_balance_estimates(each)))

    def _profile(self, result_id: int, judged: Judged) -> None:
        """Add the likelihood of the adjusted effect, for pooling; weighted entries have none that could be added up."""
        done = judged.found.adjusted
        if done.weights is not None:
            return
        heights = profile_of(done.seen, self._variant.model, done.within_sets, PROFILE_POINTS)
        if heights is None:
            return
        place = replace(self._place(judged.outcome, ADJUSTED, EFFECT), additional=("log_ratio", ""))
        levels = pa.array([printed(point) for point in PROFILE_POINTS], pa.string())
        texts = pa.array([_text(height) for height in heights.tolist()], pa.string())
        self._report.add_series(result_id, place, levels, [("log_likelihood", EstimateType.NUMERIC)], texts)

    def _persons(self, result_id: int, outcome: str, adjustment: str, seen: Followed, *, shown: bool) -> None:
        """Add the persons of both cohorts; outcomes and days only where the estimate is shown: they would tell it."""
        for arm, word in ARMS.items():
            those = seen.treated == arm
            persons, cases = (behind.set_of(seen.person[each]) for each in (those, those & seen.with_outcome))
            counts = {"n_persons": len(persons)}
            if shown:
                counts["n_events"] = int((those & seen.with_outcome).sum())
                counts["person_days"] = int(seen.days[those].sum())
            place = self._place(outcome, adjustment, word)
            whole = [Estimate(name, EstimateType.INTEGER, str(n)) for name, n in counts.items()]
            self._report.add(result_id, place, whole)
            self._report.add_cell(result_id, place, cases, persons)

    def controls(self) -> None:
        """Add what was found for each control, how it holds when the others calibrate it, and the systematic error."""
        if not self._found.controls:
            return
        result_id = self._start("compare_controls")
        for line in control_lines(self._controlled, partial(_effect_estimates, self._variant.model.ratio)):
            part, level = _CONTROL_WORDS[line.said], line.true_ratio or None
            if line.said is Said.CONTROL:
                part, level = ("Positive control", level) if line.true_log else (EFFECT, None)
            self._report.add(result_id, self._place(line.of, ADJUSTED, part, level), line.estimates)
        for name, each in self._found.controls.items():
            parts = behind.outcomes_by_arm(each.adjusted.seen)
            self._report.add_parts(result_id, self._place(name, ADJUSTED, EFFECT), parts)

    def attrition(self) -> None:
        """Add who is left after each step, by cohort."""
        result_id = self._start("compare_attrition", "reason_id")
        chains: dict[str, tuple[Step, ...]] = {name: each.steps for name, each in self._found.outcomes.items()}
        for outcome, own in (chains or {OVERALL: ()}).items():
            group = SEPARATOR.join((self._variant.target, self._variant.comparator, outcome))
            before: dict[bool, BitMap] = {}
            for at, step in enumerate((*self._found.steps, *own), start=1):
                for arm, word in ARMS.items():
                    persons = step.person[step.treated == arm]
                    left = behind.set_of(persons)
                    counts = {"number_records": len(persons), "number_subjects": len(left)}
                    for variable, n in counts.items():
                        strata, additional = ("reason", step.reason), ("reason_id", str(at))
                        place = Place(GROUP_NAME, group, variable, word, strata, additional)
                        self._report.add(result_id, place, [Estimate("count", EstimateType.INTEGER, str(n))])
                        self._report.add_cell(result_id, place, left, before.get(arm, left) | left)
                    before[arm] = left

    def score(self) -> None:
        """Add the score's model, what it tells apart, and its distribution by cohort."""
        if (score := self._found.score) is None:
            return
        more = {} if score.variance is None else {"prior_variance": str(printed(score.variance))}
        result_id = self._start("compare_score", "covariate_id", more)
        place = self._place(OVERALL, OVERALL, "Score")
        whole = [Estimate("n_covariates", EstimateType.INTEGER, str(len(score.covariates)))]
        shares = [_number("auc", score.auc), _number("equipoise", score.equipoise)]
        self._report.add(result_id, place, [*whole, *shares, _number("intercept", float(score.coefficients[0]))])
        everyone = self._found.steps[-1].person
        self._report.add_parts(result_id, place, behind.arms_of(everyone, self._found.treated))
        edges = np.linspace(0, 1, _N_BINS + 1)
        for arm, word in ARMS.items():
            those = self._found.treated == arm
            counts, _ = np.histogram(score.preference[those], bins=edges)
            persons = self._found.steps[-1].person[those]
            bins = np.clip(np.digitize(score.preference[those], edges) - 1, 0, _N_BINS - 1)
            for at, (low, high, n) in enumerate(
                zip(edges[:-1].tolist(), edges[1:].tolist(), counts.tolist(), strict=True)
            ):
                place = self._place(OVERALL, OVERALL, word, f"preference score {low:.2f} to {high:.2f}")
                self._report.add(result_id, place, [Estimate("count", EstimateType.INTEGER, str(n))])
                self._report.add_cell(result_id, place, behind.set_of(persons[bins == at]), behind.set_of(persons))
        used = np.flatnonzero(score.coefficients[1:])
        backed: Mapping[int, tuple[Part, Part]] = {}
        if self._is_primary and self._found.covariates is not None:
            columns = np.flatnonzero(np.isin(self._found.covariates.ids, score.covariates[used])).tolist()
            backed = behind.covariate_parts(self._found, columns)
            backed = {int(self._found.covariates.ids[column]): parts for column, parts in backed.items()}
        for at in used[np.argsort(-np.abs(score.coefficients[1:][used]), kind="stable")].tolist():
            covariate = int(score.covariates[at])
            place = self._of_covariate(OVERALL, OVERALL, covariate)
            self._report.add(result_id, place, [_number("coefficient", float(score.coefficients[1 + at]))])
            self._report.add_parts(result_id, place, backed.get(covariate, ()))

    def _of_covariate(self, outcome: str, adjustment: str, covariate: int) -> Place:
        group = SEPARATOR.join((self._variant.target, self._variant.comparator, outcome))
        name = covariate_name(covariate, self._names)
        return Place(GROUP_NAME, group, name, None, (_ADJUSTMENT, adjustment), ("covariate_id", str(covariate)))

    def balance(self, judged: Judged) -> None:
        """Add the means of every covariate before and after, largest difference before first."""
        before, after, covariates = self._found.before, judged.found.balance, self._found.covariates
        if before is None or after is None or covariates is None:
            return
        result_id = self._start("compare_balance", "covariate_id", {"outcome_cohort": judged.outcome})
        order = np.argsort(-np.abs(np.nan_to_num(before.difference)), kind="stable")
        columns = behind.most_different(self._found, judged.found) if self._is_primary else []
        parts = {
            CRUDE: behind.covariate_parts(self._found, columns),
            ADJUSTED: behind.covariate_parts(self._found, columns, judged.found.adjusted.seen),
        }
        for at in order.tolist():
            for adjustment, each in ((CRUDE, before), (ADJUSTED, after)):
                place = self._of_covariate(judged.outcome, adjustment, int(covariates.ids[at]))
                values = {
                    "mean_target": each.target.mean[at],
                    "mean_comparator": each.comparator.mean[at],
                    "smd": each.difference[at],
                }
                self._report.add(result_id, place, [_number(name, float(value)) for name, value in values.items()])
                self._report.add_parts(result_id, place, parts[adjustment].get(at, ()))

    @property
    def _is_primary(self) -> bool:
        """Whether covariates are told with their persons: the other ways of asking differ from the first by a few."""
        return self._variant.name == PRIMARY

    def curves(self, judged: Judged) -> None:
        """Add the share of each cohort without the outcome, after adjustment; nothing when the estimate is withheld."""
        seen, weights = judged.found.adjusted.seen, judged.found.adjusted.curve_weights
        if judged.withheld_for or not len(seen):
            return
        result_id = self._start("compare_survival", "time", {"outcome_cohort": judged.outcome})
        names = ("estimate", "estimate_95CI_lower", "estimate_95CI_upper")
        kinds = [(name, EstimateType.NUMERIC) for name in names]
        days = np.arange(0, int(seen.days.max()) + 1, _CURVE_GAP_DAYS)
        for arm, word in ARMS.items():
            those = seen.treated == arm
            own = None if weights is None else weights[those]
            curve = weighted_curve(seen.days[those], seen.with_outcome[those], own)
            texts = pa.array([_text(value) for values in curve.on(days) for value in values.tolist()], pa.string())
            group = SEPARATOR.join((self._variant.target, self._variant.comparator, judged.outcome))
            place = Place(GROUP_NAME, group, word, None, (_ADJUSTMENT, ADJUSTED), ("time", ""))
            self._report.add_series(result_id, place, pa.array(days).cast(pa.string()), kinds, texts)
        if self._is_primary and (weights is None or (weights == 1).all()):
            self._events(judged)

    def _events(self, judged: Judged) -> None:
        """Add what the curves are made of, where each entry counts once: what may leave of them is computed from it."""
        seen = judged.found.adjusted.seen
        more = {"outcome_cohort": judged.outcome, "eventgap": str(_CURVE_GAP_DAYS)}
        result_id = self._start("compare_survival_events", "time", more)
        kinds = [(name, EstimateType.INTEGER) for name in COUNTS]
        group = SEPARATOR.join((self._variant.target, self._variant.comparator, judged.outcome))
        for arm, word in ARMS.items():
            those = np.flatnonzero(seen.treated == arm)
            if not len(those):
                continue
            tally = EndingTally.empty(_CURVE_GAP_DAYS)
            endings = np.where(seen.with_outcome[those], OUTCOME, CENSORED)
            tally.add(seen.person[those], seen.days[those], endings)
            last_day = int(seen.days[those].max())
            days = np.unique(np.append(np.arange(0, last_day + 1, _CURVE_GAP_DAYS), last_day))
            gaps = gaps_of(tally, days)
            counts = (gaps.n_at_risk, gaps.n_ended[OUTCOME], gaps.n_ended[CENSORED])
            place = Place(GROUP_NAME, group, word, None, (_ADJUSTMENT, ADJUSTED), ("time", ""))
            texts = pa.array(np.concatenate(counts)).cast(pa.string())
            self._report.add_series(result_id, place, pa.array(days).cast(pa.string()), kinds, texts)
            for at, day in enumerate(days.tolist()):
                on_day = replace(place, additional=("time", str(day)))
                for variable, having in ((word, gaps.having[0]), (f"{word} {LOST}", gaps.lost)):
                    own = replace(on_day, variable=variable)
                    self._report.add_cell(result_id, own, having.get(at, BitMap()), gaps.at_risk[at])


def _effect_estimates(ratio: str, effect: Effect, p_value: float | None = None) -> Iterator[Estimate]:
    """In: p_value — None: the effect's own."""
    values = {
        ratio: _exp(effect.log_ratio),
        "lower": _exp(effect.lower),
        "upper": _exp(effect.upper),
        "log_ratio": effect.log_ratio,
        "standard_error": effect.standard_error,
        "p_value": effect.p_value if p_value is None else p_value,
    }
    for name, value in values.items():
        yield _number(name, value)


def _e_value_estimates(found: EValue | None) -> Iterator[Estimate]:
    yield _number("e_value", math.nan if found is None else found.of_estimate)
    yield _number("e_value_limit", math.nan if found is None else found.of_limit)


def _exp(value: float) -> float:
    return math.exp(value) if value < math.log(1e15) else math.inf


def _diagnostic_estimates(judged: Sequence[Diagnostic]) -> Iterator[Estimate]:
    for each in judged:
        yield _number(each.name, each.value)
        if each.threshold is not None and each.passed is not None:
            yield _number(f"{each.name}_threshold", each.threshold)
            yield Estimate(f"{each.name}_passed", EstimateType.INTEGER, str(int(each.passed)))


def _balance_estimates(found: Balance) -> Iterator[Estimate]:
    """How alike the cohorts are over all covariates: what may be told outside, where no covariate is named."""
    sizes = np.abs(found.difference[np.isfinite(found.difference)])
    yield Estimate("n_covariates", EstimateType.INTEGER, str(len(sizes)))
    yield Estimate("n_above_a_tenth", EstimateType.INTEGER, str(int((sizes > _TENTH).sum())))
    if len(sizes):
        yield _number("mean_abs_smd", float(sizes.mean()))
        yield _number("max_abs_smd", float(sizes.max()))


_number, _text = partial(number, digits=_DIGITS), partial(text_of, digits=_DIGITS)


def settings_of(variant: Variant) -> dict[str, str]:
    """How a way of asking is told in the settings of its results."""
    who, follow = variant.eligibility, variant.follow_up
    return {
        WAY: variant.name,
        "target_cohort": variant.target,
        "comparator_cohort": variant.comparator,
        "days_prior_observation": str(who.days_prior_observation),
        "first_exposure": _logical(who.first_exposure),
        "duplicates": who.duplicates.value,
        "common_period": _logical(who.common_period),
        "outcome_washout": "Inf" if who.outcome_washout_days is None else str(who.outcome_washout_days),
        "follow_up": follow.kind.value,
        "risk_from_day": str(follow.from_day),
        "grace_days": str(follow.grace_days),
        "follow_up_days": "Inf" if follow.longest_days is None else str(follow.longest_days),
        "censor_at_switch": _logical(follow.censor_at_switch),
        "adjusted_by": adjusted_by(variant),
        "outcome_model": variant.model.value,
    }


def _logical(value: bool) -> str:
    return "TRUE" if value else "FALSE"
