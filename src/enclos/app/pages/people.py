"""The pages for people who sign in: the way in, and who one is."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined

from enclos.app.pages.page import style_of
from enclos.app.pages.people_words import FRENCH_PEOPLE
from enclos.app.pages.words import Language, Words
from enclos.lexicon.refusals import Refusal
from enclos.signin.model import Person


@dataclass(frozen=True, slots=True)
class Offers:
    """By which ways somebody can sign in."""

    provider: bool
    local: bool


def sign_in_page(name: str, offers: Offers, language: Language, refused: Refusal | None = None) -> str:
    """The way in; after a try that was refused, with what was refused."""
    words = Words(language, FRENCH_PEOPLE)
    return _page(words, title=words("{name}: sign in", name=name), offers=offers, refused=refused)


def person_page(person: Person, csrf: str, language: Language, token: str = "") -> str:
    """Who is signed in, and the way out; the token for programs where it was asked for."""
    words = Words(language, FRENCH_PEOPLE)
    return _page(words, title=words("Signed in"), person=person, csrf=csrf, token=token)


def refused_page(refused: Refusal, language: Language) -> str:
    """What was refused, and the way back."""
    words = Words(language, FRENCH_PEOPLE)
    return _page(words, title=words("Refused"), refused=refused)


def style_source() -> str:
    """What a content security policy says of the one style of these pages."""
    digest = hashlib.sha256(style_of("base.css", "public.css").encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _page(words: Words, *, refused: Refusal | None = None, **given: Any) -> str:
    template = resources.files("enclos.app.pages").joinpath("people.html.j2").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    person = given.get("person")
    said = (
        {"what": refused.what, "code": refused.code.id, "rule": refused.rule, "next": refused.next_step}
        if refused
        else None
    )
    return environment.from_string(template).render(
        **{"offers": None, "person": None, "csrf": "", "token": "", **given},
        language=words.language.value,
        words=words,
        refused=said,
        roles=sorted(role.value for role in person.roles) if person else (),
        style=style_of("base.css", "public.css"),
    )
