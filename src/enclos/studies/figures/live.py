"""The same picture for a page that lets people go from value to value: each mark says what it stands for.

What is drawn does not change. Marks carry the name of their series and their values in words; where the horizontal axis
is time it can be drawn over a part of it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from html import escape
from typing import Any

from enclos.studies.figures.model import Figure, Rows
from enclos.studies.figures.style import STYLE, as_svg, specification

SEPARATOR = "\u241e"
"""Between the series of a mark and its values, in what the mark says."""
_READ = ("value", "n", "share", "median", "smd", "mean")
_POINTS = frozenset({"point", "circle", "square", "bar", "rect", "tick"})
_SERIES = ("color", "fill", "stroke", "strokeDash", "shape", "detail")
_TIMES = frozenset({"time", "day", "days"})
_SAID = "said_of_mark_"
Span = tuple[str, str]


def can_be_read(figure: Figure) -> bool:
    """Whether a picture has values to go through."""
    return any(row.get(name) is not None for rows in figure.data.values() for row in rows for name in _READ)


def live_svg(figure: Figure, width: int, *, language: str = "en", within: Span | None = None) -> str:
    """The picture as SVG text whose marks say their series and values.

    In: within — the first and last place of a time axis, as ``data-least`` and ``data-most`` of the answer write them
    Out: no style attribute, which a page's policy would stop; the root has data-axis (date, number or nothing),
        data-least and data-most of the whole
    """
    spec = specification(figure, width, titled=False)
    asked = _Asked(figure.data, language, within)
    asked.walk(spec, None, {})
    for name, rows in asked.rows.items():
        spec["datasets"][name] = rows
    about = {"axis": asked.kind, "least": asked.least, "most": asked.most} if asked.kind else {}
    said = "".join(f' data-{name}="{escape(value, quote=True)}"' for name, value in about.items())
    drawn = as_svg(spec, f"{figure.title}. {figure.description}", language)
    return drawn.replace(f" {STYLE}", "", 1).replace("<svg ", f"<svg{said} ", 1)


@dataclass
class _Asked:
    """One picture on its way through its parts."""

    data: Mapping[str, Rows]
    language: str
    within: Span | None
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    kind: str = ""
    least: str = ""
    most: str = ""

    def walk(
        self, part: dict[str, Any], source: str | None, above: Mapping[str, Any], *, has_points: bool = False
    ) -> None:
        """Go through a part of the drawing and those in it.

        In: source, above — the data and channels it inherits; has_points — whether it lies over or under points
        """
        own = part.get("data")
        if isinstance(own, dict):
            source = own.get("name")
        channels = {**above, **part.get("encoding", {})}
        for name in ("layer", "vconcat", "hconcat", "concat"):
            parts = list(part.get(name, ()))
            inner_points = name == "layer" and any(_type(each) in _POINTS for each in parts)
            for inner in parts:
                self.walk(inner, source, channels, has_points=inner_points)
        if "mark" not in part or source not in self.data:
            return
        if _type(part) == "line" and not has_points and _has_read(channels):
            self._with_points(part, source, channels)
        else:
            self._tell(part, source, channels)

    def _with_points(self, part: dict[str, Any], source: str | None, channels: Mapping[str, Any]) -> None:
        """A line that has no points of its own gets one at each value, which is not seen."""
        line: dict[str, Any] = {key: part.pop(key) for key in ("mark", "encoding", "transform") if key in part}
        point = {**copy.deepcopy(line), "mark": {"type": "point", "filled": True, "size": 16, "opacity": 0}}
        for each in (line, point):
            self._tell(each, source, channels)
        part["layer"] = [line, point]

    def _tell(self, part: dict[str, Any], source: str | None, channels: Mapping[str, Any]) -> None:
        """Let a part's marks say what they stand for."""
        if source is None or source not in self.data or _type(part) == "text":
            return
        rows = self.rows.setdefault(source, [dict(row) for row in self.data[source]])
        if not rows:
            return
        axis = self._time_axis(channels, rows)
        name = f"{_SAID}{len(rows[0])}"
        reads = _type(part) in _POINTS
        say = _sayer(channels, self.language, reads=reads)
        for row in rows:
            row[name] = say(row) if not reads or self._is_within(row, axis) else ""
        part.setdefault("encoding", {})["description"] = {"field": name, "type": "nominal"}
        if axis and self.within:
            x = part["encoding"].setdefault("x", copy.deepcopy(channels["x"]))
            ends: list[Any] = list(self.within) if self.kind == "date" else [float(end) for end in self.within]
            x["scale"] = {**(x.get("scale") or {}), "domain": ends, "nice": False}
            mark = part["mark"] if isinstance(part["mark"], dict) else {"type": part["mark"]}
            part["mark"] = {**mark, "clip": True}

    def _time_axis(self, channels: Mapping[str, Any], rows: Rows) -> str:
        """The field of a horizontal axis of time; its kind and its ends are noted."""
        x = channels.get("x", {})
        name = x.get("field", "")
        values = [row[name] for row in rows if row.get(name) is not None]
        is_date = x.get("type") == "temporal"
        if not values or not (is_date or (name in _TIMES and x.get("type") == "quantitative")):
            return ""
        kind, least, most = ("date", min(values), max(values)) if is_date else ("number", min(values), max(values))
        if least == most:
            return ""
        if self.kind == kind:
            least, most = min(least, type(least)(self.least)), max(most, type(most)(self.most))
        self.kind, self.least, self.most = kind, str(least), str(most)
        return str(name)

    def _is_within(self, row: Mapping[str, Any], axis: str) -> bool:
        if not axis or self.within is None or row.get(axis) is None:
            return True
        low, high = self.within
        if self.kind == "date":
            return low <= str(row[axis])[:10] <= high
        return float(low) <= float(row[axis]) <= float(high)


def read_span(kind: str, low: str, high: str) -> Span | None:
    """The part of a time axis that somebody asked for; None where it is none."""
    try:
        if kind == "date":
            first, last = (date.fromisoformat(each).isoformat() for each in (low, high))
            return (first, last) if first < last else None
        start, end = float(low), float(high)
    except ValueError:
        return None
    return (str(start), str(end)) if -1e9 < start < end < 1e9 else None


def _type(part: Mapping[str, Any]) -> str:
    mark = part.get("mark", "")
    return str(mark["type"] if isinstance(mark, dict) else mark)


def _has_read(channels: Mapping[str, Any]) -> bool:
    return any(channels.get(way, {}).get("field") in _READ for way in ("x", "y"))


def _sayer(channels: Mapping[str, Any], language: str, *, reads: bool) -> Callable[[Mapping[str, Any]], str]:
    """What says of a row its series and, where it is a value of its own, its place and numbers."""
    fields = {way: each for way, each in channels.items() if isinstance(each, dict) and "field" in each}
    series = next((fields[way]["field"] for way in _SERIES if way in fields), None)
    ways = [fields[way] for way in ("x", "y", "size", "opacity") if way in fields]
    places = [each for each in ways if each.get("type") != "quantitative" or each["field"] in _TIMES]
    numbers = [each for each in ways if each not in places]
    others = [each["field"] for way, each in fields.items() if way in _SERIES and each["field"] != series]

    def say(row: Mapping[str, Any]) -> str:
        of = "" if series is None else str(row.get(series) or "")
        if not reads:
            return f"{of}{SEPARATOR}"
        said = [str(row["panel"])] if row.get("panel") else []
        said += [str(row[name]) for name in dict.fromkeys(others) if row.get(name) and str(row[name]) != of]
        for each in places:
            value = row.get(each["field"])
            if value is not None and str(value) != of:
                said.append(_titled(each, _written(value, each, language), is_place=True))
        for each in numbers:
            value = row.get(each["field"])
            if value is None:
                return ""
            text = _written(value, each, language)
            if each["field"] == "value" and row.get("lower") is not None and row.get("upper") is not None:
                ends = (_written(row[end], each, language) for end in ("lower", "upper"))
                text += f" ({' – '.join(ends)})"
            said.append(_titled(each, text))
        return f"{of}{SEPARATOR}{'; '.join(said)}"

    return say


def _titled(channel: Mapping[str, Any], text: str, *, is_place: bool = False) -> str:
    title = channel.get("title") or (channel.get("axis") or {}).get("title")
    if isinstance(title, list):
        title = " ".join(title)
    if not title or (is_place and channel.get("type") == "temporal"):
        return text
    return f"{title}: {text}"


def _written(value: object, channel: Mapping[str, Any], language: str) -> str:
    """A value as the reader's language writes it."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    form = str((channel.get("axis") or {}).get("format", ""))
    unit = " %" if form.endswith("%") else ""
    number = 100 * value if unit else value
    is_whole = abs(number) >= 1000 or float(number).is_integer()
    text = f"{number:,.0f}" if is_whole else f"{number:.4g}"
    text = text.replace(",", "\u202f")
    return (text.replace(".", ",") if language == "fr" else text) + unit
