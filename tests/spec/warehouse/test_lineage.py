"""Lineage: which crossed lines made a row, what the rules said of them, and the way to the standard concept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from enclos.contracts.omop import primary_keys
from enclos.contracts.pseudonymised import VOCABULARY
from enclos.contracts.pseudonymised.hospital import ORDERING_INTENTS
from enclos.lexicon.refusals import Refusal
from enclos.warehouse.steps.explaining import Explained, Explainer
from factories.pseudonymised import (
    DIAGNOSIS,
    INGREDIENT,
    PACK,
    PACK_CODE,
    STANDARD_CONDITION,
    YEAR_2019,
    HandCrossing,
    Row,
    arrow_table,
    ben,
    bench,
    built,
    care,
    concept,
    dispensing,
    maps_to,
    prestation,
    stay,
    vocabulary,
)

MAY_1, MAY_4, MAY_20 = date(2019, 5, 1), date(2019, 5, 4), date(2019, 5, 20)
RETIRED, HEIR = 2_000_000_701, 2_000_000_702


def explained(
    tables: Mapping[str, Sequence[Row]], table: str, choose: Callable[[Row], bool] = lambda _: True
) -> tuple[Row, Explained]:
    """The first row of a table that is chosen, and its explanation."""
    engine, _ = bench()
    with built(tables) as snapshot:
        relation = snapshot.lake.snapshot(snapshot.report.snapshot).relation(table)
        row: Row = next(
            filter(choose, snapshot.engine.query(f"FROM {relation} ORDER BY {primary_keys()[table]}").to_pylist())
        )
        of_person = {name: arrow_table(name, rows, 1) for name, rows in tables.items() if name not in VOCABULARY}
        crossing = HandCrossing(engine, tables, 1)
        explainer = Explainer(engine, crossing, 1, of_person, YEAR_2019, "pack-size", ORDERING_INTENTS)
        return row, explainer.explain(table, row)


def with_path(**more: list[dict[str, Any]]) -> dict[str, list[Row]]:
    """The small vocabulary and more rows of its tables."""
    words = vocabulary()
    return {name: [*words.get(name, []), *more.get(name, [])] for name in {*words, *more}}


def steps(found: Explained) -> list[tuple[str, int]]:
    return [(step.step, step.concept_id) for step in found.path]


def test_boxes_of_one_day_are_the_lines_of_one_dispensing() -> None:
    lines = [dispensing(1, MAY_1, PACK_CODE), dispensing(1, MAY_20, PACK_CODE), dispensing(1, MAY_1, PACK_CODE, 2)]
    _, found = explained({"ben": [ben(1)], "pha": lines} | vocabulary(), "drug_exposure")
    assert found.origins == (("pha", 0), ("pha", 2))
    (said,) = found.verdicts
    assert (said.rule, said.n_lines, said.mapped) == ("snds-1/pha/drug_exposure", 2, 2)
    assert [name for name, _ in said.passed][:3] == ["information_line", "public_hospital", "private_stay"]


def test_a_cost_has_the_majoration_that_no_visit_has_and_tells_the_trap_that_it_met() -> None:
    lines = [
        prestation(1, MAY_1, PRS_PAI_MNT=25.0),
        prestation(1, MAY_1, PRS_PAI_MNT=5.0, CPL_MAJ_TOP=2),
        prestation(1, MAY_20, PRS_PAI_MNT=25.0),
    ]
    tables = {"ben": [ben(1)], "prs": lines} | vocabulary()
    row, found = explained(tables, "cost", lambda row: row["total_charge"] == 30)
    assert found.origins == (("prs", 0), ("prs", 1))
    assert found.verdicts[0].reasons == {"majoration": 1}
    _, of_visit = explained(tables, "visit_occurrence", lambda visit: visit["visit_occurrence_id"] == row["cost_id"])
    assert of_visit.origins == (("prs", 0),)


def test_an_era_tells_the_records_that_it_joins_and_their_lines() -> None:
    lines = [dispensing(1, day, PACK_CODE) for day in (MAY_1, MAY_20)] + [dispensing(1, date(2019, 11, 1), PACK_CODE)]
    words = with_path()
    ingredient = concept(INGREDIENT, "ENCLOS", "simvastatin", "Drug", "S") | {"concept_class_id": "Ingredient"}
    words["concept"] = [row for row in words["concept"] if row["concept_id"] != INGREDIENT] + [ingredient]
    _, found = explained({"ben": [ben(1)], "pha": lines} | words, "drug_era")
    assert found.origins == (("pha", 0), ("pha", 1))
    assert [table for table, _ in found.records] == ["drug_exposure", "drug_exposure"]


def test_a_period_of_a_scheme_tells_the_care_that_the_scheme_paid() -> None:
    lines = [
        prestation(1, day, RGM_GRG_COD=scheme) for day, scheme in ((MAY_1, 1), (MAY_4, 1), (MAY_20, 2), (MAY_20, 2))
    ]
    tables = {"ben": [ben(1)], "prs": lines} | vocabulary()
    _, first = explained(tables, "payer_plan_period", lambda row: row["payer_source_value"] == "1")
    _, second = explained(tables, "payer_plan_period", lambda row: row["payer_source_value"] == "2")
    assert first.origins == (("prs", 0), ("prs", 1))
    assert second.origins == (("prs", 2), ("prs", 3))


def test_a_bought_device_tells_its_line() -> None:
    lines = [care(1, day, 3511, TIP_PRS_IDE=1100028, TIP_ACT_QSN=1) for day in (MAY_1, MAY_4)]
    _, found = explained({"ben": [ben(1)], "tip": lines} | vocabulary(), "device_exposure")
    assert found.origins == (("tip", 0),)


def test_a_code_goes_by_maps_to() -> None:
    tables = {"ben": [ben(1)], "mco_b": [stay(1, 1, MAY_1, MAY_4, DGN_PAL="K922")]} | vocabulary()
    _, found = explained(tables, "condition_occurrence")
    assert steps(found) == [("source concept", DIAGNOSIS), ("Maps to", STANDARD_CONDITION)]
    assert (found.path[0].code, found.path[-1].standard) == ("K92.2", True)


def test_a_retired_target_goes_by_what_replaced_it() -> None:
    replaced = maps_to(RETIRED, HEIR) | {"relationship_id": "Concept replaced by"}
    words = with_path(
        concept=[
            concept(2_000_000_009, "CIM10", "R05", "Condition"),
            concept(RETIRED, "ENCLOS", "cough, old", "Condition") | {"invalid_reason": "U"},
            concept(HEIR, "ENCLOS", "cough", "Condition", "S"),
        ],
        concept_relationship=[maps_to(2_000_000_009, RETIRED), replaced],
    )
    tables = {"ben": [ben(1)], "mco_b": [stay(1, 1, MAY_1, MAY_4, DGN_PAL="R05")]} | words
    row, found = explained(tables, "condition_occurrence")
    assert row["condition_concept_id"] == HEIR
    assert steps(found) == [
        ("source concept", 2_000_000_009),
        ("Maps to", RETIRED),
        ("Concept replaced by", HEIR),
    ]
    assert [step.valid for step in found.path] == [True, False, True]


def test_a_code_that_only_a_list_knows_goes_by_the_list() -> None:
    listed = {
        "source_code": "1100028",
        "source_vocabulary_id": "LPP",
        "target_concept_id": HEIR,
        "source_concept_id": 0,
    }
    words = with_path(concept=[concept(HEIR, "ENCLOS", "a bed", "Device", "S")], source_to_concept_map=[listed])
    lines = [care(1, MAY_1, 3511, TIP_PRS_IDE=1100028, TIP_ACT_QSN=1)]
    _, found = explained({"ben": [ben(1)], "tip": lines} | words, "device_exposure")
    assert steps(found) == [("SOURCE_TO_CONCEPT_MAP", HEIR)]


def test_a_pack_is_found_by_the_cip7_within_it() -> None:
    words = with_path(
        concept=[concept(2_000_000_801, "BDPM", "3000001", "Drug")],
        concept_relationship=[maps_to(2_000_000_801, INGREDIENT)],
    )
    words["concept"] = [row for row in words["concept"] if row["concept_id"] != PACK]
    _, found = explained({"ben": [ben(1)], "pha": [dispensing(1, MAY_1, 3400930000014)]} | words, "drug_exposure")
    assert steps(found) == [("source concept", 2_000_000_801), ("Maps to", INGREDIENT)]


def test_an_unknown_code_has_no_way() -> None:
    tables = {"ben": [ben(1)], "mco_b": [stay(1, 1, MAY_1, MAY_4, DGN_PAL="J189")]} | vocabulary()
    _, found = explained(tables, "condition_occurrence")
    assert steps(found) == [("no standard concept", 0)]


def test_of_a_large_vocabulary_only_what_the_lines_lead_to_is_looked_up() -> None:
    many = range(1, 50_001)
    words = with_path(
        concept=[concept(n, "SNOMED", f"X{n}", "Condition", "S") for n in many],
        concept_relationship=[maps_to(n, n) for n in many],
    )
    large = {name: arrow_table(name, rows, 1) for name, rows in words.items()}
    tables = {"ben": [ben(1)], "mco_b": [stay(1, 1, MAY_1, MAY_4, DGN_PAL="K922")]}
    _, found = explained(tables | large, "condition_occurrence")
    assert steps(found)[-1] == ("Maps to", STANDARD_CONDITION)
    assert bench()[0].scalar("SELECT count(*) FROM explain_in_concept") < 10


def test_a_row_that_the_lines_no_longer_make_is_not_explained() -> None:
    tables = {"ben": [ben(1)], "pha": [dispensing(1, MAY_1, PACK_CODE)]} | vocabulary()
    row, _ = explained(tables, "drug_exposure")
    engine, _ = bench()
    crossing = HandCrossing(engine, tables, 1)
    of_person: dict[str, pa.Table] = {
        "ben": arrow_table("ben", tables["ben"], 1),
        "pha": arrow_table("pha", [dispensing(1, MAY_4, PACK_CODE)], 1),
    }
    explainer = Explainer(engine, crossing, 1, of_person, YEAR_2019, "pack-size", ORDERING_INTENTS)
    with pytest.raises(Refusal, match="no longer makes"):
        explainer.explain("drug_exposure", row)
