"""The pages for the public can be read by everybody: structure, names, languages and contrast (WCAG 2.2 AA)."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest

from enclos.app.pages.catalogue import catalogue_page
from enclos.app.pages.register import index_page, public_style, register_page
from enclos.app.pages.statements import Desks, accessibility_page, opt_out_page
from enclos.app.pages.words import Language
from factories.holdings import ABOUT, FIGURES, QUALITY

VOID = {"meta", "link", "br"}


class Page(HTMLParser):
    """What a reader's machine makes of a page: elements with their attributes and texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None], list[str]]] = []
        self._open: list[int] = []
        self.feed(text)
        assert not self._open, "an element is not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs), []))
        if tag not in VOID:
            self._open.append(len(self.elements) - 1)

    def handle_endtag(self, tag: str) -> None:
        assert self.elements[self._open.pop()][0] == tag, f"{tag} closes another element"

    def handle_data(self, data: str) -> None:
        for index in self._open:
            self.elements[index][2].append(data)

    def of(self, *tags: str) -> list[tuple[dict[str, str | None], str]]:
        return [(attrs, "".join(texts).strip()) for tag, attrs, texts in self.elements if tag in tags]


def content() -> dict[str, Any]:
    permit = {
        "permit": "FR-2026-0042",
        "holder": "CHU de Demain",
        "purpose": {"article": "53(1)(e)", "text": "Safety of statins"},
        "legal_basis": "ehds-permit",
        "data": {"tables": "all", "population": "all", "period": {"start": "2019-01-01", "end": "2024-01-01"}},
        "access": "rows",
        "opt_out": {"applied": True},
        "state": "GRANTED",
        "valid_from": "2026-11-01T00:00:00Z",
        "valid_until": "2029-11-01T00:00:00Z",
        "versions": [{"version": 1, "state": "GRANTED", "from": "2026-11-01", "digest": "ab" * 32, "entries": [3, 4]}],
        "n_users": 1,
        "n_uses": 12,
        "releases": [{"request": "r-1", "exported_at": "2026-11-20T00:00:00Z", "days": "1.50", "entries": [7, 8]}],
        "results_by": "2031-05-01",
        "results": "late",
        "days": {"sign_to_open": "0.10", "sign_to_result": None},
    }
    return {
        "enclosure": "France",
        "made_at": "2026-11-28T00:00:00Z",
        "catalogue": "cd" * 32,
        "permits": [permit],
        "days": {name: {"n": 1, "median": "1.00"} for name in ("sign_to_open", "sign_to_result", "request_to_export")},
    }


def register_of(language: Language) -> str:
    proofs: dict[str, Any] = {"key": "k", "checkpoint": "", "entries": []}
    return register_page(content(), json.dumps(content()).encode(), proofs, language)


DESKS = Desks("dpo@hosp.example", [("hosp-a", "Accueil", "https://hosp.example/opt"), ("snds", "Your fund", "By post")])


def opt_out_of(language: Language, desks: Desks = DESKS) -> str:
    return opt_out_page(content(), desks, language)


def accessibility_of(language: Language, desks: Desks = DESKS) -> str:
    return accessibility_page(content(), desks, language)


def catalogue_of(language: Language) -> str:
    return catalogue_page(ABOUT, FIGURES, QUALITY, ["catalogue.ttl", "en.html"], "ef" * 32, language)


STATEMENTS = (opt_out_of, accessibility_of)
PAGES = [(make, language) for make in (register_of, catalogue_of, *STATEMENTS) for language in Language]


@pytest.mark.parametrize(("make", "language"), PAGES)
def test_a_page_has_a_language_landmarks_headings_in_order_and_names_for_what_can_be_used(
    make: Any, language: Language
) -> None:
    page = Page(make(language))
    ((html, _),) = page.of("html")
    assert html["lang"] == language.value
    assert len(page.of("header")) == len(page.of("main")) == len(page.of("h1")) == len(page.of("title")) == 1
    levels = [int(tag[1]) for tag, _, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and all(then - before <= 1 for before, then in pairwise(levels))
    ids = [attrs["id"] for _, attrs, _ in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    for attrs, text in page.of("a", "button", "summary"):
        assert text, attrs
    for attrs, _ in page.of("a"):
        assert not str(attrs["href"]).startswith("#") or str(attrs["href"])[1:] in ids
        assert attrs.get("lang") == attrs.get("hreflang")
    assert str(page.of("a")[0][0]["href"]).startswith("#"), "the first link skips to the content"
    for attrs, _ in page.of("th"):
        assert attrs["scope"] in {"col", "row"}
    for tag, attrs, _ in page.elements:
        assert attrs.get("tabindex") in {None, "0"} and (attrs.get("role") != "region" or attrs["aria-label"]), tag
        assert attrs.get("aria-labelledby") in {None, *ids}
    assert "user-scalable" not in make(language) and "maximum-scale" not in make(language)


def test_the_french_pages_say_nothing_in_english() -> None:
    for make in (register_of, catalogue_of):
        english, french = (Page(make(language)).of("dt", "h2", "th", "summary", "button") for language in Language)
        same = {said for (_, said), (_, other) in zip(english, french, strict=True) if said == other}
        assert same <= {"person", "Table", "Questions"}, same


@pytest.mark.parametrize("desks", [DESKS, Desks()])
def test_the_statements_are_french_to_the_last_sentence(desks: Desks) -> None:
    for make in STATEMENTS:
        english, french = (
            Page(make(language, desks)).of("p", "li", "h1", "h2", "h3", "a", "th") for language in Language
        )
        named = {"hosp-a", "snds", "https://hosp.example/opt", "www.cnil.fr", "www.defenseurdesdroits.fr", "Source"}
        assert {text for _, text in english} & {text for _, text in french} <= named


def test_who_says_no_is_asked_for_nothing_and_learns_where_to_go_and_what_is_not_reached() -> None:
    page = Page(opt_out_of(Language.EN))
    assert not page.of("form", "input", "textarea", "button", "script"), "no identity can be typed into this host"
    assert [(attrs["href"], attrs["rel"]) for attrs, _ in page.of("a") if "https" in str(attrs["href"])] == [
        ("https://hosp.example/opt", "noreferrer"),
        ("https://www.cnil.fr", "noreferrer"),
    ]
    assert "1 permits that are not over, none" in opt_out_of(Language.EN)
    refusing = content()
    refusing["permits"][0]["opt_out"] = {"applied": False}
    assert "these: FR-2026-0042" in opt_out_page(refusing, Desks(), Language.EN)
    refusing["permits"][0]["state"] = "EXPIRED"
    assert "Of 0 permits" in opt_out_page(refusing, Desks(), Language.EN)
    assert "have not named the desks" in opt_out_of(Language.EN, Desks())
    linked = {attrs["href"] for attrs, _ in Page(register_of(Language.FR)).of("a")}
    assert {"opt-out-fr.html", "accessibility-fr.html"} <= linked


def test_the_page_of_languages_has_a_heading_and_names_each_in_itself() -> None:
    page = Page(index_page())
    assert [said for _, said in page.of("h1")] == ["Public register · Registre public"]
    assert [attrs["lang"] for attrs, _ in page.of("span")] == ["fr"]
    assert [(attrs["href"], attrs["lang"]) for attrs, _ in page.of("a")] == [("en.html", "en"), ("fr.html", "fr")]


def luminance(colour: str) -> float:
    """Source: WCAG 2.2, relative luminance."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_texts_and_focus_stand_out_in_light_and_in_dark() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    light, dark = str(public_style()).split("@media (prefers-color-scheme: dark)")
    named = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", light))
    for colours in (named, named | dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", dark))):
        for name in ("ink", "quiet", "accent", "late", "holds"):
            assert min(contrast(colours[name], colours[behind]) for behind in ("card", "paper")) >= 4.5, name
        assert contrast(colours["onaccent"], colours["accent"]) >= 4.5
        assert contrast("#ffffff", colours["bar"]) >= 4.5
        for behind in ("card", "paper", "bar"):
            assert contrast(colours["focus"], colours[behind]) >= 3, behind
    assert not re.findall(r"#[0-9a-f]{3,6}", re.sub(r"--\w+: #[0-9a-f]{6};|color: #fff;", "", light + dark))
