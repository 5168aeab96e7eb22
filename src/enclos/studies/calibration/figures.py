"""Figures of calibration and of pooling, drawn from numbers that are shown: a number that is withheld is not drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np
import vl_convert

from enclos.studies.calibration.model import Z_95, Control, Null
from enclos.studies.calibration.rules.together import SITE, Forest, Line

_MAX_PANELS, _WIDTH = 12, 460
_FAR = 1000.0
"""Ends of intervals are drawn no further from no effect than that."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An estimate of interest beside the controls."""

    name: str
    log: float
    standard_error: float


def svg(chart: Any) -> bytes:
    """A figure as SVG, made here: nothing is fetched, no browser runs."""
    drawn: str = vl_convert.vegalite_to_svg(chart.configure(font="Helvetica, Arial, sans-serif").to_json())
    return drawn.encode("utf-8")


def calibration_plot(controls: Sequence[Control], null: Null | None, shown: Sequence[Shown] = ()) -> Any:
    """Estimates against standard errors: below the line is significant, out of the area is significant once calibrated.

    Source: Schuemie et al., Statistics in Medicine 33 (2014) 209, figure 1; EmpiricalCalibration, plotCalibrationEffect
    """
    points = [
        {"ratio": math.exp(each.estimate.log), "se": each.estimate.standard_error, "what": "negative control"}
        for each in controls
        if each.estimate.is_usable and each.true_log == 0
    ]
    points += [{"ratio": math.exp(each.log), "se": each.standard_error, "what": each.name} for each in shown]
    tallest = 1.15 * max([0.3, *(point["se"] for point in points if isinstance(point["se"], float))])
    errors = np.linspace(0, tallest, 60)
    ratio = alt.X("ratio:Q", title="estimate", scale=alt.Scale(type="log", domain=[0.1, 10], clamp=True))
    error = alt.Y("se:Q", title="standard error of its log", scale=alt.Scale(domain=[0, tallest], nice=False))
    layers = []
    if null is not None:
        area = [
            {"se": float(se), "low": math.exp(null.mean - width), "high": math.exp(null.mean + width)}
            for se, width in ((se, Z_95 * math.hypot(null.sd, se)) for se in errors)
        ]
        data = alt.Chart(alt.InlineData(values=area))
        low = alt.X("low:Q", scale=alt.Scale(type="log", domain=[0.1, 10], clamp=True))
        layers.append(data.mark_area(opacity=0.25, color="#d95f02").encode(x=low, x2="high:Q", y=error))
    for side in (-1, 1):
        line = [{"ratio": math.exp(side * Z_95 * float(se)), "se": float(se)} for se in errors]
        data = alt.Chart(alt.InlineData(values=line))
        layers.append(data.mark_line(strokeDash=[4, 3], color="#555").encode(x=ratio, y=error, order="se:Q"))
    colour = alt.Color("what:N", title=None, scale=alt.Scale(scheme="dark2"))
    marks = alt.Chart(alt.InlineData(values=points)).mark_point(filled=True, size=45, opacity=0.85)
    return alt.layer(*layers, marks.encode(x=ratio, y=error, color=colour)).properties(width=_WIDTH, height=260)


def forest_plot(forests: Sequence[Forest]) -> Any:
    """One panel a question: each site, or each way of asking, with its interval, and below them all together."""
    drawn = [panel for panel in (_panel(each) for each in forests) if panel is not None][:_MAX_PANELS]
    if not drawn:
        return alt.Chart(alt.InlineData(values=[{"t": "No estimate is shown."}])).mark_text().encode(text="t:N")
    return alt.vconcat(*drawn)


def _panel(forest: Forest) -> Any | None:
    rows = [_row(line) for line in forest.lines if line.value is not None]
    if not rows:
        return None
    order = [row["name"] for row in rows]
    values = [number for row in rows for number in (row["value"], row["lower"], row["upper"])]
    base = alt.Chart(alt.InlineData(values=rows), width=_WIDTH, height=alt.Step(20), title=forest.title).encode(
        y=alt.Y("name:N", sort=order, title=None),
        color=alt.Color(
            "what:N", title=None, scale=alt.Scale(domain=["one", "together"], range=["#444", "#1b6ca8"]), legend=None
        ),
    )
    scale = alt.Scale(type="log", domain=[0.9 * min(values), 1.1 * max(values)], nice=False)
    title = forest.measure.replace("_", " ").replace("incidence 100000 pys", "events per 100 000 person-years")
    spans = base.mark_rule().encode(x=alt.X("lower:Q", scale=scale, title=title), x2="upper:Q")
    marks = base.mark_point(filled=True, size=60, opacity=1).encode(
        x="value:Q", shape=alt.Shape("what:N", scale=alt.Scale(range=["square", "diamond"]), legend=None)
    )
    return spans + marks


def _row(line: Line) -> dict[str, Any]:
    value = line.value or 0.0
    alone = line.method == SITE
    return {
        "name": line.site if alone else line.method,
        "what": "one" if alone else "together",
        "value": value,
        # An end that does not exist is drawn as far as the figure goes.
        "lower": value / _FAR if line.lower is None else max(line.lower, value / _FAR),
        "upper": value * _FAR if line.upper is None else min(line.upper, value * _FAR),
    }
