"""What a self-controlled case series says: diagnostics first, then estimates, then attrition."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from pyroaring import BitMap

from enclos.contracts.result import OVERALL, SEPARATOR, EstimateType
from enclos.studies.calibration.findings import control_lines
from enclos.studies.calibration.model import Effect
from enclos.studies.calibration.rules.calibrating import Calibration
from enclos.studies.calibration.rules.controlled import Controlled
from enclos.studies.calibration.rules.strength import Ratio, e_value
from enclos.studies.rules.estimates import printed
from enclos.studies.rules.report import Estimate, Part, Place, Report, number, text_of
from enclos.studies.sccs import diagnostics
from enclos.studies.sccs.diagnostics import Diagnostic
from enclos.studies.sccs.fitting import Model
from enclos.studies.sccs.intervals import Bools, Counts, Floats, Ints, Rows
from enclos.studies.sccs.model import END_OF_OBSERVATION, Sccs, Window
from enclos.studies.sccs.observation import Ending

GROUP_NAME = "outcome_cohort_name"
ESTIMATES, DIAGNOSTICS, CONTROLS, ATTRITION = "sccs", "sccs_diagnostics", "sccs_controls", "sccs_attrition"
Behind: TypeAlias = Callable[[str, int], Iterable[Part]]
REFERENCE = "reference"
"""The time of the cases that is in no window."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What was found about one outcome."""

    rows: Rows
    values: Floats
    """Of the splines, one row per kind of moment."""
    model: Model
    diagnostics: Sequence[Diagnostic]
    steps: Sequence[tuple[str, Counts]]
    every_person: Ints
    """The dense number of each case's person, before the first step."""
    persons: Ints
    """The dense number of each case's person, of the cases in the model."""
    splines: Sequence[str]
    """The spline of each coefficient."""
    ending: Ending | None = None
    """How observation was found to end after an outcome, where time is weighed by it."""


def report_sccs(
    report: Report, asked: Sccs, found: Mapping[str, Found], controls: Mapping[int, Controlled], behind: Behind
) -> None:
    """Add all result ids, each holding all outcomes.

    In: behind — who is behind each control
    """
    settings = _settings(asked)
    result_id = report.start(DIAGNOSTICS, GROUP_NAME, "window", "", settings)
    for outcome, each in found.items():
        report_diagnostics(report, result_id, outcome, each.diagnostics, each.persons)
    result_id = report.start(ESTIMATES, GROUP_NAME, "", "", settings)
    for outcome, each in found.items():
        _report_estimates(report, result_id, asked, outcome, each, controls)
    if controls:
        result_id = report.start(CONTROLS, GROUP_NAME, "true_ratio", "", settings)
        report_controls(report, result_id, "rate_ratio", list(windows_in_order(asked)), controls, behind)
    result_id = report.start(ATTRITION, GROUP_NAME, "reason", "reason_id", settings)
    for outcome, each in found.items():
        report_steps(report, result_id, GROUP_NAME, outcome, each.steps, each.every_person)


def behind_window(found: Found, column: int) -> tuple[Part, Part]:
    """Cases with an outcome in a window, among those who have it, and the same of the reference time."""
    rows = found.rows
    times = (rows.within[:, column], np.logical_not(rows.within.any(axis=1)))
    having, among = ([each & (rows.n_outcomes > 0) for each in times], times)
    sets = [BitMap(found.persons[rows.case[each]].astype(np.uint32)) for each in (*having, *among)]
    return (sets[0], sets[2]), (sets[1], sets[3])


def is_shown(asked: Sccs, found: Found, place: tuple[str, str | None] | None = None) -> bool:
    """Whether ratios are shown: when the diagnostics hold, or when the study asks for them all the same.

    In: place — the window and exposure of one ratio, which has diagnostics of its own; None: of the whole series
    """
    return asked.show_failed or diagnostics.all_hold(found.diagnostics, place)


def report_diagnostics(
    report: Report, result_id: int, outcome: str, looked_at: Sequence[Diagnostic], persons: Ints | BitMap
) -> None:
    """Add what was looked at of one outcome, each with what is asked and the verdict."""
    everyone = persons if isinstance(persons, BitMap) else BitMap(persons.astype(np.uint32))
    for each in looked_at:
        strata = (OVERALL, OVERALL) if each.window is None else ("window", each.window)
        place = Place(GROUP_NAME, outcome, each.name, each.exposure, strata)
        numbers = {"estimate": each.estimate, "lower": each.lower, "upper": each.upper, "p_value": each.p_value}
        numbers |= {"least": each.least, "most": each.most}
        given = [number(name, value) for name, value in numbers.items() if not math.isnan(value)]
        word = "not evaluated" if each.passed is None else "pass" if each.passed else "fail"
        report.add(result_id, place, [*given, Estimate("verdict", EstimateType.CHARACTER, word)])
        report.add_cell(result_id, place, everyone, everyone)


def _report_estimates(
    report: Report, result_id: int, asked: Sccs, outcome: str, found: Found, controls: Mapping[int, Controlled]
) -> None:
    rows = found.rows
    everyone = _in_model(found)
    stretches: list[tuple[str, str | None, Bools]] = [
        (window, exposure, rows.within[:, column]) for column, (window, exposure) in enumerate(windows_in_order(asked))
    ]
    stretches.append((REFERENCE, None, np.logical_not(rows.within.any(axis=1))))
    for column, (window, exposure, within) in enumerate(stretches):
        having = within & (rows.n_outcomes > 0)
        shown = is_shown(asked, found, (window, exposure))
        if window == REFERENCE:  # beside all others it would tell the outcomes of one that is not shown
            shown = all(is_shown(asked, found, (each, of)) for each, of, _ in stretches[:-1])
        place = Place(GROUP_NAME, outcome, window, exposure)
        cases, persons = (BitMap(found.persons[rows.case[each]].astype(np.uint32)) for each in (having, within))
        counts = {"n_persons": len(persons)}
        if shown:
            # Events and days of a window would tell the ratio that is not shown.
            counts |= {"n_events": int(rows.n_outcomes[within].sum()), "person_days": int(rows.n_days[within].sum())}
        estimates = [Estimate(name, EstimateType.INTEGER, str(count)) for name, count in counts.items()]
        if shown and window != REFERENCE:
            effect = found.model.effects[column]
            estimates += [*ratio_estimates("rate_ratio", effect), *e_value_estimates(effect)]
            if column in controls:
                estimates += calibrated_estimates("rate_ratio", effect, controls[column].calibration)
        report.add(result_id, place, estimates)
        report.add_cell(result_id, place, cases, persons)
        if shown and column in found.model.profiles:
            points, heights = found.model.profiles[column]
            texts = pa.array([text_of(float(height)) for height in heights], pa.string())
            levels = pa.array([printed(float(point)) for point in points], pa.string())
            at = replace(place, additional=("log_ratio", ""))
            report.add_series(result_id, at, levels, [("log_likelihood", EstimateType.NUMERIC)], texts)
    shown = is_shown(asked, found)
    if shown:
        _report_splines(report, result_id, outcome, found)
    place = Place(GROUP_NAME, outcome, "model", None)
    said = [
        Estimate("n_cases", EstimateType.INTEGER, str(len(np.unique(rows.case)))),
        Estimate("n_events", EstimateType.INTEGER, str(int(rows.n_outcomes.sum()))),
        Estimate("status", EstimateType.CHARACTER, found.model.status),
        Estimate("blinded", EstimateType.LOGICAL, "FALSE" if shown else "TRUE"),
    ]
    if found.ending is not None:
        said.append(Estimate("observation_model", EstimateType.CHARACTER, found.ending.value))
    if shown:
        said.append(number("log_likelihood", found.model.log_likelihood))
    report.add(result_id, place, said)
    report.add_cell(result_id, place, everyone, everyone)


def _in_model(found: Found) -> BitMap:
    """The persons of the cases that the model has rows of: one without a window says nothing, and has none."""
    return BitMap(found.persons[found.rows.case].astype(np.uint32))


def _report_splines(report: Report, result_id: int, outcome: str, found: Found) -> None:
    everyone = _in_model(found)
    names = list(found.splines)
    for at, (name, coefficient) in enumerate(zip(names, found.model.splines.tolist(), strict=True)):
        place = Place(GROUP_NAME, outcome, name, f"component {at - names.index(name) + 1}")
        report.add(result_id, place, [number("log_rate_ratio", coefficient)])
        report.add_cell(result_id, place, everyone, everyone)


def calibrated_estimates(name: str, effect: Effect, calibration: Calibration) -> list[Estimate]:
    """The ratio freed of the systematic error, as far as it exists."""
    if not effect.known:
        return []
    found = calibration.interval(effect.estimate)
    ends = {name: found.log, "lower": found.lower, "upper": found.upper}
    numbers = {f"calibrated_{each}": math.exp(end) for each, end in ends.items() if end is not None}
    numbers["calibrated_p_value"] = calibration.p_value(effect.estimate)
    return [number(each, value) for each, value in numbers.items() if not math.isnan(value)]


def report_controls(
    report: Report,
    result_id: int,
    name: str,
    places: Sequence[tuple[str, str | None]],
    controls: Mapping[int, Controlled],
    behind: Behind,
) -> None:
    """Add each control, how it holds by the others, and the systematic error, by window and exposure.

    In: name — of the ratio; places — window and exposure of each number in controls
        behind — the counts that a control rests on, by its name and its number in controls
    """
    for column, found in controls.items():
        window, exposure = places[column]
        for line in control_lines(found, partial(ratio_estimates, name)):
            true = (OVERALL, OVERALL) if line.true_log is None else ("true_ratio", line.true_ratio)
            report.add(result_id, Place(GROUP_NAME, line.of, window, exposure, true), line.estimates)
        for control in dict.fromkeys(each.made_of for each in found.controls):
            report.add_parts(result_id, Place(GROUP_NAME, control, window, exposure), behind(control, column))


def windows_in_order(asked: Sccs) -> Iterator[tuple[str, str | None]]:
    """The window and exposure of each column of the model; the end of observation is of no exposure."""
    windows: tuple[Window, ...] = asked.all_windows
    yield from ((window.name, exposure) for window in windows for exposure in asked.exposures)
    if asked.end_of_observation_days:
        yield END_OF_OBSERVATION, None


def ratio_estimates(name: str, effect: Effect) -> list[Estimate]:
    """A ratio with its interval, and its logarithm with the standard error that the interval means.

    Empty: nothing when the data give none
    """
    if not effect.known:
        return []
    numbers = {
        name: math.exp(effect.log_ratio),
        "lower": math.exp(effect.lower),
        "upper": math.exp(effect.upper),
        f"log_{name}": effect.log_ratio,
        "standard_error": effect.standard_error,
    }
    return [number(each, value) for each, value in numbers.items()]


def e_value_estimates(effect: Effect, kind: Ratio = Ratio.RISK) -> list[Estimate]:
    """How strong a hidden confounder would have to be.

    Empty: nothing when there is no ratio
    """
    if not effect.known:
        return []
    found = e_value(math.exp(effect.log_ratio), math.exp(effect.lower), math.exp(effect.upper), kind)
    return [number("e_value", found.of_estimate), number("e_value_limit", found.of_limit)]


def report_steps(
    report: Report, result_id: int, group: str, level: str, steps: Sequence[tuple[str, Counts]], persons: Ints
) -> None:
    """Add what each step leaves: outcomes, persons with any, cases and days."""
    before = BitMap(persons.astype(np.uint32))
    for reason_id, (reason, left) in enumerate(steps, start=1):
        having = BitMap(persons[left.cases].astype(np.uint32))
        counts = {
            "number_records": left.n_outcomes,
            "number_subjects": len(having),
            "number_cases": len(left.cases),
            "person_days": left.n_days,
        }
        for name, count in counts.items():
            place = Place(group, level, name, None, ("reason", reason), ("reason_id", str(reason_id)))
            report.add(result_id, place, [Estimate("count", EstimateType.INTEGER, str(count))])
            report.add_cell(result_id, place, having, before)
        before = having


def _settings(asked: Sccs) -> dict[str, str]:
    cases, time = asked.cases, asked.time
    return {
        "design": "self-controlled case series",
        "exposures": SEPARATOR.join(asked.exposures),
        "windows": SEPARATOR.join(window_words(each) for each in asked.windows),
        "pre_exposure_days": str(asked.pre_exposure_days),
        "end_of_observation_days": str(asked.end_of_observation_days),
        "first_outcome_only": logical(cases.first_outcome_only),
        "naive_days": str(cases.naive_days),
        "ages": "all" if cases.ages is None else cases.ages.word,
        "first_date": "" if cases.dates.start_on is None else cases.dates.start_on.isoformat(),
        "last_date": "" if cases.dates.end_on is None else cases.dates.end_on.isoformat(),
        "age_knots": str(time.age_knots),
        "season_knots": str(time.season_knots),
        "calendar_knots": str(time.calendar_knots),
        "event_dependent_observation": logical(asked.weigh_observation),
        "show_failed": logical(asked.show_failed),
    }


def window_words(window: Window) -> str:
    """A window in words."""
    first = ", first exposure only" if window.first_only else ""
    return (
        f"{window.name}: {window.from_day} from {window.from_anchor.value} "
        f"to {window.to_day} from {window.to_anchor.value}{first}"
    )


def logical(value: bool) -> str:
    """How a result writes yes and no."""
    return "TRUE" if value else "FALSE"
