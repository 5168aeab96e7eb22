"""Persons, where they live, when they are observed, when they die."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from factories.pseudonymised import at, ben, built, hospital, of_stay, prestation, stay, vocabulary

PERSON = ("person_id", "gender_concept_id", "year_of_birth", "month_of_birth", "day_of_birth")
PERIOD = ("person_id", "observation_period_start_date", "observation_period_end_date", "period_type_concept_id")
DEATH = ("person_id", "death_date", "death_type_concept_id")
FIRST, LAST = date(2019, 1, 1), date(2019, 12, 31)


def omop_person(person_id: int, source: str = "hosp-c", **changes: Any) -> dict[str, Any]:
    row = {"gender_concept_id": 8507, "year_of_birth": 1950, "month_of_birth": 2, "day_of_birth": 3}
    return {"person_id": person_id, "source": source, "race_concept_id": 0, "ethnicity_concept_id": 0} | row | changes


def period(person_id: int, start_on: date, end_on: date, source: str = "hosp-c") -> dict[str, Any]:
    return {
        "person_id": person_id,
        "source": source,
        "observation_period_id": 5,
        "observation_period_start_date": start_on,
        "observation_period_end_date": end_on,
        "period_type_concept_id": 44814724,
    }


def visit(person_id: int, key: int, start_on: date, end_on: date) -> dict[str, Any]:
    return hospital(person_id, visit_key=key, visit_class="inpatient", start_at=at(start_on), end_at=at(end_on))


def test_several_pseudonyms_are_one_person_and_every_row_counts() -> None:
    rows = [ben(1), ben(1, MAX_TRT_DTD=date(2015, 1, 1)), ben(1, MAX_TRT_DTD=date(2012, 1, 1))]
    with built({"ben": rows}) as snapshot:
        assert snapshot.rows("person", *PERSON) == [(1, 8532, 1960, 5, None)]
        assert snapshot.account("ben") == {"delivered": 3, "mapped": 3}


@pytest.mark.parametrize(("code", "concept"), [(1, 8507), (2, 8532), (0, 0), (9, 0), (None, 0)])
def test_a_sex_that_is_not_known_is_zero(code: int | None, concept: int) -> None:
    with built({"ben": [ben(1, BEN_SEX_COD=code)]}) as snapshot:
        assert snapshot.rows("person", "gender_concept_id") == [(concept,)]


def test_the_row_used_last_says_where_a_person_lives_and_fills_what_others_know() -> None:
    rows = [
        ben(1, BEN_RES_DPT="075", BEN_RES_COM="056", MAX_TRT_DTD=date(2018, 1, 1)),
        ben(1, BEN_RES_DPT="069", BEN_RES_COM="383", MAX_TRT_DTD=date(2019, 1, 1), BEN_NAI_MOI=None, BEN_SEX_COD=0),
    ]
    with built({"ben": rows}) as snapshot:
        ((location,),) = snapshot.rows("person", "location_id")
        places = dict(snapshot.rows("location", "location_id", "location_source_value"))
        assert places[location] == "69383"
        assert snapshot.rows("person", "gender_concept_id") == [(8532,)]


@pytest.mark.parametrize(
    ("department", "commune", "insee"),
    [
        ("075", "056", "75056"),
        ("001", "004", "01004"),
        ("209", "004", "20004"),
        ("971", "101", "97101"),
        ("097", "411", "97411"),
        ("069", None, "69"),
        ("069", "000", "69"),
        ("069", "999", "69"),  # a commune that nobody knows: one scheme never sends it
        ("209", None, "20"),  # Corsica, in one of its two departments
        ("974", None, "974"),
    ],
)
def test_a_commune_gets_its_insee_code(department: str, commune: str | None, insee: str) -> None:
    with built({"ben": [ben(1, BEN_RES_DPT=department, BEN_RES_COM=commune)]}) as snapshot:
        assert snapshot.rows("location", "location_source_value", "country_source_value") == [(insee, "FR")]


def test_a_person_without_a_birth_year_is_rejected_and_so_is_their_care() -> None:
    tables = {"ben": [ben(1), ben(2, BEN_NAI_ANN=None)], "prs": [prestation(2, FIRST)]}
    with built(tables) as snapshot:
        assert snapshot.account("ben")["reasons"] == {"no_birth_year": 1}
        assert snapshot.account("prs")["reasons"] == {"no_person": 1}


def test_a_linked_patient_is_the_person_of_the_reference() -> None:
    tables = {
        "ben": [ben(1)],
        "h_patient": [hospital(1, sex="M", birth_on=date(1961, 6, 7))],
        "omop_person": [omop_person(1)],
    }
    with built(tables) as snapshot:
        assert snapshot.rows("person", *PERSON) == [(1, 8532, 1960, 5, None)]
        assert snapshot.account("h_patient") == snapshot.account("omop_person") == {"delivered": 1, "mapped": 1}


def test_an_unlinked_patient_is_a_person_of_the_hospital() -> None:
    tables = {"h_patient": [hospital(7, sex="F", birth_on=date(1961, 6, 7))], "omop_person": [omop_person(8)]}
    with built(tables) as snapshot:
        assert snapshot.rows("person", *PERSON) == [(7, 8532, 1961, 6, 7), (8, 8507, 1950, 2, 3)]


def test_the_sources_of_a_person_are_kept_for_permits_on_one_source() -> None:
    tables = {
        "ben": [ben(1), ben(1), ben(2)],
        "h_patient": [hospital(1, sex="F", birth_on=date(1960, 5, 1)), hospital(7, sex="F", birth_on=date(1961, 6, 7))],
        "omop_person": [omop_person(1)],
    }
    with built(tables) as snapshot:
        found = snapshot.rows("person_source", "person_id", "source")
        assert found == [(1, "hosp-a"), (1, "hosp-c"), (1, "snds"), (2, "snds"), (7, "hosp-a")]
        assert "person_source" not in snapshot.report.tables


# -- observation


def test_rights_give_the_period_from_the_first_to_the_last_delivered_day() -> None:
    with built({"ben": [ben(1)]}) as snapshot:
        assert snapshot.rows("observation_period", *PERIOD) == [(1, FIRST, LAST, 32813)]


@pytest.mark.parametrize(
    ("changes", "start_on", "end_on"),
    [
        ({"BEN_DTE_INS": date(2019, 4, 2)}, date(2019, 4, 2), LAST),
        ({"BEN_NAI_ANN": 2019, "BEN_NAI_MOI": 6, "BEN_DTE_INS": date(2019, 6, 20)}, date(2019, 6, 20), LAST),
        ({"BEN_NAI_ANN": 2019, "BEN_NAI_MOI": 6, "BEN_DTE_INS": date(2010, 1, 1)}, date(2019, 6, 1), LAST),
        ({"BEN_DTE_INS": date(1600, 1, 1)}, FIRST, LAST),
        ({"BEN_DTE_INS": None}, FIRST, LAST),
        ({"BEN_DCD_DTE": date(2019, 6, 1)}, FIRST, date(2019, 6, 1)),
        ({"BEN_DCD_DTE": date(1600, 1, 1)}, FIRST, LAST),
        ({"BEN_DCD_DTE": date(2024, 6, 1)}, FIRST, LAST),
    ],
)
def test_birth_affiliation_and_death_bound_the_period(changes: dict[str, Any], start_on: date, end_on: date) -> None:
    with built({"ben": [ben(1, **changes)]}) as snapshot:
        assert snapshot.rows("observation_period", *PERIOD) == [(1, start_on, end_on, 32813)]


def test_care_before_the_insertion_shows_the_affiliation() -> None:
    rows = [ben(1, BEN_DTE_INS=date(2019, 4, 2)), ben(2, BEN_DTE_INS=date(2019, 4, 2))]
    tables = {
        "ben": rows,
        "prs": [prestation(1, date(2019, 3, 1))],
        "mco_b": [stay(2, 1, date(2019, 2, 1), date(2019, 2, 3))],
    }
    with built(tables) as snapshot:
        starts = snapshot.rows("observation_period", "person_id", "observation_period_start_date")
        assert starts == [(1, date(2019, 3, 1)), (2, date(2019, 2, 1))]


def test_who_died_before_the_first_day_is_not_observed() -> None:
    with built({"ben": [ben(1, BEN_DCD_DTE=date(2018, 12, 31))]}) as snapshot:
        assert snapshot.rows("observation_period") == []
        assert len(snapshot.rows("person")) == 1


def test_a_patient_of_hospitals_only_is_observed_from_the_first_to_the_last_visit() -> None:
    visits = [visit(7, 1, date(2018, 3, 1), date(2018, 3, 4)), visit(7, 2, date(2019, 5, 1), date(2019, 5, 2))]
    tables = {"h_patient": [hospital(7, sex="F", birth_on=date(1961, 6, 7))], "h_visit": visits}
    with built(tables) as snapshot:
        periods = snapshot.rows("observation_period", *PERIOD)
        assert periods == [(7, date(2018, 3, 1), date(2019, 5, 2), 32880)]


def test_a_delivered_period_is_kept_where_it_is_the_only_one() -> None:
    tables = {"omop_person": [omop_person(8)], "omop_observation_period": [period(8, date(2001, 1, 1), LAST)]}
    with built(tables, periods=()) as snapshot:
        assert snapshot.rows("observation_period", *PERIOD) == [(8, date(2001, 1, 1), LAST, 44814724)]
        assert snapshot.account("omop_observation_period") == {"delivered": 1, "mapped": 1}


def test_rights_replace_a_delivered_period() -> None:
    tables = {"ben": [ben(1)], "omop_observation_period": [period(1, date(2001, 1, 1), LAST)]}
    with built(tables) as snapshot:
        assert snapshot.rows("observation_period", *PERIOD) == [(1, FIRST, LAST, 32813)]
        assert snapshot.account("omop_observation_period")["reasons"] == {"within_rights": 1}


def test_periods_of_two_hospitals_become_one() -> None:
    periods = [period(8, date(2001, 1, 1), date(2002, 1, 1)), period(8, date(2001, 6, 1), LAST, source="hosp-e")]
    with built({"omop_person": [omop_person(8)], "omop_observation_period": periods}, periods=()) as snapshot:
        assert snapshot.rows("observation_period", *PERIOD) == [(8, date(2001, 1, 1), LAST, 32880)]
        assert snapshot.account("omop_observation_period") == {"delivered": 2, "mapped": 2}


# -- death


def test_the_best_source_gives_the_death_and_its_type() -> None:
    june_1, june_2 = date(2019, 6, 1), date(2019, 6, 2)
    tables = {
        "ben": [ben(1, BEN_DCD_DTE=june_2), ben(2, BEN_DCD_DTE=june_2), ben(3), ben(4)],
        "cci": [{"person_id": 1, "BEN_DCD_DTE": june_1, "DCD_CIM_COD": "K922"}],
        "mco_b": [stay(p, p, date(2019, 5, 30), june_1, SOR_MOD="9") for p in (1, 2, 3)],
        "h_patient": [hospital(p, sex="F", birth_on=date(1960, 5, 1), death_on=june_2) for p in (3, 4)],
    }
    with built(tables | vocabulary()) as snapshot:
        assert snapshot.rows("death", *DEATH) == [
            (1, june_1, 32815),  # certificate
            (2, june_2, 32813),  # national reference
            (3, june_1, 32812),  # a stay that ended by death
            (4, june_2, 32817),  # a hospital's file
        ]
        causes = snapshot.rows("death", "cause_source_value", "cause_concept_id", "cause_source_concept_id")
        assert causes[0] == ("K922", 2_000_000_101, 2_000_000_001)


def test_a_second_certificate_is_filtered_and_one_without_a_date_rejected() -> None:
    certificates = [
        {"person_id": 1, "BEN_DCD_DTE": date(2019, 6, 1), "DCD_CIM_COD": "K922"},
        {"person_id": 1, "BEN_DCD_DTE": date(2019, 6, 3), "DCD_CIM_COD": "I219"},
        {"person_id": 1, "BEN_DCD_DTE": None, "DCD_CIM_COD": "I219"},
        {"person_id": 9, "BEN_DCD_DTE": date(2019, 6, 3), "DCD_CIM_COD": "I219"},
    ]
    with built({"ben": [ben(1)], "cci": certificates}) as snapshot:
        assert snapshot.rows("death", "death_date", "cause_source_value") == [(date(2019, 6, 1), "K922")]
        assert snapshot.account("cci")["reasons"] == {"death_known": 1, "no_date": 1, "no_person": 1}


def test_a_stay_that_was_filtered_says_nothing_of_a_death() -> None:
    one = stay(1, 1, date(2019, 5, 30), date(2019, 6, 1), SOR_MOD="9", NIR_RET="1")
    with built({"ben": [ben(1)], "mco_b": [one], "mco_d": [of_stay(1, 1, ASS_DGN="I10")]}) as snapshot:
        assert snapshot.rows("death") == []
