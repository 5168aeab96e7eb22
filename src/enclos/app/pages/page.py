"""A page: a heading, key figures, and sections with a picture for wide and one for narrow screens, or a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from enclos.app.pages.words import Language

WIDE, NARROW = 860, 290
"""Widths of the two drawings in pixels: text stays readable on a telephone."""


@cache
def template_of(name: str) -> Template:
    """The template of a page that is a file, compiled once, which takes longer than to fill it in."""
    text = resources.files("enclos.app.pages").joinpath(f"{name}.html.j2").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(text)


@dataclass(frozen=True, slots=True)
class Picture:
    """One drawing, twice: for a wide and for a narrow screen."""

    wide: Markup
    narrow: Markup


@dataclass(frozen=True, slots=True)
class Table:
    """A table; the first ``n_texts`` columns are text, the others numbers.

    With words to ``fold`` it under, it is opened when asked for.
    """

    columns: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    n_texts: int = 1
    note: str = ""
    fold: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part of a page; ``under`` the heading of the section before it."""

    title: str
    lead: str = ""
    picture: Picture | None = None
    table: Table | None = None
    under: bool = False


@dataclass(frozen=True, slots=True)
class ReportPage:
    """Everything that a page shows."""

    language: Language
    title: str
    lead: str
    notice: str
    figures: Sequence[tuple[str, str]]
    sections: Sequence[Section]

    def html(self) -> str:
        """The page as one HTML document: no script, no request."""
        return template_of("page").render(page=self, style=style_of("base.css"))


def twice(draw: Callable[[int], str]) -> Picture:
    """The picture at both widths."""
    return Picture(Markup(draw(WIDE)), Markup(draw(NARROW)))  # noqa: S704 - SVG that vl-convert escaped


def style_of(*names: str) -> Markup:
    """The style that lies in these files of ours, one after the other."""
    folder = resources.files("enclos.app.pages")
    return Markup("".join(folder.joinpath(name).read_text(encoding="utf-8") for name in names))  # noqa: S704 - our own
