"""Professionals: a number, a speciality and a place; never a name."""

from __future__ import annotations

from datetime import date
from typing import Any

from factories.pseudonymised import Snapshot, built, hospital

MAY_1 = date(2019, 5, 1)


def patient(**changes: Any) -> dict[str, Any]:
    return hospital(1, gender_concept_id=8532, year_of_birth=1960) | changes


def visit(number: int, provider: int | None) -> dict[str, Any]:
    return hospital(
        1,
        visit_occurrence_id=number,
        visit_concept_id=9202,
        visit_start_date=MAY_1,
        visit_end_date=MAY_1,
        visit_type_concept_id=32817,
        provider_id=provider,
    )


SURGEON = {"source": "hosp-a", "provider_id": 9_000_000_000_001, "specialty_source_value": "surgery", "care_site_id": 4}
NURSE = {"source": "hosp-a", "provider_id": 9_000_000_000_002, "specialty_source_value": "nursing"}
SITE = {"source": "hosp-a", "care_site_id": 4, "care_site_name": "Theatre"}


def specialities(snapshot: Snapshot) -> dict[int, str]:
    return dict(snapshot.rows("provider", "provider_id", "specialty_source_value"))


def test_a_delivered_provider_gets_a_new_number_and_keeps_speciality_and_place() -> None:
    tables = {"omop_person": [patient()], "omop_provider": [SURGEON, NURSE], "omop_care_site": [SITE]}
    with built(tables, periods=()) as snapshot:
        ((site,),) = snapshot.rows("care_site", "care_site_id")
        columns = ("specialty_source_value", "care_site_id", "provider_name", "provider_source_value")
        assert snapshot.rows("provider", *columns) == [("nursing", None, None, None), ("surgery", site, None, None)]
        assert not specialities(snapshot).keys() & {SURGEON["provider_id"], NURSE["provider_id"]}
        assert snapshot.account("omop_provider") == {"delivered": 2, "mapped": 2}


def test_rows_lead_to_their_provider_under_its_new_number() -> None:
    tables = {
        "omop_person": [patient(provider_id=NURSE["provider_id"])],
        "omop_provider": [SURGEON, NURSE],
        "omop_visit_occurrence": [visit(1, SURGEON["provider_id"]), visit(2, None)],
    }
    with built(tables, periods=()) as snapshot:
        said = specialities(snapshot)
        assert [said[number] for (number,) in snapshot.rows("person", "provider_id")] == ["nursing"]
        ((surgeon,), (nobody,)) = snapshot.rows("visit_occurrence", "provider_id")
        assert (said[surgeon], nobody) == ("surgery", None)


def test_a_provider_who_was_never_delivered_leads_nowhere_as_before() -> None:
    lines = [visit(1, 55), visit(2, 55), visit(3, 66)]
    tables = {"omop_person": [patient()], "omop_provider": [NURSE], "omop_visit_occurrence": lines}
    with built(tables, periods=()) as snapshot:
        numbers = [number for (number,) in snapshot.rows("visit_occurrence", "provider_id")]
        assert sorted(numbers.count(number) for number in set(numbers)) == [1, 2]
        assert not set(numbers) & {None, 55, 66, *specialities(snapshot)}


def test_the_same_provider_delivered_twice_is_one() -> None:
    tables = {"omop_person": [patient()], "omop_provider": [NURSE, NURSE]}
    with built(tables, periods=()) as snapshot:
        assert snapshot.report.tables["provider"] == 1
        assert snapshot.account("omop_provider") == {
            "delivered": 2,
            "mapped": 1,
            "filtered": 1,
            "reasons": {"same_row": 1},
        }
