"""Whose stays are these: patients without NIR, found by what the PMSI tells of the same stays.

Seven variables are compared: hospital, day of entry, day of exit, sex, birth month, principal diagnosis, acts. Each
paragraph says only what differs from a stay at 690000001 from 1 to 5 April 2019 of a woman born in March 1950.
"""

from __future__ import annotations

import pytest

from factories.deliveries import open_vault, write_circuit, write_own_stays, write_pmsi_stays, write_snds


@pytest.fixture
def country(tmp_path):
    def make(own, national, holders=("ida", "bob"), births=None, circuit=None, threshold=None):
        with open_vault(tmp_path / "enclosure") as bench:
            persons = {holder: [f"{holder}/1"] for holder in holders}
            bench.accept(write_snds(tmp_path, persons, births=births))
            bench.accept(write_own_stays(tmp_path, "hosp-a", own))
            bench.accept(write_pmsi_stays(tmp_path, national))
            for folder in write_circuit(tmp_path, "hosp-a", *circuit) if circuit else ():
                bench.accept(folder)
            bench.link()
            report = bench.link_indirectly(threshold=threshold)
            bench.number()
            numbers, found = bench.persons(), {}
            for (source, key), person in numbers.items():
                if source == "hosp-a":
                    found[key] = next((k for (s, k), p in numbers.items() if s == "snds" and p == person), None)
            return found, report.groups["hosp-a"]

    return make


def test_a_stay_that_agrees_on_everything_and_on_no_other_says_who_the_patient_is(country):
    found, groups = country([{}], [{"whose": "ida/1"}, {"whose": "bob/1", "entry": "2019-05-01", "exit": "2019-05-03"}])
    assert found == {"p1": "ida/1"}
    assert groups == {"group_1": 1}


def test_one_or_two_variables_may_disagree_when_no_other_person_comes_as_near(country):
    found, groups = country(
        [{}, {"finess": "750000002"}],
        [
            {"whose": "ida/1", "entry": "2019-03-31", "exit": "2019-04-04"},
            {"whose": "bob/1", "finess": "750000002", "principal": "I50"},
        ],
    )
    assert found == {"p1": "ida/1", "p2": "bob/1"}
    assert groups == {"group_2": 2}


def test_three_variables_that_disagree_are_too_many(country):
    found, groups = country([{}], [{"whose": "ida/1", "entry": "2019-03-31", "exit": "2019-04-04", "acts": ""}])
    assert found == {"p1": None}
    assert groups == {"none": 1}


def test_two_persons_with_the_same_stay_are_told_apart_by_nobody(country):
    found, groups = country([{}], [{"whose": "ida/1"}, {"whose": "bob/1"}])
    assert found == {"p1": None}
    assert groups == {"multiple": 1}


def test_two_patients_with_the_same_stay_dispute_it_and_neither_has_it(country):
    found, groups = country([{}, {}], [{"whose": "ida/1"}])
    assert found == {"p1": None, "p2": None}
    assert groups == {"multiple": 2}


def test_a_stay_that_was_matched_is_no_longer_another_ones_second_best(country):
    found, _ = country([{}, {"birth": "1951-07-02"}], [{"whose": "ida/1"}])
    assert found == {"p1": "ida/1", "p2": None}


def test_several_stays_that_agree_speak_for_one_person(country):
    later = {"entry": "2019-06-01", "exit": "2019-06-09"}
    both = [{"patient": "p1"}, {"patient": "p1", **later}]
    assert country(both, [{"whose": "ida/1"}, {"whose": "ida/1", **later}])[0] == {"p1": "ida/1"}


def test_a_patient_whose_stays_are_two_persons_stays_alone(country):
    later = {"entry": "2019-06-01", "exit": "2019-06-09"}
    both = [{"patient": "p1"}, {"patient": "p1", **later}]
    found, groups = country(both, [{"whose": "ida/1"}, {"whose": "bob/1", **later}])
    assert found == {"p1": None}
    assert groups == {"multiple": 1}


def test_two_numbers_of_one_patient_with_a_stay_each_become_one_person(country):
    later = {"entry": "2019-06-01", "exit": "2019-06-09"}
    found, _ = country([{}, later], [{"whose": "ida/1"}, {"whose": "ida/1", **later}])
    assert found == {"p1": "ida/1", "p2": "ida/1"}


def test_the_birth_month_of_the_snds_tells_two_persons_apart(country):
    found, _ = country([{}], [{"whose": "ida/1"}, {"whose": "bob/1"}], births={"bob": "1950-04"})
    assert found == {"p1": "ida/1"}


def test_a_stay_whose_identity_the_pmsi_did_not_accept_is_nobodys(country):
    found, _ = country([{}], [{"whose": "ida/1", "nir_ret": "1"}])
    assert found == {"p1": None}


def test_the_nir_comes_first_where_there_is_one(country):
    found, _ = country([{}], [{"whose": "bob/1"}], circuit=([("p1", "t1")], [("t1", "ida/1")]))
    assert found == {"p1": "ida/1"}


def test_a_higher_threshold_asks_for_all_variables(country):
    found, groups = country([{}], [{"whose": "ida/1", "principal": "I50"}], threshold=7)
    assert found == {"p1": None}
    assert groups == {"none": 1}


def test_twins_who_are_born_in_one_stay_each_are_told_apart_by_nobody(country):
    born = {"entry": "2019-04-01", "exit": "2019-04-05", "birth": "2019-04-01", "principal": "Z38.3", "acts": ""}
    births = {"romy": "2019-04", "zoe": "2019-04"}
    found, groups = country(
        [born, born], [{**born, "whose": "romy/1"}, {**born, "whose": "zoe/1"}], holders=("romy", "zoe"), births=births
    )
    assert found == {"p1": None, "p2": None}
    assert groups == {"multiple": 2}
