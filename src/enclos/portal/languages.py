"""The language that a request is answered in where nobody chose one before."""

from __future__ import annotations

import re

from starlette.requests import Request

from enclos.app.pages.words import Language

_LANGUAGES = tuple(language.value for language in Language)


def language_of(accepted: str) -> str:
    """The language to answer in, by the header Accept-Language: English unless French is wanted more.

    Source: RFC 9110, § 12.5.4.
    """
    wanted = dict.fromkeys(("en", "fr"), 0.0)
    for part in accepted.lower().split(","):
        tag, _, weight = part.strip().partition(";")
        found = re.fullmatch(r"q=([01](?:\.\d{0,3})?)", weight.strip() or "q=1")
        language = tag.partition("-")[0].strip()
        if language in wanted and found:
            wanted[language] = max(wanted[language], float(found[1]))
    return max(wanted, key=lambda language: wanted[language])


def language_chosen(request: Request) -> str:
    """The language that the address names; empty when it names none."""
    chosen = request.query_params.get("lang", "")
    return chosen if chosen in _LANGUAGES else ""


def language_asked(request: Request) -> Language:
    """The language of who has no session, or chose none."""
    return Language(language_chosen(request) or language_of(request.headers.get("accept-language", "")))
