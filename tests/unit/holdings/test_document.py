"""The document about the holdings: what holds, and what is refused."""

from __future__ import annotations

import re

import pytest
import yaml

from enclos.holdings.document import draft_about, read_about
from enclos.lexicon.refusals import Refusal

DRAFT = yaml.safe_load(draft_about())
OPTIONAL = {"sources"}


def refused(text: str) -> str:
    with pytest.raises(Refusal) as caught:
        read_about(text)
    assert caught.value.code.name == "CATALOGUE_DOCUMENT"
    return str(caught.value)


def test_the_draft_holds_and_says_both_languages() -> None:
    about = read_about(draft_about())
    assert about.title.en != about.title.fr
    assert about.health_categories == ["HRAD", "EHRS"]


@pytest.mark.parametrize("field", sorted(set(DRAFT) - OPTIONAL))
def test_nothing_is_made_up_for_a_field_that_is_missing(field: str) -> None:
    said = refused(yaml.safe_dump({key: value for key, value in DRAFT.items() if key != field}, allow_unicode=True))
    assert f"{field}: is missing" in said


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("HRAD, EHRS", "HRAD, EHR", r"line \d+: health_categories\.1: must be one of EHRS"),
        ("[HRAD, EHRS]", "[]", r"health_categories: must name one at least"),
        ("country: FRA", "country: XXX", r"country: must be one of BEL"),
        ("end: 2046-01-01", "end: 2026-01-01", r"retention: must end after it starts"),
        ("contact@example.org", "contact at example.org", r"contact\.email: must be an e-mail address"),
        ("org/catalogue/  ", "org/catalogue  ", r"address: must be an address that ends with /"),
        ("access.example.org/apply", "access.example.org/apply>", r"access_page: must be an http or https address"),
        ('fr: "Recherche', 'de: "Recherche', r"purpose\.fr: is missing"),
        ("type: STATISTICAL", "type: 7", r"type: must be a text"),
        ("identifier: example-holdings", "identifier: example-holdings\nsecret: x", r"secret: is not a known field"),
    ],
)
def test_a_fault_is_named_with_its_line_and_without_what_was_written(before: str, after: str, said: str) -> None:
    assert before in draft_about()
    found = refused(draft_about().replace(before, after, 1))
    assert re.search(said, found), found
    assert "at example.org" not in found and "apply>" not in found and "XXX" not in found


def test_every_fault_is_named_at_once_and_unreadable_text_is_refused() -> None:
    found = refused(draft_about().replace("country: FRA", "country: X").replace("frequency: ANNUAL", "frequency: Y"))
    assert "country" in found and "frequency" in found
    assert "not readable YAML" in refused("title: [")
    assert refused("")
