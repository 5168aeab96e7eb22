"""Phenotype diagnostics in pictures: the most frequent codes of a cohort, and when its entries begin."""

from __future__ import annotations

from functools import partial
from typing import Any

import altair as alt

from enclos.studies.figures.model import Figure, Kind, Point, Rows, Say
from enclos.studies.figures.style import COLOURS, INK, colour, is_narrow, names, shape, step

_MOST_CODES = 12
_MOST_FIGURES = 4
"""So many lists of codes are drawn; the others are in the table."""
_TITLES = {
    "": "Codes of {cohort} in all the data",
    "entry": "Codes of {cohort} on the day of an entry",
    "any": "Codes of {cohort} at any time, of its persons",
    "orphan": "Related codes that {cohort} does not have, in all the data",
}


def code_figures(kind: Kind, say: Say) -> list[Figure]:
    """The most frequent concepts of each cohort by persons, one picture a cohort and time looked at."""
    found: dict[tuple[str, str], list[Point]] = {}
    for point in kind.points:
        if point.level and not point.strata:
            told = "orphan" if kind.result_type == "orphan_code_use" else ""
            timing = kind.by_id[point.result_id].get("timing", told)
            found.setdefault((timing, point.group["codelist_name"]), []).append(point)
    figures = []
    for (timing, cohort), points in list(found.items())[:_MOST_FIGURES]:
        ranked = sorted(points, key=lambda point: -(point.number("person_count") or 0))[:_MOST_CODES]
        rows = [
            {"what": f"{point.variable} ({point.level})", "n": point.number("person_count")}
            for point in ranked
            if point.number("person_count") is not None
        ]
        if not rows:
            continue
        title = say(_TITLES.get(timing, _TITLES["any"]), cohort=cohort)
        said = say(
            "Persons with a record of each concept, the {n} most frequent of {all}.", n=len(rows), all=len(points)
        )
        figures.append(Figure(title, said, {"codes": rows}, partial(_bars, rows, say)))
    return figures


def _bars(rows: Rows, say: Say, width: int) -> Any:
    room = 130 if is_narrow(width) else 330
    labels = [str(row["what"]) for row in rows]
    base = alt.Chart(
        alt.NamedData("codes"), width=width - room - 70, height=step(labels, room, 22)
    ).encode(
        x=alt.X("n:Q", title=say("persons"), axis=alt.Axis(tickCount=4, format="~s")), y=names("what", labels, room)
    )  # fmt: skip
    texts = base.mark_text(align="left", dx=4, fontSize=11, color=INK).encode(text=alt.Text("n:Q", format=",d"))
    return alt.layer(base.mark_bar(color=COLOURS[0]), texts)


def trend_figures(kind: Kind, say: Say) -> list[Figure]:
    """Entries that begin in each stretch of time, cohorts told apart; strata in pictures of their own."""
    figures = []
    for by in dict.fromkeys(point.stratification for point in kind.points):
        own = [point for point in kind.points if point.stratification == by and point.variable == "Number of records"]
        rows = [
            {
                "start": point.additional["time_interval"].partition(" to ")[0],
                "who": ", ".join(
                    each for each in (point.group["cohort_name"], *map(say, point.strata.values())) if each
                ),
                "n": point.number("count"),
            }
            for point in own
        ]
        labels = list(dict.fromkeys(str(row["who"]) for row in rows))
        title = say("Entries by calendar time")
        if by:
            title += f", {say('by ' + by.replace('_', ' '))}"
        said = say("Entries that begin in each stretch of time; a gap or a step is a question to the data.")
        figures.append(Figure(title, said, {"trend": rows}, partial(_trend, labels, say)))
    return figures


def _trend(labels: list[str], say: Say, width: int) -> Any:
    base = alt.Chart(alt.NamedData("trend"), width=width - 70, height=230).encode(
        x=alt.X("start:T", title=say("start of the interval"), axis=alt.Axis(tickCount=4 if is_narrow(width) else 8)),
        y=alt.Y("n:Q", title=say("entries"), scale=alt.Scale(zero=True), axis=alt.Axis(format="~s", tickCount=5)),
        color=colour(labels, width),
    )
    line = base.mark_line(strokeWidth=1.6, invalid="break-paths-show-domains")
    dots = base.mark_point(filled=True, size=30, opacity=1).encode(shape=shape(labels, width))
    return alt.layer(line, dots)
