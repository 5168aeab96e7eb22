"""The verbs of intake."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime

import pyarrow as pa

from enclos.contracts.delivered.document import (
    MANIFEST,
    DeliveredFile,
    Delivery,
    FileFormat,
    Kind,
    default_quote,
    format_of,
    parse_delivery,
)
from enclos.contracts.delivered.naming import table_of_file
from enclos.contracts.delivered.tables import DeliveredTable, delivered_table
from enclos.contracts.sql import SqlEngine
from enclos.contracts.vault import VAULT_DDL
from enclos.intake import plans, rules
from enclos.intake.model import (
    AdmittedFile,
    DeliveryAccount,
    Fault,
    FileFacts,
    LandedFile,
    RejectReason,
    account_from_json,
)
from enclos.intake.ports import DeliveryFolder, LandingWriter, Progress, Staging
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal

_INCOMING_REJECTS = "enclos_incoming_rejects"
_SKIPPED = "enclos_skipped"


def silent(what: str, done: int, total: int) -> None:
    """The progress that nobody hears."""


def accept_delivery(
    folder: DeliveryFolder,
    engine: SqlEngine,
    landing: LandingWriter,
    *,
    received_at: datetime,
    progress: Progress = silent,
) -> DeliveryAccount:
    """Land a delivery whole, or refuse it whole; the same delivery again changes nothing and says so.

    In: folder — with delivery.json; engine — with the vault attached; received_at — UTC
    Out: the account; delivered = landed + rejected for every table
    Refuses: every DLV code; all faults of one kind of check at once
    """
    prepare_vault(engine)
    landing.sweep(
        _texts(engine, "SELECT delivery_id FROM vault.deliveries"),
        _texts(engine, "SELECT DISTINCT key_subject FROM vault.landed"),
    )
    document = folder.manifest()
    if document is None:
        raise refusal(
            Code.DELIVERY_UNDECLARED, f"The folder has no {MANIFEST}.", "Write one with `enclos delivery make`."
        )
    delivery = parse_delivery(document)
    known = engine.rows("SELECT account FROM vault.deliveries WHERE delivery_id = ?", [delivery.delivery_id])
    if known:
        return account_from_json(known[0][0], already=True)
    admitted = _admit(folder, engine, delivery, progress)
    ordinal = int(engine.scalar("SELECT coalesce(max(ordinal), 0) + 1 FROM vault.deliveries"))
    staging = landing.begin(delivery.delivery_id, own_key=delivery.kind is Kind.LINK)
    try:
        landed = _land(folder, engine, staging, delivery, admitted, ordinal, progress)
        _check_fluxes(engine, staging, delivery, landed)
        staging.publish()
        return _record(engine, delivery, landed, ordinal, received_at, staging.key_subject)
    except BaseException:
        if delivery.delivery_id not in _texts(engine, "SELECT delivery_id FROM vault.deliveries"):
            staging.discard()
        raise
    finally:
        engine.execute(f"DROP TABLE IF EXISTS {_INCOMING_REJECTS}")


def read_accounts(engine: SqlEngine) -> list[DeliveryAccount]:
    """The accounts of all accepted deliveries, in the order of their acceptance."""
    prepare_vault(engine)
    rows = engine.rows("SELECT account FROM vault.deliveries ORDER BY ordinal")
    return [account_from_json(row[0], already=True) for row in rows]


def _texts(engine: SqlEngine, sql: str) -> frozenset[str]:
    return frozenset(str(row[0]) for row in engine.rows(sql))


def prepare_vault(engine: SqlEngine) -> None:
    """Make the vault's tables where they are missing."""
    for statement in VAULT_DDL:
        engine.execute(statement)


# -- admitting: what the document, the bytes and the headers say --------------------------------------------------


def _admit(
    folder: DeliveryFolder, engine: SqlEngine, delivery: Delivery, progress: Progress
) -> tuple[AdmittedFile, ...]:
    faults = rules.declared_faults(delivery, folder.data_files())
    if faults:
        raise rules.refusal_of(faults)
    inspected: list[tuple[DeliveredFile, FileFacts]] = []
    for done, file in enumerate(delivery.files, start=1):
        facts = folder.inspect(file.path)
        faults += rules.content_faults(file, facts)
        if facts is not None:
            inspected.append((file, facts))
        progress("files verified", done, len(delivery.files))
    if faults:
        raise rules.refusal_of(faults)
    faults = rules.twice_within(inspected) + _twice_in_vault(engine, delivery, inspected)
    if faults:
        raise rules.refusal_of(faults)
    admitted = []
    for file, facts in inspected:
        table = delivered_table(delivery.kind, file.table)
        if table is None:
            raise ValueError("an undeclared table is refused before")
        found, file_faults = _columns(folder, engine, file, table, facts)
        faults += file_faults
        admitted.append(found)
    if faults:
        raise rules.refusal_of(faults)
    return tuple(admitted)


def _twice_in_vault(
    engine: SqlEngine, delivery: Delivery, inspected: list[tuple[DeliveredFile, FileFacts]]
) -> list[Fault]:
    rows = engine.rows(
        "SELECT lower(table_name), content_sha256 FROM vault.landed WHERE source = ? AND n_delivered > 0",
        [delivery.source],
    )
    known = {(str(table), str(content)) for table, content in rows}
    return [
        Fault(Code.FILE_TWICE, f"{file.path} was landed before, with another delivery")
        for file, facts in inspected
        if (file.table.lower(), facts.content_sha256) in known
    ]


def _columns(
    folder: DeliveryFolder, engine: SqlEngine, file: DeliveredFile, table: DeliveredTable, facts: FileFacts
) -> tuple[AdmittedFile, list[Fault]]:
    types: Mapping[str, str] = {}
    if file.format is FileFormat.NDJSON:
        return AdmittedFile(file, table, facts, table.columns.names), []
    if file.format is FileFormat.PARQUET:
        with folder.reading(file.path):
            rows = engine.rows(plans.plan_parquet_types(folder.location(file.path)))
        types = {str(name): str(sql_type) for name, sql_type in rows}
        header = tuple(types)
    else:
        header = rules.header_of(facts.first_line, file.encoding, file.separator, file.quote)
    faults = rules.column_faults(file.path, table, header)
    columns = tuple(table.official(name) or "" for name in header)
    return AdmittedFile(file, table, facts, columns, types), faults


# -- landing ------------------------------------------------------------------------------------------------------


def _land(
    folder: DeliveryFolder,
    engine: SqlEngine,
    staging: Staging,
    delivery: Delivery,
    admitted: tuple[AdmittedFile, ...],
    ordinal: int,
    progress: Progress,
) -> tuple[LandedFile, ...]:
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE {_INCOMING_REJECTS} (table_name VARCHAR, delivered_path VARCHAR, "
        "line_number BIGINT, reason VARCHAR, column_name VARCHAR, raw BLOB)"
    )
    landed: list[LandedFile] = []
    faults: list[Fault] = []
    for number, file in enumerate(admitted):
        name = f"{file.table.name}/{number:05d}.parquet"
        with _faulty_lines_forgotten(engine), folder.reading(file.file.path):
            n_landed, n_rejected = _land_file(folder, engine, staging, delivery.kind, file, name, ordinal)
        if n_landed + n_rejected == file.file.n_rows:
            columns = plans.landed_columns(file)
            content = file.facts.content_sha256
            landed.append(LandedFile(file.file, file.table, name, columns, content, n_landed, n_rejected))
        else:
            faults.append(Fault(Code.ROWS_MISCOUNTED, f"{file.file.path} holds another number of rows than declared"))
        progress("files landed", number + 1, len(admitted))
    if faults:
        raise rules.refusal_of(faults)
    if engine.scalar(f"SELECT count(*) FROM {_INCOMING_REJECTS}"):
        staging.write("_rejects/00000.parquet", f"SELECT * FROM {_INCOMING_REJECTS}")
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
    shifted = bool(admitted.facts.blank_lines) and not _lines_may_lie(admitted)
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


def _n_header_lines(admitted: AdmittedFile) -> int:
    return 1 if admitted.file.format is FileFormat.CSV else 0


def _lines_may_lie(admitted: AdmittedFile) -> bool:
    """Whether a quoted line end may make records and lines differ."""
    return admitted.file.format is FileFormat.CSV and admitted.facts.has_quotes and bool(admitted.file.quote)


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
    found = engine.rows(plans.plan_faulty_lines())
    if not found:
        return 0
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
    before = int(engine.scalar(f"SELECT count(*) FROM {_INCOMING_REJECTS}"))
    engine.execute(
        f"INSERT INTO {_INCOMING_REJECTS} SELECT ?, ?, line_number, reason, column_name, raw FROM ({select_sql})",
        [admitted.table.name, admitted.file.path],
    )
    return int(engine.scalar(f"SELECT count(*) FROM {_INCOMING_REJECTS}")) - before


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


# -- recording ----------------------------------------------------------------------------------------------------


def _check_fluxes(engine: SqlEngine, staging: Staging, delivery: Delivery, landed: tuple[LandedFile, ...]) -> None:
    """Refuse a flux of claims, or a yearly table of stays, that has come before under another delivery."""
    engine.execute("CREATE OR REPLACE TEMP TABLE enclos_fluxes (table_name VARCHAR, flux VARCHAR)")
    for file in landed:
        if not file.n_landed:
            continue
        if delivery.kind is Kind.SNDS_DCIR:
            months = f"SELECT DISTINCT strftime(FLX_DIS_DTD, '%Y-%m-%d') FROM {staging.scan(file.path)}"
            engine.execute(f"INSERT INTO enclos_fluxes SELECT ?, * FROM ({months})", [file.table.name])
        elif delivery.kind is Kind.SNDS_PMSI:
            engine.execute("INSERT INTO enclos_fluxes VALUES (?, ?)", [file.table.name, file.table.name])
    rows = engine.rows(
        "SELECT DISTINCT new.table_name FROM enclos_fluxes AS new JOIN vault.fluxes AS old "
        "ON new.table_name = old.table_name AND new.flux = old.flux WHERE old.source = ? ORDER BY ALL",
        [delivery.source],
    )
    if rows:
        raise rules.refusal_of(
            [Fault(Code.FLUX_TWICE, f"{row[0]} brings a flux that was landed before") for row in rows]
        )


def _record(
    engine: SqlEngine,
    delivery: Delivery,
    landed: tuple[LandedFile, ...],
    ordinal: int,
    received_at: datetime,
    key_subject: str,
) -> DeliveryAccount:
    counted = engine.rows(f"SELECT table_name, reason, count(*) FROM {_INCOMING_REJECTS} GROUP BY ALL")
    reasons: dict[str, dict[str, int]] = {}
    for table_name, reason, n in counted:
        reasons.setdefault(str(table_name), {})[str(reason)] = int(n)
    account = DeliveryAccount(
        delivery.delivery_id,
        delivery.source,
        delivery.kind,
        delivery.period,
        rules.table_accounts(landed, reasons),
    )
    start, end = delivery.period or (None, None)
    engine.execute("BEGIN TRANSACTION")
    try:
        for file in landed:
            engine.execute(
                "INSERT INTO vault.landed VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    delivery.delivery_id,
                    ordinal,
                    delivery.source,
                    delivery.kind.value,
                    file.table.name,
                    file.table.family,
                    f"{delivery.delivery_id}/{file.path}",
                    key_subject,
                    list(file.columns),
                    file.file.path,
                    file.content_sha256,
                    file.file.n_rows,
                    file.n_landed,
                    file.n_rejected,
                ],
            )
        engine.execute(
            "INSERT INTO vault.rejects SELECT ?, table_name, delivered_path, line_number, reason, column_name "
            f"FROM {_INCOMING_REJECTS}",
            [delivery.delivery_id],
        )
        engine.execute(
            "INSERT INTO vault.fluxes SELECT DISTINCT ?, table_name, flux, ? FROM enclos_fluxes",
            [delivery.source, delivery.delivery_id],
        )
        engine.execute(
            "INSERT INTO vault.deliveries VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                delivery.delivery_id,
                ordinal,
                delivery.source,
                delivery.kind.value,
                start,
                end,
                received_at.replace(tzinfo=None),
                json.dumps(account.as_json()),
            ],
        )
        engine.execute("COMMIT")
    except BaseException:
        engine.execute("ROLLBACK")
        raise
    return account


# -- declaring a delivery that has no document --------------------------------------------------------------------


def make_delivery_manifest(
    folder: DeliveryFolder, *, kind: Kind, source: str, period: tuple[date, date] | None = None
) -> Delivery:
    """The delivery that a folder without document holds: tables by file name, everything else by the bytes.

    Refuses: TABLE_UNKNOWN for a file whose name is no table's; ENCODING_UNKNOWN when a text is neither UTF-8 nor
    ISO-8859-1; FILE_TRUNCATED; COLUMNS_WRONG when no separator gives the official columns
    """
    paths = folder.data_files()
    if not paths:
        raise refusal(Code.FILE_MISSING, "The folder has no file with rows in it.", "Name the delivery's folder.")
    faults: list[Fault] = []
    files: list[dict[str, object]] = []
    for path in paths:
        table, facts = table_of_file(kind, path), folder.inspect(path)
        found = format_of(path)
        if table is None or found is None:
            faults.append(Fault(Code.TABLE_UNKNOWN, f"{path} has the name of no table of kind {kind.value}"))
        elif facts is None or not facts.whole:
            faults.append(Fault(Code.FILE_TRUNCATED, f"{path} ends before its content does"))
        else:
            described, file_faults = _describe(folder, kind, path, table, facts, found[0])
            files.append(described)
            faults += file_faults
    if faults:
        raise rules.refusal_of(faults)
    document: dict[str, object] = {"source": source, "kind": kind.value, "files": files}
    if period is not None:
        document["period"] = {"start": period[0].isoformat(), "end": period[1].isoformat()}
    return parse_delivery(document)


def _describe(
    folder: DeliveryFolder, kind: Kind, path: str, table: DeliveredTable, facts: FileFacts, form: FileFormat
) -> tuple[dict[str, object], list[Fault]]:
    encoding = rules.encoding_of(facts)
    if encoding is None:
        return {}, [Fault(Code.ENCODING_UNKNOWN, f"{path} is neither utf-8 nor iso-8859-1")]
    described: dict[str, object] = {
        "path": path,
        "table": table.name,
        "sha256": facts.sha256,
        "encoding": encoding.value,
        "separator": "",
    }
    if form is not FileFormat.CSV:
        return {**described, "n_rows": facts.n_records}, []
    separator = rules.separator_of(facts.first_line, encoding, kind, table)
    if separator is None:
        return {}, [Fault(Code.COLUMNS_WRONG, f"{path} has no header with the columns of {table.family}")]
    quote = default_quote(kind, separator)
    n_rows = facts.n_records - 1
    if facts.has_quotes and quote:
        n_rows = folder.count_records(path, encoding.value, separator, quote) - 1
    return {**described, "separator": separator, "n_rows": max(n_rows, 0)}, []
