"""The form of a permit's document: what it says is what the document says, and what it cannot say it leaves alone."""

from __future__ import annotations

from typing import Any

import pytest

from enclos.contracts.view import GRANTABLE_TABLES, PotentialIdentifier
from enclos.permits.document import (
    document_of,
    faults_in,
    field_of,
    form_from_document,
    json_from_permit,
    read_permit,
    text_from_form,
    text_of,
)
from factories.permits import permit_text

POPULATIONS = [
    "all",
    '{region: "94"}',
    '{departments: ["974", "2A"]}',
    "{source: hosp-a}",
    "{sample_percent: '2.50', seed: 7}",
    "{concepts: [443238, 201826], descendants: false, domain: drug}",
    '{circe: \'{"ConceptSets": [],\r\n "PrimaryCriteria": {}} \n\'}',
    "{controls_of: {source: hosp-a}, per_case: 4, seed: 9}",
    "{controls_of: {sample_percent: 2, seed: 1}, per_case: 4, seed: 9}",
]
WHOLE = permit_text(
    users="[{id: bob@example.org, role: data-manager}, {id: alice@example.org, role: researcher}]",
    data="{tables: {person: [gender_concept_id, year_of_birth], death: all}, population: all, "
    "period: {start: 2019-01-01, end: 2024-01-01}, potential_identifiers: [birth_month, {id: commune, why: Distance}]}",
    opt_out="{applied: false, as_of: permit}",
    disclosure="{min_count: 20, round_to: 5, rules: {hides_zeros: true}}",
    valid="{from: 2026-11-01T06:30:00Z, until: 2029-11-01T00:00:00Z}",
)


def document(population: str = "all") -> dict[str, Any]:
    found = document_of(WHOLE.replace("population: all", f"population: {population}"))
    assert isinstance(found, dict)
    return found


def given(of: dict[str, Any]) -> dict[str, list[str]]:
    """What a browser sends of the form that states a document: lines end by CR LF."""
    form = form_from_document(of)
    assert form is not None
    return {
        name: [each.replace("\r\n", "\n").replace("\n", "\r\n") for each in values] for name, values in form.items()
    }


@pytest.mark.parametrize("population", POPULATIONS)
def test_a_document_comes_back_from_its_form_as_the_same_permit(population: str) -> None:
    before = document(population)
    form = given(before)
    assert form["persons"] != ["other"], "each usual way has fields"
    permit = read_permit(text_of(before), min_count_floor=5)
    assert read_permit(text_from_form(form, before), min_count_floor=5) == permit
    signed = json_from_permit(permit)
    assert document_of(text_from_form(given(signed), signed)) == signed


def test_an_amendment_s_form_sends_neither_id_nor_basis_nor_validity_and_they_stay() -> None:
    before = json_from_permit(read_permit(WHOLE, min_count_floor=5))
    kept = {"permit", "legal_basis", "from", "until"}
    sent = {name: values for name, values in given(before).items() if name not in kept}
    after = document_of(text_from_form({**sent, "min_count": ["30"]}, before))
    assert after == {**before, "disclosure": {**before["disclosure"], "min_count": 30}}


@pytest.mark.parametrize(
    "changes",
    [
        {"more": 1},
        {"data": {"tables": "all"}},
        {"purpose": "none"},
        {"users": [{"id": "a b", "role": "researcher"}]},
        {"disclosure": {"min_count": [1]}},
    ],
)
def test_there_is_no_form_of_what_it_could_not_say(changes: dict[str, Any]) -> None:
    assert form_from_document({**document(), **changes}) is None
    assert form_from_document(document_of("a: [")) is None


def test_each_box_says_the_table_column_and_detail_that_it_names() -> None:
    sent = {**given(document()), "tables": ["death", "person"], "columns": ["person.person_id"]}
    for each in PotentialIdentifier:
        permit = read_permit(text_from_form({**sent, "identifiers": [each.value]}), min_count_floor=5)
        assert permit.terms.identifiers == {each}
        assert [(grant.table, grant.columns) for grant in permit.terms.grants] == [
            ("person", ("person_id",)),
            ("death", None),
        ]
    nothing = read_permit(text_from_form({**sent, "tables": [], "columns": []}), min_count_floor=5)
    assert nothing.terms.tables == GRANTABLE_TABLES
    with_columns_alone = read_permit(text_from_form({**sent, "tables": []}), min_count_floor=5)
    assert with_columns_alone.terms.tables == ("person",)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"persons": "departments", "departments": "75; 2C"}, "departments"),
        ({"persons": "region", "region": "12"}, "region"),
        ({"persons": "concepts", "concepts": "12a", "domain": "drug"}, "concepts"),
        ({"persons": "concepts", "concepts": "12", "domain": "drugs"}, "domain"),
        ({"persons": "circe", "circe": "study.json"}, "circe"),
        ({"persons": "source", "source": "Hosp A"}, "source"),
        ({"persons": "sample", "sample_percent": "101", "sample_seed": "1"}, "sample_percent"),
        ({"persons": "sample", "sample_percent": "2,5", "sample_seed": "x"}, "sample_seed"),
        ({"persons": "source", "source": "a", "per_case": "4", "control_seed": "x"}, "control_seed"),
        ({"persons": "source", "source": "a", "per_case": "40", "control_seed": "1"}, "per_case"),
        ({"persons": "source", "source": "?", "per_case": "4", "control_seed": "1"}, "source"),
        ({"persons": "all", "per_case": "4", "control_seed": "1"}, "per_case"),
        ({"persons": "other", "population": "{source: '?'}"}, "population"),
        ({"persons": "somebody"}, "persons"),
        ({"users": "alice@example.org\nalice@example.org"}, "users"),
        ({"why_commune": "x"}, "why_commune"),
        ({"until": "2026-01-01"}, "until"),
    ],
)
def test_a_fault_stands_at_its_field(changes: dict[str, str], field: str) -> None:
    sent = {**given(document()), **{name: [value] for name, value in changes.items()}}
    found = faults_in(text_from_form(sent, document()), min_count_floor=5)
    assert {field_of(place, sent) for place, _ in found} == {field}


def test_what_is_no_box_of_the_form_is_a_fault_and_no_crash() -> None:
    sent = {**given(document()), "tables": ["note"], "identifiers": ["name"], "persons": ["concepts"]}
    found = {field_of(place, sent) for place, _ in faults_in(text_from_form(sent), min_count_floor=5)}
    assert found >= {"tables", "identifiers"}
