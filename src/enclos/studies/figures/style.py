"""How every picture looks, and how it becomes a file.

Colours: Okabe and Ito 2008, told apart by those who do not see all colours; shapes and dashes say the same again.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from html import escape
from typing import Any

import altair as alt
import vl_convert

from enclos.studies.figures.model import Figure

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a5195", "#5b6b77")
SHAPES = ("circle", "diamond", "square", "triangle-up", "cross", "triangle-down", "triangle-right", "triangle-left")
DASHES: tuple[tuple[int, ...], ...] = ((1, 0), (7, 3), (2, 2), (9, 2, 2, 2), (4, 1), (12, 4), (1, 3), (6, 1, 1, 1))
INK, QUIET, LINE = "#1d2b36", "#5b6b77", "#b7c4cc"
WIDE, NARROW = 860, 290
"""Widths in pixels of a picture for a wide and for a narrow screen."""
STYLE = 'style="max-width:100%;height:auto;overflow:visible"'
"""Of a drawing that follows the width of its page, and cuts off no name where the page's font is a wider one."""
_PADDING = {"left": 14, "right": 14, "top": 14, "bottom": 14}
"""Pixels around a picture, into which names reach where a font is wider than the one that they were measured in: a
picture in a frame of its own is cut at its edge.
"""
_LETTER = 6.4
"""Pixels of a letter, about."""
_LETTERS_OF_A_TITLE = 7.6


def is_narrow(width: int) -> bool:
    """Whether a picture is for a telephone."""
    return width < WIDE // 2


def wrapped(text: str, n_letters: int) -> list[str]:
    """The text in lines."""
    return textwrap.wrap(text, max(n_letters, 8)) or [" "]


def step(labels: Sequence[str], room: int, least: int = 22) -> Any:
    """The height of a row whose name takes as many lines as it needs in a room of so many pixels."""
    n_letters = max(int(room / _LETTER), 8)
    n_lines = max((len(textwrap.wrap(label, n_letters)) for label in labels), default=1)
    return alt.Step(max(least, 14 * n_lines + 6))


def names(field: str, labels: Sequence[str], room: int) -> Any:
    """The vertical channel of names in their order, in a room of so many pixels; long names take several lines."""
    n_letters = max(int(room / _LETTER), 8)
    # The engine's expressions see the label alone: they break it where a word would not fit.
    longest = max((len(label) for label in labels), default=0)
    lines = f"split(replace(datum.label, /(.{{1,{n_letters}}})( |$)/g, '$1\\n'), '\\n')"
    axis = alt.Axis(labelLimit=room) if longest <= n_letters else alt.Axis(labelLimit=room, labelExpr=lines)
    return alt.Y(f"{field}:N", sort=list(dict.fromkeys(labels)), title=None, axis=axis)


def heading(text: str) -> Any:
    """The heading of one panel of a picture."""
    return alt.Title(text, anchor="start", fontSize=12, fontWeight="normal", color=INK)


def colour(labels: Sequence[str], width: int, name: str = "who") -> Any:
    """The colour channel over some labels, with a legend that fits the width.

    Beyond the palette colours come again; shape or dash tell apart then.
    """
    domain, rainbow = list(labels), [COLOURS[at % len(COLOURS)] for at in range(len(labels))]
    return alt.Color(
        f"{name}:N", title=None, scale=alt.Scale(domain=domain, range=rainbow), legend=legend(labels, width)
    )


def legend(labels: Sequence[str], width: int) -> Any:
    """A legend in as many columns as fit; none where there is nothing to tell apart."""
    if len(labels) < 2:
        return None
    longest = min(max(len(label) for label in labels) * _LETTER + 40, width)
    return alt.Legend(columns=max(1, int(width // longest)), labelLimit=width - 30, symbolOpacity=1)


def shape(labels: Sequence[str], width: int, name: str = "who") -> Any:
    """The shape channel over some labels; its legend is that of the colours."""
    shapes = [SHAPES[at % len(SHAPES)] for at in range(len(labels))]
    scale = alt.Scale(domain=list(labels), range=shapes)
    return alt.Shape(f"{name}:N", title=None, scale=scale, legend=legend(labels, width))


def dash(labels: Sequence[str], width: int, name: str = "who") -> Any:
    """The dash channel over some labels; its legend is that of the colours."""
    dashes = [list(DASHES[at % len(DASHES)]) for at in range(len(labels))]
    scale = alt.Scale(domain=list(labels), range=dashes)
    return alt.StrokeDash(f"{name}:N", title=None, scale=scale, legend=legend(labels, width))


def specification(figure: Figure, width: int = WIDE, *, titled: bool = True) -> dict[str, Any]:
    """The picture as Vega-Lite that carries its own data.

    In: titled — with the title in it, for a picture that stands alone
    """
    chart = figure.chart(width)
    if titled:
        lines = textwrap.wrap(figure.title, int(width / _LETTERS_OF_A_TITLE))
        chart = chart.properties(title=alt.Title(lines, anchor="start", fontSize=14, color=INK, offset=12))
    styled = (  # configure comes first: it replaces all the others
        chart.properties(description=f"{figure.title}. {figure.description}")
        .configure(font="Helvetica, Arial, sans-serif", background="#ffffff", padding=_PADDING)
        .configure_view(strokeWidth=0)
        .configure_axis(
            labelColor=QUIET,
            titleColor=QUIET,
            gridColor="#e6ebee",
            domainColor="#c7d0d6",
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
        )
        .configure_legend(labelColor=INK, titleColor=QUIET, labelFontSize=12, orient="top")
        .configure_header(labelColor=INK, titleColor=QUIET, labelFontSize=13)
    )
    spec: dict[str, Any] = _in_one_line(styled.to_dict(validate=False))  # each part was validated when it was made
    named = {name: [dict(row) for row in rows] for name, rows in figure.data.items()}
    spec["datasets"] = {**spec.get("datasets", {}), **named}
    return spec


def _in_one_line(part: Any) -> Any:
    """The drawing whose words hold no sign that ends a line: the engine puts titles into expressions of its own."""
    if isinstance(part, list):
        return [_in_one_line(each) for each in part]
    if isinstance(part, dict):
        return {key: value if key in {"lineBreak", "datasets"} else _in_one_line(value) for key, value in part.items()}
    return " ".join(part.splitlines()) if isinstance(part, str) and len(part.splitlines()) > 1 else part


def svg(figure: Figure, width: int = WIDE, *, titled: bool = True, language: str = "en") -> str:
    """The picture as SVG text that follows the width of its page and says what it shows."""
    said = f"{figure.title}. {figure.description}"
    return as_svg(specification(figure, width, titled=titled), said, language)


def svg_beneath(figures: Sequence[Figure], *, language: str = "en") -> str:
    """Pictures one beneath the other as one SVG text; without any, one that says so."""
    if not figures:
        nothing = alt.Chart(alt.InlineData(values=[{"said": "No estimate is shown."}])).mark_text(color=INK)
        return as_svg(nothing.encode(text="said:N").to_dict(), "No estimate is shown.", language)
    parts = [_renamed(specification(figure), f"figure_{number}_") for number, figure in enumerate(figures, start=1)]
    whole = {name: parts[0][name] for name in ("$schema", "config")}
    whole["datasets"] = {name: rows for part in parts for name, rows in part["datasets"].items()}
    whole["vconcat"] = [{key: value for key, value in part.items() if key not in whole} for part in parts]
    whole["spacing"] = 34
    whole["resolve"] = {"scale": dict.fromkeys(("color", "shape", "strokeDash"), "independent")}
    return as_svg(whole, ". ".join(figure.title for figure in figures), language)


def _renamed(part: Any, prefix: str) -> Any:
    """The same drawing over data whose names begin with a prefix."""
    if isinstance(part, list):
        return [_renamed(each, prefix) for each in part]
    if not isinstance(part, dict):
        return part
    found = {key: value if key == "datasets" else _renamed(value, prefix) for key, value in part.items()}
    if isinstance(data := found.get("data"), dict) and set(data) == {"name"}:
        found["data"] = {"name": prefix + data["name"]}
    if "datasets" in found:
        found["datasets"] = {prefix + name: rows for name, rows in found["datasets"].items()}
    return found


def as_svg(spec: dict[str, Any], said: str, language: str) -> str:
    """A drawing as SVG text that follows the width of its page and says what it shows."""
    text: str = vl_convert.vegalite_to_svg(spec, **_locale(language))
    # Wide pictures shrink on a telephone: the drawing keeps its viewBox, its size follows the page.
    words = escape(said, quote=True)
    return text.replace("<svg ", f'<svg role="img" aria-label="{words}" {STYLE} ', 1)


def begin_drawing() -> None:
    """Start what draws, so that nobody's first picture waits for it: for a third of a second it holds Python's lock, so
    that no other thread does anything meanwhile.
    """
    vl_convert.vegalite_to_svg({"data": {"values": []}, "mark": "point"})


def png_of_svg(drawing: str) -> bytes:
    """An SVG as PNG, at its own size."""
    picture: bytes = vl_convert.svg_to_png(drawing, scale=1)
    return picture


def png(figure: Figure, width: int = WIDE, *, language: str = "en") -> bytes:
    """The picture as PNG, at twice its size."""
    picture: bytes = vl_convert.vegalite_to_png(specification(figure, width), scale=2, **_locale(language))
    return picture


def _locale(language: str) -> dict[str, Any]:
    mark = "," if language == "fr" else "."
    numbers = {"decimal": mark, "thousands": "\u202f", "grouping": [3], "currency": ["", ""]}
    return {"format_locale": numbers, "time_format_locale": "fr-FR" if language == "fr" else "en-GB"}
