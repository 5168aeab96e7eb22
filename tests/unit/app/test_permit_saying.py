"""What a permit opens is said in both languages, whatever it touches."""

from __future__ import annotations

import re
from typing import Any

import pytest

from enclos.app.pages.acts_words import ACTIONS, FRENCH_ACTS
from enclos.app.pages.rooms import permit_fields, permit_saying
from enclos.app.pages.rooms.permit_changes import said_changes
from enclos.app.pages.rooms.permit_saying import said_count, said_opening, said_warning
from enclos.app.pages.rooms.words_access import FRENCH_ACCESS
from enclos.app.pages.rooms.words_applications import FRENCH_APPLICATIONS
from enclos.app.pages.words import Language, Words
from enclos.app.previews import told_of
from enclos.contracts.view import CONCEPT_COLUMNS, PotentialIdentifier
from enclos.ledger.model import Action, Outcome
from enclos.permits.document import permit_from_json
from enclos.permits.document.forms import KINDS
from enclos.permits.model import Move
from enclos.permits.rules.life import legal_bases


def test_every_text_that_is_chosen_by_a_name_is_said_in_french() -> None:
    tables = (permit_saying.IDENTIFIERS, permit_saying.UNCOUNTED, permit_saying.MOVES, permit_saying.COUNTED_ACCESS)
    texts = {text for table in tables for text in table.values()}
    texts |= {text for _, text in permit_saying.WARNINGS.values()}
    assert texts - FRENCH_APPLICATIONS.keys() == set()
    assert set(permit_saying.DAYS.values()) - FRENCH_ACCESS.keys() == set()
    assert ACTIONS.keys() == {action.value for action in Action}
    assert FRENCH_ACTS.keys() == {*ACTIONS.values(), *(outcome.value for outcome in Outcome)}
    bases = legal_bases().values()
    assert {text for basis in bases for text in (basis.source, basis.title)} <= FRENCH_APPLICATIONS.keys()
    assert {each.value for each in PotentialIdentifier} == permit_saying.IDENTIFIERS.keys()
    assert {each.value for each in Move} == permit_saying.MOVES.keys()


@pytest.mark.parametrize("name", permit_saying.WARNINGS)
def test_a_warning_names_its_values(name: str) -> None:
    wanted = re.findall(r"\{(\w+)\}", permit_saying.WARNINGS[name][1])
    given = {value: ["commune"] if value == "identifiers" else f"<{value}>" for value in wanted}
    for language in Language:
        _, text = said_warning({"warning": name, **given}, Words(language, FRENCH_APPLICATIONS))
        assert "{" not in text
        assert all(f"<{value}>" in text for value in wanted if value != "identifiers")


def test_a_count_below_the_floor_is_not_told() -> None:
    words = Words(Language.EN, FRENCH_APPLICATIONS)
    assert said_count({"n": None, "below": True}, 11, words) == "fewer than 11"
    assert said_count({"n": None, "below": True}, 11, words, is_of_rows=True) == "of fewer than 11"
    assert said_count({"n": 1230, "below": False}, 11, words) == "about 1\u202f230"


def test_fields_and_choices_of_the_form_are_said_in_french() -> None:
    tables = (permit_fields.FIELDS, permit_fields.PERSONS, permit_fields.DOMAINS, permit_fields.ARTICLES)
    said = [text for table in tables for text in table.values()]
    said += [text for _, text in permit_fields.FORM_FAULTS.values()]
    assert [text for text in said if text not in FRENCH_APPLICATIONS] == []
    assert tuple(permit_fields.PERSONS) == KINDS
    assert list(permit_fields.DOMAINS) == list(CONCEPT_COLUMNS)
    assert {f"why_{each.value}" for each in PotentialIdentifier} < set(permit_fields.FIELDS)


CHANGED: list[tuple[dict[str, Any], str]] = [
    ({"holder": {"organisation": "AP-HP", "investigator": "a@b.fr"}}, "Titulaire"),
    ({"users": [{"id": "a@b.fr", "role": "data-manager"}]}, "Utilisateur a@b.fr"),
    ({"purpose": {"article": "53(1)(a)", "text": "Another one"}}, "Finalité"),
    ({"data": {"population": {"sample_percent": "2", "seed": 8}}}, "Personnes concernées"),
    ({"data": {"population": {"circe": '{"b": 2}'}}}, "Personnes concernées"),
    ({"data": {"tables": "all"}}, "Table death"),
    ({"data": {"tables": {"person": ["person_id"]}}}, "Table person"),
    ({"data": {"period": {"start": "2019-01-02", "end": "2024-01-01"}}}, "Période des données"),
    ({"data": {"potential_identifiers": [{"id": "commune", "why": "Other reason"}]}}, "la commune de résidence"),
    ({"access": "rows"}, "Ce qui est visible"),
    ({"opt_out": {"applied": False, "as_of": "now"}}, "Oppositions"),
    ({"disclosure": {"min_count": 12, "round_to": 5}}, "Plus petit effectif qui peut sortir"),
    ({"disclosure": {"min_count": 11, "rules": {"hides_zeros": True}}}, "Autres règles de sortie"),
]


@pytest.mark.parametrize(("change", "name"), CHANGED)
def test_whatever_an_amendment_changes_is_said(change: dict[str, Any], name: str) -> None:
    before = {
        "permit": "FR-1",
        "holder": {"organisation": "CHU de Demain", "investigator": "a@b.fr"},
        "users": [{"id": "a@b.fr", "role": "researcher"}],
        "purpose": {"article": "53(1)(e)", "text": "A test of it"},
        "legal_basis": "ehds-permit",
        "data": {
            "tables": {"person": ["year_of_birth"]},
            "population": {"sample_percent": "2", "seed": 7},
            "period": {"start": "2019-01-01", "end": "2024-01-01"},
            "potential_identifiers": [{"id": "commune", "why": "Distance"}],
        },
        "access": "aggregates",
        "opt_out": {"applied": True, "as_of": "now"},
        "disclosure": {"min_count": 11},
        "valid": {"from": "2026-11-01T00:00:00Z", "until": "2029-11-01T00:00:00Z"},
    }
    if "circe" in str(change):
        before["data"] = {**before["data"], "population": {"circe": '{"a": 1}'}}  # type: ignore[dict-item]
    data = {"data": {**before["data"], **change["data"]}} if "data" in change else {}  # type: ignore[dict-item]
    after = {**before, **change, **data}
    words = Words(Language.FR, FRENCH_ACCESS)
    said = [_said(each, words) for each in (before, after)]
    assert said_changes(before, before, said[0], said[0], words) == []
    changes = said_changes(before, after, said[0], said[1], words)
    assert name in [each for each, _, _ in changes]
    assert all(was != is_now for _, was, is_now in changes)


def _said(document: dict[str, Any], words: Words) -> dict[str, str]:
    told = told_of(permit_from_json(document))
    return dict(said_opening({**told, "warnings": []}, words, 5)["pairs"])
