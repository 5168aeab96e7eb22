"""The stays of the PMSI's other fields, put beside those of medicine for the bucket."""

from __future__ import annotations

from dataclasses import dataclass

from enclos.contracts.sql import SqlEngine
from enclos.warehouse.plans import fields, stay_lines
from enclos.warehouse.plans.traps import KEPT
from enclos.warehouse.steps.account import Account
from enclos.warehouse.steps.sources import Sources
from enclos.warehouse.steps.stage import Stage


@dataclass(frozen=True, slots=True)
class OtherStays:
    """What the other fields brought to the bucket."""

    came: bool = False
    """Whether any of them was delivered, in any bucket."""
    n_stays: int = 0
    n_details: int = 0


def stage_other_fields(engine: SqlEngine, stage: Stage, account: Account, at: Sources) -> OtherStays:
    """Judge the sequences of every field that came; their stays and details join the staged stays and units.

    In: the staged stays (``mco_b``) and units (``mco_um``) of medicine, judged.
    """
    came = [field for field in fields.FIELDS if field.table in at]
    if not came:
        return OtherStays()
    stage.put(
        "sequences", " UNION ALL ".join(fields.sequences_sql(field, at[field.table], at["ace_b"]) for field in came)
    )
    for field in came:
        account.judge(engine, field.table, f"(SELECT * FROM stage_sequences WHERE field = '{field.name}')", field.traps)
        n_mapped = f"SELECT coalesce(sum(n_mapped), 0) FROM stage_sequences WHERE field = '{field.name}'"
        account.map(field.table, int(engine.scalar(n_mapped)))
    stage.put("mco_b", f"SELECT * FROM stage_mco_b UNION ALL BY NAME {fields.stays_of_sequences_sql()}")
    stage.put("mco_um", f"SELECT * FROM stage_mco_um UNION ALL BY NAME {fields.details_of_sequences_sql()}")
    if "ace_b" in at:
        stage.put("ace_b", stay_lines.billed_lines_sql(at["ace_b"]))
        account.judge(engine, "ace_b", "stage_ace_b", stay_lines.BILLED_TRAPS)
        account.map("ace_b", int(engine.scalar("SELECT coalesce(sum(n_mapped), 0) FROM stage_ace_b")))
    kept = f"WHERE verdict = {KEPT} AND field <> 'MCO'"
    return OtherStays(
        True,
        engine.scalar(f"SELECT count(*) FROM stage_mco_b {kept}"),
        engine.scalar(f"SELECT count(*) FROM stage_mco_um {kept}"),
    )
