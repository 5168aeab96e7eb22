"""Doubt a file whose lines say that it was not written as its sender declares."""

from __future__ import annotations

from collections.abc import Mapping

from enclos.contracts.delivered.document import Kind
from enclos.contracts.sql import SqlEngine
from enclos.intake import plans, rules
from enclos.intake.model import AdmittedFile, Fault
from enclos.intake.ports import Staging

_SNDS = frozenset({Kind.SNDS_DCIR, Kind.SNDS_PMSI, Kind.SNDS_REF})


def doubt_file(
    engine: SqlEngine,
    staging: Staging,
    kind: Kind,
    admitted: AdmittedFile,
    name: str,
    rejects: str,
    n_landed: int,
    n_rejected: int,
) -> list[Fault]:
    """What the landed and the rejected lines of one file say against its declaration.

    In: name — where the landed rows wait; rejects — the table of rejected lines of the delivery
    """
    types = {column: admitted.table.columns.column(column).sql_type for column in plans.landed_columns(admitted)}
    faults = _doubt_rejected(engine, admitted, types, rejects, n_landed) if n_rejected else []
    instants = [column for column, sql_type in types.items() if sql_type == "TIMESTAMP"]
    if kind in _SNDS and instants and n_landed:
        for column in map(plans.ident, instants):
            n_late, n_filled = engine.rows(
                f"SELECT count(*) FILTER (strftime({column}, '%H:%M:%S') IN ('22:00:00', '23:00:00')), count({column}) "
                f"FROM {staging.scan(name)}"
            )[0]
            faults += rules.shift_faults(admitted.file.path, n_late, n_filled, n_filled)
    return faults


def _doubt_rejected(
    engine: SqlEngine, admitted: AdmittedFile, types: Mapping[str, str], rejects: str, n_landed: int
) -> list[Fault]:
    path = plans.text(admitted.file.path)
    dates = [column for column, sql_type in types.items() if sql_type == "DATE"]
    listed = ", ".join(plans.text(column) for column in dates) or "''"
    of_day = f"(reason = 'value' AND column_name IN ({listed}))"
    n_values, n_rejected, n_days, n_shifted = engine.rows(
        f"SELECT count(*) FILTER (reason = 'value'), count(*), count(*) FILTER ({of_day}), "
        # CASE, not AND: the engine may turn an AND around, and a line of another reason may be no text to decode.
        f"count(*) FILTER (CASE WHEN {of_day} THEN regexp_matches(decode(raw), {plans.text(rules.SHIFTED)}) END) "
        f"FROM {rejects} WHERE delivered_path = {path}"
    )[0]
    faults = rules.writing_faults(admitted.file, n_landed, n_rejected, n_values)
    return faults + rules.shift_faults(admitted.file.path, n_shifted, n_days, n_landed + n_rejected)
