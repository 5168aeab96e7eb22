"""Curves over time since an entry: survival, cumulative incidence, the proportion of patients covered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import altair as alt

from enclos.studies.figures.model import Analysis, Figure, Kind, Point, Rows, Say
from enclos.studies.figures.style import INK, colour, dash, is_narrow, names, step

_NUMBERS = ("estimate", "estimate_95CI_lower", "estimate_95CI_upper")
_DAYS_PER_YEAR = 365.25
_LONG_DAYS = 1461
"""Longer times are told in years."""
_ROOM = {True: 96, False: 150}
"""Pixels for the names beside a table of persons at risk, on a narrow and on a wide screen."""
_MOST_CURVES = 6
"""So many targets are told apart in one picture."""


def survival_figures(analysis: Analysis, say: Say) -> list[Figure]:
    """The curves of each outcome, targets told apart, then those of each target by stratum, over who is at risk."""
    kind = analysis.of("survival_estimates")
    if kind is None:
        return []
    figures: list[Figure] = []
    at_risk = _at_risk(analysis)
    for each in kind.settings:
        points = [point for point in kind.points if point.result_id == each.result_id]
        settings = each.values
        whole = [point for point in points if not point.strata]
        targets = list(dict.fromkeys(point.group["target_cohort"] for point in whole))
        for start in range(0, len(targets), _MOST_CURVES):
            shown = set(targets[start : start + _MOST_CURVES])
            own = [point for point in whole if point.group["target_cohort"] in shown]
            figures.append(_survival(settings, own, at_risk, say))
        for target in targets:
            own = [point for point in points if point.group["target_cohort"] == target]
            for stratification in dict.fromkeys(point.stratification for point in own if point.strata):
                some = [point for point in own if point.stratification == stratification]
                figures.append(_survival(settings, some, at_risk, say, by=stratification))
    return figures


def _at_risk(analysis: Analysis) -> Mapping[tuple[str, str, str, str], list[tuple[int, int | None]]]:
    """By outcome, target, strata and level: each shown day with the entries at risk."""
    kind = analysis.of("survival_events")
    found: dict[tuple[str, str, str, str], list[tuple[int, int | None]]] = {}
    if kind is None:
        return found
    for point in kind.points:
        outcome = kind.by_id[point.result_id]["outcome"]
        if point.level != outcome:
            continue  # who is at risk is the same for a competing outcome
        n = point.number("n_risk_count")
        key = (outcome, point.group["target_cohort"], point.stratification, point.stratum)
        found.setdefault(key, []).append((int(point.additional["time"]), None if n is None else int(n)))
    return found


def _survival(
    settings: Mapping[str, str],
    points: Sequence[Point],
    at_risk: Mapping[tuple[str, str, str, str], list[tuple[int, int | None]]],
    say: Say,
    *,
    by: str = "",
) -> Figure:
    competing = settings["analysis_type"] == "competing_risk"
    outcome = settings["outcome"]
    targets = list(dict.fromkeys(point.group["target_cohort"] for point in points))
    by_curve: dict[tuple[str, str], list[dict[str, Any]]] = {}
    lines: dict[str, list[tuple[int, int | None]]] = {}
    for point in points:
        target = point.group["target_cohort"]
        who = point.stratum if by else target
        lines.setdefault(who, at_risk.get((outcome, target, point.stratification, point.stratum), []))
        value, lower, upper = (point.number(name) for name in _NUMBERS)
        row = {"day": int(point.additional["time"]), "value": value, "lower": lower, "upper": upper}
        by_curve.setdefault((who, point.level), []).append(row)
    rows = [{**row, "who": who, "outcome": level} for (who, level), curve in by_curve.items() for row in stepped(curve)]
    last = max((row["day"] for row in rows), default=0)
    if competing:
        title = say("Cumulative incidence of {outcome} after {target}", outcome=outcome, target=", ".join(targets))
        said = say("Share with each outcome first (Aalen-Johansen), with 95 % intervals; below, entries at risk.")
    else:
        title = say("Time from {target} to {outcome}", outcome=outcome, target=", ".join(targets))
        said = say("Share without the outcome (Kaplan-Meier), with 95 % intervals; below, entries at risk.")
    data = {"curves": _timed(rows, last), "risk": _timed(_table(lines, last), last)}
    what = say("share with the outcome") if competing else say("share without the outcome")
    if by:
        title += f", {say('by ' + by.replace('_', ' '))}"
    whos, outcomes = list(lines), list(dict.fromkeys(row["outcome"] for row in rows))

    def chart(width: int) -> Any:
        room = _ROOM[is_narrow(width)]
        x = _time_axis(last, width, say)
        own = whos if len(whos) > 1 or not competing else outcomes
        base = alt.Chart(alt.NamedData("curves"), width=width - room - 20, height=260).encode(
            x=x, color=colour(own, width, "who" if own is whos else "outcome"), detail="outcome:N"
        )
        axis = alt.Axis(format="~%", tickCount=5, minExtent=room, maxExtent=room, titlePadding=-room + 60)
        scale = alt.Scale(domain=_share_domain(rows))
        band = base.mark_area(interpolate="step-after", opacity=0.15).encode(
            y=alt.Y("lower:Q", title=what, scale=scale, axis=axis), y2="upper:Q"
        )
        line = base.mark_line(interpolate="step-after", strokeWidth=2).encode(
            y=alt.Y("value:Q", title=what, scale=scale, axis=axis)
        )
        if len(outcomes) > 1:
            line = line.encode(strokeDash=dash(outcomes, width, "outcome"))
        elif len(whos) > 1:
            line = line.encode(strokeDash=dash(whos, width))
        risk = (
            alt.Chart(
                alt.NamedData("risk"),
                width=width - room - 20,
                height=step(whos, room - 26, 20),
                title=_small(say("at risk")),
            )
            .mark_text(fontSize=11, color=INK)
            .encode(x=_time_axis(last, width, say, bare=True), y=_beside(whos, room), text=alt.Text("n:Q", format=",d"))
        )
        return alt.vconcat(alt.layer(band, line), risk, spacing=6)

    return Figure(title, said, data, chart)


def _beside(labels: list[str], room: int) -> Any:
    channel = names("who", labels, room - 26)
    # The number of the first day stands on the axis: names keep away from it.
    own = {"minExtent": room, "maxExtent": room, "domain": False, "ticks": False, "labelPadding": 24}
    for name, value in own.items():
        channel["axis"][name] = value
    return channel


def _small(text: str) -> Any:
    return alt.Title(text, anchor="start", fontSize=11, fontWeight="normal", color=INK, offset=2)


def _share_domain(rows: Rows) -> list[float]:
    """From nought to one, or to where the curves end when they stay low."""
    top = max((row["upper"] or row["value"] or 0 for row in rows), default=1.0)
    low = min((row["lower"] if row["lower"] is not None else 0 for row in rows), default=0.0)
    if low >= 0.5:
        return [round(low - 0.05, 1) if low > 0.55 else 0.5, 1.0]
    return [0.0, 1.0 if top > 0.5 else round(top * 1.1 + 0.005, 2)]


def _time_axis(last: int, width: int, say: Say, *, bare: bool = False) -> Any:
    years = last > _LONG_DAYS
    title = say("years since entry") if years else say("days since entry")
    end = last / _DAYS_PER_YEAR if years else float(last)
    axis = None if bare else alt.Axis(title=title, tickCount=4 if is_narrow(width) else 8, grid=False)
    return alt.X("time:Q", title=title, scale=alt.Scale(domain=[0, end or 1.0], nice=False), axis=axis)


def _timed(rows: Rows, last: int) -> list[dict[str, Any]]:
    """The rows with their time as the axis has it."""
    unit = _DAYS_PER_YEAR if last > _LONG_DAYS else 1.0
    return [{**row, "time": round(row["day"] / unit, 6)} for row in rows]


def stepped(curve: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The first and the last row of a curve, and those between that say something new."""
    ordered = sorted(curve, key=lambda row: row["day"])
    told = ("value", "lower", "upper")
    kept = [after for before, after in pairwise(ordered) if any(before[name] != after[name] for name in told)]
    return [*ordered[:1], *kept, *(ordered[-1:] if len(ordered) > 1 and ordered[-1] not in kept else ())]


def _table(lines: Mapping[str, Sequence[tuple[int, int | None]]], last: int) -> list[dict[str, Any]]:
    """Who is at risk on at most six of the shown days, the same for each line; a withheld number is left out."""
    days = sorted({day for line in lines.values() for day, _ in line if day <= last})
    step = -(-len(days) // 6) if days else 1
    shown = set(days[::step])
    return [
        {"day": day, "n": n, "who": who}
        for who, line in lines.items()
        for day, n in line
        if day in shown and n is not None
    ]


def arm_curves(points: Sequence[Point], title: str, say: Say) -> Figure:
    """The share of a target and of a comparator without the outcome."""
    by_arm: dict[str, list[dict[str, Any]]] = {}
    for point in points:
        value, lower, upper = (point.number(name) for name in _NUMBERS)
        row = {"day": int(point.additional["time"]), "value": value, "lower": lower, "upper": upper}
        by_arm.setdefault(point.group[f"{point.variable.lower()}_cohort_name"], []).append(row)
    rows: list[dict[str, Any]] = [{**row, "who": who} for who, curve in by_arm.items() for row in stepped(curve)]
    last = max((row["day"] for row in rows), default=0)
    said = say("Share without the outcome (Kaplan-Meier), with 95 % intervals.")
    chart = partial(_arms, list(by_arm), _share_domain(rows), last, say)
    return Figure(title, said, {"curves": _timed(rows, last)}, chart)


def _arms(labels: list[str], domain: list[float], last: int, say: Say, width: int) -> Any:
    scale, axis = alt.Scale(domain=domain), alt.Axis(format="~%", tickCount=5)
    title = say("share without the outcome")
    base = alt.Chart(alt.NamedData("curves"), width=width - 70, height=260).encode(
        x=_time_axis(last, width, say), color=colour(labels, width)
    )
    band = base.mark_area(interpolate="step-after", opacity=0.15, clip=True).encode(
        y=alt.Y("lower:Q", title=title, scale=scale, axis=axis), y2="upper:Q"
    )
    line = base.mark_line(interpolate="step-after", strokeWidth=2, clip=True).encode(
        y=alt.Y("value:Q", title=title, scale=scale, axis=axis), strokeDash=dash(labels, width)
    )
    return alt.layer(band, line)


def covered_figures(kind: Kind, say: Say) -> list[Figure]:
    """The proportion of patients covered on each day after the first entry, cohorts or strata told apart."""
    figures = []
    groups: dict[tuple[str, str], list[Point]] = {}
    for point in kind.points:
        cohort = point.group["cohort_name"] if point.strata else ""
        groups.setdefault((cohort, point.stratification), []).append(point)
    for (cohort, by), points in groups.items():
        rows = [
            {
                "day": int(point.additional["time"]),
                "who": point.stratum or point.group["cohort_name"],
                "value": point.number("ppc"),
                "lower": point.number("ppc_lower"),
                "upper": point.number("ppc_upper"),
            }
            for point in points
        ]
        labels = list(dict.fromkeys(str(row["who"]) for row in rows))
        title = say("Patients covered on each day")
        if by:
            title += f": {cohort}, {say('by ' + by.replace('_', ' '))}"
        said = say("Share of the persons still observed who are in the cohort, with 95 % intervals.")
        figures.append(Figure(title, said, {"covered": rows}, partial(_covered, labels, say)))
    return figures


def _covered(labels: list[str], say: Say, width: int) -> Any:
    scale = alt.Scale(domain=[0, 100])
    base = alt.Chart(alt.NamedData("covered"), width=width - 70, height=230).encode(
        x=alt.X("day:Q", title=say("days since entry"), axis=alt.Axis(tickCount=4 if is_narrow(width) else 8)),
        color=colour(labels, width),
    )
    title = say("patients covered (%)")
    band = base.mark_area(opacity=0.16).encode(y=alt.Y("lower:Q", scale=scale, title=title), y2="upper:Q")
    line = base.mark_line(strokeWidth=2).encode(y=alt.Y("value:Q", scale=scale, title=title))
    return alt.layer(band, line.encode(strokeDash=dash(labels, width)) if len(labels) > 1 else line)
