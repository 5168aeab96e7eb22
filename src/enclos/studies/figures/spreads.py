"""How values spread and what shares they have: use of drugs, days between entries, restarts, indications."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import altair as alt

from enclos.studies.figures.model import Figure, Kind, Point, Say
from enclos.studies.figures.style import COLOURS, LINE, colour, heading, is_narrow, names, step

_UNITS = {
    "number exposures": "exposures",
    "number eras": "eras",
    "time to exposure": "days",
    "initial exposure duration": "days",
    "days exposed": "days",
    "days prescribed": "days",
    "cumulative quantity": "units of quantity",
    "initial quantity": "units of quantity",
    "days_between_cohort_entries": "days",
}
_OUTCOMES_OF_AN_END = ("restart", "switch", "restart and switch", "untreated")


def spread_figures(kind: Kind, title: str, say: Say) -> list[Figure]:
    """A box a cohort and a panel a variable: the middle half of the values, their median and mean."""
    figures = []
    for by in dict.fromkeys(point.stratification for point in kind.points):
        own = [point for point in kind.points if point.stratification == by and "median" in point.estimates]
        rows = [_box(point, say) for point in own if point.number("median") is not None]
        panels = list(dict.fromkeys(str(row["panel"]) for row in rows))
        rows.sort(key=lambda row: str(row["who"]))
        if not rows:
            continue
        data = {f"panel_{at}": [row for row in rows if row["panel"] == panel] for at, panel in enumerate(panels)}
        has_ends = any(row["least"] is not None for row in rows)
        said = say("Box: the middle half; line in it: median; diamond: mean.")
        if has_ends:
            said += " " + say("Thin line: smallest to greatest value.")
        name = f"{say(title)}, {say('by ' + by.replace('_', ' '))}" if by else say(title)
        labels = [str(row["who"]) for row in rows]
        figures.append(Figure(name, said, data, partial(_boxes, panels, labels)))
    return figures


def _box(point: Point, say: Say) -> dict[str, Any]:
    whole = " / ".join((*point.group.values(), *point.additional.values()))
    who = f"{whole}, {point.stratum}" if point.strata else whole
    unit = point.level or _UNITS.get(point.variable, "")
    variable = say(point.variable.replace("_", " "))
    return {
        "panel": f"{variable} ({say(unit)})" if unit else variable,
        "who": who,
        "least": point.number("min"),
        "lower": point.number("q25"),
        "median": point.number("median"),
        "upper": point.number("q75"),
        "greatest": point.number("max"),
        "mean": point.number("mean"),
    }


def _boxes(panels: Sequence[str], labels: list[str], width: int) -> Any:
    room = 110 if is_narrow(width) else 240
    drawn = []
    for at, panel in enumerate(panels):
        title = heading(panel)
        axis = alt.Axis(tickCount=4, format="~s" if is_narrow(width) else ",.2~f")
        base = alt.Chart(
            alt.NamedData(f"panel_{at}"), width=width - room - 20, height=step(labels, room, 26), title=title
        ).encode(y=names("who", labels, room))
        ends = base.mark_rule(color=LINE).encode(x=alt.X("least:Q", title=None, axis=axis), x2="greatest:Q")
        box = base.mark_bar(size=13, color=COLOURS[5]).encode(x=alt.X("lower:Q", title=None, axis=axis), x2="upper:Q")
        middle = base.mark_tick(thickness=3, size=15, color=COLOURS[0]).encode(x="median:Q")
        mean = base.mark_point(shape="diamond", filled=True, size=45, color=COLOURS[1], opacity=1).encode(x="mean:Q")
        drawn.append(alt.layer(ends, box, middle, mean))
    return alt.vconcat(*drawn, spacing=14)


def restart_figures(kind: Kind, say: Say) -> list[Figure]:
    """What follows the end of a treatment, as shares, one panel a follow-up."""
    said = say("Shares of the entries that ended; together 100 %.")
    return _share_figures(kind, say("After the end of treatment"), said, say, list(_OUTCOMES_OF_AN_END))


def indication_figures(kind: Kind, say: Say) -> list[Figure]:
    """Why drugs are taken, as shares, one panel a window."""
    said = say("Each entry has one combination of indications; together 100 %.")
    return _share_figures(kind, say("Indications"), said, say, None)


def treatment_figures(kind: Kind, say: Say) -> list[Figure]:
    """Which treatments persons have around entry, as shares, one panel a window."""
    said = say("An entry can have several treatments.")
    return _share_figures(kind, say("Treatments around entry"), said, say, None)


def _share_rows(kind: Kind, by: str, say: Say) -> list[dict[str, Any]]:
    return [
        {
            "panel": say(point.variable),
            "who": ", ".join(each for each in (point.group["cohort_name"], point.stratum) if each),
            "part": say(point.level),
            "n": point.number("count"),
            "share": point.number("percentage"),
        }
        for point in kind.points
        if point.stratification == by
    ]


def _share_figures(kind: Kind, title: str, said: str, say: Say, parts: list[str] | None) -> list[Figure]:
    figures = []
    for by in dict.fromkeys(point.stratification for point in kind.points):
        rows = _share_rows(kind, by, say)
        order = [say(part) for part in parts] if parts else list(dict.fromkeys(str(row["part"]) for row in rows))
        for at, part in enumerate(order):
            for row in rows:
                if row["part"] == part:
                    row["rank"] = at
        panels = list(dict.fromkeys(str(row["panel"]) for row in rows))
        data = {f"panel_{at}": [row for row in rows if row["panel"] == panel] for at, panel in enumerate(panels)}
        name = f"{title}, {say('by ' + by.replace('_', ' '))}" if by else title
        labels = [str(row["who"]) for row in rows]

        def chart(width: int, panels: list[str] = panels, labels: list[str] = labels, order: list[str] = order) -> Any:
            room = 110 if is_narrow(width) else 220
            drawn = []
            for at, panel in enumerate(panels):
                is_last = at == len(panels) - 1
                title = heading(panel)
                x = alt.X("share:Q", title=say("entries (%)") if is_last else None, stack="zero",
                          scale=alt.Scale(domain=[0, 100]), axis=alt.Axis(tickCount=4))  # fmt: skip
                base = alt.Chart(alt.NamedData(f"panel_{at}"), width=width - room - 20, height=step(labels, room, 24),
                                 title=title)  # fmt: skip
                drawn.append(
                    base.mark_bar(stroke="#ffffff", strokeWidth=1).encode(
                        x=x, y=names("who", labels, room), color=colour(order, width, "part"), order="rank:Q"
                    )
                )
            return alt.vconcat(*drawn, spacing=12)

        figures.append(Figure(name, said, data, chart))
    return figures
