"""Admit a delivery's files: what its document, its bytes and its headers say, before any row is read."""

from __future__ import annotations

from collections.abc import Mapping

from enclos.contracts.delivered.document import (
    DeliveredFile,
    Delivery,
    FileFormat,
)
from enclos.contracts.delivered.tables import DeliveredTable, delivered_table
from enclos.contracts.sql import SqlEngine
from enclos.intake import plans, rules
from enclos.intake.model import (
    AdmittedFile,
    Fault,
    FileFacts,
)
from enclos.intake.ports import DeliveryFolder, Progress
from enclos.lexicon.codes import Code


def admit_files(
    folder: DeliveryFolder, engine: SqlEngine, delivery: Delivery, progress: Progress
) -> tuple[AdmittedFile, ...]:
    """The files of a delivery with their layouts, if document, bytes and headers are as promised.

    Refuses: all faults of one kind of look at once: names first, then bytes, then what came before, then headers
    """
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
    aliases = dict(file.aliases)
    faults = rules.column_faults(file.path, table, header, aliases)
    columns = tuple(rules.official_name(table, name, aliases) or "" for name in header)
    return AdmittedFile(file, table, facts, columns, types, header), faults
