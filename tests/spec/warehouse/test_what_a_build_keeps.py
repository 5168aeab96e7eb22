"""What a build makes anew, and what it keeps from the snapshot before."""

from __future__ import annotations

from datetime import date
from typing import Any

from factories.pseudonymised import (
    ANALYSIS,
    PACK_CODE,
    ben,
    built,
    dispensing,
    hospital,
    of_stay,
    prestation,
    stay,
    vocabulary,
)

MAY_1, MAY_4, JUNE_3 = date(2019, 5, 1), date(2019, 5, 4), date(2019, 6, 3)
COUNTRY = vocabulary() | {
    "ben": [ben(1), ben(2)],
    "prs": [prestation(1, MAY_1), prestation(1, MAY_1, 3313)],
    "pha": [dispensing(1, MAY_1, PACK_CODE)],
    "mco_b": [stay(1, 1, MAY_1, MAY_4, DGN_PAL="K922")],
    "mco_um": [of_stay(1, 1, UM_ORD_NUM=1, PAR_DUR_SEJ=3)],
    "h_patient": [hospital(2, sex="F", birth_on=date(1960, 5, 1))],
}


def made_anew(*changes: dict[str, list[dict[str, object]]], n_buckets: int = 1) -> dict[str, int]:
    """The tables that a build makes anew, and of how many buckets, when these rows came after the country."""
    with built(COUNTRY, n_buckets=n_buckets, lines_per_pass=1, full=True):
        pass
    tables = dict(COUNTRY)
    for change in changes:
        for name, rows in change.items():
            tables[name] = [*tables.get(name, []), *rows]
    with built(tables, n_buckets=n_buckets, lines_per_pass=1) as snapshot:
        assert not snapshot.report.full
        return dict(snapshot.report.rebuilt)


def test_nothing_new_makes_nothing_anew() -> None:
    assert made_anew() == {}


def test_a_flux_of_town_care_leaves_stays_and_their_diagnoses() -> None:
    flux = {"prs": [prestation(1, JUNE_3, 3313)], "pha": [dispensing(1, JUNE_3, PACK_CODE)]}
    anew = set(made_anew(flux))
    assert {"visit_occurrence", "drug_exposure", "drug_era", "observation_period"} <= anew
    assert not {"person", "death", "visit_detail", "condition_occurrence", "condition_era", "concept"} & anew


def test_rows_that_name_no_person_are_made_anew_slice_by_slice() -> None:
    """More passes than buckets: costs, events of episodes and relations of one slice go, those of others stay."""
    episode = {"source": "hosp-c", "episode_start_date": MAY_1, "episode_concept_id": 1}
    people = range(1, 9)
    tables = {
        "ben": [ben(person) for person in people],
        "prs": [prestation(person, MAY_1, PRS_PAI_MNT=float(person)) for person in people],
        "kin": [{"person_id": person, "mother_id": person + 1} for person in people if person < 8],
        "omop_fact_relationship": [
            {"person_id": person, "other_id": person % 8 + 1, "source": "hosp-c", "relationship_concept_id": 40485452}
            for person in people
        ],
        "omop_episode": [episode | {"person_id": person, "episode_id": person} for person in people],
        "omop_episode_event": [
            {
                "person_id": person,
                "source": "hosp-c",
                "episode_id": person,
                "event_id": person,
                "episode_event_field_concept_id": 1147165,
            }
            for person in people
        ],
        "omop_observation": [
            {"person_id": person, "source": "hosp-c", "observation_id": person, "observation_date": MAY_1}
            for person in people
        ],
    }
    changed = dict(tables) | {
        "prs": [*tables["prs"], prestation(3, MAY_4, PRS_PAI_MNT=3.0)],
        "kin": [*tables["kin"], {"person_id": 3, "mother_id": 7}],
        "omop_observation": [*tables["omop_observation"], {**tables["omop_observation"][2], "observation_id": 9}],
    }
    named = ("cost", "fact_relationship", "episode_event")

    def told(rows: dict[str, Any], **options: Any) -> dict[str, list[tuple[Any, ...]]]:
        with built(rows, n_buckets=2, **options) as snapshot:
            return {table: snapshot.rows(table) for table in named}

    told(tables, lines_per_pass=12, full=True)
    again = told(changed, lines_per_pass=12)
    assert again == told(changed, full=True)
    assert [len(again[table]) for table in named] == [9, 24, 8]


def test_a_stay_leaves_drugs() -> None:
    stays = {"mco_b": [stay(2, 2, MAY_1, MAY_4, DGN_PAL="I10")]}
    anew = set(made_anew(stays))
    assert {"visit_occurrence", "condition_occurrence"} <= anew
    assert not {"drug_exposure", "person", "concept"} & anew


def test_a_new_beneficiary_concerns_whoever_has_the_same_bucket() -> None:
    anew = made_anew({"ben": [ben(4)]}, n_buckets=2)
    assert anew["person"] == 1
    assert "concept" not in anew


def test_another_reference_row_of_a_known_person_leaves_their_care() -> None:
    moved = {"ben": [ben(2, BEN_RES_COM="383", MAX_TRT_DTD=date(2019, 12, 1))]}
    assert not {"visit_occurrence", "drug_exposure", "condition_occurrence"} & set(made_anew(moved))


def test_a_hospital_that_names_another_vocabulary_finds_its_codes() -> None:
    """Only the vocabularies that lines name are looked up; the first line that names LOINC brings it in."""
    with built(COUNTRY, full=True):
        pass
    result = hospital(2, vocabulary="LOINC", code="718-7", start_on=MAY_1)
    with built(COUNTRY | {"h_condition": [result]}) as snapshot:
        anew = snapshot.report.rebuilt
        assert snapshot.rows("measurement", "measurement_concept_id") == [(ANALYSIS,)]
    assert "measurement" in anew
    assert not {"drug_duration", "concept", "visit_occurrence", "death"} & set(anew)


def test_another_vocabulary_or_duration_rule_makes_everything_anew() -> None:
    with built(COUNTRY, full=True):
        pass
    with built(COUNTRY, duration="one-box-30") as snapshot:
        assert snapshot.report.full
    with built(COUNTRY | {"concept": list(COUNTRY["concept"])[:-1]}, duration="one-box-30") as snapshot:
        assert snapshot.report.full
    with built(COUNTRY, n_buckets=2) as snapshot:
        assert snapshot.report.full
