"""Drawings of assessments: how much of each framework is shown, and on what it rests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from enclos.app.report.charts import Rows, as_data, as_svg
from enclos.conformity.model import Ground

_NARROW = 400
_PARTS = {
    "by probes": "#14566c",
    "by probes and documents": "#3f9ab5",
    "by documents": "#d9a441",
    "not met": "#b3433b",
    "nobody showed it": "#dde4e8",
}
_OF_GROUND = {
    Ground.PROBES: "by probes",
    Ground.BOTH: "by probes and documents",
    Ground.DOCUMENTS: "by documents",
    Ground.NOBODY: "nobody showed it",
}


def parts_of(catalogue: Mapping[str, Any]) -> list[tuple[str, float]]:
    """What the weight of a catalogue rests on, in shares, in the order in which it is drawn."""
    shares = {_OF_GROUND[ground]: float(catalogue["rests_on"][ground.value]) for ground in Ground}
    return [(part, {**shares, "not met": float(catalogue["refuted"])}[part]) for part in _PARTS]


def said_of(catalogue: Mapping[str, Any]) -> str:
    """The score in words, never without its floor."""
    floor = (
        "floor reached" if catalogue["floor_reached"] else "below the floor" if catalogue["has_floor"] else "no floor"
    )
    return f"{100 * catalogue['score']:.0f} %, {floor}"


def frameworks(catalogues: Sequence[Mapping[str, Any]], width: int) -> str:
    """A bar for each framework."""
    rows = [row for one in catalogues for row in _rows(one["framework"], one)]
    return as_svg(_bars(rows, [one["framework"] for one in catalogues], width, 170))


def side_by_side(documents: Sequence[Mapping[str, Any]], names: Sequence[str], width: int = 860) -> str:
    """For each framework a bar for each host that was assessed against it."""
    frameworks_ = dict.fromkeys(one["framework"] for document in documents for one in document["catalogues"])
    charts = []
    for framework in frameworks_:
        rows = [
            row
            for name, document in zip(names, documents, strict=True)
            for one in document["catalogues"]
            if one["framework"] == framework
            for row in _rows(name, one)
        ]
        title = alt.TitleParams(framework, anchor="start", fontSize=13, color="#1d2b36")
        is_last = framework == list(frameworks_)[-1]
        charts.append(_bars(rows, names, width, 170, axis=is_last).properties(title=title))
    return as_svg(alt.vconcat(*charts, spacing=18))


def _rows(name: str, catalogue: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"name": name, "part": part, "share": share, "rank": rank, "said": said_of(catalogue) if rank == 0 else ""}
        for rank, (part, share) in enumerate(parts_of(catalogue))
    ]


def _bars(rows: Rows, order: Sequence[str], width: int, label: int, *, axis: bool = True) -> Any:
    is_wide = width > _NARROW
    room = width - label - 190 if is_wide else width - 30
    base = alt.Chart(as_data(rows), width=room, height=alt.Step(26 if is_wide else 40))
    names = alt.Axis(labelLimit=label) if is_wide else None  # on a telephone the name stands above its bar
    y = alt.Y("name:N", sort=list(order), title=None, axis=names)
    bars = base.mark_bar(height=16).encode(
        x=alt.X(
            "share:Q",
            title="share of the weight that applies" if axis else None,
            scale=alt.Scale(domain=[0, 1]),
            axis=alt.Axis(format="%", tickCount=5 if is_wide else 3, labels=axis, ticks=axis),
        ),
        y=y,
        color=alt.Color(
            "part:N",
            title=None,
            scale=alt.Scale(domain=list(_PARTS), range=list(_PARTS.values())),
            legend=alt.Legend(columns=5 if is_wide else 1),
        ),
        order=alt.Order("rank:Q"),
    )
    first = base.transform_filter("datum.rank == 0").transform_calculate(both="datum.name + ': ' + datum.said")
    texts = first.encode(y=y, text="said:N" if is_wide else "both:N", color=alt.value("#1d2b36"))
    if is_wide:
        return bars + texts.mark_text(align="left", fontSize=12).encode(x=alt.value(room + 8))
    return bars + texts.mark_text(align="left", dy=-14, fontSize=11).encode(x=alt.value(0))
