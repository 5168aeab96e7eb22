"""Cohorts beside each other: standardised differences, large-scale characteristics."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import combinations
from typing import Any

import altair as alt

from enclos.studies.figures.model import Figure, Kind, Rows, Say
from enclos.studies.figures.style import COLOURS, LINE, QUIET, colour, heading, is_narrow, names, shape, step

_LARGE = 0.1
"""A standardised difference beyond it is said to matter. Source: Austin 2009, Stat. Med. 28:3083."""
_MOST_NAMES = 30
_MOST_CONCEPTS = 12


def difference_figures(kind: Kind, say: Say) -> list[Figure]:
    """Each characteristic's standardised mean difference between cohorts, the largest first."""
    rows: list[dict[str, Any]] = [
        {
            "what": point.variable.replace("_", " ") + (f": {point.level}" if point.level else ""),
            "pair": " – ".join(point.group.values()),
            "smd": point.number("smd"),
        }
        for point in kind.points
        if not point.strata and "concept_id" not in point.additional and point.number("smd") is not None
    ]
    if not rows:
        return []
    largest: dict[str, float] = {}
    for row in rows:
        what = str(row["what"])
        largest[what] = max(largest.get(what, 0.0), abs(float(row["smd"] or 0)))
    order = sorted(largest, key=lambda what: -largest[what])[:_MOST_NAMES]
    rows = [row for row in rows if row["what"] in order]
    pairs = list(dict.fromkeys(str(row["pair"]) for row in rows))

    def chart(width: int) -> Any:
        room = 110 if is_narrow(width) else 240
        base = alt.Chart(alt.NamedData("differences"), width=width - room - 20, height=step(order, room))
        limits = alt.Chart(alt.NamedData("limits")).mark_rule(color=QUIET, strokeDash=[4, 3]).encode(x=alt.X("limit:Q"))
        dots = base.mark_point(filled=True, size=60, opacity=1).encode(
            x=alt.X("smd:Q", title=say("standardised mean difference"), axis=alt.Axis(tickCount=5)),
            y=names("what", order, room),
            color=colour(pairs, width, "pair"),
            shape=shape(pairs, width, "pair"),
        )
        return alt.layer(limits, dots)

    said = say("Dashed lines at -0.1 and 0.1: beyond them a difference is said to matter.")
    data: dict[str, Rows] = {"differences": rows, "limits": [{"limit": -_LARGE}, {"limit": _LARGE}]}
    return [Figure(say("Standardised differences between cohorts"), said, data, chart)]


def large_scale_figures(kinds: Sequence[Kind], say: Say) -> list[Figure]:
    """Every concept as a point, its share in one cohort against that in another; for a single cohort its most frequent.

    Concepts below the minimum frequency in one of the two are not in the result, and are not drawn.
    """
    shares: dict[str, dict[tuple[str, str, str, str], float]] = {}
    for kind in kinds:
        for point in kind.points:
            share = point.number("percentage")
            if point.strata or share is None:
                continue
            table = kind.by_id[point.result_id].get("table_name", "")
            key = (table, point.level, point.variable, point.additional.get("concept_id", ""))
            shares.setdefault(point.group["cohort_name"], {})[key] = share
    if len(shares) == 1:
        ((cohort, found),) = shares.items()
        return _most_frequent(cohort, found, say)
    figures = []
    for first, second in combinations(shares, 2):
        both = [key for key in shares[first] if key in shares[second]]
        rows = [
            {
                "table": say(table),
                "window": window,
                "concept": concept,
                "x": shares[first][table, window, concept, number],
                "y": shares[second][table, window, concept, number],
            }
            for table, window, concept, number in both
        ]
        if rows:
            title = say("Large-scale characteristics: {first} against {second}", first=first, second=second)
            said = say("{n} concepts of a window; on the line they are as frequent in both.", n=len(rows))
            data: dict[str, list[dict[str, Any]]] = {"concepts": rows, "line": [{"x": 0, "y": 0}, {"x": 100, "y": 100}]}
            figures.append(_scatter(title, said, data, (first, second), say))
    return figures


def _scatter(title: str, said: str, data: dict[str, list[dict[str, Any]]], pair: tuple[str, str], say: Say) -> Figure:
    tables = list(dict.fromkeys(row["table"] for row in data["concepts"]))
    windows = sorted({row["window"] for row in data["concepts"]}, key=lambda each: float(each.split(" ")[0]))
    data = {**data, **{f"in_{at}": [row for row in data["concepts"] if row["window"] == each]
                       for at, each in enumerate(windows)}}  # fmt: skip
    del data["concepts"]

    def chart(width: int) -> Any:
        columns = 1 if is_narrow(width) else min(len(windows), 3)
        cell = min((width - 70 * columns) // columns, 300)
        drawn = []
        for at, window in enumerate(windows):
            scale = alt.Scale(domain=[0, 100])
            axis = alt.Axis(tickCount=5)
            x = alt.X("x:Q", title=f"{pair[0]} (%)", scale=scale, axis=axis)
            y = alt.Y("y:Q", title=f"{pair[1]} (%)", scale=scale, axis=axis)
            same = alt.Chart(alt.NamedData("line")).mark_line(color=LINE, strokeDash=[4, 3]).encode(x=x, y=y)
            title = heading(say("days {window}", window=window.replace("inf", "∞")))
            dots = (
                alt.Chart(alt.NamedData(f"in_{at}"), width=cell, height=cell, title=title)
                .mark_point(filled=True, size=34, opacity=0.7, clip=True)
                .encode(x=x, y=y, color=colour(tables, width, "table"), shape=shape(tables, width, "table"))
            )
            drawn.append(alt.layer(same, dots))
        return alt.concat(*drawn, columns=columns, spacing=18)

    return Figure(title, said, data, chart)


def _most_frequent(cohort: str, found: dict[tuple[str, str, str, str], float], say: Say) -> list[Figure]:
    figures = []
    for table in dict.fromkeys(key[0] for key in found):
        rows = []
        for window in dict.fromkeys(key[1] for key in found if key[0] == table):
            ranked = sorted(
                ((share, key[2]) for key, share in found.items() if key[:2] == (table, window)),
                key=lambda each: (-each[0], each[1]),
            )
            rows += [{"window": window, "what": name, "share": share} for share, name in ranked[:_MOST_CONCEPTS]]
        windows = list(dict.fromkeys(str(row["window"]) for row in rows))
        data = {f"in_{at}": [row for row in rows if row["window"] == each] for at, each in enumerate(windows)}
        title = say("Most frequent concepts of {cohort}: {table}", cohort=cohort, table=say(table))
        said = say("Shares of the entries that have the concept, of the twelve most frequent of each window.")
        figures.append(Figure(title, said, data, partial(_bars, data, windows, say)))
    return figures


def _bars(data: dict[str, list[dict[str, Any]]], windows: list[str], say: Say, width: int) -> Any:
    room = 120 if is_narrow(width) else 300
    drawn = []
    for at, window in enumerate(windows):
        title = heading(say("days {window}", window=window.replace("inf", "∞")))
        x = alt.X("share:Q", title=say("entries (%)") if at == len(windows) - 1 else None, axis=alt.Axis(tickCount=5))
        labels = [str(row["what"]) for row in data[f"in_{at}"]]
        height = step(labels, room, 20)
        base = alt.Chart(alt.NamedData(f"in_{at}"), width=width - room - 20, height=height, title=title)
        drawn.append(base.mark_bar(color=COLOURS[0]).encode(x=x, y=names("what", labels, room)))
    return alt.vconcat(*drawn, spacing=14)
