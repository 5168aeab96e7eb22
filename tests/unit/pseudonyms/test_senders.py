"""What a sender lets out: pseudonyms and what is named, and nothing of an identity."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAsPromised
from enclos.pseudonyms.model import IdentityColumns
from enclos.pseudonyms.secret_functions import identity_messages, level_one_pseudonyms
from enclos.pseudonyms.steps.senders import PSEUDONYM_COLUMN, pseudonymise_rows
from enclos.pseudonyms.steps.sent_resources import PSEUDONYM_SYSTEM, pseudonymise_resources
from enclos.stores.keys import LocalBlocks

KEY = LocalBlocks(b"k" * 32)
COLUMNS = IdentityColumns("NIR", "DDN", "SEXE", ("sejour", "code"))
NIR, CORSE = "190017512345678", "290012A123456"


def key_of(nir: str) -> str:
    number = int(nir.replace("2A", "19").replace("2B", "18"))
    return f"{nir}{97 - number % 97:02d}"


def rows(**changes: str) -> pa.Table:
    row = {"NIR": NIR[:13], "DDN": "1990-01-31", "SEXE": "1", "NOM": "DURAND", "sejour": "S1", "code": "I10", **changes}
    good = {"NIR": CORSE, "DDN": "2000-02-29", "SEXE": "F", "NOM": "MARTIN", "sejour": "S2", "code": "E11"}
    return pa.table({name: [good[name], row[name]] for name in row})


def test_the_pseudonym_comes_first_then_what_is_kept_and_nothing_else():
    found = pseudonymise_rows(rows(), 2, COLUMNS, KEY)
    assert found.column_names == [PSEUDONYM_COLUMN, "sejour", "code"] and "p1_cmac_aes256_1" in PSEUDONYM_COLUMN
    messages = identity_messages(
        pa.array([CORSE, NIR[:13]]), pa.array(["2000-02-29", "1990-01-31"]), pa.array(["2", "1"])
    )
    assert found[PSEUDONYM_COLUMN].to_pylist() == level_one_pseudonyms(KEY, messages).to_pylist()
    assert found["sejour"].to_pylist() == ["S2", "S1"]


def test_a_nir_with_its_key_is_the_same_person():
    for nir in (NIR[:13], CORSE):
        one, two = (
            pseudonymise_rows(rows(NIR=each), 2, COLUMNS, KEY)[PSEUDONYM_COLUMN][1] for each in (nir, key_of(nir))
        )
        assert one == two


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("NIR", "", "a NIR"),
        ("NIR", "590017512345", "a NIR"),
        ("NIR", "990017512345678", "a NIR"),
        ("NIR", "190017512345699", "key"),
        ("DDN", "31/01/1990", "YYYY-MM-DD"),
        ("DDN", "1990-02-30", "calendar"),
        ("DDN", "1900-02-29", "calendar"),
        ("DDN", "1990-04-31", "calendar"),
        ("SEXE", "K", "1 or M"),
    ],
)
def test_a_bad_identity_is_refused_with_rule_and_line_and_without_its_value(column, value, rule):
    with pytest.raises(NotAsPromised) as refused:
        pseudonymise_rows(rows(**{column: value}), 102, COLUMNS, KEY)
    assert refused.value.code is Code.IDENTITY_INVALID
    assert "Line 103" in refused.value.what and column in refused.value.what and rule in refused.value.what
    assert not value or value not in refused.value.what


@pytest.mark.parametrize("text", [f"vu ce jour {NIR[:13]}", f"mère: {key_of('270037512345678'[:13])}"])
def test_a_kept_column_that_shows_a_nir_is_refused(text):
    with pytest.raises(NotAsPromised) as refused:
        pseudonymise_rows(rows(code=text), 2, COLUMNS, KEY)
    assert refused.value.code is Code.IDENTITY_SHOWN and "line 3" in refused.value.what
    assert NIR[:13] not in str(refused.value)


def test_thirteen_digits_that_are_no_nir_of_the_row_may_stay():
    assert pseudonymise_rows(rows(code="1234567890123"), 2, COLUMNS, KEY).num_rows == 2


def test_identities_cannot_be_kept():
    for wrong in (("NIR", "DDN", "SEXE", ("NIR",)), ("NIR", "DDN", "SEXE", ("DDN",)), ("A", "A", "B", ())):
        with pytest.raises(ValueError):
            IdentityColumns(*wrong)


PATIENT = {
    "resourceType": "Patient",
    "id": "p-7",
    "text": {"div": "<div>DURAND Paul</div>"},
    "identifier": [
        {"system": "urn:oid:1.2.250.1.213.1.4.8", "value": NIR[:13]},
        {"system": "urn:hospital", "value": "IPP-4711"},
    ],
    "name": [{"family": "DURAND", "given": ["Paul"]}],
    "telecom": [{"value": "0612345678"}],
    "address": [{"line": ["3 rue des Lilas"], "city": "Brest"}],
    "contact": [{"name": {"family": "DURAND"}}],
    "gender": "male",
    "birthDate": "1990-01-31",
    "generalPractitioner": [{"reference": "Practitioner/9", "display": "Dr KNOCK"}],
    "extension": [{"url": "birthPlace", "valueAddress": {"city": "Brest"}}],
}
STAY = {
    "resourceType": "Encounter",
    "id": "e-1",
    "status": "finished",
    "class": {"code": "IMP", "display": "DURAND"},
    "subject": {"reference": "Patient/p-7", "display": "Paul DURAND"},
    "period": {"start": "2020-01-01T10:00:00+01:00"},
    "note": [{"text": "DURAND"}],
}
CONDITION = {
    "resourceType": "Condition",
    "id": "c-1",
    "subject": {"reference": "https://hospital.example/fhir/Patient/p-7/_history/2"},
    "encounter": {"reference": "Encounter/e-1", "identifier": {"value": "IPP-4711"}},
    "code": {"coding": [{"system": "icd", "code": "I10", "display": "HTA de DURAND"}], "text": "DURAND"},
}


def test_resources_keep_codes_and_dates_and_fit_each_other_under_new_ids():
    patient, stay, condition = pseudonymise_resources(enumerate((PATIENT, STAY, CONDITION), 1), KEY)
    messages = identity_messages(pa.array([NIR[:13]]), pa.array(["1990-01-31"]), pa.array(["1"]))
    pseudonym = level_one_pseudonyms(KEY, messages)[0].as_py()
    assert patient == {
        "resourceType": "Patient",
        "id": patient["id"],
        "gender": "male",
        "birthDate": "1990",
        "identifier": [{"system": PSEUDONYM_SYSTEM, "value": pseudonym}],
    }
    assert stay["subject"] == {"reference": f"Patient/{patient['id']}"} == condition["subject"]
    assert condition["encounter"] == {"reference": f"Encounter/{stay['id']}"}
    assert condition["code"] == {"coding": [{"system": "icd", "code": "I10"}]}
    assert stay["period"] == STAY["period"] and stay["class"] == {"code": "IMP"}
    text = json.dumps([patient, stay, condition])
    for canary in ("DURAND", "Paul", NIR[:13], "4711", "0612345678", "Lilas", "Brest", "KNOCK", "p-7", "e-1", "01-31"):
        assert canary not in text
    (again,) = pseudonymise_resources([(9, STAY)], KEY)
    assert again == stay


def test_types_that_no_warehouse_takes_stay_behind():
    assert list(pseudonymise_resources([(1, {"resourceType": "Practitioner", "id": "9"})], KEY)) == []


@pytest.mark.parametrize(
    ("change", "element"),
    [
        ({"identifier": []}, "identifier"),
        ({"identifier": [{"system": "urn:oid:1.2.250.1.213.1.4.8", "value": "DURAND"}]}, "identifier"),
        ({"birthDate": "1990"}, "birthDate"),
        ({"gender": "unknown"}, "gender"),
    ],
)
def test_a_patient_without_a_whole_identity_is_refused_with_the_line(change, element):
    with pytest.raises(NotAsPromised) as refused:
        list(pseudonymise_resources([(12, {**PATIENT, **change})], KEY))
    assert refused.value.code is Code.IDENTITY_INVALID
    assert "Line 12" in refused.value.what and element in refused.value.what and "DURAND" not in str(refused.value)


def test_a_date_that_shows_the_birth_date_is_refused():
    with pytest.raises(NotAsPromised) as refused:
        list(pseudonymise_resources([(3, {**PATIENT, "deceasedDateTime": "1990-01-31"})], KEY))
    assert refused.value.code is Code.IDENTITY_SHOWN


def test_a_resource_that_shows_a_nir_is_refused():
    coded = {**CONDITION, "code": {"coding": [{"code": f"see {key_of('2700375123456')}"}]}}
    with pytest.raises(NotAsPromised) as refused:
        list(pseudonymise_resources(enumerate((PATIENT, coded), 1), KEY))
    assert refused.value.code is Code.IDENTITY_SHOWN and "line 2" in refused.value.what
    assert "2700375123456" not in str(refused.value)
