"""Gather cases bucket by bucket; build, fit, judge and report at the end."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

import numpy as np
import pyarrow as pa

from enclos.studies.calibration.rules.controlled import Controlled
from enclos.studies.calibration.rules.error_model import share_held
from enclos.studies.calibration.rules.strength import minimum_detectable_in_series
from enclos.studies.model import Cohort
from enclos.studies.ports import CdmBucket
from enclos.studies.rules.report import Part, Report
from enclos.studies.sccs import diagnostics, findings, plans
from enclos.studies.sccs.controls import controlled
from enclos.studies.sccs.diagnostics import Diagnostic
from enclos.studies.sccs.findings import Found
from enclos.studies.sccs.fitting import Model, fit_rows
from enclos.studies.sccs.intervals import (
    Bools,
    Floats,
    Ints,
    People,
    Stretches,
    joined,
    last_days,
    only_cases,
    rows_of,
    study_population,
    windows_of,
)
from enclos.studies.sccs.model import Sccs
from enclos.studies.sccs.moments import CALENDAR, SEASON, Curves, curves_of, moments_of
from enclos.studies.sccs.observation import Weighing


def sccs_columns(_: Sccs) -> Mapping[str, tuple[str, ...]]:
    """Nothing is read beyond the cohorts, the persons and their observation."""
    return {}


@dataclass(slots=True)
class Gathered:
    """The cases of one outcome, as buckets gave them: columns that grow together."""

    cases: dict[str, list[Ints]] = field(default_factory=dict)
    events: dict[str, list[Ints]] = field(default_factory=dict)
    n_cases: int = 0

    def add(self, cases: pa.Table, events: pa.Table, first_person: int) -> None:
        """Add the cases of a bucket."""
        rows = {name: _ints(cases, name) for name in cases.column_names}
        rows["ordinal"] += first_person
        happened = {name: _ints(events, name) for name in events.column_names}
        happened["number"] += self.n_cases
        for gathered, more in ((self.cases, rows), (self.events, happened)):
            for name, values in more.items():
                gathered.setdefault(name, []).append(values)
        self.n_cases += cases.num_rows

    def in_order(self) -> tuple[dict[str, Ints], dict[str, Ints]]:
        """Cases in the order of persons and days, however they were bucketed; events with the cases' new numbers."""
        cases, events = (
            {name: np.concatenate(values) for name, values in each.items()} for each in (self.cases, self.events)
        )
        order = np.lexsort((cases["first_day"], cases["person_id"]))
        number = np.empty(len(order), dtype=np.int64)
        number[order] = np.arange(len(order))
        return {name: values[order] for name, values in cases.items()}, {**events, "number": number[events["number"]]}


def _ints(table: pa.Table, name: str) -> Ints:
    values: Ints = table[name].to_numpy().astype(np.int64)
    return values


class SccsFollower:
    """Follows the cases of a self-controlled case series."""

    def __init__(self, analysis: Sccs, cohorts: Sequence[Cohort]) -> None:
        self._analysis = analysis
        self._index = {cohort.name: at for at, cohort in enumerate(cohorts)}
        self._gathered = {outcome: Gathered() for outcome in (*analysis.outcomes, *analysis.negative_controls)}
        self._n_persons = 0
        self._last_day = plans.FAR_PAST

    def take(self, bucket: CdmBucket, first_person: int) -> None:
        """Gather the cases of one bucket."""
        observed = bucket.query(plans.plan_n_observed()).to_pylist()[0]
        self._n_persons += observed["n_persons"]
        if observed["last_day"] is not None:
            self._last_day = max(self._last_day, int(observed["last_day"]))
        exposures = [self._index[name] for name in self._analysis.exposures]
        for outcome, gathered in self._gathered.items():
            bucket.execute(plans.plan_cases(self._index[outcome]))
            events = bucket.query(plans.plan_case_events([self._index[outcome], *exposures]))
            gathered.add(bucket.query(plans.plan_case_rows()), events, first_person)

    def report(self, report: Report) -> None:
        """Add diagnostics, estimates when they hold, and attrition."""
        asked = self._analysis
        found = {outcome: self._found(outcome, gathered) for outcome, gathered in self._gathered.items()}
        series = {name: (found[name].rows, found[name].values, found[name].model) for name in asked.negative_controls}
        columns = range(len(asked.windows) * len(asked.exposures))
        controls = controlled(series, columns, asked.positive_controls)
        judged = {name: judged_by_ratio(asked, found[name], controls) for name in asked.outcomes}

        def behind(control: str, column: int) -> tuple[Part, Part]:
            return findings.behind_window(found[control], column)

        findings.report_sccs(report, asked, judged, controls, behind)

    def _found(self, outcome: str, gathered: Gathered) -> Found:
        cases, events = gathered.in_order()
        of_outcome = events["cohort"] == self._index[outcome]
        everyone = People(
            cases["first_day"],
            cases["last_day"],
            cases["born_day"],
            events["number"][of_outcome],
            events["first_day"][of_outcome],
        )
        exposure_of = np.full(len(self._index), -1)
        exposure_of[[self._index[name] for name in self._analysis.exposures]] = np.arange(len(self._analysis.exposures))
        eras = Stretches(events["number"], exposure_of[events["cohort"]], events["first_day"], events["last_day"]).only(
            ~of_outcome
        )
        n_with = len(np.unique(cases["ordinal"]))
        first_only = self._analysis.cases.first_outcome_only
        rare = diagnostics.rare_outcome(
            n_with, self._n_persons, self._analysis.thresholds.rare_outcome, first_only=first_only
        )
        return analyse(self._analysis, everyone, eras, cases["ordinal"], rare, self._last_day)


def analyse(
    asked: Sccs,
    everyone: People,
    eras: Stretches,
    persons: Ints,
    rare: Diagnostic,
    last_day: int | None = None,
) -> Found:
    """The model of one outcome with what speaks for and against it.

    In: everyone — all observation periods with the outcome; eras — their exposures, kind is the place in the analysis
        persons — the dense number of each case's person; last_day — on which anybody is observed; None: any case
    """
    people, kept, steps = study_population(everyone, asked.cases)
    if asked.time.age_knots or asked.weigh_observation:
        kept = kept[people.born_day[kept] > plans.FAR_PAST]
    number = np.full(len(everyone), -1)
    number[kept] = np.arange(len(kept))
    people = only_cases(people, kept)
    weighing = None
    if asked.weigh_observation and len(people):
        until = int(everyone.last_day.max()) if last_day is None else last_day
        weighing = Weighing.of(people, (people.last_day >= until) | (people.last_day < everyone.last_day[kept]))
    inside = number[eras.case] >= 0
    eras = joined(Stretches(number[eras.case], eras.kind, eras.first_day, eras.last_day).only(inside))
    n_exposures = len(asked.exposures)
    windows = windows_of(eras, asked.all_windows, n_exposures, people)
    n_windows = n_exposures * len(asked.all_windows)
    if asked.end_of_observation_days:
        end = last_days(people, asked.end_of_observation_days, n_windows)
        windows = Stretches(*(np.concatenate((getattr(windows, n), getattr(end, n))) for n in Stretches.__slots__))
        n_windows += 1
    curves = curves_of(people, asked.time)
    moments, values = moments_of(people, curves) if asked.time.any else (None, np.zeros((1, 0)))
    rows = rows_of(people, windows, n_windows, moments, None if weighing is None else weighing.days)
    model = fit_rows(rows, values, n_profiled=n_exposures * len(asked.windows))
    looked_at = [rare, *_diagnostics(asked, people, eras, curves, model)]
    ending = None if weighing is None else weighing.model.ending
    return Found(rows, values, model, looked_at, steps, persons, persons[kept], curves.names, ending)


def judged_by_ratio(asked: Sccs, found: Found, controls: Mapping[int, Controlled]) -> Found:
    """The same with what is looked at for each ratio by itself: what could be seen, and what the controls say."""
    rows, limits = found.rows, asked.thresholds
    n_outcomes, n_days = int(rows.n_outcomes.sum()), int(rows.n_days.sum())
    more: list[Diagnostic] = []
    for column, (window, exposure) in enumerate(product([each.name for each in asked.windows], asked.exposures)):
        place = (window, exposure)
        share = int(rows.n_days[rows.within[:, column]].sum()) / n_days if n_days else 0.0
        mdrr = minimum_detectable_in_series(n_outcomes, share)
        more.append(diagnostics.at_most(diagnostics.MDRR, math.nan if mdrr is None else mdrr, limits.mdrr, place))
        if column in controls:
            calibration = controls[column].calibration
            more.append(diagnostics.at_most(diagnostics.EASE, calibration.ease, limits.ease, place))
            held = share_held(calibration.coverage)
            more.append(diagnostics.at_least(diagnostics.LEFT_OUT, held, limits.left_out, place))
    return replace(found, diagnostics=[*found.diagnostics, *more])


def _diagnostics(asked: Sccs, people: People, eras: Stretches, curves: Curves, model: Model) -> list[Diagnostic]:
    """What the data say of each assumption."""
    found: list[Diagnostic] = []
    n_exposures = len(asked.exposures)
    for at, exposure in enumerate(asked.exposures):
        gain = diagnostics.pre_exposure_gain(
            people, eras.only(eras.kind == at), exposure, decides=not asked.pre_exposure_days
        )
        found.append(gain)
        if asked.pre_exposure_days:
            effect = model.effects[len(asked.windows) * n_exposures + at]
            bounds = asked.thresholds.pre_exposure
            found.append(diagnostics.within_bounds(diagnostics.PRE_EXPOSURE, effect, bounds, exposure))
    if asked.end_of_observation_days:
        bounds = asked.thresholds.end_of_observation
        found.append(diagnostics.within_bounds(diagnostics.END, model.effects[-1], bounds))
    names = np.array(curves.names)
    season, calendar = (_of(model.splines, names == name) for name in (SEASON, CALENDAR))
    stable = asked.thresholds.time_stability
    return [*found, diagnostics.time_stability(people, curves, season, calendar, stable)]


def _of(coefficients: Floats, kept: Bools) -> Floats:
    found: Floats = coefficients[kept] if len(coefficients) else np.zeros(0)
    return found
