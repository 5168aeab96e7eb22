"""Figures of the report as SVG text; nothing is fetched, nothing runs in the reader's browser."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import vl_convert

from enclos.studies.figures.style import STYLE

_INK, _QUIET = "#1d2b36", "#5b6b77"
_FATE_COLOURS = {"mapped": "#1b6f8a", "cancelled": "#d9a441", "filtered": "#b7c4cc", "rejected": "#b3433b"}
_SOURCE_COLOURS = {"measured in the enclosure": "#1b6f8a", "truth": "#d9622b"}

Rows = Sequence[Mapping[str, Any]]


def as_data(rows: Rows) -> Any:
    """Rows inside the drawing itself."""
    return alt.InlineData(values=[dict(row) for row in rows])


_PADDING = {"left": 14, "right": 5, "top": 5, "bottom": 5}
"""Pixels. Names stand at the left, and where the fonts lack that they were measured in, others are a tenth wider."""


_BETWEEN = 28
"""Pixels between the names of a legend, for the same reason."""


_READ_OUT = re.compile(r' (?:aria-label|aria-roledescription|role)="[^"]*"')
"""What the library has axes and bars say, in English whatever the page's language. Nobody hears it: a drawing is one
image to who listens, named by the page, with its numbers in a table.
"""


_NUMBERS: Mapping[str, Mapping[str, Any]] = {
    "fr": {"format_locale": {"decimal": ",", "thousands": "\u202f", "grouping": [3], "currency": ["", ""]}}
}
"""Of languages that write numbers otherwise than the library does by itself."""


def as_svg(chart: Any, language: str = "en") -> str:
    """The drawing in the house's style, as SVG text that follows the page's width, its numbers as the language writes
    them.
    """
    styled = (
        chart.configure(  # first: it replaces all the others
            font="Helvetica, Arial, sans-serif", background="#ffffff", padding=_PADDING
        )
        .configure_view(strokeWidth=0)
        .configure_axis(
            labelColor=_QUIET,
            titleColor=_QUIET,
            gridColor="#e6ebee",
            domainColor="#c7d0d6",
            labelFontSize=12,
            titleFontSize=12,
        )
        .configure_legend(labelColor=_INK, titleColor=_QUIET, labelFontSize=12, orient="top", columnPadding=_BETWEEN)
        .configure_header(labelColor=_INK, titleColor=_QUIET, labelFontSize=13)
    )
    svg: str = vl_convert.vegalite_to_svg(styled.to_json(), **_NUMBERS.get(language, {}))
    return _READ_OUT.sub("", svg).replace("<svg ", f'<svg role="img" {STYLE} ', 1)


def svg_of(vega_lite: Mapping[str, Any]) -> bytes:
    """A Vega-Lite drawing that carries its own data, as an SVG file.

    Refuses: ValueError when it names data by an address
    """
    if '"url"' in json.dumps(vega_lite):
        raise ValueError("a drawing carries its data in itself")
    svg: str = vl_convert.vegalite_to_svg(dict(vega_lite))
    return svg.encode("utf-8")


def flow_of_rows(account: Rows) -> str:
    """One bar per source table: what share of its delivered rows had which fate, the largest table first.

    In: rows with table and the numbers mapped, cancelled, filtered, rejected.
    """
    long = [
        {"table": row["table"], "fate": fate, "rows": row[fate]}
        for row in account
        for fate in _FATE_COLOURS
        if row.get(fate)
    ]
    order = [row["table"] for row in sorted(account, key=lambda row: -int(row["delivered"]))]
    chart = (
        alt.Chart(as_data(long), width=420, height=alt.Step(18))
        .mark_bar()
        .encode(
            x=alt.X(
                "rows:Q", title="share of the delivered rows", stack="normalize", axis=alt.Axis(format="%", tickCount=5)
            ),
            y=alt.Y("table:N", sort=order, title=None),
            color=alt.Color(
                "fate:N",
                title=None,
                scale=alt.Scale(domain=list(_FATE_COLOURS), range=list(_FATE_COLOURS.values())),
            ),
            order=alt.Order("fate:N", sort="descending"),
        )
    )
    return as_svg(chart)


def stages(rows: Rows) -> str:
    """The way from delivery to cohort as a funnel, on a logarithmic axis.

    In: rows with stage (in order) and n.
    """
    order = [row["stage"] for row in rows]
    base = alt.Chart(as_data(rows), width=460, height=alt.Step(30)).encode(
        y=alt.Y("stage:N", sort=order, title=None, axis=alt.Axis(labelLimit=260)),
    )
    bars = base.mark_bar(color="#1b6f8a").encode(
        x=alt.X(
            "n:Q",
            title="number (log scale)",
            scale=alt.Scale(type="log", domainMin=1),
            axis=alt.Axis(format="~s", tickCount=5),
        ),
        x2=alt.datum(1),  # a bar on a logarithmic axis begins at one, not at zero
    )
    texts = base.mark_text(align="left", dx=5, color=_INK, fontSize=12).encode(
        x="n:Q", text=alt.Text("n:Q", format=",d")
    )
    return as_svg(bars + texts)


def match_rates(rows: Rows) -> str:
    """Share of each hospital's patients that were linked to the SNDS.

    In: rows with source, linked and unlinked (persons).
    """
    long = [
        {"source": row["source"], "fate": fate, "n": row[fate]}
        for row in rows
        for fate in ("linked", "unlinked")
        if row[fate]
    ]
    chart = (
        alt.Chart(as_data(long), width=460, height=alt.Step(30))
        .mark_bar()
        .encode(
            x=alt.X("n:Q", title="patients of the hospital", stack="normalize", axis=alt.Axis(format="%")),
            y=alt.Y("source:N", title=None),
            color=alt.Color(
                "fate:N", title=None, scale=alt.Scale(domain=["linked", "unlinked"], range=["#1b6f8a", "#b7c4cc"])
            ),
        )
    )
    return as_svg(chart)


def rates_against_truth(rows: Rows) -> str:
    """Incidence by age and sex, measured with its 95 % interval, beside the truth of the synthetic France.

    In: rows with outcome, sex, age_group, rate, lower, upper (per 100 000 person-years), true_rate.
    """
    ages = list(dict.fromkeys(row["age_group"] for row in rows))
    points = [
        {**row, "value": row[key], "series": series}
        for row in rows
        for key, series in (("rate", "measured in the enclosure"), ("true_rate", "truth"))
        if row[key] is not None
    ]
    colour = alt.Scale(domain=list(_SOURCE_COLOURS), range=list(_SOURCE_COLOURS.values()))
    shape = alt.Scale(domain=list(_SOURCE_COLOURS), range=["circle", "diamond"])
    pictures = []
    for outcome in dict.fromkeys(row["outcome"] for row in rows):
        chosen = [
            {**point, "cell": f"{point['age_group']}, {point['sex'].lower()}"}
            for point in points
            if point["outcome"] == outcome
        ]
        order = [f"{age}, {sex}" for age in ages for sex in dict.fromkeys(row["sex"].lower() for row in rows)]
        base = alt.Chart(as_data(chosen), width=380, height=alt.Step(26), title=outcome.replace("_", " ")).encode(
            y=alt.Y("cell:N", sort=order, title=None)
        )
        intervals = (
            base.transform_filter("datum.series != 'truth'")
            .mark_rule(strokeWidth=2, color="#1b6f8a")
            .encode(x=alt.X("lower:Q", title="per 100 000 person-years"), x2="upper:Q")
        )
        marks = base.mark_point(filled=True, size=60, opacity=1).encode(
            x="value:Q",
            color=alt.Color("series:N", title=None, scale=colour),
            shape=alt.Shape("series:N", title=None, scale=shape),
        )
        pictures.append(intervals + marks)
    return as_svg(alt.vconcat(*pictures))


def suppression(rows: Rows) -> str:
    """What was released and what was withheld, by table of the result.

    In: rows with table, fate (shown, hidden) and n cells.
    """
    colours = {"shown": "#1b6f8a", "hidden": "#b3433b"}
    chart = (
        alt.Chart(as_data(rows), width=460, height=alt.Step(30))
        .mark_bar()
        .encode(
            x=alt.X("n:Q", title="cells", stack="zero"),
            y=alt.Y("table:N", title=None, axis=alt.Axis(labelLimit=240)),
            color=alt.Color("fate:N", title=None, scale=alt.Scale(domain=list(colours), range=list(colours.values()))),
        )
    )
    return as_svg(chart)
