"""Codes: from the source's to the standard concept, and the table that it decides."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from factories.pseudonymised import (
    ANALYSIS,
    DIAGNOSIS,
    STANDARD_CONDITION,
    STANDARD_CONDITION_2,
    at,
    ben,
    built,
    concept,
    hospital,
    maps_to,
    vocabulary,
)

MAY_1 = date(2019, 5, 1)
NOON = at(MAY_1)


def diagnosis(code: str, **changes: Any) -> dict[str, Any]:
    return hospital(1, visit_key=4, vocabulary="CIM10", code=code, start_on=MAY_1) | changes


@pytest.mark.parametrize("code", ["K922", "K92.2", " k92.2 ", "K922+0"])
def test_a_dot_a_blank_small_letters_or_an_unknown_extension_find_the_code(code: str) -> None:
    with built({"ben": [ben(1)], "h_condition": [diagnosis(code)]} | vocabulary()) as snapshot:
        columns = ("condition_concept_id", "condition_source_concept_id", "condition_source_value")
        assert snapshot.rows("condition_occurrence", *columns) == [(STANDARD_CONDITION, DIAGNOSIS, code.strip())]


def test_an_extension_that_the_vocabulary_knows_is_its_own_code() -> None:
    words = vocabulary()
    words["concept"] = [*words["concept"], concept(2_000_000_009, "CIM10", "F55.+2", "Condition")]
    with built({"ben": [ben(1)], "h_condition": [diagnosis("F55+2")]} | words) as snapshot:
        columns = ("condition_concept_id", "condition_source_concept_id")
        assert snapshot.rows("condition_occurrence", *columns) == [(0, 2_000_000_009)]


def test_a_code_without_a_standard_concept_is_kept_and_counted() -> None:
    lines = [diagnosis("J189"), diagnosis("J189"), diagnosis("R05"), diagnosis("K922")]
    with built({"ben": [ben(1)], "h_condition": lines} | vocabulary()) as snapshot:
        columns = ("condition_concept_id", "condition_source_value")
        assert snapshot.rows("condition_occurrence", *columns) == [
            (0, "J189"),
            (0, "J189"),
            (0, "R05"),
            (STANDARD_CONDITION, "K922"),
        ]
        found = [(code.vocabulary, code.code, code.n_rows) for code in snapshot.report.unmapped]
        assert found == [("CIM10", "J189", 2), ("CIM10", "R05", 1)]
        assert snapshot.account("h_condition") == {"delivered": 4, "mapped": 4}


def test_a_code_with_two_standard_concepts_makes_two_rows_and_counts_once() -> None:
    words = vocabulary()
    words["concept_relationship"] = [*words["concept_relationship"], maps_to(DIAGNOSIS, STANDARD_CONDITION_2)]
    with built({"ben": [ben(1)], "h_condition": [diagnosis("K922")]} | words) as snapshot:
        rows = snapshot.rows("condition_occurrence", "condition_concept_id")
        assert rows == [(STANDARD_CONDITION,), (STANDARD_CONDITION_2,)]
        assert snapshot.account("h_condition") == {"delivered": 1, "mapped": 1}


def test_a_mapping_that_is_no_longer_valid_or_not_to_a_standard_concept_is_not_followed() -> None:
    words = vocabulary()
    words["concept_relationship"] = [
        maps_to(DIAGNOSIS, STANDARD_CONDITION) | {"invalid_reason": "D"},
        maps_to(DIAGNOSIS, DIAGNOSIS + 1),
    ]
    with built({"ben": [ben(1)], "h_condition": [diagnosis("K922")]} | words) as snapshot:
        columns = ("condition_concept_id", "condition_source_concept_id")
        assert snapshot.rows("condition_occurrence", *columns) == [(0, DIAGNOSIS)]


@pytest.mark.parametrize(
    ("domain", "table"),
    [
        ("Condition", "condition_occurrence"),
        ("Drug", "drug_exposure"),
        ("Procedure", "procedure_occurrence"),
        ("Device", "device_exposure"),
        ("Measurement", "measurement"),
        ("Observation", "observation"),
        ("Meas Value", "observation"),
    ],
)
def test_the_domain_of_the_standard_concept_decides_the_table(domain: str, table: str) -> None:
    words = {
        "concept": [
            concept(2_000_000_001, "CCAM", "ABCD001", "Procedure"),
            concept(2_000_000_101, "ENCLOS", "x", domain, "S"),
        ],
        "concept_relationship": [maps_to(2_000_000_001, 2_000_000_101)],
    }
    line = hospital(1, vocabulary="CCAM", code="ABCD001", done_on=MAY_1)
    with built({"ben": [ben(1)], "h_procedure": [line]} | words) as snapshot:
        tables = {name: n for name, n in snapshot.report.tables.items() if n}
        assert tables[table] == 1
        homes = {"condition_occurrence", "drug_exposure", "procedure_occurrence", "measurement", "observation"}
        assert sum(tables.get(name, 0) for name in homes | {"device_exposure"}) == 1
        assert snapshot.account("h_procedure") == {"delivered": 1, "mapped": 1}


def test_a_result_keeps_its_value_unit_and_range() -> None:
    line = hospital(1, vocabulary="LOINC", code="718-7", taken_at=NOON, value=12.5, unit="g/dL", category="laboratory")
    with built({"ben": [ben(1)], "h_lab": [line | {"range_low": 12.0, "range_high": 17.0}]} | vocabulary()) as snapshot:
        columns = (
            "measurement_concept_id",
            "measurement_datetime",
            "value_as_number",
            "unit_concept_id",
            "unit_source_value",
            "range_low",
            "range_high",
            "measurement_type_concept_id",
        )
        assert snapshot.rows("measurement", *columns) == [(ANALYSIS, NOON, 12.5, 8713, "g/dL", 12.0, 17.0, 32856)]


@pytest.mark.parametrize(("unit", "concept_id"), [("mmol/L", 8753), ("fathom", 0), ("", None), (None, None)])
def test_a_unit_that_is_not_known_keeps_its_code(unit: str | None, concept_id: int | None) -> None:
    line = hospital(1, vocabulary="LOINC", code="718-7", taken_at=NOON, value=1.0, unit=unit)
    with built({"ben": [ben(1)], "h_lab": [line]} | vocabulary()) as snapshot:
        assert snapshot.rows("measurement", "unit_concept_id", "unit_source_value") == [(concept_id, unit or None)]


@pytest.mark.parametrize(
    ("kind", "type_"),
    [("administration", 32818), ("immunisation", 32818), ("prescription", 32838), ("dispensing", 32817), (None, 32817)],
)
def test_a_hospital_drug_says_what_record_it_is(kind: str | None, type_: int) -> None:
    line = hospital(1, vocabulary="ATC", code="C10AA01", kind=kind, start_at=NOON, end_at=at(date(2019, 5, 3)))
    with built({"ben": [ben(1)], "h_drug": [line]}) as snapshot:
        columns = ("drug_type_concept_id", "drug_exposure_start_date", "drug_exposure_end_date", "days_supply")
        assert snapshot.rows("drug_exposure", *columns) == [(type_, MAY_1, date(2019, 5, 3), None)]


@pytest.mark.parametrize(("rank", "status"), [("DP", 32902), ("DR", 32908), ("DAS", 32908), ("", 0), (None, 0)])
def test_a_hospital_diagnosis_keeps_its_rank_and_visit(rank: str | None, status: int) -> None:
    tables = {
        "ben": [ben(1)],
        "h_visit": [hospital(1, visit_key=4, visit_class="emergency", start_at=NOON)],
        "h_condition": [diagnosis("K922", rank=rank)],
    }
    with built(tables) as snapshot:
        (visit,) = snapshot.rows("visit_occurrence", "visit_occurrence_id", "visit_concept_id", "visit_type_concept_id")
        assert visit[1:] == (9203, 32827)
        columns = ("condition_status_concept_id", "condition_status_source_value", "visit_occurrence_id")
        assert snapshot.rows("condition_occurrence", *columns) == [(status, rank or None, visit[0])]


@pytest.mark.parametrize(
    ("line", "start_on", "end_on"),
    [
        ({}, date(2015, 3, 1), None),
        ({"IMB_ALD_DTF": date(2025, 3, 1)}, date(2015, 3, 1), date(2025, 3, 1)),
        ({"IMB_ALD_DTF": date(2099, 12, 31)}, date(2015, 3, 1), None),
        ({"IMB_ALD_DTF": date(1600, 1, 1)}, date(2015, 3, 1), None),
        ({"IMB_ALD_DTD": date(1600, 1, 1)}, date(2015, 4, 1), None),
        ({"IMB_ALD_DTD": None}, date(2015, 4, 1), None),
    ],
)
def test_a_long_term_illness_starts_with_its_entitlement(
    line: dict[str, Any], start_on: date, end_on: date | None
) -> None:
    entitlement = {
        "person_id": 1,
        "IMB_ALD_DTD": date(2015, 3, 1),
        "IMB_ALD_NUM": 8,
        "IMB_ETM_NAT": 41,
        "MED_MTF_COD": "I10",
        "INS_DTE": date(2015, 4, 1),
    }
    with built({"ben": [ben(1)], "imb": [entitlement | line]} | vocabulary()) as snapshot:
        columns = (
            "condition_start_date",
            "condition_end_date",
            "condition_concept_id",
            "condition_type_concept_id",
            "condition_status_source_value",
            "visit_occurrence_id",
        )
        assert snapshot.rows("condition_occurrence", *columns) == [
            (start_on, end_on, STANDARD_CONDITION_2, 32813, "41 ALD 12", None)
        ]


def test_an_illness_without_a_code_keeps_its_number() -> None:
    entitlement = {"person_id": 1, "IMB_ALD_DTD": date(2015, 3, 1), "IMB_ALD_NUM": 8, "IMB_ETM_NAT": 41}
    with built({"ben": [ben(1)], "imb": [entitlement, entitlement | {"IMB_ALD_NUM": None}]}) as snapshot:
        assert snapshot.rows("condition_occurrence", "condition_source_value") == [("ALD 8",)]
        assert snapshot.account("imb")["reasons"] == {"no_code": 1}


@pytest.mark.parametrize(
    ("nature", "code", "delivered", "status"),
    [
        (41, "I10", 8, "41 ALD 12"),  # the number follows from the code
        (41, "C50.9", None, "41 ALD 30"),
        (41, "M545", 8, "41 ALD 8"),  # a code of no listed illness: the delivered number
        (43, "M545", None, "43 ALD 31"),
        (45, "M545", None, "45 ALD 32"),
        (11, "M545", None, "11"),  # accident at work
        (12, "C45.0", None, "12"),  # occupational disease
        (13, "I10", None, "13"),  # invalidity
    ],
)
def test_only_some_entitlements_are_long_term_illness(
    nature: int, code: str, delivered: int | None, status: str
) -> None:
    """IMB_ETM_NAT 41, 43 and 45 are; 11, 12 and 13 are conditions that somebody is indemnified for."""
    line = {"person_id": 1, "IMB_ALD_DTD": date(2015, 3, 1), "IMB_ETM_NAT": nature, "MED_MTF_COD": code}
    with built({"ben": [ben(1)], "imb": [line | {"IMB_ALD_NUM": delivered}]}) as snapshot:
        assert snapshot.rows("condition_occurrence", "condition_status_source_value") == [(status,)]
