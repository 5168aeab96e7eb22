"""Every trap is a boolean for every line: a NULL would let the line fall through all of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from enclos.contracts.pseudonymised import PSEUDONYMISED
from enclos.warehouse.model import Fate
from enclos.warehouse.plans import (
    conditions,
    deaths,
    drugs,
    measurements,
    observation_periods,
    procedures,
    traps,
    visit_details,
    visits,
)
from enclos.warehouse.plans.traps import KEPT, Trap, verdict_sql
from factories.pseudonymised import bench

TABLES: dict[str, tuple[Trap, ...]] = {
    "prs": visits.PRESTATION_TRAPS,
    "pha": drugs.DISPENSING_TRAPS,
    "cam": procedures.TOWN_TRAPS,
    "mco_b": visits.STAY_TRAPS,
    "mco_um": visit_details.STAY_LINE_TRAPS,
    "mco_d": conditions.DIAGNOSIS_TRAPS,
    "mco_a": procedures.STAY_TRAPS,
    "imb": conditions.ENTITLEMENT_TRAPS,
    "cci": deaths.CERTIFICATE_TRAPS,
    "h_visit": visits.VISIT_TRAPS,
    "h_condition": conditions.HOSPITAL_TRAPS,
    "h_procedure": procedures.HOSPITAL_TRAPS,
    "h_drug": drugs.HOSPITAL_TRAPS,
    "h_lab": measurements.HOSPITAL_TRAPS,
    "omop_death": deaths.OMOP_TRAPS,
    "omop_observation_period": observation_periods.OMOP_TRAPS,
}
CONTEXT = {traps.REPEATED, traps.NO_STAY, traps.DEATH_KNOWN, traps.RIGHTS_PERIOD}
"""They ask about other lines, not about columns."""


@pytest.mark.parametrize("table", ["prs", "pha", "cam", "mco_b", "imb", "cci", "h_visit", "h_lab", "h_drug"])
def test_a_line_of_empty_fields_gets_an_answer_from_every_trap(table: str) -> None:
    engine, _ = bench()
    engine.register("stage_known", engine.query("SELECT CAST(1 AS BIGINT) AS person_id"))
    empty = ", ".join(
        f'CAST(NULL AS {c.sql_type}) AS "{c.name}"' for c in PSEUDONYMISED[table] if c.name != "person_id"
    )
    for trap in TABLES[table]:
        if trap not in CONTEXT:
            answer = engine.scalar(f"SELECT {trap.condition} FROM (SELECT CAST(1 AS BIGINT) AS person_id, {empty})")
            assert answer is not None, trap.name
            assert answer == (trap.fate is Fate.REJECTED and trap.name != "no_person"), trap.name
    engine.unregister("stage_known")


def test_the_first_trap_that_holds_gives_the_number() -> None:
    engine, _ = bench()
    one = Trap("one", "x > 1", Fate.FILTERED, "")
    two = Trap("two", "x > 0", Fate.REJECTED, "")
    verdicts = engine.rows(f"SELECT {verdict_sql([one, two])} FROM (VALUES (0), (1), (2)) AS lines(x) ORDER BY x")
    assert verdicts == [(KEPT,), (2,), (1,)]


@pytest.mark.parametrize("table", TABLES)
def test_a_name_stands_for_one_fate(table: str) -> None:
    names = [trap.name for trap in TABLES[table]]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z_]+", name) for name in names)


def test_a_name_means_the_same_in_every_table() -> None:
    fates: dict[str, set[Fate]] = {}
    for named in TABLES.values():
        for trap in named:
            fates.setdefault(trap.name, set()).add(trap.fate)
    assert {name: found for name, found in fates.items() if len(found) > 1} == {}


def test_lines_of_a_stay_share_the_numbers_of_their_stay() -> None:
    """They take over their stay's verdict as a number."""
    for named in (visit_details.STAY_LINE_TRAPS, conditions.DIAGNOSIS_TRAPS, procedures.STAY_TRAPS):
        assert named[: len(visits.STAY_TRAPS)] == visits.STAY_TRAPS


def test_every_trap_and_reason_is_documented() -> None:
    text = (Path(__file__).resolve().parents[4] / "docs" / "warehouse.md").read_text(encoding="utf-8")
    names = {trap.name for named in TABLES.values() for trap in named} | {"no_birth_year", "same_row", "described_anew"}
    assert {name for name in names if f"`{name}`" not in text} == set()
