"""What makes a delivery acceptable; pure decisions over what was declared and what was found."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

from enclos.contracts.delivered.document import DeliveredFile, Delivery, Encoding, FileFormat, Kind, default_quote
from enclos.contracts.delivered.snds import snds_family
from enclos.contracts.delivered.tables import DeliveredTable, delivered_table
from enclos.contracts.delivered.years import outside_years, project_aliases, year_of_table
from enclos.intake.model import Fault, FileFacts, LandedFile, RejectReason, TableAccount
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal

_NEXT_STEPS = {
    Code.TABLE_UNKNOWN: "Name the tables as in the official layout of the kind, or change the kind.",
    Code.ENCODING_UNKNOWN: "Deliver the files in utf-8 or iso-8859-1.",
    Code.FILE_MISSING: "Deliver exactly the declared files.",
    Code.HASH_WRONG: "Transfer the files again; if they are right, ask for a new delivery.json.",
    Code.FILE_TRUNCATED: "Transfer the files again.",
    Code.FILE_UNREADABLE: "Ask the sender to write the files again.",
    Code.COLUMNS_WRONG: "Use the official column names and deliver every key column.",
    Code.DAYS_SHIFTED: "Ask for an export in the time zone Europe/Paris (in Oracle: TZ and ORA_SDTZ).",
    Code.WRITING_WRONG: (
        'Say in delivery.json how dates ("dates") and decimals ("decimal") are written, '
        "or use --dates and --decimal of `enclos delivery make`."
    ),
    Code.ROWS_MISCOUNTED: 'Ask the sender to count again, or whether a quote sign is meant as text ("quote": "").',
    Code.FILE_TWICE: "Deliver each file once; what was landed before is still there.",
    Code.FLUX_TWICE: "Deliver each flux once; what was landed before is still there.",
}
_GRAVITY = tuple(_NEXT_STEPS)
"""When faults of several kinds are found, the refusal carries the code that stands first here."""
_MOST_FAULTS = 20
_DOUBTFUL = 100
"""A file of so many lines, none of which has only values of their types, is written otherwise than declared."""
SHIFTED = "[ T:]2[23]:00(:00)?"
"""Midnight in Paris, written in UTC: 22:00 in summer, 23:00 in winter, of the day before."""

_STRUCTURE_REASONS = {
    "MISSING COLUMNS": RejectReason.FIELD_COUNT,
    "TOO MANY COLUMNS": RejectReason.FIELD_COUNT,
    "UNQUOTED VALUE": RejectReason.QUOTING,
    "INVALID STATE": RejectReason.QUOTING,
    "INVALID ENCODING": RejectReason.ENCODING,
    "LINE SIZE OVER MAXIMUM": RejectReason.TOO_LONG,
}
_REASON_ORDER = (RejectReason.ENCODING, RejectReason.QUOTING, RejectReason.TOO_LONG, RejectReason.FIELD_COUNT)


def refusal_of(faults: Sequence[Fault]) -> Refusal:
    """One refusal for all faults of a delivery.

    Empty: no fault is a ValueError; there is nothing to refuse.
    """
    code = min((fault.code for fault in faults), key=_GRAVITY.index)
    texts = list(dict.fromkeys(fault.text for fault in faults))
    more = f"; and {len(texts) - _MOST_FAULTS} more faults" if len(texts) > _MOST_FAULTS else ""
    return refusal(code, f"The delivery is refused: {'; '.join(texts[:_MOST_FAULTS])}{more}.", _NEXT_STEPS[code])


def declared_faults(delivery: Delivery, present: Collection[str]) -> list[Fault]:
    """What the document alone, and the names of the files in the folder, say against a delivery."""
    declared = {file.path for file in delivery.files}
    faults = [
        Fault(Code.TABLE_UNKNOWN, f"{file.table} is no table of kind {delivery.kind.value}")
        for file in delivery.files
        if delivered_table(delivery.kind, file.table) is None
    ]
    faults += [Fault(Code.FILE_MISSING, f"{path} is declared but absent") for path in sorted(declared - set(present))]
    faults += [
        Fault(Code.FILE_MISSING, f"{path} is in the folder but not declared")
        for path in sorted(set(present) - declared)
    ]
    tables = {file.table.upper() for file in delivery.files}
    if delivery.kind is Kind.SNDS_DCIR and "ER_PRS_F" not in {snds_family(name) for name in tables}:
        faults.append(Fault(Code.TABLE_UNKNOWN, "a claims delivery without ER_PRS_F cannot be joined to persons"))
    if delivery.kind is Kind.SNDS_PMSI:
        years = {name[:7] for name in tables}
        lonely = sorted(year for year in years if f"{year}C" not in tables)
        faults += [Fault(Code.TABLE_UNKNOWN, f"{year} tables without {year}C name no person") for year in lonely]
    return faults


def content_faults(file: DeliveredFile, facts: FileFacts | None) -> list[Fault]:
    """What a file's bytes say against it."""
    if facts is None:
        return [Fault(Code.FILE_MISSING, f"{file.path} is declared but absent")]
    if not facts.whole:
        return [Fault(Code.FILE_TRUNCATED, f"{file.path} ends before its content does")]
    faults = []
    if facts.sha256 != file.sha256:
        faults.append(Fault(Code.HASH_WRONG, f"{file.path} is not the declared file"))
    if file.encoding is Encoding.ISO_8859_1 and file.format is not FileFormat.PARQUET and facts.has_c1:
        faults.append(Fault(Code.ENCODING_UNKNOWN, f"{file.path} holds bytes that iso-8859-1 has no letters for"))
    if facts.mixed_line_ends:
        faults.append(Fault(Code.FILE_UNREADABLE, f"{file.path} mixes two kinds of line ends"))
    n_rows = n_rows_of(file.format, facts)
    if n_rows is not None and n_rows != file.n_rows:
        faults.append(Fault(Code.ROWS_MISCOUNTED, f"{file.path} holds another number of rows than declared"))
    if file.format is FileFormat.CSV and not facts.first_line.strip():
        faults.append(Fault(Code.COLUMNS_WRONG, f"{file.path} has no header"))
    return faults


def n_rows_of(form: FileFormat, facts: FileFacts) -> int | None:
    """Rows of a file by its bytes, header left out; None when only a reader of quotes can tell."""
    if form is not FileFormat.CSV:
        return facts.n_records
    return None if facts.has_quotes else max(facts.n_records - 1, 0)


def header_of(first_line: bytes, encoding: Encoding, separator: str, quote: str) -> tuple[str, ...]:
    """The names in a CSV header."""
    text = first_line.removeprefix(b"\xef\xbb\xbf").decode(encoding.value, errors="replace").rstrip("\r\n")
    if quote:
        return tuple(name.strip() for name in next(csv.reader([text], delimiter=separator, quotechar=quote), []))
    return tuple(name.strip() for name in text.split(separator))


def encoding_of(facts: FileFacts) -> Encoding | None:
    """The encoding that the bytes prove: UTF-8 when they decode, ISO-8859-1 when no control sign speaks against it."""
    if facts.is_utf_8:
        return Encoding.UTF_8
    return None if facts.has_c1 else Encoding.ISO_8859_1


def separator_of(first_line: bytes, encoding: Encoding, kind: Kind, table: DeliveredTable) -> str | None:
    """The separator under which the header names columns of the table only; None when none does."""
    for separator in (";", ",", "\t"):
        header = header_of(first_line, encoding, separator, default_quote(kind, separator))
        aliases = project_aliases(table.columns.names, header)
        if header and all(official_name(table, name, aliases) for name in header):
            return separator
    return None


def official_name(table: DeliveredTable, name: str, aliases: Mapping[str, str]) -> str | None:
    """The official column that a delivered name stands for: what the sender declares, else what the layout says."""
    return table.official(aliases.get(name, name))


def column_faults(
    path: str, table: DeliveredTable, header: Sequence[str], aliases: Mapping[str, str] = MappingProxyType({})
) -> list[Fault]:
    """What a file's columns say against it; names that no layout has are counted, not quoted."""
    official = [official_name(table, name, aliases) for name in header]
    faults = []
    if not set(aliases) <= set(header):
        faults.append(Fault(Code.COLUMNS_WRONG, f"{path} lacks a column for which another name is declared"))
    if n_unknown := official.count(None):
        places = ", ".join(str(place) for place, name in enumerate(official, start=1) if name is None)
        word = "columns" if n_unknown > 1 else "column"
        faults.append(Fault(Code.COLUMNS_WRONG, f"{path} has {word} that {table.family} does not have (at {places})"))
    twice = sorted(name for name, n in Counter(official).items() if n > 1 and name is not None)
    if twice:
        faults.append(Fault(Code.COLUMNS_WRONG, f"{path} has a column twice ({', '.join(twice)})"))
    missing = [name for name in dict.fromkeys((*table.keys, *table.needed)) if name not in official]
    if missing:
        faults.append(Fault(Code.COLUMNS_WRONG, f"{path} lacks {', '.join(missing)}"))
    return faults


def writing_faults(file: DeliveredFile, n_landed: int, n_rejected: int, n_values: int) -> list[Fault]:
    """Doubt a file of a hundred lines or more that are all rejected for how a value is written."""
    if n_landed or n_values < max(n_rejected, _DOUBTFUL):
        return []
    return [Fault(Code.WRITING_WRONG, f"no line of {file.path} has its values written as declared")]


def shift_faults(path: str, n_shifted: int, n_days: int, n_lines: int) -> list[Fault]:
    """Doubt a file whose days are instants of the evening before: the export went through another time zone.

    In: n_shifted — lines with 22:00 or 23:00 sharp where a day belongs; n_days — lines in doubt for any hour;
    n_lines — all lines. More than half of the doubtful lines, and one line in a hundred, are enough; fewer are
    rejected one by one.
    Source: sndsTools (TZ and ORA_SDTZ must be Europe/Paris, else a day shift).
    """
    if 2 * n_shifted <= n_days or 100 * n_shifted < n_lines:
        return []
    return [Fault(Code.DAYS_SHIFTED, f"{path} has days that begin at 22:00 or 23:00 of the day before")]


def twice_within(files: Iterable[tuple[DeliveredFile, FileFacts]]) -> list[Fault]:
    """Files of one delivery that hold the same rows for the same table; files without rows may look alike."""
    seen: dict[tuple[str, str], str] = {}
    faults = []
    for file, facts in files:
        key = (file.table.lower(), facts.content_sha256)
        if file.n_rows and key in seen:
            faults.append(Fault(Code.FILE_TWICE, f"{file.path} has the same content as {seen[key]}"))
        seen.setdefault(key, file.path)
    return faults


def structure_reason(engine_words: Collection[str]) -> RejectReason:
    """The reason that the reader's words for one line stand for; the gravest wins."""
    reasons = {_STRUCTURE_REASONS.get(word, RejectReason.QUOTING) for word in engine_words}
    return min(reasons, key=_REASON_ORDER.index)


def good_line_shifts(skipped: Iterable[int]) -> list[tuple[int, int]]:
    """How far record numbers run ahead of landed rows.

    In: skipped — 1-based numbers of the records (after the header) that were not read: rejected or blank lines
    Out: (n, shift): rows after the n-th read row stand ``shift`` records further than their own number, ascending
    """
    shifts: dict[int, int] = {}
    for n_skipped, record in enumerate(sorted(set(skipped)), start=1):
        shifts[record - n_skipped] = n_skipped
    return sorted(shifts.items())


def table_accounts(landed: Sequence[LandedFile], reasons: Mapping[str, Mapping[str, int]]) -> tuple[TableAccount, ...]:
    """The account of each table of a delivery, in the order in which the tables were first named."""
    names = dict.fromkeys(file.table.name for file in landed)
    return tuple(
        TableAccount(
            name,
            sum(file.file.n_rows for file in landed if file.table.name == name),
            sum(file.n_landed for file in landed if file.table.name == name),
            sum(file.n_rejected for file in landed if file.table.name == name),
            dict(sorted(reasons.get(name, {}).items())),
            tuple(sorted({pair for file in landed if file.table.name == name for pair in file.renamed})),
            _outside_years([file for file in landed if file.table.name == name]),
        )
        for name in names
    )


def _outside_years(landed: Sequence[LandedFile]) -> tuple[str, ...]:
    """Columns of one yearly table that its year should not have."""
    year = year_of_table(landed[0].table.name)
    if year is None:
        return ()
    found = {column for file in landed for column in file.columns} - {
        official for file in landed for _, official in file.renamed
    }
    return tuple(sorted(column for column in found if outside_years(landed[0].table.family, year, column)))
