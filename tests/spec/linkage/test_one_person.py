"""Who is one person: each paragraph a tiny country, the circuits that ran, and the persons that come out.

Pseudonyms are written PSA/rank; a hospital's patients by their own number.
"""

from __future__ import annotations

import pytest

from factories.deliveries import open_vault, write_circuit, write_patients, write_snds


@pytest.fixture
def country(tmp_path):
    def make(holders, patients=(), sent=(), answered=(), hospital="hosp-a"):
        with open_vault(tmp_path / "enclosure") as bench:
            bench.accept(write_snds(tmp_path, holders))
            if patients:
                bench.accept(write_patients(tmp_path, hospital, patients))
            for folder in write_circuit(tmp_path, hospital, sent, answered) if sent else ():
                bench.accept(folder)
            report = bench.link()
            bench.number()
            persons = {}
            for (_, key), person in bench.persons().items():
                persons.setdefault(person, set()).add(key)
            return sorted(map(sorted, persons.values())), report

    return make


def test_a_person_has_one_number_whatever_pseudonyms_it_had(country):
    persons, _ = country({"ida": ["mother/1", "own/1"], "bob": ["bob/1"]})
    assert persons == [["bob/1"], ["mother/1", "own/1"]]


def test_twins_under_one_insured_stay_two(country):
    persons, _ = country({"romy": ["parent/1"], "zoe": ["parent/2"]})
    assert persons == [["parent/1"], ["parent/2"]]


def test_a_patient_is_the_holder_of_the_answered_pseudonym(country):
    persons, report = country({"ida": ["a/1"], "bob": ["b/1"]}, ["p7"], [("p7", "t1")], [("t1", "b/1")])
    assert persons == [["a/1"], ["b/1", "p7"]]
    assert report.hospitals[0].n_linked == 1


def test_the_rank_tells_which_twin_the_patient_is(country):
    persons, _ = country({"romy": ["c/1"], "zoe": ["c/2"]}, ["p1"], [("p1", "t1")], [("t1", "c/2")])
    assert persons == [["c/1"], ["c/2", "p1"]]


def test_two_numbers_of_one_patient_in_a_hospital_become_one_person(country):
    persons, _ = country({"ida": ["a/1"]}, ["p1", "p2"], [("p1", "t1"), ("p2", "t2")], [("t1", "a/1"), ("t2", "a/1")])
    assert persons == [["a/1", "p1", "p2"]]


def test_two_pseudonyms_answered_for_one_patient_are_no_conflict_when_they_are_one_person(country):
    persons, report = country({"ida": ["a/1", "b/1"]}, ["p1"], [("p1", "t1")], [("t1", "a/1"), ("t1", "b/1")])
    assert persons == [["a/1", "b/1", "p1"]]
    assert report.hospitals[0].as_json()["conflicts"] == 0


def test_a_patient_who_would_be_two_persons_stays_alone_and_is_reported(country):
    persons, report = country(
        {"ida": ["a/1"], "bob": ["b/1"]}, ["p1"], [("p1", "t1"), ("p1", "t2")], [("t1", "a/1"), ("t2", "b/1")]
    )
    assert persons == [["a/1"], ["b/1"], ["p1"]]
    assert report.hospitals[0].as_json()["conflicts"] == 1


def test_a_temporary_id_that_two_patients_share_links_neither(country):
    persons, report = country({"ida": ["a/1"]}, ["p1", "p2"], [("p1", "t1"), ("p2", "t1")], [("t1", "a/1")])
    assert persons == [["a/1"], ["p1"], ["p2"]]
    assert report.hospitals[0].as_json()["conflicts"] == 2


def test_a_patient_without_answer_or_with_an_unknown_one_is_a_person_of_its_own(country):
    persons, report = country({"ida": ["a/1"]}, ["p1", "p2"], [("p1", "t1"), ("p2", "t2")], [("t2", "nobody/1")])
    assert persons == [["a/1"], ["p1"], ["p2"]]
    assert report.hospitals[0].as_json()["reasons"] == {
        "linked": 0,
        "no_answer": 1,
        "unknown_person": 1,
        "conflict": 0,
    }


def test_the_same_temporary_id_in_another_hospital_is_another_id(country, tmp_path):
    with open_vault(tmp_path / "two") as bench:
        bench.accept(write_snds(tmp_path, {"ida": ["a/1"], "bob": ["b/1"]}, name="two-ref"))
        for hospital, pseudonym in (("hosp-a", "a/1"), ("hosp-b", "b/1")):
            bench.accept(write_patients(tmp_path, hospital, ["p1"]))
            for folder in write_circuit(tmp_path, hospital, [("p1", "t1")], [("t1", pseudonym)]):
                bench.accept(folder)
        bench.link()
        bench.number()
        persons = bench.persons()
    assert persons["hosp-a", "p1"] == persons["snds", "a/1"] != persons["snds", "b/1"] == persons["hosp-b", "p1"]


def test_a_person_in_two_hospitals_and_in_the_snds_is_one(tmp_path):
    with open_vault(tmp_path / "two") as bench:
        bench.accept(write_snds(tmp_path, {"ida": ["a/1", "b/1"], "bob": ["c/1"]}, name="two-ref"))
        for hospital, patient, pseudonym in (("hosp-a", "p1", "a/1"), ("hosp-b", "q1", "b/1")):
            bench.accept(write_patients(tmp_path, hospital, [patient]))
            for folder in write_circuit(tmp_path, hospital, [(patient, "t1")], [("t1", pseudonym)]):
                bench.accept(folder)
        bench.link()
        bench.number()
        persons = bench.persons()
    ida = {persons[key] for key in (("snds", "a/1"), ("snds", "b/1"), ("hosp-a", "p1"), ("hosp-b", "q1"))}
    assert len(ida) == 1
    assert persons["snds", "c/1"] not in ida
