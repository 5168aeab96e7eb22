"""Objections follow persons who come later, who merge and who are split, on a real vault."""

from __future__ import annotations

import json

import pytest

from enclos.pseudonyms.model import Objector
from enclos.pseudonyms.steps.objections import (
    forget_former_numbers,
    has_former_numbers,
    list_objections,
    objecting_persons,
    record_objections,
    withdraw_objections,
)
from factories.deliveries import NOON, open_vault, write_circuit, write_delivery, write_patients, write_snds


@pytest.fixture
def bench(tmp_path):
    with open_vault(tmp_path / "enclosure") as opened:
        yield opened


def object_as(bench, *objectors: Objector) -> None:
    record_objections(bench.engine, objectors, [f"r{n}" for n, _ in enumerate(objectors)], recorded_at=NOON)


def hidden(bench) -> set[int]:
    return set(objecting_persons(bench.engine, bench.landing).tolist())


def test_who_comes_after_the_objection_is_covered(bench, tmp_path):
    object_as(bench, Objector("hosp-a", "p1"), Objector("snds", "a", 1))
    assert hidden(bench) == set()
    bench.accept(write_patients(tmp_path, "hosp-a", ["p1", "p2"]))
    bench.number()
    assert hidden(bench) == {bench.persons()["hosp-a", "p1"]}


def test_without_a_rank_all_holders_of_a_pseudonym_are_meant_and_with_it_one(bench, tmp_path):
    bench.accept(write_snds(tmp_path, {"ida": ["a/1"], "idb": ["a/2"], "idc": ["ab/1"]}))
    bench.number()
    source = next(iter(bench.persons()))[0]
    persons = {key: person for (_, key), person in bench.persons().items()}
    object_as(bench, Objector(source, "a", 2))
    assert hidden(bench) == {persons["a/2"]}
    object_as(bench, Objector(source, "a"))
    assert hidden(bench) == {persons["a/1"], persons["a/2"]}


def test_an_objection_follows_a_merge_and_hides_both_numbers_until_a_build_stands(bench, tmp_path):
    bench.accept(write_snds(tmp_path, {"ida": ["a/1"]}))
    bench.accept(write_patients(tmp_path, "hosp-a", ["p1", "p2"]))
    bench.number()
    object_as(bench, Objector("hosp-a", "p1"))
    apart = bench.persons()["hosp-a", "p1"]
    assert hidden(bench) == {apart}
    for folder in write_circuit(tmp_path, "hosp-a", [("p1", "t1"), ("p2", "t2")], [("t1", "a/1")], "1"):
        bench.accept(folder)
    bench.link()
    bench.number()
    together = bench.persons()["hosp-a", "p1"]
    assert has_former_numbers(bench.engine)
    assert hidden(bench) == {apart, together}
    forget_former_numbers(bench.engine)
    assert hidden(bench) == {together}


def test_an_objection_follows_a_split(bench, tmp_path):
    bench.accept(write_snds(tmp_path, {"ida": ["a/1"]}))
    bench.accept(write_patients(tmp_path, "hosp-a", ["p1"]))
    for folder in write_circuit(tmp_path, "hosp-a", [("p1", "t1")], [("t1", "a/1")], "1"):
        bench.accept(folder)
    bench.link()
    bench.number()
    object_as(bench, Objector("hosp-a", "p1"))
    together = hidden(bench)
    assert together == {bench.persons()["hosp-a", "p1"]} == set(bench.persons().values())
    bench.engine.execute("DELETE FROM vault.links")
    bench.number()
    now = bench.persons()["hosp-a", "p1"]
    assert hidden(bench) == together | {now}
    forget_former_numbers(bench.engine)
    assert hidden(bench) == {now}


def test_withdrawn_the_pseudonym_is_gone_and_the_days_stay(bench, tmp_path):
    bench.accept(write_patients(tmp_path, "hosp-a", ["p1"]))
    bench.number()
    object_as(bench, Objector("hosp-a", "p1"))
    assert len(hidden(bench)) == 1
    assert withdraw_objections(bench.engine, [Objector("hosp-a", "p1")], [], withdrawn_at=NOON) == 1
    assert hidden(bench) == set()
    assert bench.engine.rows("SELECT pseudonym, pseudonym_rank FROM vault.objections") == [(None, None)]
    assert [row["withdrawn_at"] is not None for row in list_objections(bench.engine)] == [True]


def test_a_fhir_patient_is_found_by_the_level_one_pseudonym_that_it_bears(bench, tmp_path):
    pseudonym = "0123456789abcdef0123456789abcdef"
    identifier = [{"system": "urn:enclos:p1:cmac-aes256:1", "value": pseudonym}]
    patients = [
        {"resourceType": "Patient", "id": "x1", "identifier": identifier},
        {"resourceType": "Patient", "id": "x2"},
    ]
    text = "".join(json.dumps(patient) + "\n" for patient in patients)
    bench.accept(write_delivery(tmp_path / "fhir", "fhir-bulk", "hosp-a", {"Patient.ndjson": text}))
    bench.number()
    object_as(bench, Objector("hosp-a", pseudonym))
    assert hidden(bench) == {bench.persons()["hosp-a", "x1"]}
