"""Drawings of the ledger's review, at the width that is asked."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from enclos.app.pages.words import Words
from enclos.app.report.charts import Rows, as_data, as_svg

_COLOURS = ["#b3433b", "#1b6f8a", "#d9a441", "#b7c4cc"]
_NARROW = 400


def by_day(rows: Rows, kinds: Sequence[str], words: Words, width: int) -> str:
    """Stacked bars of the acts of each day. In: rows with day (ISO), kind (in words), n, rank; kinds in order."""
    chart = (
        alt.Chart(as_data(rows), width=width - 60, height=200)
        .mark_bar()
        .encode(
            x=alt.X(
                "date(day):O",
                title=words("day of the month"),
                axis=alt.Axis(labelAngle=0, labelOverlap=True),
            ),
            y=alt.Y("sum(n):Q", title=words("acts"), axis=alt.Axis(format="~s", tickCount=5, tickMinStep=1)),
            color=alt.Color(
                "kind:N",
                title=None,
                scale=alt.Scale(domain=list(kinds), range=_COLOURS),
                legend=alt.Legend(columns=4 if width > _NARROW else 1),
            ),
            order=alt.Order("rank:Q"),
        )
    )
    return as_svg(chart, words.language)


def by_hour(rows: Rows, weekdays: Sequence[str], words: Words, width: int) -> str:
    """A field for each hour of the week. In: rows with weekday (0 is Monday), hour, n; the weekdays in words."""
    named = [{**row, "name": weekdays[row["weekday"]]} for row in rows]
    chart = (
        alt.Chart(as_data(named), width=width - 60, height=alt.Step(22))
        .mark_rect()
        .encode(
            x=alt.X("hour:O", title=words("hour"), axis=alt.Axis(labelAngle=0, labelOverlap=True)),
            y=alt.Y("name:O", title=None, sort=list(weekdays)),
            color=alt.Color(
                "n:Q",
                title=words("uses of data"),
                scale=alt.Scale(range=["#f0f4f6", "#1b6f8a"], domainMin=0),
                legend=alt.Legend(format="~s", tickMinStep=1, gradientLength=140),
            ),
        )
    )
    return as_svg(chart, words.language)
