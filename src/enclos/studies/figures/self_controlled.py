"""Designs around cases and their own time: diagnostics, ratios or why there is none, forest plot, attrition."""

from __future__ import annotations

from collections.abc import Iterator

from enclos.studies.figures.attrition import attrition_figures
from enclos.studies.figures.model import Analysis, Figure, Kind, Point, Say, Table
from enclos.studies.figures.ratios import diagnostic, forest_figure, line_of, ratio_name, why_none
from enclos.studies.figures.reading import is_attrition
from enclos.studies.figures.tables import plain_table
from enclos.studies.figures.values import WITHHELD, interval, shown

DESIGNS = frozenset({"sccs", "self_controlled_cohort", "case_crossover", "case_control"})
_OUTCOME = "outcome_cohort_name"
_BOUNDS = {
    "rare_outcome": "at most 0.1, when only the first outcome counts",
    "event_exposure_independence": "interval meets 0.8 to 1.25",
    "event_observation_independence": "interval meets 0.5 to 2",
    "time_stability": "at most 1.1",
}
"""What each diagnostic of a case series must be. Source: SelfControlledCaseSeries 6.1.4, its defaults."""
_COUNTS = {
    "n_persons": "persons",
    "n_cases": "cases",
    "n_cases_exposed": "cases exposed",
    "n_controls": "controls",
    "n_controls_exposed": "controls exposed",
    "n_exposures": "exposures",
    "n_events": "outcomes",
    "person_days": "person-days",
    "n_events_unexposed": "outcomes in the time compared with",
    "person_days_unexposed": "person-days compared with",
}


def design_parts(analysis: Analysis, say: Say) -> Iterator[Figure | Table]:
    """Diagnostics with verdicts, ratios or why there is none, the forest plot, then what else there is."""
    if (diagnostics := analysis.of("sccs_diagnostics")) is not None:
        yield _diagnostics(diagnostics, say)
    kind = analysis.of(analysis.family)
    if kind is not None and kind.points:
        yield _ratios(kind, _failed(diagnostics, say), say)
        yield from _forests(kind, say)
        if splines := _splines(kind, say):
            yield splines
    for each in analysis.kinds:
        if each.points and is_attrition(each):
            yield from attrition_figures(each, say)
            yield plain_table(each, say)


def _diagnostics(kind: Kind, say: Say) -> Table:
    rows = []
    for point in kind.points:
        verdict = point.estimates.get("verdict")
        rows.append(
            (
                point.group[_OUTCOME],
                diagnostic(point.variable, say),
                point.level or say("all"),
                interval(point, "estimate", ("lower", "upper"), say),
                shown(point.estimates.get("p_value"), say),
                say(_BOUNDS.get(point.variable, "")),
                say({"pass": "holds", "fail": "fails", "not evaluated": "not judged"}.get(verdict or "", WITHHELD)),
            )
        )
    columns = ("outcome", "diagnostic", "exposure", "value (95 % interval)", "p", "must be", "verdict")
    lead = say("Ratios are shown where every diagnostic that is judged holds, or where the study asks for them anyway.")
    title = say("Diagnostics, judged before any estimate")
    return Table(title, tuple(map(say, columns)), rows, n_texts=3, lead=lead)


def _failed(kind: Kind | None, say: Say) -> dict[str, list[str]]:
    """By outcome the diagnostics that fail."""
    found: dict[str, list[str]] = {}
    for point in () if kind is None else kind.points:
        if point.estimates.get("verdict") == "fail":
            found.setdefault(point.group[_OUTCOME], []).append(diagnostic(point.variable, say))
    return found


def _of_a_window(point: Point) -> bool:
    return any(name in point.estimates for name in _COUNTS) and point.variable != "model"


def _ratios(kind: Kind, failed: dict[str, list[str]], say: Say) -> Table:
    """A row a window and exposure; counts, and the ratio or why there is none."""
    blinded = {
        point.group[_OUTCOME]
        for point in kind.points
        if point.variable == "model" and point.estimates.get("blinded") == "TRUE"
    }
    points = [point for point in kind.points if _of_a_window(point)]
    counts = [name for name in _COUNTS if any(name in point.estimates for point in points)]
    name = ratio_name(points, "odds_ratio" if kind.result_type.startswith("case") else "rate_ratio")
    rows, reasons = [], []
    for point in points:
        outcome = point.group[_OUTCOME]
        text = interval(point, name, ("lower", "upper"), say)
        if not text:
            text = say("withheld") if outcome in blinded else say("none")
            if outcome not in blinded:
                reasons.append(f"{_exposed(point, say)}, {outcome}: {why_none(point, say)}")
        rows.append((outcome, _exposed(point, say), text, *(shown(point.estimates.get(each), say) for each in counts)))
    leads = [
        say("Withheld because a diagnostic fails – {why}.", why=f"{outcome}: {', '.join(failed.get(outcome, ()))}")
        for outcome in sorted(blinded)
    ]
    if reasons:
        leads.append(say("There is no ratio – {why}.", why="; ".join(dict.fromkeys(reasons))))
    ratio = say(name.replace("_", " ")) + " " + say("(95 % interval)")
    columns = (say("outcome"), say("exposure"), ratio, *(say(_COUNTS[each]) for each in counts))
    return Table(say("Estimates"), columns, rows, n_texts=2, lead=" ".join(leads))


def _exposed(point: Point, say: Say) -> str:
    """The window, whose name is the study's own but for those that every series has, and the exposure."""
    window = say(point.variable.replace("_", " ")) if point.variable in _OWN_WINDOWS else point.variable
    return ": ".join(each for each in (point.level, window) if each)


_OWN_WINDOWS = {"exposed", "pre_exposure", "end_of_observation"}


def _forests(kind: Kind, say: Say) -> Iterator[Figure]:
    for outcome in dict.fromkeys(point.group[_OUTCOME] for point in kind.points):
        own = [point for point in kind.points if point.group[_OUTCOME] == outcome and _of_a_window(point)]
        lines = [
            line
            for point in own
            if (line := line_of(point, _exposed(point, say), point.level or say("all"))) is not None
        ]
        if lines:
            yield forest_figure(say("All estimates: {outcome}", outcome=outcome), ratio_name(own), lines, say)


def _splines(kind: Kind, say: Say) -> Table | None:
    rows = [
        (point.group[_OUTCOME], say(point.variable.replace("_", " ")), point.level.removeprefix("component "),
         shown(point.estimates["log_rate_ratio"], say))
        for point in kind.points
        if point.level.startswith("component ") and "log_rate_ratio" in point.estimates
    ]  # fmt: skip
    columns = tuple(map(say, ("outcome", "spline", "component", "logarithm of the rate ratio")))
    return Table(say("Splines"), columns, rows, n_texts=2) if rows else None
