"""Records of hospitals, in one shape whatever their format."""

from __future__ import annotations

from enclos.contracts.pseudonymised.columns import person_table

HOSPITAL = (
    # sex: F, M or U
    person_table("h_patient", sex="VARCHAR", birth_on="DATE", death_on="DATE"),
    # class: inpatient, outpatient, emergency, home
    person_table("h_visit", visit_key="BIGINT", visit_class="VARCHAR", start_at="TIMESTAMP", end_at="TIMESTAMP"),
    # rank: DP, DR, DAS or empty; vocabulary: CIM10, SNOMED…
    person_table(
        "h_condition",
        visit_key="BIGINT",
        vocabulary="VARCHAR",
        code="VARCHAR",
        rank="VARCHAR",
        start_on="DATE",
        end_on="DATE",
    ),
    person_table("h_procedure", visit_key="BIGINT", vocabulary="VARCHAR", code="VARCHAR", done_on="DATE"),
    # kind: administration, prescription, dispensing, immunisation
    person_table(
        "h_drug",
        visit_key="BIGINT",
        vocabulary="VARCHAR",
        code="VARCHAR",
        kind="VARCHAR",
        start_at="TIMESTAMP",
        end_at="TIMESTAMP",
        quantity="DOUBLE",
    ),
    # unit: UCUM
    person_table(
        "h_lab",
        visit_key="BIGINT",
        vocabulary="VARCHAR",
        code="VARCHAR",
        taken_at="TIMESTAMP",
        value="DOUBLE",
        unit="VARCHAR",
        range_low="DOUBLE",
        range_high="DOUBLE",
    ),
)
