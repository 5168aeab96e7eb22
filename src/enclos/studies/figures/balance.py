"""What stands behind a comparison in pictures: controls, balance, the score's distribution, curves."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import altair as alt

from enclos.studies.figures.curves import arm_curves
from enclos.studies.figures.model import Figure, Kind, Point, Rows, Say
from enclos.studies.figures.ratios import ratio_name
from enclos.studies.figures.style import COLOURS, LINE, QUIET, colour, is_narrow, shape

_OUTCOME = "outcome_cohort_name"
_LARGE = 0.1
"""A standardised difference beyond it is said to matter. Source: Austin 2009, Stat. Med. 28:3083."""
_Z_95 = 1.959963984540054
_N_ERRORS = 60
_WIDEST = 10.0
"""Estimates are drawn from a tenth to ten."""
_EQUIPOISE = (0.3, 0.7)


def controls_figure(
    who: str,
    negatives: Sequence[Point],
    positives: Sequence[Point],
    asked: Sequence[Point],
    error: Point | None,
    say: Say,
) -> Iterator[Figure]:
    """Estimates against standard errors: below the line is significant, outside of the area once calibrated too.

    In: who — what the controls are of, where there are several such; asked — places of the estimates of interest
    Source: Schuemie et al. 2014, Stat. Med. 33:209, figure 1
    """
    control, made, interest = say("negative control"), say("positive control"), say("outcome")
    rows = [
        *(_place(point, control) for point in negatives),
        *(_place(point, made) for point in positives),
        *(_place(point, interest) for point in asked),
    ]
    drawn = [row for row in rows if row is not None]
    if not drawn:
        return
    tallest = 1.15 * max(0.3, *(float(row["value"]) for row in drawn))
    heights = [tallest * at / (_N_ERRORS - 1) for at in range(_N_ERRORS)]
    lines = [
        {"side": side, "ratio": _within(math.exp(side * _Z_95 * height)), "se": height}
        for side in (-1, 1)
        for height in heights
    ]
    area: list[dict[str, float]] = []
    if error is not None:
        mean, sd = error.number("mean") or 0.0, error.number("sd") or 0.0
        for height in heights:
            reach = _Z_95 * math.hypot(sd, height)
            area.append({"se": height, "low": _within(math.exp(mean - reach)), "high": _within(math.exp(mean + reach))})
    said = say(
        "{n} negative controls. Below the dashed lines an estimate is significant; outside of the area it still is "
        "once calibrated.",
        n=sum(row["kind"] == control for row in drawn),
    )
    data: dict[str, Rows] = {"controls": drawn, "lines": lines, "area": area}
    chart = partial(
        _controls,
        list(dict.fromkeys(str(row["kind"]) for row in drawn)),
        tallest,
        say(ratio_name(negatives).replace("_", " ")),
        say,
    )
    title = say("Negative controls and systematic error") + (f": {who}" if who else "")
    yield Figure(title, said, data, chart)


def _place(point: Point, kind: str) -> dict[str, Any] | None:
    value, error = point.number(ratio_name((point,))), point.number("standard_error")
    if not value or not error:
        return None
    return {"name": point.group[_OUTCOME], "kind": kind, "ratio": _within(value), "value": error}


def _within(ratio: float) -> float:
    return min(max(ratio, 1 / _WIDEST), _WIDEST)


def _controls(kinds: list[str], tallest: float, measure: str, say: Say, width: int) -> Any:
    scale = alt.Scale(type="log", domain=[1 / _WIDEST, _WIDEST])
    axis = alt.Axis(values=[0.1, 0.25, 0.5, 1, 2, 4, 10], format="~g")
    x = alt.X("ratio:Q", title=measure, scale=scale, axis=axis)
    title = say("standard error of its logarithm")
    y_scale = alt.Scale(domain=[0, tallest], nice=False)
    size: dict[str, Any] = {"width": width - 70, "height": 280}
    area = alt.Chart(alt.NamedData("area"), **size).mark_area(orient="horizontal", opacity=0.22, color=COLOURS[1])
    y = alt.Y("se:Q", title=title, scale=y_scale)
    area = area.encode(x=alt.X("low:Q", title=measure, scale=scale, axis=axis), x2="high:Q", y=y)
    lines = alt.Chart(alt.NamedData("lines"), **size).mark_line(strokeDash=[4, 3], color=QUIET)
    lines = lines.encode(x=x, y=y, detail="side:N", order="se:Q")
    dots = alt.Chart(alt.NamedData("controls"), **size).mark_point(filled=True, size=70, opacity=0.9)
    dots = dots.encode(
        x=x,
        y=alt.Y("value:Q", title=title, scale=y_scale),
        color=colour(kinds, width, "kind"),
        shape=shape(kinds, width, "kind"),
    )
    return alt.layer(area, lines, dots)


def balance_figure(kind: Kind, say: Say) -> Iterator[Figure]:
    """Each covariate's standardised difference after adjustment against that before."""
    for outcome in dict.fromkeys(point.group[_OUTCOME] for point in kind.points):
        found: dict[str, dict[str, float]] = {}
        for point in kind.points:
            smd = point.number("smd")
            if point.group[_OUTCOME] == outcome and smd is not None:
                found.setdefault(point.additional["covariate_id"], {})[point.strata["adjustment"]] = abs(smd)
        pairs = [both for both in found.values() if len(both) == 2]
        if not pairs:
            continue
        # Points that would lie on one another are drawn once: thousands of covariates stay a small picture.
        places = sorted({(round(both["Crude"], 3), round(both["Adjusted"], 3)) for both in pairs})
        rows = [{"before": before, "smd": after} for before, after in places]
        said = say(
            "{n} covariates; before adjustment {before} differ by more than 0.1, after it {after}; largest before "
            "{most_before}, after {most_after}. Below the diagonal a covariate is better balanced than before.",
            n=len(pairs),
            before=sum(both["Crude"] > _LARGE for both in pairs),
            after=sum(both["Adjusted"] > _LARGE for both in pairs),
            most_before=_two(max(both["Crude"] for both in pairs), say),
            most_after=_two(max(both["Adjusted"] for both in pairs), say),
        )
        top = max(0.2, *(max(both.values()) for both in pairs)) * 1.05
        data: dict[str, Rows] = {
            "covariates": rows,
            "diagonal": [{"before": 0, "smd": 0}, {"before": top, "smd": top}],
            "limits": [{"smd": _LARGE}],
        }
        title = say("Balance before and after adjustment: {outcome}", outcome=outcome)
        yield Figure(title, said, data, partial(_balance, top, say))


def _two(value: float, say: Say) -> str:
    return f"{value:.2f}".replace(".", say("."))


def _balance(top: float, say: Say, width: int) -> Any:
    scale = alt.Scale(domain=[0, top], nice=False)
    side = min(width - 70, 420)
    size: dict[str, Any] = {"width": side, "height": side}
    x = alt.X("before:Q", title=say("difference before"), scale=scale, axis=alt.Axis(tickCount=5))
    y = alt.Y("smd:Q", title=say("difference after"), scale=scale, axis=alt.Axis(tickCount=5))
    dots = alt.Chart(alt.NamedData("covariates"), **size).mark_point(filled=True, size=22, opacity=0.5)
    same = alt.Chart(alt.NamedData("diagonal"), **size).mark_line(color=LINE).encode(x=x, y=y)
    rule = alt.Chart(alt.NamedData("limits"), **size).mark_rule(color=QUIET, strokeDash=[4, 3])
    across = alt.Chart(alt.NamedData("limits"), **size).mark_rule(color=QUIET, strokeDash=[4, 3])
    limits = [rule.encode(y=y), across.encode(x=alt.X("smd:Q", title=say("difference before"), scale=scale))]
    return alt.layer(same, *limits, dots.encode(x=x, y=y, color=alt.value(COLOURS[0])))


def score_figure(kind: Kind, say: Say) -> Iterator[Figure]:
    """The distribution of the preference score in both cohorts."""
    counts: dict[str, list[tuple[float, float, float | None]]] = {}
    for point in kind.points:
        if point.variable in {"Target", "Comparator"} and "count" in point.estimates:
            low, _, high = point.level.removeprefix("preference score ").partition(" to ")
            name = point.group[f"{point.variable.lower()}_cohort_name"]
            counts.setdefault(name, []).append((float(low), float(high), point.number("count")))
    totals = {name: sum(n or 0 for _, _, n in bins) for name, bins in counts.items()}
    rows = [
        {"who": name, "low": low, "high": high, "n": n, "base": 0, "share": 100 * n / totals[name]}
        for name, bins in counts.items()
        for low, high, n in bins
        if n is not None and totals[name]
    ]
    if not rows:
        return
    both = next((point for point in kind.points if point.number("equipoise") is not None), None)
    said = say("Share of each cohort by preference score; between the dashed lines either treatment is likely.")
    if both is not None:
        share = shown_share(both.number("equipoise") or 0.0, say)
        said += " " + say("{share} of the entries lie there.", share=share)
    limits = [{"at": at} for at in _EQUIPOISE]
    chart = partial(_preference, list(counts), say)
    yield Figure(say("Distribution of the preference score"), said, {"bins": rows, "limits": limits}, chart)


def shown_share(share: float, say: Say) -> str:
    """A share as per cent with one decimal."""
    return f"{100 * share:.1f}".replace(".", say(".")) + " %"


def _preference(labels: list[str], say: Say, width: int) -> Any:
    axis = alt.Axis(tickCount=5 if is_narrow(width) else 10)
    scale = alt.Scale(domain=[0, 1])
    base = alt.Chart(alt.NamedData("bins"), width=width - 70, height=240)
    bars = base.mark_rect(opacity=0.45).encode(
        x=alt.X("low:Q", title=say("preference score"), scale=scale, axis=axis),
        x2="high:Q",
        y=alt.Y("share:Q", title=say("entries (%)"), stack=None),
        y2="base:Q",
        color=colour(labels, width),
    )
    rules = alt.Chart(alt.NamedData("limits")).mark_rule(color=QUIET, strokeDash=[4, 3])
    return alt.layer(bars, rules.encode(x=alt.X("at:Q", title=say("preference score"), scale=scale)))


def curves_figure(kind: Kind, say: Say) -> Iterator[Figure]:
    """The share of each cohort without the outcome, after adjustment."""
    for outcome in dict.fromkeys(point.group[_OUTCOME] for point in kind.points):
        own = [point for point in kind.points if point.group[_OUTCOME] == outcome]
        title = say("Time to {outcome}, after adjustment", outcome=outcome)
        yield arm_curves(own, title, say)
