"""What the designs around cases say."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from pyroaring import BitMap

from enclos.contracts.result import SEPARATOR, EstimateType
from enclos.studies.calibration.model import Effect
from enclos.studies.calibration.rules.strength import minimum_detectable_in_sets
from enclos.studies.cases.estimates import effect_of_rates
from enclos.studies.cases.judging import Judged
from enclos.studies.cases.matching import Sets
from enclos.studies.cases.model import CaseControl, CaseCrossover, SelfControlledCohort
from enclos.studies.rules.attrition import Left
from enclos.studies.rules.report import Estimate, Part, Place, Report, number
from enclos.studies.sccs.findings import (
    GROUP_NAME,
    Behind,
    calibrated_estimates,
    e_value_estimates,
    logical,
    ratio_estimates,
    report_controls,
    report_diagnostics,
)
from enclos.studies.sccs.intervals import Bools, Ints

COHORT, CROSSOVER, CONTROL = "self_controlled_cohort", "case_crossover", "case_control"
_VARIABLE, _UNEXPOSED = "exposed", "unexposed"
_FOUR = (_VARIABLE, "unexposed cases", "controls", "unexposed controls")
"""The cells of an odds ratio: release shows it where all of them are enough."""


@dataclass(slots=True)
class PairCounts:
    """Exposures to one cohort with one outcome."""

    n_exposures: int = 0
    risk_days: int = 0
    control_days: int = 0
    n_risk: int = 0
    n_control: int = 0
    persons: BitMap = field(default_factory=BitMap)
    having_risk: BitMap = field(default_factory=BitMap)
    having_control: BitMap = field(default_factory=BitMap)


def report_cohort(
    report: Report,
    asked: SelfControlledCohort,
    counts: Mapping[tuple[str, str], PairCounts],
    ratios: Mapping[tuple[str, str], tuple[float, float, float]],
    judged: Judged,
) -> None:
    """Add what was judged, then one place per exposure and outcome."""
    settings = _cohort_settings(asked)
    result_id = report.start(f"{COHORT}_diagnostics", GROUP_NAME, "", "", settings)
    for outcome, looked_at in judged.diagnostics.items():
        persons = BitMap.union(*(counts[exposure, outcome].persons for exposure in asked.exposures))
        report_diagnostics(report, result_id, outcome, looked_at, persons)
    result_id = report.start(COHORT, GROUP_NAME, "", "", settings)
    for (exposure, outcome), each in counts.items():
        if outcome not in judged.diagnostics:
            continue
        shown = judged.shows(outcome, exposure)
        place = Place(GROUP_NAME, outcome, _VARIABLE, exposure)
        whole = {
            "n_persons": len(each.persons),
            "n_exposures": each.n_exposures,
        }
        if shown:  # they would tell the ratio
            whole["n_events"] = each.n_risk
            whole["n_events_unexposed"] = each.n_control
            whole["person_days"] = each.risk_days
            whole["person_days_unexposed"] = each.control_days
        estimates = [Estimate(name, EstimateType.INTEGER, str(count)) for name, count in whole.items()]
        named = zip(("rate_ratio", "lower", "upper"), ratios[exposure, outcome], strict=True)
        if shown:
            estimates += [number(name, value) for name, value in named if math.isfinite(value)]
            estimates += _beside("rate_ratio", effect_of_rates(ratios[exposure, outcome]), judged, asked, exposure)
        report.add(result_id, place, estimates)
        report.add_cell(result_id, place, each.having_risk, each.persons)
        report.add_cell(result_id, replace(place, variable=_UNEXPOSED), each.having_control, each.persons)

    def behind(control: str, at: int) -> list[Part]:
        each = counts[asked.exposures[at], control]
        return [(having, each.persons) for having in (each.having_risk, each.having_control)]

    _report_controls(report, COHORT, settings, "rate_ratio", asked.exposures, judged, behind)


def _beside(
    name: str, effect: Effect, judged: Judged, asked: SelfControlledCohort | CaseCrossover | CaseControl, exposure: str
) -> list[Estimate]:
    """The E-value of a ratio, and the ratio freed of the error that controls tell."""
    at = asked.exposures.index(exposure)
    freed = calibrated_estimates(name, effect, judged.controls[at].calibration) if at in judged.controls else []
    return [*e_value_estimates(effect), *freed]


def _report_controls(
    report: Report,
    kind: str,
    settings: Mapping[str, str],
    name: str,
    exposures: Sequence[str],
    judged: Judged,
    behind: Behind,
) -> None:
    if judged.controls:
        result_id = report.start(f"{kind}_controls", GROUP_NAME, "true_ratio", "", settings)
        places = [(_VARIABLE, each) for each in exposures]
        report_controls(report, result_id, name, places, judged.controls, behind)


@dataclass(frozen=True, slots=True, eq=False)
class SetsFound:
    """Sets of one outcome with exposure and the odds ratios, and what was left on the way to them."""

    sets: Sets
    exposed: Bools
    effects: tuple[Effect, ...]
    steps: Sequence[tuple[str, int, BitMap]]
    """What was asked, the outcomes it left, and the persons who have them."""

    def four(self, at: int) -> list[Part]:
        """Cases exposed and not, among cases, and others exposed and not, among others, of one exposure."""
        is_case, exposed = self.sets.is_case, self.exposed[:, at]
        return [
            (_set_of(self.sets.person[those & with_it]), _set_of(self.sets.person[those]))
            for those in (is_case, ~is_case)
            for with_it in (exposed, ~exposed)
        ]

    def detectable(self) -> list[float | None]:
        """The smallest odds ratio of each exposure that these sets would show."""
        n = np.bincount(self.sets.number)
        kept = n > 0
        return [
            minimum_detectable_in_sets(np.bincount(self.sets.number[exposed], minlength=len(n))[kept], n[kept])
            for exposed in self.exposed.T
        ]


def report_sets(
    report: Report,
    kind: str,
    asked: CaseCrossover | CaseControl,
    settings: Mapping[str, str],
    every: Mapping[str, SetsFound],
    judged: Judged,
) -> None:
    """Add what was judged, then one place per exposure and outcome, and the attrition of cases."""
    exposures = asked.exposures
    found = {outcome: every[outcome] for outcome in asked.outcomes}
    result_id = report.start(f"{kind}_diagnostics", GROUP_NAME, "", "", settings)
    for outcome, looked_at in judged.diagnostics.items():
        report_diagnostics(report, result_id, outcome, looked_at, found[outcome].sets.person)
    result_id = report.start(kind, GROUP_NAME, "", "", settings)
    for outcome, each in found.items():
        sets = each.sets
        for at, exposure in enumerate(exposures):
            place = Place(GROUP_NAME, outcome, _VARIABLE, exposure)
            exposed = each.exposed[:, at]
            whole = {"n_cases": int(sets.is_case.sum()), "n_controls": int((~sets.is_case).sum())}
            shown = judged.shows(outcome, exposure)
            if shown:  # they would tell the ratio
                whole["n_cases_exposed"] = int((sets.is_case & exposed).sum())
                whole["n_controls_exposed"] = int((~sets.is_case & exposed).sum())
            estimates = [Estimate(name, EstimateType.INTEGER, str(count)) for name, count in whole.items()]
            if shown:
                effect = each.effects[at]
                estimates += ratio_estimates("odds_ratio", effect)
                estimates += _beside("odds_ratio", effect, judged, asked, exposure)
            report.add(result_id, place, estimates)
            for variable, part in zip(_FOUR, each.four(at), strict=True):
                report.add_cell(result_id, replace(place, variable=variable), *part)

    def behind(control: str, at: int) -> list[Part]:
        return every[control].four(at)

    _report_controls(report, kind, settings, "odds_ratio", exposures, judged, behind)
    result_id = report.start(f"{kind}_attrition", GROUP_NAME, "reason", "reason_id", settings)
    for outcome, each in found.items():
        _report_attrition(report, result_id, outcome, each.steps)


def _report_attrition(report: Report, result_id: int, outcome: str, steps: Sequence[tuple[str, int, BitMap]]) -> None:
    before = steps[0][2]
    for reason_id, (reason, n_outcomes, persons) in enumerate(steps, start=1):
        left = Left(reason_id, reason, n_outcomes, len(persons))
        for name, count in (("number_records", left.n_records), ("number_subjects", left.n_subjects)):
            place = Place(GROUP_NAME, outcome, name, None, ("reason", reason), ("reason_id", str(reason_id)))
            report.add(result_id, place, [Estimate("count", EstimateType.INTEGER, str(count))])
            report.add_cell(result_id, place, persons, before)
        before = persons


def _set_of(persons: Ints) -> BitMap:
    return BitMap(persons.astype(np.uint32))


def _cohort_settings(asked: SelfControlledCohort) -> dict[str, str]:
    return {
        "design": "self-controlled cohort",
        "exposures": SEPARATOR.join(asked.exposures),
        "risk_window": asked.risk_window.word,
        "control_window": asked.control_window.word,
        "add_exposure_days": logical(asked.add_exposure_days),
        "first_exposure_only": logical(asked.first_exposure_only),
        "first_outcome_only": logical(asked.first_outcome_only),
        "full_windows": logical(asked.full_windows),
        "days_prior_observation": str(asked.days_prior_observation),
        "follow_up_days": str(asked.follow_up_days),
        "show_failed": logical(asked.show_failed),
    }


def crossover_settings(asked: CaseCrossover) -> dict[str, str]:
    """How a case-crossover was made."""
    return {
        "design": "case-crossover",
        "exposures": SEPARATOR.join(asked.exposures),
        "risk_window": asked.risk_window.word,
        "control_offsets": f"by {SEPARATOR.join(map(str, asked.control_offsets))} days",
        "first_outcome_only": logical(asked.first_outcome_only),
        "days_prior_observation": str(asked.days_prior_observation),
        "show_failed": logical(asked.show_failed),
    }


def control_settings(asked: CaseControl) -> dict[str, str]:
    """How a case-control study was made."""
    matching = asked.matching
    return {
        "design": "case-control" if asked.within is None else "nested case-control",
        "exposures": SEPARATOR.join(asked.exposures),
        "within": asked.within or "none",
        "risk_window": asked.risk_window.word,
        "first_outcome_only": logical(asked.first_outcome_only),
        "days_prior_observation": str(asked.days_prior_observation),
        "controls_per_case": str(matching.n_controls),
        "seed": str(matching.seed),
        "match_sex": logical(matching.sex),
        "age_caliper_years": "none" if matching.age_caliper_years is None else str(matching.age_caliper_years),
        "entry_caliper_days": "none" if matching.entry_caliper_days is None else str(matching.entry_caliper_days),
        "show_failed": logical(asked.show_failed),
    }
