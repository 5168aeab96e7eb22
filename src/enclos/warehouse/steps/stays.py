"""The stays of the PMSI's other fields, put beside those of medicine."""

from __future__ import annotations

from enclos.warehouse.plans import fields, stay_lines, visit_details, visits
from enclos.warehouse.plans.traps import KEPT
from enclos.warehouse.steps.account import Account
from enclos.warehouse.steps.sources import Sources
from enclos.warehouse.steps.stage import Stage

OTHERS = f"WHERE verdict = {KEPT} AND field <> 'MCO'"
"""Of staged stays or units: those that the other fields brought."""


def other_fields(at: Sources) -> list[fields.Field]:
    """The other fields that came, in any bucket."""
    return [field for field in fields.FIELDS if field.table in at]


def define_stays(stage: Stage, at: Sources) -> None:
    """Stage the stays (``mco_b``) and units (``mco_um``) of every field; those of medicine as lines of their own."""
    came = other_fields(at)
    stage.define("mco_b_lines", visits.stay_lines_sql(at["mco_b"]))
    stage.define("mco_um_lines", visit_details.unit_lines_sql(at["mco_um"]))
    if came:
        stage.define(
            "sequences", " UNION ALL ".join(fields.sequences_sql(field, at[field.table], at["ace_b"]) for field in came)
        )
    for table, others in (("mco_b", fields.stays_of_sequences_sql()), ("mco_um", fields.details_of_sequences_sql())):
        stage.define(table, f"SELECT * FROM stage_{table}_lines" + (f" UNION ALL BY NAME {others}" if came else ""))
    stage.define("handed_over", stay_lines.handed_over_sql(at["pmsi_drug"]), by_content=True)
    stage.define("ace_b", stay_lines.billed_lines_sql(at["ace_b"]))


def tell_other_fields(piece: Account, stage: Stage, at: Sources) -> None:
    """Judge the sequences of every field that came, and the billed acts of external care."""
    for field in other_fields(at):
        own = f"(SELECT * FROM stage_sequences WHERE field = '{field.name}')"
        piece.judge(stage, field.table, own, field.traps)
        piece.map(field.table, int(stage.scalar(f"SELECT coalesce(sum(n_mapped), 0) FROM {own}")))
    if "ace_b" in at:
        piece.judge(stage, "ace_b", "stage_ace_b", stay_lines.BILLED_TRAPS)
        piece.map("ace_b", int(stage.scalar("SELECT coalesce(sum(n_mapped), 0) FROM stage_ace_b")))
