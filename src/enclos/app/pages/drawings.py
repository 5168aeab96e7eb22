"""Drawings of the pages about a snapshot, at the width that is asked."""

from __future__ import annotations

import textwrap

import altair as alt

from enclos.app.pages.words import Words
from enclos.app.report.charts import Rows, as_data, as_svg

_NARROW, _MANY_YEARS = 400, 9
_BLUE, _RED, _GREY, _ORANGE = "#1b6f8a", "#b3433b", "#b7c4cc", "#d9622b"


def _wrapped(text: str, n_letters: int) -> str:
    return "|".join(textwrap.wrap(text, n_letters))


_LINES = "split(datum.label, '|')"


def outcomes(rows: Rows, words: Words, width: int) -> str:
    """Checks by kind and outcome. In: rows with kind, outcome, n."""
    order = [words(text) for text in ("passed", "failed", "not applicable")]
    chart = (
        alt.Chart(as_data(rows), width=width - 110, height=alt.Step(30))
        .mark_bar()
        .encode(
            x=alt.X(
                "n:Q",
                title=words("number of checks"),
                axis=alt.Axis(format="~s", tickCount=5 if width > _NARROW else 3),
            ),
            y=alt.Y("kind:N", title=None, axis=alt.Axis(labelLimit=110)),
            color=alt.Color("outcome:N", title=None, scale=alt.Scale(domain=order, range=[_BLUE, _RED, _GREY])),
            order=alt.Order("rank:Q"),
        )
    )
    return as_svg(chart, words.language)


def bars(
    rows: Rows, title: str, width: int, *, label_width: int = 150, colour: str = _RED, language: str = "en"
) -> str:
    """A bar a name, the longest first. In: rows with name, n, text (the number as it is written)."""
    lined = [{**row, "name": _wrapped(row["name"], label_width // 6)} for row in rows]
    step = alt.Step(20 if width > _NARROW else 28)
    base = alt.Chart(as_data(lined), width=width - label_width - 50, height=step).encode(
        x=alt.X("n:Q", title=title, axis=alt.Axis(format="~s", tickCount=4)),
        y=alt.Y("name:N", sort="-x", title=None, axis=alt.Axis(labelLimit=label_width, labelExpr=_LINES)),
    )
    texts = base.mark_text(align="left", dx=4, fontSize=11).encode(text="text:N")
    return as_svg(base.mark_bar(color=colour) + texts, language)


def against_published(rows: Rows, words: Words, width: int) -> str:
    """Figures as multiples of the published ones. In: rows with name, ratio, low, high, status (in words)."""
    label = 300 if width > _NARROW else 135
    lined = [{**row, "name": _wrapped(row["name"], label // 6)} for row in rows]
    names = alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelLimit=label, labelExpr=_LINES))
    base = alt.Chart(as_data(lined), width=width - label - 10, height=alt.Step(26 if width > _NARROW else 42))
    bands = base.mark_bar(color="#dde4e8", height=14).encode(
        x=alt.X("low:Q", title=words("measured / published"), axis=alt.Axis(tickCount=4)), x2="high:Q", y=names
    )
    one = alt.Chart(as_data([{"one": 1}])).mark_rule(color="#5b6b77", strokeDash=[3, 3]).encode(x="one:Q")
    domain = [words("plausible "), words("not plausible")]
    points = base.mark_point(filled=True, size=70, opacity=1).encode(
        x="ratio:Q",
        y=names,
        color=alt.Color("status:N", title=None, scale=alt.Scale(domain=domain, range=[_BLUE, _RED])),
        shape=alt.Shape("status:N", title=None, scale=alt.Scale(domain=domain, range=["circle", "diamond"])),
    )
    return as_svg(bands + one + points, words.language)


def births(rows: Rows, words: Words, width: int) -> str:
    """Persons by year of birth and sex, as lines. In: rows with year, sex (in words), n."""
    there = {row["sex"] for row in rows}
    sexes = [word for word in (words("women"), words("men"), words("other")) if word in there]
    chart = (
        alt.Chart(as_data(rows), width=width - 60, height=220)
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X(
                "year:Q",
                title=words("year of birth"),
                scale=alt.Scale(zero=False),
                axis=alt.Axis(format="d", tickCount=6),
            ),
            y=alt.Y("n:Q", title=words("persons"), axis=alt.Axis(format="~s", tickCount=5)),
            color=alt.Color("sex:N", title=None, scale=alt.Scale(domain=sexes, range=[_ORANGE, _BLUE, _GREY])),
        )
    )
    return as_svg(chart, words.language)


def by_month(
    rows: Rows, title: str, width: int, *, series: str | None = None, columns: int = 2, language: str = "en"
) -> str:
    """A line over months, or small ones side by side. In: rows with day (ISO), n and the series' name."""
    n_years = len({str(row["day"])[:4] for row in rows})
    ticks = alt.TimeIntervalStep(interval="year", step=1) if n_years < _MANY_YEARS else 4
    x = alt.X("day:T", title=None, axis=alt.Axis(format="%Y", tickCount=ticks))
    y = alt.Y("n:Q", title=title, axis=alt.Axis(format="~s", tickCount=4))
    if series is None:
        line = alt.Chart(as_data(rows), width=width - 60, height=200).mark_area(color=_BLUE, opacity=0.85)
        return as_svg(line.encode(x=x, y=y), language)
    cell = (width - 70 * columns) // columns
    chart = (
        alt.Chart(as_data(rows), width=cell, height=90)
        .mark_line(strokeWidth=1.5, color=_BLUE)
        .encode(x=x, y=y, facet=alt.Facet(f"{series}:N", title=None, columns=columns, sort=None))
        .resolve_scale(y="independent")
    )
    return as_svg(chart, language)
