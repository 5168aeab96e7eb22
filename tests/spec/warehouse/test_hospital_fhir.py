"""FHIR R4: which resources of a hospital count, and what becomes of what they say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pytest

from factories.fhir import (
    ATC,
    CIM10,
    LOINC,
    SNOMED,
    Hospital,
    code,
    delivered,
    encounter,
    observation,
    patient,
    quantity,
    resource,
    to,
)
from factories.pseudonymised import ANALYSIS, STANDARD_ACT, STANDARD_CONDITION, built, concept, vocabulary
from factories.pseudonymised import hospital as row

MAY_1, MAY_3 = date(2019, 5, 1), date(2019, 5, 3)
POSITIVE, ASPIRIN, PEANUT, CARDIOLOGY = 2_000_000_701, 2_000_000_702, 2_000_000_703, 2_000_000_704
ENTRY, EXIT = "2019-05-01T08:00:00+02:00", "2019-05-03T18:00:00+02:00"
STAY = to("Encounter/stay")
TOLD_AT = {"onsetDateTime": ENTRY, "encounter": STAY}
GIVEN = {"status": "completed", "medicationCodeableConcept": code(ATC, "B01AC06")}
ORDERED = {"status": "active", "intent": "order", "medicationCodeableConcept": code(ATC, "B01AC06")} | {
    "authoredOn": ENTRY
}


def verified(status: str) -> dict[str, Any]:
    return {"verificationStatus": {"coding": [{"code": status}]}}


RESOURCES = (
    patient(deceasedDateTime="2020-02-29T23:30:00Z"),
    # places and professionals
    {
        "resourceType": "Organization",
        "id": "chu",
        "identifier": [{"value": "690781810"}],
        "name": "Cabinet du Dr Martin",
        "type": [{"coding": [{"code": "prov"}]}],
        "address": [{"line": ["5 place d'Arsonval"], "postalCode": "69003", "country": "FR"}],
    },
    {
        "resourceType": "Practitioner",
        "id": "doc",
        "identifier": [{"value": "10101010101"}],
        "name": [{"family": "Martin"}],
        "gender": "male",
    },
    {
        "resourceType": "PractitionerRole",
        "id": "role",
        "practitioner": {"identifier": {"value": "10101010101"}},
        "organization": to("Organization/chu"),
        "specialty": [{"coding": [{"system": "http://nucc.org/provider-taxonomy", "code": "207RC0000X"}]}],
    },
    {"resourceType": "PractitionerRole", "id": "role-of-nobody", "practitioner": to("Practitioner/nobody")},
    # visits
    encounter(
        "stay",
        ENTRY,
        EXIT,
        participant=[{"individual": to("Practitioner?identifier=rpps|10101010101")}],
        serviceProvider=to("Organization?identifier=finess|690781810"),
        hospitalization={
            "admitSource": {"coding": [{"code": "emd"}]},
            "dischargeDisposition": {"coding": [{"code": "home"}]},
        },
        diagnosis=[{"condition": to("Condition/bleed"), "use": {"coding": [{"code": "DD"}]}}],
    ),
    encounter("still-here", "2019-05-20T10:00:00+02:00", status="in-progress"),
    encounter("call", "2019-05-06T09:00:00+02:00", "2019-05-06T09:15:00+02:00", **{"class": {"code": "VR"}}),
    encounter("west", "2019-05-10T20:00:00-05:00", "2019-05-10T20:30:00-05:00", **{"class": {"code": "AMB"}}),
    encounter("local", "2019-05-12T23:30:00", "2019-05-12T23:45:00", **{"class": {"code": "EMER"}}),
    *(
        encounter(f"not-{status}", ENTRY, status=status)
        for status in ("planned", "cancelled", "entered-in-error", "unknown")
    ),
    # diagnoses
    resource(
        "Condition",
        "bleed",
        code=code(CIM10, "K92.2"),
        **TOLD_AT,
        **verified("confirmed"),
        recorder=to("Practitioner/doc"),
    ),
    resource(
        "Condition",
        "pressure",
        code=code(CIM10, "I10"),
        recordedDate=ENTRY,
        abatementDateTime="2019-05-20",
        category=[{"coding": [{"code": "problem-list-item"}]}],
    ),
    *(
        resource("Condition", f"not-{status}", code=code(CIM10, "K92.2"), **TOLD_AT, **verified(status))
        for status in ("unconfirmed", "provisional", "differential", "refuted", "entered-in-error")
    ),
    resource("Condition", "when", code=code(CIM10, "K92.2"), onsetString="long ago"),
    resource("Condition", "what", code={"text": "a bleed"}, onsetDateTime=ENTRY),
    # acts
    resource(
        "Procedure",
        "endoscopy",
        status="completed",
        code=code("https://smt.esante.gouv.fr/terminologie-ccam", "HHQE005"),
        performedPeriod={"start": ENTRY, "end": EXIT},
        encounter=STAY,
        performer=[{"actor": to("PractitionerRole/role")}],
    ),
    *(
        resource("Procedure", f"not-{status}", status=status, code=code(SNOMED, "1"), performedDateTime=ENTRY)
        for status in ("preparation", "not-done", "entered-in-error", "unknown")
    ),
    # drugs
    resource(
        "MedicationAdministration",
        "given",
        **GIVEN,
        context=STAY,
        effectivePeriod={"start": ENTRY, "end": EXIT},
        dosage={"dose": quantity(75, "mg"), "route": {"coding": [{"code": "PO"}]}},
    ),
    resource(
        "MedicationRequest",
        "ordered",
        **ORDERED,
        dispenseRequest={"quantity": {"value": 30}, "expectedSupplyDuration": {"value": 30, "unit": "d"}},
    ),
    resource(
        "MedicationRequest",
        "contained",
        **{**ORDERED, "medicationCodeableConcept": None},
        contained=[{"resourceType": "Medication", "id": "m", "code": code(ATC, "C10AA01")}],
        medicationReference=to("#m"),
    ),
    resource(
        "MedicationRequest",
        "referred",
        **{**ORDERED, "medicationCodeableConcept": None},
        medicationReference=to("Medication/box"),
    ),
    {"resourceType": "Medication", "id": "box", "code": code(ATC, "N02BE01")},
    *(
        resource("MedicationRequest", f"not-{intent}", **{**ORDERED, "intent": intent})
        for intent in ("proposal", "plan", "option")
    ),
    resource("MedicationRequest", "forbidden", **ORDERED, doNotPerform=True),
    resource("MedicationStatement", "told", **{**GIVEN, "status": "active"}, effectiveDateTime=ENTRY),
    resource("MedicationStatement", "denied", **{**GIVEN, "status": "not-taken"}, effectiveDateTime=ENTRY),
    resource(
        "Immunization",
        "jab",
        status="completed",
        vaccineCode=code("http://hl7.org/fhir/sid/cvx", "62"),
        occurrenceDateTime=ENTRY,
    ),
    # results
    observation(
        "plain",
        valueQuantity=quantity(12.5, "g/dL"),
        category=[code("x", "exam"), code("x", "laboratory")],
        encounter=STAY,
    ),
    observation("below", valueQuantity=quantity(3, "g/dL", comparator="<")),
    observation("coded", code=code(LOINC, "5196-1"), valueCodeableConcept=code(SNOMED, "10828004")),
    observation("yes", code=code(LOINC, "63513-6"), valueBoolean=True),
    observation("sentence", code=code(LOINC, "48767-8"), valueString="seen by Dr Martin"),
    observation("nothing", code=code(LOINC, "882-1"), dataAbsentReason={"text": "lost"}),
    observation("early", status="preliminary", valueQuantity=quantity(1, "g/dL")),
    observation(
        "pressure",
        code=code(LOINC, "85354-9"),
        component=[
            {"code": code(LOINC, "8480-6"), "valueQuantity": quantity(121, "mm[Hg]")},
            {"code": code(LOINC, "8462-4"), "valueQuantity": quantity(79, "mm[Hg]")},
        ],
    ),
    # beside care
    resource("AllergyIntolerance", "nuts", code=code(SNOMED, "762952008"), recordedDate=ENTRY, type="allergy"),
    resource("Device", "meter", type=code(SNOMED, "337414009")),
    resource("DeviceUseStatement", "use", status="active", device=to("Device/meter"), timingDateTime=ENTRY),
    {"resourceType": "CarePlan", "id": "plan"},
    # the PMSI as a claim
    resource(
        "Claim",
        "rss",
        status="active",
        use="claim",
        billablePeriod={"start": "2019-05-25", "end": "2019-05-28"},
        supportingInfo=[
            {"code": {"coding": [{"code": "0"}]}, "valueString": "8"},
            {"code": {"coding": [{"code": "1"}]}, "valueString": "7"},
        ],
        diagnosis=[
            {"type": [{"coding": [{"code": "DP"}]}], "diagnosisCodeableConcept": {"coding": [{"code": "S09"}]}},
            {"type": [{"coding": [{"code": "DA"}]}], "diagnosisCodeableConcept": {"coding": [{"code": "I44"}]}},
        ],
        procedure=[
            {"procedureCodeableConcept": {"text": "NZFA010···01·"}, "date": "2019-05-26"},
            {"procedureCodeableConcept": {"text": "NZFA010···21·"}},
        ],
    ),
    resource("Claim", "pharmacy", status="active", use="claim", billablePeriod={"start": ENTRY}),
)


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hospital]:
    words = vocabulary()
    words["concept"] = [
        *words["concept"],
        concept(POSITIVE, "SNOMED", "10828004", "Meas Value", "S"),
        concept(PEANUT, "SNOMED", "762952008", "Observation", "S"),
        concept(CARDIOLOGY, "NUCC", "207RC0000X", "Provider", "S"),
    ]
    with delivered(tmp_path_factory.mktemp("fhir"), *RESOURCES, vocabulary=words) as found:
        yield found


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2019, 5, day, hour, minute)  # noqa: DTZ001 - the clock on the wall in Paris


def test_an_instant_is_the_clock_in_paris_before_its_day_is_cut(hospital: Hospital) -> None:
    starts = hospital.rows("visit_occurrence", "visit_source_value", "visit_start_datetime", "visit_start_date")
    assert ("outpatient", at(11, 3), date(2019, 5, 11)) in starts  # 20:00 on the 10th, five hours west of Greenwich
    assert ("emergency", at(12, 23, 30), date(2019, 5, 12)) in starts  # without an offset: that clock already
    assert hospital.rows("death", "death_date") == [(date(2020, 3, 1),)]  # 23:30 in Greenwich is past midnight


def test_visits_that_did_not_take_place_are_left_out(hospital: Hospital) -> None:
    assert hospital.left["Encounter"] == {"not_done": 4}
    assert hospital.snapshot.report.tables["visit_occurrence"] == 6  # five encounters and a claim


def test_a_visit_keeps_class_ways_place_and_professional(hospital: Hospital) -> None:
    columns = ("visit_concept_id", "visit_end_date", "admitted_from_source_value", "discharged_to_source_value")
    (stay,) = [
        row
        for row in hospital.rows("visit_occurrence", "visit_start_date", *columns, "care_site_id", "provider_id")
        if row[0] == MAY_1
    ]
    assert stay[1:5] == (9201, MAY_3, "emd", "home")
    sites = hospital.rows("care_site", "care_site_id", "place_of_service_source_value", "care_site_name")
    assert (stay[5], "prov", None) in sites
    assert hospital.rows("provider", "provider_id", "specialty_concept_id", "care_site_id") == [
        (stay[6], CARDIOLOGY, stay[5])
    ]


def test_a_professional_and_a_place_have_no_name_and_no_number(hospital: Hospital) -> None:
    said = str(hospital.rows("provider")) + str(hospital.rows("care_site")) + str(hospital.rows("location"))
    for identity in ("Martin", "10101010101", "690781810", "Arsonval", "8507"):
        assert identity not in said
    assert ("69003", "FR") in hospital.rows("location", "zip", "country_source_value")
    assert hospital.left["PractitionerRole"] == {"no_provider": 1}


def test_who_is_still_there_stays_until_the_last_day_delivered(hospital: Hospital) -> None:
    columns = ("visit_start_date", "visit_end_date", "discharged_to_concept_id")
    assert (date(2019, 5, 20), date(2019, 5, 31), 32220) in hospital.rows("visit_occurrence", *columns)


def test_a_call_is_a_telehealth_visit(hospital: Hospital) -> None:
    assert (5083, date(2019, 5, 6)) in hospital.rows("visit_occurrence", "visit_concept_id", "visit_start_date")


def test_only_confirmed_diagnoses_are_conditions(hospital: Hospital) -> None:
    assert hospital.left["Condition"] == {"not_done": 5, "no_code": 1, "no_date": 1}
    rows = hospital.rows("condition_occurrence", "condition_source_value", "condition_concept_id")
    assert [row for row in rows if row[0] == "K92.2"] == [("K92.2", STANDARD_CONDITION)]


def test_a_diagnosis_keeps_its_place_in_the_encounter_and_its_visit(hospital: Hospital) -> None:
    columns = ("condition_source_value", "condition_status_concept_id", "condition_status_source_value")
    assert ("K92.2", 32902, "DP") in hospital.rows("condition_occurrence", *columns)
    rows = hospital.rows("condition_occurrence", "condition_source_value", "visit_occurrence_id", "provider_id")
    assert all(None not in row for row in rows if row[0] == "K92.2")


def test_an_entry_of_the_problem_list_says_so_and_keeps_its_end(hospital: Hospital) -> None:
    columns = ("condition_source_value", "condition_type_concept_id", "condition_end_date")
    rows = hospital.rows("condition_occurrence", *columns)
    assert ("I10", 32840, date(2019, 5, 20)) in rows
    assert ("K92.2", 32817, None) in rows


def test_only_acts_that_were_done_are_procedures(hospital: Hospital) -> None:
    assert hospital.left["Procedure"] == {"not_done": 4}
    columns = ("procedure_concept_id", "procedure_date", "procedure_end_date")
    assert (STANDARD_ACT, MAY_1, MAY_3) in hospital.rows("procedure_occurrence", *columns)


def test_a_drug_given_keeps_dose_unit_and_route(hospital: Hospital) -> None:
    columns = ("drug_exposure_end_date", "quantity", "dose_unit_source_value", "route_source_value")
    assert (32818, MAY_3, 75.0, "mg", "PO") in hospital.rows("drug_exposure", "drug_type_concept_id", *columns)


def test_an_order_counts_and_lasts_as_long_as_its_supply(hospital: Hospital) -> None:
    assert hospital.left["MedicationRequest"] == {"not_done": 1}
    assert hospital.snapshot.account("h_drug")["reasons"] == {"no_order": 3}
    columns = ("drug_type_concept_id", "drug_source_value", "drug_exposure_end_date", "quantity", "days_supply")
    assert (32838, "B01AC06", date(2019, 5, 30), 30.0, 30) in hospital.rows("drug_exposure", *columns)


@pytest.mark.parametrize("drug", ["C10AA01", "N02BE01"])
def test_a_medication_is_found_inside_the_resource_or_beside_it(hospital: Hospital, drug: str) -> None:
    assert (drug,) in hospital.rows("drug_exposure", "drug_source_value")
    assert hospital.left["Medication"] == {"looked_up": 1}


def test_what_a_patient_tells_of_drugs_is_told_by_the_patient(hospital: Hospital) -> None:
    assert (32865,) in hospital.rows("drug_exposure", "drug_type_concept_id")
    assert hospital.left["MedicationStatement"] == {"not_done": 1}


def test_a_result_keeps_comparator_unit_and_kind_of_record(hospital: Hospital) -> None:
    columns = ("value_as_number", "operator_concept_id", "unit_concept_id", "measurement_type_concept_id")
    rows = hospital.rows("measurement", "measurement_concept_id", *columns)
    assert [row for row in rows if row[0] == ANALYSIS] == [
        (ANALYSIS, 3.0, 4171756, 8713, 32817),
        (ANALYSIS, 12.5, None, 8713, 32856),
    ]


@pytest.mark.parametrize(
    ("result", "value", "concept_id"), [("5196-1", "10828004", POSITIVE), ("63513-6", "true", 4188539)]
)
def test_a_coded_result_is_a_concept(hospital: Hospital, result: str, value: str, concept_id: int) -> None:
    columns = ("measurement_source_value", "value_source_value", "value_as_concept_id")
    assert (result, value, concept_id) in hospital.rows("measurement", *columns)


def test_the_parts_of_a_result_are_results(hospital: Hospital) -> None:
    rows = hospital.rows("measurement", "measurement_source_value", "value_as_number", "unit_source_value")
    assert ("8480-6", 121.0, "mm[Hg]") in rows
    assert ("8462-4", 79.0, "mm[Hg]") in rows


def test_sentences_unfinished_and_empty_results_are_left_out(hospital: Hospital) -> None:
    assert hospital.left["Observation"] == {"free_text": 1, "in_components": 1, "no_quantity": 1, "not_done": 1}
    assert "Martin" not in str(hospital.rows("measurement"))


def test_an_allergy_is_an_observation_whose_value_is_the_substance(hospital: Hospital) -> None:
    columns = ("observation_concept_id", "value_as_concept_id", "value_source_value", "qualifier_source_value")
    assert hospital.rows("observation", *columns) == [(0, PEANUT, "762952008", "allergy")]


def test_a_device_counts_when_somebody_used_it(hospital: Hospital) -> None:
    assert hospital.left["Device"] == {"no_date": 1}
    assert hospital.rows("device_exposure", "device_source_value", "device_exposure_start_date") == [
        ("337414009", MAY_1)
    ]


def test_a_claim_of_the_pmsi_is_a_stay_with_ranked_diagnoses_and_acts(hospital: Hospital) -> None:
    columns = ("visit_start_date", "visit_end_date", "admitted_from_source_value", "discharged_to_source_value")
    assert (date(2019, 5, 25), date(2019, 5, 28), "8", "7") in hospital.rows("visit_occurrence", *columns)
    conditions = hospital.rows("condition_occurrence", "condition_source_value", "condition_status_source_value")
    assert {("S09", "DP"), ("I44", "DAS")} <= set(conditions)
    acts = hospital.rows("procedure_occurrence", "procedure_source_value", "procedure_date", "modifier_source_value")
    assert [act for act in acts if act[0] == "NZFA010"] == [("NZFA010", date(2019, 5, 26), "1")]
    assert hospital.left["Claim.procedure"] == {"later_phase": 1}
    assert hospital.left["Claim"] == {"not_mapped": 1}


def test_the_snapshot_says_which_clock_and_which_intents_made_it(hospital: Hospital) -> None:
    facts = dict(hospital.rows("metadata", "name", "value_as_string"))
    assert facts["enclos hospital clock"] == "Europe/Paris"
    assert facts["enclos MedicationRequest intents"].split()[0] == "order"


def test_other_types_are_counted_as_not_mapped(hospital: Hospital) -> None:
    assert hospital.left["CarePlan"] == {"not_mapped": 1}


def test_everything_that_crossed_is_mapped(hospital: Hospital) -> None:
    for line in hospital.snapshot.report.account:
        assert line.adds_up
        assert line.delivered == line.mapped + (3 if line.table == "h_drug" else 0)


def test_a_site_may_choose_other_intents_and_the_snapshot_says_so() -> None:
    tables = {
        "h_patient": [row(1, sex="F", birth_on=date(1960, 5, 2))],
        "h_drug": [
            row(1, vocabulary="ATC", code=drug, kind="prescription", intent=intent, start_at=at(1, 8))
            for drug, intent in (("B01AC06", "order"), ("C10AA01", "instance-order"))
        ],
    }
    with built(tables, periods=(), intents=("instance-order",)) as snapshot:
        assert snapshot.rows("drug_exposure", "drug_source_value") == [("C10AA01",)]
        assert ("enclos MedicationRequest intents", "instance-order") in snapshot.rows(
            "metadata", "name", "value_as_string"
        )
