"""The persons that cohorts share, as a matrix of who is in what beside bars of how many."""

from __future__ import annotations

from functools import partial
from typing import Any

import altair as alt

from enclos.studies.figures.model import Figure, Kind, Point, Say
from enclos.studies.figures.style import COLOURS, INK, LINE, is_narrow

_PARTS = {
    "Only in reference cohort": (True, False),
    "In both cohorts": (True, True),
    "Only in comparator cohort": (False, True),
}


def overlap_figures(kind: Kind, say: Say) -> list[Figure]:
    """For each pair of cohorts: persons in one alone, in both, in the other alone.

    Source: Lex et al. 2014, UpSet: memberships as dots, sizes as bars.
    """
    points = [point for point in kind.points if not point.strata and point.variable in _PARTS]
    by_pair: dict[frozenset[str], list[Point]] = {}
    for point in points:  # a result tells each pair in both orders
        known = by_pair.setdefault(frozenset(point.group.values()), [])
        if not known or known[0].group == point.group:
            known.append(point)
    bars: list[dict[str, Any]] = []
    dots: list[dict[str, Any]] = []
    for row, point in enumerate(each for pair in by_pair.values() for each in pair):
        n, share = point.number("count"), point.number("percentage")
        text = "–" if n is None or share is None else f"{n:,.0f} ({share:.1f} %)".replace(",", "\u202f")
        bars.append({"row": row, "n": n, "share": share, "text": text})
        for cohort, is_in in zip(point.group.values(), _PARTS[point.variable], strict=True):
            dots.append({"row": row, "cohort": cohort, "in": is_in})
    if not bars:
        return []
    said = say("Each row: persons in the cohorts with a full dot and not in that with an empty one.")
    cohorts = list(dict.fromkeys(str(dot["cohort"]) for dot in dots))
    data = {"bars": bars, "dots": dots}
    return [Figure(say("Persons that cohorts share"), said, data, partial(_upset, cohorts, say))]


def _upset(cohorts: list[str], say: Say, width: int) -> Any:
    step = 24
    room = max(22, min(40, (width // 3) // max(len(cohorts), 1)))
    row = alt.Y("row:O", axis=None, scale=alt.Scale(paddingInner=0))
    member = alt.Chart(alt.NamedData("dots"), height=alt.Step(step), width=alt.Step(room))
    axis = alt.Axis(orient="top", labelAngle=-55, labelAlign="left", labelLimit=130, domain=False, ticks=False)
    x = alt.X("cohort:N", sort=cohorts, title=None, axis=axis)
    lines = (
        member.mark_line(color=INK, strokeWidth=2).encode(x=x, y=row, detail="row:O").transform_filter("datum['in']")
    )
    dots = member.mark_point(filled=True, size=120, opacity=1, stroke=LINE).encode(
        x=x, y=row, color=alt.Color("in:N", legend=None, scale=alt.Scale(domain=[True, False], range=[INK, "#ffffff"]))
    )
    space = width - room * len(cohorts) - (110 if is_narrow(width) else 160)
    base = alt.Chart(alt.NamedData("bars"), height=alt.Step(step), width=max(space, 60)).encode(
        y=row, x=alt.X("n:Q", title=say("persons"), axis=alt.Axis(tickCount=3, format="~s"))
    )
    bars = base.mark_bar(color=COLOURS[0], size=14)
    texts = base.mark_text(align="left", dx=4, fontSize=11, color=INK).encode(text="text:N")
    return alt.hconcat(alt.layer(lines, dots), alt.layer(bars, texts), spacing=8)
