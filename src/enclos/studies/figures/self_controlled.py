"""Designs around cases and their own time: diagnostics, ratios or why there is none, forest plot, attrition.

Where the same is asked in several ways, tables and the forest plot have all of them, and the other pictures the primary
one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from enclos.studies.figures.attrition import attrition_figures
from enclos.studies.figures.balance import controls_figure
from enclos.studies.figures.model import Analysis, Figure, Kind, Point, Say, Table
from enclos.studies.figures.ratios import diagnostic, e_value, error_words, forest_figure, line_of, ratio_name, why_none
from enclos.studies.figures.reading import is_attrition
from enclos.studies.figures.tables import plain_table
from enclos.studies.figures.values import WITHHELD, interval, shown
from enclos.studies.figures.ways import beside, named, primary_of, way_of, ways_of

DESIGNS = frozenset({"sccs", "self_controlled_cohort", "case_crossover", "case_control"})
_OUTCOME = "outcome_cohort_name"
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
    if (diagnostics := analysis.of(f"{analysis.family}_diagnostics")) is not None:
        yield _diagnostics(diagnostics, say)
    kind = analysis.of(analysis.family)
    if kind is not None and kind.points:
        yield _ratios(kind, _failed(diagnostics, say), say)
        yield from _forests(kind, say)
        if splines := _splines(kind, say):
            yield splines
    if (controls := analysis.of(f"{analysis.family}_controls")) is not None and controls.points:
        yield from _control_figures(primary_of(controls), () if kind is None else primary_of(kind).points, say)
        yield _controls(controls, say)
    for each in analysis.kinds:
        if each.points and is_attrition(each):
            yield from attrition_figures(primary_of(each), say)
            yield plain_table(each, say)


def _diagnostics(kind: Kind, say: Say) -> Table:
    rows = []
    for point in kind.points:
        verdict = point.estimates.get("verdict")
        rows.append(
            (
                point.group[_OUTCOME],
                diagnostic(point.variable, say),
                _exposed(point.level, point.strata.get("window", ""), say) or say("all"),
                interval(point, "estimate", ("lower", "upper"), say),
                shown(point.estimates.get("p_value"), say),
                _bounds(point, say),
                say({"pass": "holds", "fail": "fails", "not evaluated": "not judged"}.get(verdict or "", WITHHELD)),
            )
        )
    columns = ("outcome", "diagnostic", "exposure", "value (95 % interval)", "p", "must be", "verdict")
    lead = say("Ratios are shown where every diagnostic that is judged holds, or where the study asks for them anyway.")
    title = say("Diagnostics, judged before any estimate")
    return _by_way(kind, kind.points, Table(title, tuple(map(say, columns)), rows, n_texts=3, lead=lead), say)


def _by_way(kind: Kind, points: Iterable[Point], table: Table, say: Say) -> Table:
    """The table with the way of asking before each row, where there are several.

    In: points — the place of each row
    """
    if len(ways_of(kind)) == 1:
        return table
    rows = [(named(way_of(kind, each), say), *row) for each, row in zip(points, table.rows, strict=True)]
    return replace(table, columns=(say("asked as"), *table.columns), rows=rows, n_texts=table.n_texts + 1)


def _bounds(point: Point, say: Say) -> str:
    least, most = (shown(point.estimates.get(name), say) for name in ("least", "most"))
    if least and most:
        return say("interval meets {least} to {most}", least=least, most=most)
    return say("at least {bound}", bound=least) if least else say("at most {bound}", bound=most) if most else ""


_Asked: TypeAlias = tuple[str, str]
"""An outcome and the way of asking about it."""


def _failed(kind: Kind | None, say: Say) -> dict[_Asked, list[str]]:
    """By outcome and way of asking the diagnostics that fail, with the ratio that they are about."""
    found: dict[_Asked, list[str]] = {}
    if kind is None:
        return found
    for point in kind.points:
        if point.estimates.get("verdict") == "fail":
            about = _exposed(point.level, point.strata.get("window", ""), say)
            name = diagnostic(point.variable, say) + (f" ({about})" if about else "")
            found.setdefault((point.group[_OUTCOME], way_of(kind, point)), []).append(name)
    return found


def _of_a_window(point: Point) -> bool:
    return any(name in point.estimates for name in _COUNTS) and point.variable != "model"


def _is_withheld(point: Point) -> bool:
    """Whether a place keeps the counts to itself that would tell its ratio."""
    return not {"n_events", "n_cases_exposed"} & point.estimates.keys()


def _ratios(kind: Kind, failed: Mapping[_Asked, Sequence[str]], say: Say) -> Table:
    """A row a window and exposure; counts, and the ratio or why there is none."""
    points = [point for point in kind.points if _of_a_window(point)]
    counts = [name for name in _COUNTS if any(name in point.estimates for point in points)]
    name = ratio_name(points, "odds_ratio" if kind.result_type.startswith("case") else "rate_ratio")
    more = [each for each in ("calibrated", "e_value") if any(_told(point, each, name, say) for point in points)]
    rows, reasons, withheld = [], [], []
    for point in points:
        outcome, way = asked = (point.group[_OUTCOME], way_of(kind, point))
        who = _exposed(point.level, point.variable, say)
        text = interval(point, name, ("lower", "upper"), say)
        if not text and point.variable == _REFERENCE:
            text = say(_REFERENCE)
        elif not text and _is_withheld(point):
            text = say("withheld")
            withheld.append(asked)
        elif not text:
            text = say("none")
            reasons.append(f"{beside(who, way)}, {outcome}: {why_none(point, say)}")
        told = (_told(point, each, name, say) for each in more)
        rows.append((outcome, who, text, *told, *(shown(point.estimates.get(each), say) for each in counts)))
    leads = [
        say("Withheld because a diagnostic fails – {why}.", why=f"{beside(*asked)}: {', '.join(failed.get(asked, ()))}")
        for asked in dict.fromkeys(withheld)
    ]
    if reasons:
        leads.append(say("There is no ratio – {why}.", why="; ".join(dict.fromkeys(reasons))))
    ratio = say(name.replace("_", " ")) + " " + say("(95 % interval)")
    heads = {"calibrated": "calibrated (95 % interval)", "e_value": "E-value (of the limit)"}
    columns = (say("outcome"), say("exposure"), ratio, *(say(heads[each]) for each in more),
               *(say(_COUNTS[each]) for each in counts))  # fmt: skip
    return _by_way(kind, points, Table(say("Estimates"), columns, rows, n_texts=2, lead=" ".join(leads)), say)


def _told(point: Point, what: str, name: str, say: Say) -> str:
    if what == "calibrated":
        return interval(point, f"calibrated_{name}", ("calibrated_lower", "calibrated_upper"), say)
    return e_value(point, say)


def _exposed(exposure: str, window: str, say: Say) -> str:
    """The exposure and its window, whose name is the study's own but for those that every series has."""
    named = say(window.replace("_", " ")) if window in _OWN_WINDOWS else window
    return ": ".join(each for each in (exposure, named) if each)


_REFERENCE = "reference"
"""The time that windows are compared with."""
_OWN_WINDOWS = {_REFERENCE, "exposed", "pre_exposure", "end_of_observation"}


def _forests(kind: Kind, say: Say) -> Iterator[Figure]:
    """By outcome all estimates, the ways of asking of one window and exposure one below the other."""
    for outcome in dict.fromkeys(point.group[_OUTCOME] for point in kind.points):
        own = [point for point in kind.points if point.group[_OUTCOME] == outcome and _of_a_window(point)]
        name = ratio_name(own)
        places = list(dict.fromkeys((point.variable, point.level) for point in own))
        lines = []
        for point in sorted(own, key=lambda each: places.index((each.variable, each.level))):
            who = beside(_exposed(point.level, point.variable, say), way_of(kind, point))
            for prefix, kind_of in (("", point.level or say("all")), ("calibrated_", say("calibrated"))):
                said = who if not prefix else f"{who}, {say('calibrated')}"
                if line := line_of(point, said, kind_of, prefix):
                    lines.append(line)
        if lines:
            yield forest_figure(say("All estimates: {outcome}", outcome=outcome), name, lines, say)


def _controls(kind: Kind, say: Say) -> Table:
    """Each control with its estimate and how the others judge it, then how often they hold, and the error in all."""
    rows = []
    for point in kind.points:
        name, who = ratio_name((point,), ""), _exposed(point.level, point.variable, say)
        true = point.strata.get("true_ratio", "")
        if name:
            text = interval(point, name, ("lower", "upper"), say)
            rows.append((point.group[_OUTCOME], who, true, text, shown(point.estimates.get("left_out_p"), say)))
        else:
            title = say("Left-out coverage" if true else "Systematic error")
            rows.append((title, who, true, error_words(point, say), ""))
    ratio = ratio_name(kind.points).replace("_", " ")
    heads = ("control", "exposure", "true ratio", ratio, "p, calibrated by the others")
    return _by_way(kind, kind.points, Table(say("Controls"), tuple(map(say, heads)), rows, n_texts=2), say)


def _control_figures(kind: Kind, shown_points: Iterable[Point], say: Say) -> Iterator[Figure]:
    """Controls and their error, for each window and exposure that has any."""
    for place in dict.fromkeys((point.variable, point.level) for point in kind.points):
        own = [point for point in kind.points if (point.variable, point.level) == place]
        asked = [point for point in shown_points if (point.variable, point.level) == place]
        who = _exposed(place[1], place[0], say)
        yield from controls_figure(
            who,
            [point for point in own if point.strata.get("true_ratio") == "1"],
            [point for point in own if point.strata.get("true_ratio", "1") != "1"],
            asked,
            next((point for point in own if "ease" in point.estimates), None),
            say,
        )


def _splines(kind: Kind, say: Say) -> Table | None:
    points = [
        point for point in kind.points if point.level.startswith("component ") and "log_rate_ratio" in point.estimates
    ]
    rows = [
        (point.group[_OUTCOME], say(point.variable.replace("_", " ")), point.level.removeprefix("component "),
         shown(point.estimates["log_rate_ratio"], say))
        for point in points
    ]  # fmt: skip
    columns = tuple(map(say, ("outcome", "spline", "component", "logarithm of the rate ratio")))
    return _by_way(kind, points, Table(say("Splines"), columns, rows, n_texts=2), say) if rows else None
