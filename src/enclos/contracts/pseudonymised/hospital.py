"""Records of hospitals, in one shape whatever their format. Instants are those of a clock in Paris."""

from __future__ import annotations

from enclos.contracts.columns import Column, TableContract
from enclos.contracts.pseudonymised.columns import person_table

CLOCK = "Europe/Paris"
"""The one zone in which instants of hospitals are read."""

ORDERING_INTENTS: tuple[str, ...] = ("order", "original-order", "reflex-order", "filler-order", "instance-order")
"""Intents of a FHIR MedicationRequest that order a drug; proposals, plans and options do not.

The FHIR-OMOP guide takes ``instance-order`` alone, which no export known here writes: docs/decisions/0015.
"""


def _without_person(name: str, **columns: str) -> TableContract:
    return TableContract(
        name, (Column("source", "VARCHAR", True), *(Column(column, sql_type) for column, sql_type in columns.items()))
    )


HOSPITAL = (
    # sex: F, M or U
    person_table("h_patient", sex="VARCHAR", birth_on="DATE", death_on="DATE"),
    # class: inpatient, outpatient, emergency, home, virtual; present: still there when the delivery was made
    person_table(
        "h_visit",
        visit_key="BIGINT",
        visit_class="VARCHAR",
        start_at="TIMESTAMP",
        end_at="TIMESTAMP",
        present="BOOLEAN",
        admitted_from="VARCHAR",
        discharged_to="VARCHAR",
        place_key="BIGINT",
        provider_key="BIGINT",
    ),
    # rank: DP, DR, DAS, DAD or empty; vocabulary: CIM10, SNOMED…; category: problem or empty
    person_table(
        "h_condition",
        visit_key="BIGINT",
        vocabulary="VARCHAR",
        code="VARCHAR",
        rank="VARCHAR",
        category="VARCHAR",
        start_on="DATE",
        end_on="DATE",
        provider_key="BIGINT",
    ),
    # activity: of a CCAM act
    person_table(
        "h_procedure",
        visit_key="BIGINT",
        vocabulary="VARCHAR",
        code="VARCHAR",
        activity="VARCHAR",
        done_on="DATE",
        end_on="DATE",
        provider_key="BIGINT",
    ),
    # kind: administration, prescription, dispensing, immunisation, statement; intent: of a FHIR MedicationRequest
    person_table(
        "h_drug",
        visit_key="BIGINT",
        vocabulary="VARCHAR",
        code="VARCHAR",
        kind="VARCHAR",
        intent="VARCHAR",
        start_at="TIMESTAMP",
        end_at="TIMESTAMP",
        quantity="DOUBLE",
        days_supply="BIGINT",
        route="VARCHAR",
        dose_unit="VARCHAR",
        provider_key="BIGINT",
    ),
    # unit: UCUM; comparator: <, <=, >=, >; value_vocabulary and value_code: a coded result; category: laboratory…
    person_table(
        "h_lab",
        visit_key="BIGINT",
        vocabulary="VARCHAR",
        code="VARCHAR",
        category="VARCHAR",
        taken_at="TIMESTAMP",
        comparator="VARCHAR",
        value="DOUBLE",
        value_vocabulary="VARCHAR",
        value_code="VARCHAR",
        unit="VARCHAR",
        range_low="DOUBLE",
        range_high="DOUBLE",
        provider_key="BIGINT",
    ),
    # the substance; kind: allergy, intolerance or empty
    person_table(
        "h_allergy", visit_key="BIGINT", vocabulary="VARCHAR", code="VARCHAR", kind="VARCHAR", start_on="DATE"
    ),
    person_table("h_device", vocabulary="VARCHAR", code="VARCHAR", start_on="DATE", end_on="DATE"),
    # a professional: keyed hash of the number, speciality, place
    _without_person(
        "h_provider", provider_key="BIGINT", vocabulary="VARCHAR", speciality="VARCHAR", place_key="BIGINT"
    ),
    # a hospital, department, ward: keyed hash of the number; kind: what the source calls it
    _without_person("h_place", place_key="BIGINT", kind="VARCHAR", zip="VARCHAR", state="VARCHAR", country="VARCHAR"),
)
