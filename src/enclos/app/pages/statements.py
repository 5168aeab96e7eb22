"""What the public is told beside the register: how to say no and to ask what is held, and how accessible pages are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from enclos.app.pages.page import template_of
from enclos.app.pages.register import LANGUAGE_NAMES, public_style
from enclos.app.pages.statements_words import ACCESSIBILITY, FRENCH_STATEMENTS, OPT_OUT
from enclos.app.pages.words import Language, Words

OPT_OUT_PAGE, ACCESSIBILITY_PAGE = "opt-out", "accessibility"
_ENDED = {"REVOKED", "EXPIRED"}


@dataclass(frozen=True, slots=True)
class Desks:
    """Whom the public turns to, as the enclosure's settings name them."""

    contact: str = ""
    """Who answers about the enclosure and these pages."""
    by_source: Sequence[tuple[str, str, str]] = field(default=())
    """Of each source: its name, who takes objections and questions, and where."""


def statement_pages(content: Mapping[str, Any], desks: Desks) -> dict[str, str]:
    """Both statements in every language, by the names of their files.

    In: content — what the register says
    """
    return {
        f"{name}-{language.value}.html": make(content, desks, language)
        for name, make in ((OPT_OUT_PAGE, opt_out_page), (ACCESSIBILITY_PAGE, accessibility_page))
        for language in Language
    }


def opt_out_page(content: Mapping[str, Any], desks: Desks, language: Language) -> str:
    """How to object to the use of one's data, to take it back, and to ask what is held: at desks that know the person.

    Source: Regulation (EU) 2025/327, Art. 71; Regulation (EU) 2016/679, Art. 15, 21, 77.
    """
    running = [permit for permit in content["permits"] if permit["state"] not in _ENDED]
    without = sorted(permit["permit"] for permit in running if not permit["opt_out"]["applied"])
    return _page(OPT_OUT_PAGE, OPT_OUT, content, desks, language, n_running=len(running), without=without)


def accessibility_page(content: Mapping[str, Any], desks: Desks, language: Language) -> str:
    """How accessible the pages are, what that is known from, and what is not known.

    Source: Directive (EU) 2016/2102, Art. 7; Commission Implementing Decision (EU) 2018/1523.
    """
    return _page(ACCESSIBILITY_PAGE, ACCESSIBILITY, content, desks, language, n_running=0, without=[])


def _page(
    name: str,
    title: str,
    content: Mapping[str, Any],
    desks: Desks,
    language: Language,
    *,
    n_running: int,
    without: Sequence[str],
) -> str:
    other = Language.EN if language is Language.FR else Language.FR
    return template_of(name).render(
        frame=template_of("statement"),
        name=name,
        title=Words(language, FRENCH_STATEMENTS)(title),
        language=language.value,
        other=other.value,
        other_name=LANGUAGE_NAMES[other],
        words=Words(language, FRENCH_STATEMENTS),
        content=content,
        desks=desks,
        n_running=n_running,
        without=without,
        style=public_style(),
    )
