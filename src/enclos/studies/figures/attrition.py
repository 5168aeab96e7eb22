"""Who was left out and why, as a column of boxes."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import altair as alt

from enclos.studies.figures.model import Figure, Kind, Say
from enclos.studies.figures.rates import denominator
from enclos.studies.figures.style import COLOURS, INK, QUIET, is_narrow
from enclos.studies.figures.ways import beside, way_of

_MOST_FIGURES = 2
"""Where there are more columns of boxes than that, they are in the table alone."""
_COUNTS = ("number_records", "number_subjects", "excluded_records", "excluded_subjects")


def chains_of(kind: Kind, say: Say) -> dict[str, list[dict[str, Any]]]:
    """By whom it is about, each reason in its order with what it leaves and takes; None is withheld or not there."""
    chains: dict[tuple[int, str, str], dict[int, dict[str, Any]]] = {}
    titles: dict[tuple[int, str, str], str] = {}
    for point in kind.points:
        key = (point.result_id, " – ".join(point.group.values()), point.level)
        reason_id = int(point.additional["reason_id"])
        step = chains.setdefault(key, {}).setdefault(reason_id, {"reason": point.strata["reason"]})
        step[point.variable] = point.number("count")
        step[f"{point.variable}_text"] = point.estimates.get("count")
        group = point.group.get("outcome_cohort_name") or " – ".join(point.group.values())
        who = denominator(kind, point, say) if "denominator_cohort_name" in point.group else ""
        outcome = kind.by_id[point.result_id].get("outcome", "")
        title = ", ".join(dict.fromkeys(each for each in (group, outcome, who, point.level) if each))
        titles[key] = beside(title, way_of(kind, point))
    found: dict[str, list[dict[str, Any]]] = {}
    for key, steps in chains.items():
        title = titles[key]
        while title in found:
            title += "\u2032"
        found[title] = [steps[reason_id] for reason_id in sorted(steps)]
    return found


def attrition_figures(kind: Kind, say: Say) -> list[Figure]:
    """One column of boxes for each of the first two chains: what is left, and beside it what each reason takes."""
    figures = []
    for title, steps in list(chains_of(kind, say).items())[:_MOST_FIGURES]:
        rows = [
            {
                "step": at,
                "reason": say(str(step["reason"])),
                "left": _counted(step, ("number_records", "number_subjects"), say),
                "taken": _taken(step, say) if at else "",
                **{name: step.get(name) for name in _COUNTS},
            }
            for at, step in enumerate(steps)
        ]
        figures.append(flow_figure(say("Attrition: {who}", who=title), rows, say))
    return figures


def flow_figure(title: str, rows: Sequence[Mapping[str, Any]], say: Say) -> Figure:
    """A column of boxes. In: rows — reason, left and taken in words, and the counts that they say."""
    said = say("From top to bottom each reason and what it leaves; on the right what it takes.")
    return Figure(title, said, {"steps": rows}, partial(_flow, rows))


def number(value: float | None) -> str:
    """A count as people read it."""
    return "–" if value is None else f"{value:,.0f}".replace(",", "\u202f")


def _counted(step: Mapping[str, Any], names: tuple[str, str], say: Say) -> str:
    records, persons = (number(step.get(name)) for name in names)
    return say("{records} records, {persons} persons", records=records, persons=persons)


def _taken(step: Mapping[str, Any], say: Say) -> str:
    records, persons = (number(step.get(name)) for name in ("excluded_records", "excluded_subjects"))
    if step.get("excluded_records") is None and step.get("excluded_subjects") is None:
        return ""
    return say("left out: {records} records, {persons} persons", records=records, persons=persons)


def _flow(rows: Sequence[Mapping[str, Any]], width: int) -> Any:
    """Boxes at places that are computed here: text says its lines itself."""
    breadth = int(width * (0.62 if is_narrow(width) else 0.56))
    n_letters, beside = int(breadth / 6.6), int((width - breadth) / 6.2)
    boxes: list[dict[str, Any]] = []
    top = 0.0
    for row in rows:
        lines = [*textwrap.wrap(str(row["reason"]), n_letters), *textwrap.wrap(str(row["left"]), n_letters)]
        height = 15 * len(lines) + 12
        taken = textwrap.wrap(str(row["taken"]), beside)
        boxes.append(
            {
                "left": 0,
                "right": breadth,
                "top": top,
                "bottom": top + height,
                "middle": breadth / 2,
                "first_line": top + 6 + 7.5,
                "text": "\n".join(lines),
                "taken_line": top + height / 2 - 7 * (len(taken) - 1),
                "taken": "\n".join(taken),
                "beside": breadth + 8,
                "arrow_from": top - 16,
                "is_first": top == 0,
            }
        )
        top += height + 16
    base = alt.Chart(alt.InlineData(values=boxes), width=width - 10, height=max(top - 16, 20))
    x_scale = alt.Scale(domain=[0, width - 10], nice=False)
    y_scale = alt.Scale(domain=[0, max(top - 16, 20)], reverse=True, nice=False)

    def x(name: str) -> Any:
        return alt.X(f"{name}:Q", axis=None, scale=x_scale)

    def y(name: str) -> Any:
        return alt.Y(f"{name}:Q", axis=None, scale=y_scale)

    arrows = (
        base.mark_rule(color=QUIET, strokeWidth=1.5)
        .encode(x=x("middle"), y=y("arrow_from"), y2="top:Q")
        .transform_filter("!datum.is_first")
    )
    heads = (
        base.mark_point(shape="triangle-down", filled=True, size=40, color=QUIET, opacity=1, yOffset=-3)
        .encode(x=x("middle"), y=y("top"))
        .transform_filter("!datum.is_first")
    )
    frames = base.mark_rect(fill="#eef3f6", stroke=COLOURS[0], strokeWidth=1, cornerRadius=3).encode(
        x=x("left"), x2="right:Q", y=y("top"), y2="bottom:Q"
    )
    said = base.mark_text(lineBreak="\n", baseline="middle", fontSize=12, color=INK, lineHeight=15).encode(
        x=x("middle"), y=y("first_line"), text="text:N"
    )
    taken = base.mark_text(
        lineBreak="\n", baseline="middle", align="left", fontSize=11, color=QUIET, lineHeight=14
    ).encode(x=x("beside"), y=y("taken_line"), text="taken:N")
    return alt.layer(arrows, heads, frames, said, taken)
