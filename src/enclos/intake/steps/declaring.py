"""Declare a delivery that has no document."""

from __future__ import annotations

from datetime import date

from enclos.contracts.delivered.document import (
    Delivery,
    FileFormat,
    Kind,
    default_quote,
    format_of,
    kind_of,
    parse_delivery,
)
from enclos.contracts.delivered.naming import table_of_file
from enclos.contracts.delivered.tables import DeliveredTable
from enclos.contracts.delivered.years import project_aliases
from enclos.intake import rules
from enclos.intake.model import (
    Fault,
    FileFacts,
)
from enclos.intake.ports import DeliveryFolder
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal


def make_delivery_manifest(
    folder: DeliveryFolder,
    *,
    kind: str,
    source: str,
    period: tuple[date, date] | None = None,
    dates: str | None = None,
    decimal: str | None = None,
) -> Delivery:
    """The delivery that a folder without document holds: tables by file name, everything else by the bytes.

    In: dates, decimal — how the sender writes them (see contracts.delivered.writing); they are never guessed

    Refuses: DELIVERY_MALFORMED for a kind or source that no delivery has; TABLE_UNKNOWN for a file whose name is no
    table's; ENCODING_UNKNOWN when a text is neither UTF-8 nor ISO-8859-1; FILE_TRUNCATED; COLUMNS_WRONG when no
    separator gives the official columns
    """
    known = kind_of(kind)
    paths = folder.data_files()
    if not paths:
        raise refusal(Code.FILE_MISSING, "The folder has no file with rows in it.", "Name the delivery's folder.")
    faults: list[Fault] = []
    files: list[dict[str, object]] = []
    for path in paths:
        table, facts = table_of_file(known, path), folder.inspect(path)
        found = format_of(path)
        if table is None or found is None:
            faults.append(Fault(Code.TABLE_UNKNOWN, f"{path} has the name of no table of kind {kind}"))
        elif facts is None or not facts.whole:
            faults.append(Fault(Code.FILE_TRUNCATED, f"{path} ends before its content does"))
        else:
            described, file_faults = _describe(folder, known, path, table, facts, found[0])
            said = {"dates": dates, "decimal": decimal if found[0] is not FileFormat.NDJSON else None}
            files.append(described | {name: value for name, value in said.items() if value is not None})
            faults += file_faults
    if faults:
        raise rules.refusal_of(faults)
    document: dict[str, object] = {"source": source, "kind": kind, "files": files}
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
        return {**described, "n_rows": facts.n_records, **_aliases(table, facts.columns)}, []
    separator = rules.separator_of(facts.first_line, encoding, kind, table)
    if separator is None:
        return {}, [Fault(Code.COLUMNS_WRONG, f"{path} has no header with the columns of {table.family}")]
    quote = default_quote(kind, separator)
    n_rows = facts.n_records - 1
    if facts.has_quotes and quote:
        n_rows = folder.count_records(path, encoding.value, separator, quote) - 1
    header = rules.header_of(facts.first_line, encoding, separator, quote)
    return {**described, "separator": separator, "n_rows": max(n_rows, 0), **_aliases(table, header)}, []


def _aliases(table: DeliveredTable, header: tuple[str, ...]) -> dict[str, object]:
    """The names of project extracts that a header has, declared for what they stand for."""
    found = project_aliases(table.columns.names, header)
    return {"aliases": found} if found else {}
