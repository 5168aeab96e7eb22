"""Incidence and prevalence: over time, and overall."""

from __future__ import annotations

from functools import partial
from typing import Any

import altair as alt

from enclos.contracts.result import OVERALL
from enclos.studies.figures.model import Figure, Kind, Point, Rows, Say
from enclos.studies.figures.style import colour, heading, is_narrow, names, shape, step

_ESTIMATES = {
    "incidence": ("incidence_100000_pys", "events per 100 000 person-years", "Incidence of {outcome}", "~s"),
    "incidence_standardised": (
        "standardised_100000_pys",
        "age-standardised events per 100 000 person-years",
        "Age-standardised incidence of {outcome}",
        "~s",
    ),
    "prevalence": ("prevalence", "share of the persons", "Prevalence of {outcome}", "~%"),
    "prevalence_of_records": ("prevalence", "share of the stays", "Prevalence among stays of {outcome}", "~%"),
}
_AGE = "denominator_age_group"
_OURS = {"denominator_sex", _AGE}
_NAMES = {"denominator_days_prior_observation": "{n} days of prior observation"}
_BEYOND = 2.5
"""An interval is cut where it goes so far beyond the largest estimate."""
_FEW = 4
"""So many populations are told apart in one panel."""
_MANY_AGES = 6
"""Rates of more age groups are drawn by age, over all of time: most years of most groups have hardly an event."""


def rate_figures(kind: Kind, say: Say) -> list[Figure]:
    """One picture per outcome and kind of interval, populations told apart; another for the whole of time."""
    where: dict[tuple[str, str, str], list[Point]] = {}
    for point in kind.points:
        interval = point.additional.get("analysis_interval", OVERALL)
        where.setdefault((point.group["outcome_cohort_name"], interval, point.stratification), []).append(point)
    dated = {key: some for key, some in where.items() if key[1] != OVERALL}
    whole = {key: some for key, some in where.items() if key[1] == OVERALL}
    ages = {each.values.get(_AGE, "") for each in kind.settings}
    if len(ages) > _MANY_AGES and whole:
        return [_by_age(kind, outcome, by, some, say) for (outcome, _, by), some in whole.items()]
    figures = [_over_time(kind, *key, some, say) for key, some in dated.items()]
    together = [point for some in whole.values() for point in some]
    return [*figures, *([_overall(kind, together, say)] if together else [])]


def population(kind: Kind, point: Point, say: Say, *, without_age: bool = False) -> str:
    """Who an estimate is about: what tells its population apart from the others."""
    levels = ", ".join(say(level) for level in point.strata.values())
    return ", ".join(each for each in (denominator(kind, point, say, without_age=without_age), levels) if each)


def denominator(kind: Kind, point: Point, say: Say, *, without_age: bool = False) -> str:
    """What tells the denominator of an estimate apart from the others, whatever its stratum."""
    values = kind.by_id[point.result_id]
    telling = [name for name in kind.varying() if not (without_age and name == _AGE)]
    telling.sort(key=lambda name: (name != "denominator_sex", name))
    said = (_in_words(name, values.get(name, ""), say) for name in telling)
    return ", ".join(each for each in said if each)


def _in_words(name: str, value: str, say: Say) -> str:
    """A setting of a denominator; the names of cohorts are the study's own."""
    if name in _NAMES:
        return say(_NAMES[name], n=value)
    return say(value) if name in _OURS else value


def _row(kind: Kind, point: Point) -> dict[str, Any]:
    name = _ESTIMATES[kind.result_type][0]
    start = next(text for key, text in point.additional.items() if key.endswith("_start_date"))
    return {
        "start": start,
        "value": point.number(name),
        "lower": point.number(f"{name}_95CI_lower"),
        "upper": point.number(f"{name}_95CI_upper"),
    }


def _over_time(kind: Kind, outcome: str, interval: str, by: str, points: list[Point], say: Say) -> Figure:
    _, unit, title, form = _ESTIMATES[kind.result_type]
    by_age = _AGE in kind.varying() and len(kind.settings) > _FEW
    rows = [
        {
            **_row(kind, point),
            "who": population(kind, point, say, without_age=by_age),
            "panel": kind.by_id[point.result_id][_AGE] if by_age else "",
        }
        for point in points
    ]
    labels = list(dict.fromkeys(row["who"] for row in rows))
    panels = {
        panel: [row for row in rows if row["panel"] == panel] for panel in dict.fromkeys(r["panel"] for r in rows)
    }
    empty = [panel for panel, own in panels.items() if not any(row["value"] for row in own)]
    if len(empty) < len(panels):  # where nothing happened there is nothing to see but the width of an interval
        panels = {panel: own for panel, own in panels.items() if panel not in empty}
    else:
        empty = []
    tops = [_top(some) for some in panels.values()]

    def chart(width: int) -> Any:
        columns = 1 if is_narrow(width) or len(panels) == 1 else 2
        cell = (width - 75 * columns) // columns
        drawn = []
        for at, (panel, (top, _)) in enumerate(zip(panels, tops, strict=True)):
            x = alt.X("start:T", title=say("start of the interval"), axis=alt.Axis(tickCount=4 if cell < 300 else 8))
            axis, scale = alt.Axis(format=form, tickCount=5), alt.Scale(domain=[0, top])
            y = alt.Y("value:Q", title=say(unit), scale=scale, axis=axis)
            base = alt.Chart(alt.NamedData(f"rates_{at}")).encode(x=x, color=colour(labels, width))
            band = base.mark_area(opacity=0.16, clip=True, invalid="break-paths-show-domains").encode(
                y=alt.Y("lower:Q", title=say(unit), scale=scale, axis=axis), y2="upper:Q"
            )
            line = base.mark_line(strokeWidth=1.6, clip=True, invalid="break-paths-show-domains").encode(y=y)
            dots = base.mark_point(filled=True, size=26, opacity=1, clip=True).encode(y=y, shape=shape(labels, width))
            own = alt.layer(band, line, dots).properties(width=cell, height=210 if panel else 230)
            drawn.append(own.properties(title=heading(say("{ages} years of age", ages=say(panel)))) if panel else own)
        return drawn[0] if len(drawn) == 1 else alt.concat(*drawn, columns=columns, spacing=16)

    drawn = sum(value is not None for value in (row["value"] for row in rows))
    said = say(
        "{n} estimates with their 95 % intervals as bands; {hidden} are withheld or cannot be estimated.",
        n=drawn,
        hidden=len(rows) - drawn,
    )
    if empty:
        said += " " + say("Not drawn, since no event is shown of them: {ages}.", ages=", ".join(map(say, empty)))
    if any(top < reached for top, reached in tops):
        said += " " + say("Bands are cut where they go far beyond the estimates.")
    name = f"{say(title, outcome=outcome)}, {say('by ' + interval)}"
    if by:
        name += f", {say('by ' + by.replace('_', ' '))}"
    data = {f"rates_{at}": some for at, some in enumerate(panels.values())}
    return Figure(name, said, data, chart)


def _by_age(kind: Kind, outcome: str, by: str, points: list[Point], say: Say) -> Figure:
    """The rates of many age groups over all of time as curves over age."""
    _, unit, title, form = _ESTIMATES[kind.result_type]
    rows = [
        {
            **_row(kind, point),
            "who": population(kind, point, say, without_age=True) or say("everybody"),
            "age": kind.by_id[point.result_id][_AGE].replace(" to ", "–"),
        }
        for point in points
    ]
    said = say("Rates by age over all of time, with 95 % intervals; those of each interval are in the table.")
    top, reached = _top(rows)
    if top < reached:
        said += " " + say("Bands are cut where they go far beyond the estimates.")
    name = f"{say(title, outcome=outcome)}, {say('by age')}"
    if by:
        name += f", {say('by ' + by.replace('_', ' '))}"
    return Figure(name, said, {"ages": rows}, partial(_ages, rows, top, (say(unit), form, say("age"))))


def _ages(rows: Rows, top: float, words: tuple[str, str, str], width: int) -> Any:
    labels = list(dict.fromkeys(str(row["who"]) for row in rows))
    ages = sorted({str(row["age"]) for row in rows}, key=lambda age: int(age.partition("–")[0]))
    x = alt.X("age:O", title=words[2], sort=ages, axis=alt.Axis(labelAngle=-60, labelOverlap=is_narrow(width)))
    scale, axis = alt.Scale(domain=[0, top]), alt.Axis(format=words[1], tickCount=5)
    y = alt.Y("value:Q", title=words[0], scale=scale, axis=axis)
    base = alt.Chart(alt.NamedData("ages"), width=width - 80, height=250).encode(x=x, color=colour(labels, width))
    band = base.mark_area(opacity=0.16, clip=True, invalid="break-paths-show-domains").encode(
        y=alt.Y("lower:Q", title=words[0], scale=scale, axis=axis), y2="upper:Q"
    )
    line = base.mark_line(strokeWidth=1.6, clip=True, invalid="break-paths-show-domains").encode(y=y)
    dots = base.mark_point(filled=True, size=30, opacity=1, clip=True).encode(y=y, shape=shape(labels, width))
    return alt.layer(band, line, dots)


def _top(rows: Rows) -> tuple[float, float]:
    """Where the axis ends, and how far the intervals reach."""
    shown = [row["value"] for row in rows if row["value"] is not None]
    reached = max((row["upper"] for row in rows if row["upper"] is not None), default=1.0)
    return (min(reached, _BEYOND * max(shown, default=reached)) or reached or 1.0), reached


def _overall(kind: Kind, points: list[Point], say: Say) -> Figure:
    _, unit, title, form = _ESTIMATES[kind.result_type]
    rows = []
    for point in points:
        who = population(kind, point, say)
        outcome = point.group["outcome_cohort_name"]
        rows.append({**_row(kind, point), "outcome": outcome, "who": f"{outcome}, {who}" if who else outcome})
    outcomes = list(dict.fromkeys(row["outcome"] for row in rows))
    said = say("Point: estimate; line: 95 % interval.")
    name = f"{say(title, outcome=', '.join(outcomes))}, {say('overall')}"
    return Figure(name, said, {"rates": rows}, partial(_dots, rows, outcomes, (say(unit), form)))


def _dots(rows: Rows, outcomes: list[str], unit: tuple[str, str], width: int) -> Any:
    room = 120 if is_narrow(width) else 260
    x = alt.X("lower:Q", title=unit[0], axis=alt.Axis(format=unit[1], tickCount=4))
    base = alt.Chart(
        alt.NamedData("rates"), width=width - room - 20, height=step([row["who"] for row in rows], room, 26)
    ).encode(y=names("who", [row["who"] for row in rows], room), color=colour(outcomes, width, "outcome"))
    line = base.mark_rule(strokeWidth=2).encode(x=x, x2="upper:Q")
    return alt.layer(line, base.mark_point(filled=True, size=60, opacity=1).encode(x="value:Q"))
