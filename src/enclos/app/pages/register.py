"""The pages of the public register."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

from markupsafe import Markup

from enclos.app.pages.page import style_of, template_of
from enclos.app.pages.register_words import FRENCH_REGISTER, VERDICTS
from enclos.app.pages.rooms.saying import said_population
from enclos.app.pages.words import Language, Words
from enclos.permits.rules.life import legal_bases

LANGUAGE_NAMES = {Language.EN: "English", Language.FR: "Français"}


def register_page(content: Mapping[str, Any], text: bytes, proofs: Mapping[str, Any], language: Language) -> str:
    """The register in one language: readable without a script; its one script checks the proofs that it carries.

    In: content, text — what the register says, and the very bytes whose digest is in the ledger.
    """
    words = Words(language, FRENCH_REGISTER)
    script = resources.files("enclos.app.pages").joinpath("register.js").read_text(encoding="utf-8")
    other = Language.EN if language is Language.FR else Language.FR
    return template_of("register").render(
        language=language.value,
        other=other.value,
        other_name=LANGUAGE_NAMES[other],
        words=words,
        number=lambda value: words.number(None if value is None else float(value), 1),
        title=words("Public register of {name}", name=content["enclosure"]),
        content=content,
        figures=_figures(content, words),
        tables_of=lambda permit: _tables(permit["data"]["tables"], words),
        population_of=lambda permit: said_population(permit["data"]["population"], words),
        basis_of=lambda permit: _basis(permit, words),
        key=proofs["key"],
        style=public_style(),
        script=Markup(script),  # noqa: S704 - our own file
        script_digest=base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii"),
        data_content=base64.b64encode(text).decode("ascii"),
        data_proofs=_embedded(proofs),
        data_words=_embedded({name: words(said) for name, said in VERDICTS.items()}),
    )


def public_style() -> Markup:
    """The style that the pages for the public share."""
    return style_of("base.css", "public.css")


def index_page(english: str = "Public register", french: str = "Registre public") -> str:
    """The page that leads to the languages, by its titles."""
    links = "".join(
        f'<li><a href="{language.value}.html" lang="{language.value}" hreflang="{language.value}">{said}</a></li>'
        for language, said in ((Language.EN, english), (Language.FR, french))
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{english} · {french}</title></head><body><main>"
        f'<h1>{english} · <span lang="fr">{french}</span></h1><ul>{links}</ul></main></body></html>\n'
    )


def _embedded(document: Mapping[str, Any]) -> Markup:
    """JSON that cannot end the element that it stands in."""
    return Markup(json.dumps(document, ensure_ascii=False).replace("<", "\\u003c"))  # noqa: S704 - escaped here


def _figures(content: Mapping[str, Any], words: Words) -> list[tuple[str, str]]:
    permits = content["permits"]
    days = content["days"]

    def median(name: str) -> str:
        value = days[name]["median"]
        return words("{n} days", n=words.number(float(value), 1)) if value is not None else "–"

    return [
        (words.number(len(permits)), words("permits")),
        (words.number(sum(len(permit["releases"]) for permit in permits)), words("results that left")),
        (words.number(sum(permit["results"] == "late" for permit in permits)), words("permits with late results")),
        (median("sign_to_open"), words("from signature to data, median")),
        (median("sign_to_result"), words("from signature to a first result, median")),
        (median("request_to_export"), words("from request to release, median")),
    ]


def _tables(tables: object, words: Words) -> str:
    if not isinstance(tables, Mapping):
        return words("all tables")
    return ", ".join(
        f"{name} ({', '.join(columns)})" if isinstance(columns, list) else str(name)
        for name, columns in sorted(tables.items())
    )


def _basis(permit: Mapping[str, Any], words: Words) -> str:
    """What a permit's legal basis is called, with its id."""
    known = legal_bases().get(permit["legal_basis"])
    return f"{words(known.title)} [{known.id}]" if known else str(permit["legal_basis"])
