"""One frame for all pages of people who signed in: who they are, where they may go, and what stands in it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from enclos.app.pages.cases import case_in_french
from enclos.app.pages.refusals import RULES_IN_FRENCH, in_french
from enclos.app.pages.rooms.in_portal import in_portal, source_shown
from enclos.app.pages.row_reasons import row_reason
from enclos.app.pages.words import Language, Words
from enclos.lexicon.refusals import Refusal
from enclos.signin.model import Person

_SCRIPTS = ("htmx.min.js", "editor.js", "figures.js", "offers.js", "session.js", "sql.js", "writing.js")
_ASSETS = ("portal.css", "icon.svg", *_SCRIPTS)
_NAMES = {Language.EN: "English", Language.FR: "Français"}
_DAY = timedelta(days=1)
_ENDING = ".html.j2"
SHARED = ("frame", "bare", "parts")
"""The templates of which every page is made."""


@dataclass(frozen=True, slots=True)
class Place:
    """A link of the navigation; ``below`` are the pages of its room, where it is the one that is open."""

    address: str
    title: str
    is_here: bool
    below: Sequence[Place] = ()


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around a page.

    In: here — the page's path; query — what the path was asked with, without the language; person — None before
        anybody signed in; csrf — the mark of the session's own forms; is_partial — the page's own part alone, for a
        script that puts it into a page that is open; seconds — how long the session goes on if nothing is done
    """

    enclosure: str
    words: Words
    here: str
    query: str = ""
    person: Person | None = None
    csrf: str = ""
    places: Sequence[Place] = ()
    is_partial: bool = False
    seconds: int = 0

    def page(self, template: str, title: str, values: Mapping[str, Any]) -> str:
        """The page as HTML. In: template — its name without ``.html.j2``; title — as it is read."""
        words, language = self.words, self.words.language
        other = Language.EN if language is Language.FR else Language.FR
        return _templates().get_template(template).render(
            {
                **values,
                "layout": "bare" if self.is_partial else "frame",
                "title": title,
                "frame": self,
                "words": words,
                "csrf": self.csrf,
                "language": language.value,
                "other": other.value,
                "other_name": _NAMES[other],
                "other_address": f"{self.here}?{self.query + '&' if self.query else ''}lang={other.value}",
                "asset": asset_address,
                "number": words.number,
                "instant": instant,
                "in_french": in_french,
                "case_in_french": case_in_french,
                "in_portal": in_portal,
                "source_shown": source_shown,
                "rules_in_french": RULES_IN_FRENCH,
                "left": lambda until: time_left(words, until),
                "row_reason": lambda code: row_reason(code, language),
            }
        )  # fmt: skip


def said_of(refused: Refusal) -> dict[str, str]:
    """A refusal as a template says it: what, which rule, what next."""
    return {"what": refused.what, "code": refused.code.id, "rule": refused.rule, "next": refused.next_step}


def instant(at: str | datetime) -> str:
    """An instant as pages write it, to the minute in UTC."""
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def time_left(words: Words, until: timedelta) -> str:
    """How long something still lasts, in the two units that tell it best."""
    if until <= timedelta(0):
        return words("ended")
    days = until // _DAY
    if days >= 730:
        n, m = days // 365, days % 365 // 31
        return words("{n} years {m} months", n=n, m=m) if m else words("{n} years", n=n)
    if days >= 62:
        return words("{n} months", n=days // 30)
    if days >= 2:
        return words("{n} days", n=days)
    hours = until // timedelta(hours=1)
    return words("{n} hours", n=hours) if hours else words("less than an hour")


@cache
def asset(name: str) -> bytes:
    """A file that pages ask for. Refuses: KeyError for any other name."""
    if name not in _ASSETS:
        raise KeyError(name)
    return _folder().joinpath(name).read_bytes()


@cache
def asset_digest(name: str) -> str:
    """What tells one version of a file from another."""
    return hashlib.sha256(asset(name)).hexdigest()[:16]


def asset_address(name: str) -> str:
    """Where a page finds a file."""
    return f"/assets/{asset_digest(name)}/{name}"


@cache
def _templates() -> Environment:
    return Environment(
        loader=FunctionLoader(template_text),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=200,
    )


def template_text(name: str) -> str:
    """The text of a template."""
    return _folder().joinpath(f"{name}{_ENDING}").read_text(encoding="utf-8")


def template_names() -> list[str]:
    """Every template: those that all pages share come first, since what is in one page alone needs them."""
    found = (each.name.removesuffix(_ENDING) for each in _folder().iterdir() if each.name.endswith(_ENDING))
    return sorted(found, key=lambda name: (name not in SHARED, name))


def prepare(names: Sequence[str]) -> None:
    """Compile templates, so that nobody's first page waits for it: a hundredth of a second for a page's own."""
    for name in names:
        _templates().get_template(name)


def _folder() -> Traversable:
    return resources.files("enclos.app.pages.rooms")
