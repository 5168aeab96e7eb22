"""Ratios of every design: which are shown, why one is not, and the forest plot of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import altair as alt

from enclos.contracts.result import HIDDEN, SEPARATOR
from enclos.studies.figures.model import Figure, Point, Rows, Say
from enclos.studies.figures.style import INK, QUIET, colour, is_narrow, names, shape, step
from enclos.studies.figures.values import WITHHELD, shown

DIAGNOSTICS = {
    "score_fitted": "score fitted",
    "equipoise": "equipoise",
    "max_smd": "largest standardised difference",
    "smd_p": "chance of so large a difference",
    "mdrr": "least detectable ratio",
    "ease": "expected systematic error",
    "left_out": "controls whose interval holds the truth, each calibrated by the others",
    "attrition": "share of the target lost",
    "rare_outcome": "rare outcome",
    "pre_exposure_gain": "gain before exposure",
    "event_exposure_independence": "exposure does not depend on the outcome",
    "event_observation_independence": "observation does not depend on the outcome",
    "time_stability": "stable over time",
}
"""What each diagnostic is called."""
RATIOS = ("hazard_ratio", "rate_ratio", "odds_ratio")
_UNITS = {"incidence_100000_pys": "events per 100 000 person-years"}
_OF_ERROR = ("mean", "sd", "ease", "n_controls", "coverage", "coverage_uncalibrated")
"""What is told of an error; the coefficients of its model are in the file."""
_FAR = 20.0
"""An interval is cut where it goes so many times beyond the estimates."""
_END = 1e6
"""Stands for an end that an interval does not have."""


@dataclass(frozen=True, slots=True)
class Line:
    """One estimate of a forest plot; None: an end that the interval does not have."""

    who: str
    kind: str
    value: float
    lower: float | None
    upper: float | None


def ratio_name(points: Iterable[Point], default: str = "hazard_ratio") -> str:
    """The name of the ratio that some places tell."""
    return next((name for point in points for name in RATIOS if name in point.estimates), default)


def line_of(point: Point, who: str, kind: str, prefix: str = "") -> Line | None:
    """The place's ratio as a line of a forest plot; None where there is none or it is withheld.

    In: prefix — of the names of the estimates, where a place tells a ratio twice
    """
    value = point.number(prefix + ratio_name((point,)))
    if not value:
        return None
    return Line(who, kind, value, point.number(f"{prefix}lower"), point.number(f"{prefix}upper"))


def e_value(point: Point, say: Say) -> str:
    """How strong a hidden confounder must be to explain the estimate away, and the nearer end of its interval."""
    value, limit = (shown(point.estimates.get(name), say) for name in ("e_value", "e_value_limit"))
    return f"{value} ({limit})" if limit and value != WITHHELD else value


def forest_figure(title: str, measure: str, lines: Sequence[Line], say: Say) -> Figure:
    """Estimates one below the other on a logarithmic scale, each with its interval and in numbers."""
    low, high = _domain(lines, ratio=measure in RATIOS or measure == "ratio")
    rows = [
        {
            "row": at,
            "who": line.who,
            "kind": line.kind,
            "value": line.value,
            "lower": max(line.lower or 1 / _END, low),
            "upper": min(line.upper or _END, high),
            "text": _numbers(line, say),
        }
        for at, line in enumerate(lines)
    ]
    said = say("Point: estimate; line: 95 % interval.")
    if any((line.lower or 0) < low or (line.upper or _END) > high for line in lines):
        said += " " + say("Intervals are cut where they go far beyond the estimates.")
    unit = say(_UNITS.get(measure, measure.replace("_", " ")))
    draw = partial(_forest, rows, (low, high), unit, measure in RATIOS)
    return Figure(title, said, {"estimates": rows}, draw)


def _domain(lines: Sequence[Line], *, ratio: bool) -> tuple[float, float]:
    values = [line.value for line in lines]
    ends = [end for line in lines for end in (line.lower, line.upper) if end]
    low, high = min([*values, *ends]), max([*values, *ends])
    low, high = max(low, min(values) / _FAR), min(high, max(values) * _FAR)
    if ratio:
        low, high = min(low, 0.5), max(high, 2.0)
    return low * 0.9, high * 1.1


def _numbers(line: Line, say: Say) -> str:
    ends = ("–" if end is None else _three(end, say) for end in (line.lower, line.upper))
    return f"{_three(line.value, say)} ({' – '.join(ends)})"


def _three(value: float, say: Say) -> str:
    """Two decimals, or none where the number is large."""
    text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"
    return text.replace(",", "\u202f").replace(".", say("."))


def _forest(rows: Rows, domain: tuple[float, float], unit: str, has_null: bool, width: int) -> Any:
    narrow = is_narrow(width)
    room, beside = (96, 0) if narrow else (230, 130)
    labels = [str(row["who"]) for row in rows]
    kinds = list(dict.fromkeys(str(row["kind"]) for row in rows))
    scale = alt.Scale(type="log", domain=list(domain), nice=False)
    axis = alt.Axis(tickCount=3 if narrow else 6, format="~g", labelOverlap="greedy")
    x = alt.X("lower:Q", title=unit, scale=scale, axis=axis)
    height = step(labels, room, 26)
    base = alt.Chart(alt.NamedData("estimates"), width=width - room - beside - 20, height=height).encode(
        y=names("who", labels, room), color=colour(kinds, width, "kind")
    )
    spans = base.mark_rule(strokeWidth=2, clip=True).encode(x=x, x2="upper:Q")
    dots = base.mark_point(filled=True, size=70, opacity=1, clip=True).encode(
        x=alt.X("value:Q", title=unit, scale=scale, axis=axis), shape=shape(kinds, width, "kind")
    )
    layers = [spans, dots]
    if has_null:
        null = alt.Chart(alt.InlineData(values=[{"one": 1}])).mark_rule(color=QUIET, strokeDash=[4, 3])
        layers.insert(0, null.encode(x=alt.X("one:Q", title=unit, scale=scale, axis=axis)))
    if not narrow:
        texts = base.mark_text(align="left", fontSize=12, color=INK).encode(
            x=alt.value(width - room - beside - 10), text="text:N", color=alt.value(INK)
        )
        layers.append(texts)
    return alt.layer(*layers)


def diagnostic(name: str, say: Say) -> str:
    """A diagnostic in words."""
    return say(DIAGNOSTICS.get(name, name.replace("_", " ")))


def error_words(point: Point, say: Say) -> str:
    """The systematic error of a place, or how often intervals hold, in words."""
    told = (f"{say(name.replace('_', ' '))} {shown(point.estimates.get(name), say)}" for name in _OF_ERROR
            if point.estimates.get(name) is not None)  # fmt: skip
    return ", ".join(told)


def why_withheld(settings: Mapping[str, str], say: Say) -> str:
    """Which diagnostics failed, so that a comparison does not show its estimate; empty where it shows it."""
    failed = settings.get("withheld_for", "")
    return ", ".join(diagnostic(name, say) for name in failed.split(SEPARATOR)) if failed else ""


def why_none(point: Point, say: Say) -> str:
    """Why a place of a design around cases has no ratio; empty where it has one."""
    if any(name in point.estimates for name in RATIOS):
        return ""
    if any(text == HIDDEN for text in point.estimates.values()):
        return say("a count behind it is withheld")
    counts = {name: point.number(name) for name in point.estimates}
    reasons = {
        "n_cases": "nobody has the outcome with a window to compare",
        "n_cases_exposed": "no case is exposed when the outcome comes",
        "n_controls_exposed": "nobody is exposed in what cases are compared with",
        "n_persons": "nobody is exposed",
        "n_events": "no outcome falls into this time",
        "n_events_unexposed": "no outcome falls into the time it is compared with",
    }
    reason = next((why for name, why in reasons.items() if counts.get(name) == 0), None)
    return say(reason or "the data do not tell one: all who are compared are alike, or the fit does not settle")
