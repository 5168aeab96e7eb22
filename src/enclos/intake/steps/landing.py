"""Land a file's rows: what can be read goes to the staging area, every other line to the rejects."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from enclos.contracts.delivered.document import (
    Delivery,
    FileFormat,
    Kind,
)
from enclos.contracts.sql import SqlEngine
from enclos.intake import plans, rules
from enclos.intake.model import (
    REJECTED,
    AdmittedFile,
    Fault,
    LandedFile,
    RejectReason,
)
from enclos.intake.ports import DeliveryFolder, Progress, Staging
from enclos.intake.steps.doubting import doubt_file
from enclos.lexicon.codes import Code

INCOMING_REJECTS = "enclos_incoming_rejects"
"""Rejected lines of the delivery that is being landed, with their raw text."""
_SKIPPED = "enclos_skipped"


def land_files(
    folder: DeliveryFolder,
    engine: SqlEngine,
    staging: Staging,
    delivery: Delivery,
    admitted: tuple[AdmittedFile, ...],
    ordinal: int,
    progress: Progress,
) -> tuple[LandedFile, ...]:
    """Land every file of a delivery in the staging area; the rejected lines are sealed beside them.

    Refuses: ROWS_MISCOUNTED when landed and rejected do not add up to what was declared
    """
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE {INCOMING_REJECTS} (table_name VARCHAR, delivered_path VARCHAR, "
        "line_number BIGINT, reason VARCHAR, column_name VARCHAR, raw BLOB)"
    )
    landed: list[LandedFile] = []
    faults: list[Fault] = []
    with _faulty_lines_forgotten(engine):
        for number, file in enumerate(admitted):
            name = f"{file.table.name}/{number:05d}.parquet"
            with folder.reading(file.file.path):
                n_landed, n_rejected = _land_file(folder, engine, staging, delivery.kind, file, name, ordinal)
            if n_rejected:
                _forget_faulty_lines(engine)
            faults += doubt_file(engine, staging, delivery.kind, file, name, INCOMING_REJECTS, n_landed, n_rejected)
            if n_landed + n_rejected == file.file.n_rows:
                columns, content = plans.landed_columns(file), file.facts.content_sha256
                landed.append(
                    LandedFile(file.file, file.table, name, columns, content, n_landed, n_rejected, file.renamed)
                )
            else:
                miscounted = f"{file.file.path} holds another number of rows than declared"
                faults.append(Fault(Code.ROWS_MISCOUNTED, miscounted))
            progress("files landed", number + 1, len(admitted))
    if faults:
        raise rules.refusal_of(faults)
    if engine.scalar(f"SELECT count(*) FROM {INCOMING_REJECTS}"):
        staging.write(REJECTED, f"SELECT * FROM {INCOMING_REJECTS}")
    return tuple(landed)


def _land_file(
    folder: DeliveryFolder,
    engine: SqlEngine,
    staging: Staging,
    kind: Kind,
    admitted: AdmittedFile,
    name: str,
    ordinal: int,
) -> tuple[int, int]:
    """Land one file; rows landed, rows rejected."""
    location = folder.location(admitted.file.path)
    skipped: list[int] = []
    # The reader skips a blank line of a CSV; of NDJSON it makes an empty row, which is left out later.
    shifted = bool(admitted.facts.blank_lines) and _is_csv(admitted) and not _lines_may_lie(admitted)
    if shifted:
        skipped = [line - _n_header_lines(admitted) for line in admitted.facts.blank_lines]
        _set_shifts(engine, skipped)
    n_landed = staging.write(name, plans.plan_good_rows(admitted, kind, location, ordinal, shifted=shifted))
    n_rejected = 0
    if admitted.file.format is not FileFormat.PARQUET and (n_faulty := _set_faulty_aside(folder, engine, admitted)):
        # The lines of the rows behind a faulty line were counted without it: land again, with the right lines.
        n_rejected += n_faulty
        lines = engine.rows(f"SELECT DISTINCT line_number FROM {_SKIPPED}")
        skipped += [int(row[0]) - _n_header_lines(admitted) for row in lines]
        shifted = True
        _set_shifts(engine, skipped)
        _forget_faulty_lines(engine)
        n_landed = staging.write(name, plans.plan_good_rows(admitted, kind, location, ordinal, shifted=True))
    if n_landed + n_rejected != admitted.file.n_rows or _lines_may_lie(admitted):
        _forget_faulty_lines(engine)
        n_rejected += _reject(engine, admitted, plans.plan_bad_rows(admitted, kind, location, shifted=shifted))
    return n_landed, n_rejected


def _is_csv(admitted: AdmittedFile) -> bool:
    return admitted.file.format is FileFormat.CSV


def _n_header_lines(admitted: AdmittedFile) -> int:
    return 1 if _is_csv(admitted) else 0


def _lines_may_lie(admitted: AdmittedFile) -> bool:
    """Whether a quoted line end may make records and lines differ."""
    return _is_csv(admitted) and admitted.facts.has_quotes and bool(admitted.file.quote)


def _set_shifts(engine: SqlEngine, skipped: list[int]) -> None:
    shifts = rules.good_line_shifts(skipped)
    table = pa.table(
        {
            "after_row": pa.array([row for row, _ in shifts], pa.int64()),
            "shift": pa.array([shift for _, shift in shifts], pa.int64()),
        }
    )
    engine.register("enclos_arriving", table)
    engine.execute(f"CREATE OR REPLACE TEMP TABLE {plans.SHIFTS} AS SELECT * FROM enclos_arriving")
    engine.unregister("enclos_arriving")


def _set_faulty_aside(folder: DeliveryFolder, engine: SqlEngine, admitted: AdmittedFile) -> int:
    """Move the reader's faulty lines to the rejects, with their raw text; how many."""
    if not engine.scalar(plans.plan_count_faulty()):
        return 0
    found = engine.rows(plans.plan_faulty_lines())
    reasons = [rules.structure_reason(words) for _, words, _, _ in found]
    raws = [str(raw).strip("\r\n").encode("utf-8") for _, _, raw, _ in found]
    unreadable = [i for i, reason in enumerate(reasons) if reason is RejectReason.ENCODING]
    for i, raw in zip(
        unreadable, folder.lines_at(admitted.file.path, [int(found[i][3]) - 1 for i in unreadable]), strict=True
    ):
        raws[i] = raw
    table = pa.table(
        {
            "line_number": pa.array([int(row[0]) for row in found], pa.int64()),
            "reason": pa.array([reason.value for reason in reasons], pa.string()),
            "column_name": pa.nulls(len(found), pa.string()),
            "raw": pa.array(raws, pa.binary()),
        }
    )
    engine.register("enclos_arriving", table)
    engine.execute(f"CREATE OR REPLACE TEMP TABLE {_SKIPPED} AS SELECT line_number FROM enclos_arriving")
    n_faulty = _reject(engine, admitted, "SELECT * FROM enclos_arriving")
    engine.unregister("enclos_arriving")
    return n_faulty


def _reject(engine: SqlEngine, admitted: AdmittedFile, select_sql: str) -> int:
    before = int(engine.scalar(f"SELECT count(*) FROM {INCOMING_REJECTS}"))
    engine.execute(
        f"INSERT INTO {INCOMING_REJECTS} SELECT {plans.text(admitted.table.name)}, {plans.text(admitted.file.path)}, "
        f"line_number, reason, column_name, raw FROM ({select_sql})"
    )
    return int(engine.scalar(f"SELECT count(*) FROM {INCOMING_REJECTS}")) - before


def _forget_faulty_lines(engine: SqlEngine) -> None:
    for statement in plans.plan_forget_faulty_lines():
        engine.execute(statement)


@contextmanager
def _faulty_lines_forgotten(engine: SqlEngine) -> Iterator[None]:
    _forget_faulty_lines(engine)
    try:
        yield
    finally:
        _forget_faulty_lines(engine)
        engine.execute(f"DROP TABLE IF EXISTS {plans.SHIFTS}")
        engine.execute(f"DROP TABLE IF EXISTS {_SKIPPED}")
