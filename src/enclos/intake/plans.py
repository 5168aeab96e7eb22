"""How rows are read and checked: SQL text over a delivered file. Nothing is run here.

A text file is read as text, each record with its number; then every field is cast to its official type. What the
engine's casts would bend (a decimal into an integer, a time of day into a date, '1_000', 'infinity') is no value of
the type here: the text itself must be written as the type is written.
"""

from __future__ import annotations

from collections.abc import Sequence

from enclos.contracts.delivered.document import DeliveredFile, Encoding, FileFormat, Kind
from enclos.contracts.delivered.writing import DateWriting, cast_sql, plain_pattern, writing_of, written_pattern
from enclos.intake.model import AdmittedFile, RejectReason

FAULTY_LINES = "enclos_faulty_lines"
"""The reader's own list of lines that have no right structure."""
FAULTY_SCANS = "enclos_faulty_scans"
SHIFTS = "enclos_line_shifts"
"""(after_row, shift): see rules.good_line_shifts."""
RECORD = "_record"
"""The number of a read row, 1 for the first after the header."""
LINE = "_line"
"""The line of a row: its record number with the header as 1 (in Parquet, the row's number)."""
DELIVERY = "_delivery"

_MAX_LINE_BYTES = 8 << 20
_NEVER_IN_JSON = "\\x01"
_JSON_LINE = "line"


def ident(name: str) -> str:
    """A quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A string literal."""
    return "'" + value.replace("'", "''") + "'"


def plan_read_text(file: DeliveredFile, location: str, columns: Sequence[str]) -> str:
    """A FROM-able expression: the records of a CSV as text, or the lines of an NDJSON; faulty lines are set aside."""
    if file.format is FileFormat.NDJSON:
        shape = [f"columns = {{'{_JSON_LINE}': 'VARCHAR'}}", f"delim = '{_NEVER_IN_JSON}'", "quote = ''", "escape = ''"]
        shape.append("header = false")
    else:
        listed = ", ".join(f"{text(name)}: 'VARCHAR'" for name in columns)
        quote = text(file.quote)
        shape = [f"columns = {{{listed}}}", f"delim = {text(file.separator)}", f"quote = {quote}", f"escape = {quote}"]
        shape.append("header = true")
    options = [
        *shape,
        "auto_detect = false",
        f"encoding = '{'utf-8' if file.encoding is Encoding.UTF_8 else 'latin-1'}'",
        f"compression = '{file.compression.value}'",
        f"max_line_size = {_MAX_LINE_BYTES}",
        "store_rejects = true",
        "rejects_limit = 0",
        f"rejects_table = '{FAULTY_LINES}'",
        f"rejects_scan = '{FAULTY_SCANS}'",
    ]
    return f"read_csv({text(location)}, {', '.join(options)})"


def plan_read_parquet(location: str) -> str:
    """A FROM-able expression over a delivered Parquet file with its row numbers."""
    return f"read_parquet({text(location)}, file_row_number = true)"


def plan_parquet_types(location: str) -> str:
    """The columns of a Parquet file: name and type."""
    return f"SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_parquet({text(location)}))"


def plan_good_rows(admitted: AdmittedFile, kind: Kind, location: str, ordinal: int, *, shifted: bool) -> str:
    """The rows that can be landed: official columns, typed, with the delivery's ordinal and the line."""
    values = ", ".join(f"{ident(name)}" for name in landed_columns(admitted))
    line = _line_of(admitted.file, shifted=shifted)
    source = f"({_checked(admitted, kind, location)}) AS checked"
    if shifted:
        source += f" ASOF LEFT JOIN {SHIFTS} AS shifts ON checked.{RECORD} > shifts.after_row"
    return (
        f"SELECT {values}, CAST({ordinal} AS INTEGER) AS {DELIVERY}, CAST({line} AS BIGINT) AS {LINE} "
        f"FROM {source} WHERE checked._reason IS NULL"
    )


def plan_bad_rows(admitted: AdmittedFile, kind: Kind, location: str, *, shifted: bool) -> str:
    """The rows whose structure is right and that still cannot be landed: line, reason, column, raw text."""
    line = _line_of(admitted.file, shifted=shifted)
    source = f"({_checked(admitted, kind, location, explained=True)}) AS checked"
    if shifted:
        source += f" ASOF LEFT JOIN {SHIFTS} AS shifts ON checked.{RECORD} > shifts.after_row"
    return (
        f"SELECT CAST({line} AS BIGINT) AS line_number, checked._reason AS reason, checked._column AS column_name, "
        f"encode(checked._raw) AS raw FROM {source} WHERE checked._reason IS NOT NULL"
    )


def plan_count_faulty() -> str:
    """How many faults the reader found: far quicker than to list them, and nearly always none."""
    return f"SELECT count(*) FROM {FAULTY_LINES}"


def plan_faulty_lines() -> str:
    """The lines without right structure: line, what the reader says of it, its text, where it starts."""
    return (
        "SELECT line, list(DISTINCT CAST(error_type AS VARCHAR)) AS words, any_value(csv_line) AS raw, "
        f"any_value(line_byte_position) AS starts_at FROM {FAULTY_LINES} GROUP BY line ORDER BY line"
    )


def plan_forget_faulty_lines() -> tuple[str, str]:
    """Empty the reader's lists before the next file."""
    return f"DROP TABLE IF EXISTS {FAULTY_LINES}", f"DROP TABLE IF EXISTS {FAULTY_SCANS}"


def plan_fluxes(table_name: str, rows: str, kind: Kind) -> str:
    """Which fluxes landed rows bring, as (table_name, flux); empty for kinds without flux.

    A claims table comes in monthly fluxes (FLX_DIS_DTD), a table of stays in years (its own name).
    """
    if kind is Kind.SNDS_DCIR:
        return f"SELECT DISTINCT {text(table_name)} AS table_name, CAST(FLX_DIS_DTD AS VARCHAR) AS flux FROM {rows}"
    if kind is Kind.SNDS_PMSI:
        return f"SELECT {text(table_name)} AS table_name, {text(table_name)} AS flux"
    return ""


def landed_columns(admitted: AdmittedFile) -> tuple[str, ...]:
    """The official columns that a file has, in the layout's order."""
    present = set(admitted.columns)
    return tuple(name for name in admitted.table.columns.names if name in present)


def _line_of(file: DeliveredFile, *, shifted: bool) -> str:
    first = 1 if file.format is FileFormat.CSV else 0
    shift = " + coalesce(shifts.shift, 0)" if shifted else ""
    return f"checked.{RECORD} + {first}{shift}"


def _checked(admitted: AdmittedFile, kind: Kind, location: str, *, explained: bool = False) -> str:
    """Every record: its number, its typed values and ``_reason``, NULL when it can be landed.

    Without ``explained`` the reason is only NULL or not: enough to land, and faster.
    """
    if kind is Kind.FHIR_BULK:
        return _checked_resources(admitted, location)
    if admitted.file.format is FileFormat.PARQUET:
        return _checked_stored(admitted, kind, location, explained=explained)
    return _checked_text(admitted, kind, location, explained=explained)


def _checked_text(admitted: AdmittedFile, kind: Kind, location: str, *, explained: bool) -> str:
    types = {name: admitted.table.columns.column(name).sql_type for name in landed_columns(admitted)}
    ways = {name: _writing(admitted.file, kind, name) for name in types}
    decimal = admitted.file.decimal
    values = {name: cast_sql(ident(name), types[name], ways[name], decimal) for name in types}
    patterns = {name: written_pattern(types[name], ways[name], decimal) for name in types}
    read = plan_read_text(admitted.file, location, admitted.columns)
    typed = ", ".join(f"{value} AS {ident(name)}" for name, value in values.items())
    keys = [name for name in admitted.table.keys if name in types]
    if explained:
        tests = [(f"({ident(name)} IS NULL)", RejectReason.MISSING_KEY, name) for name in keys]
        tests += [
            (
                f"({ident(name)} IS NOT NULL AND NOT {_are_written([name], pattern, values)})",
                RejectReason.VALUE,
                name,
            )
            for name, pattern in patterns.items()
            if pattern
        ]
        verdict = f"{_first_fault(tests)}, {_raw_text(admitted)} AS _raw"
    else:
        groups: dict[str, list[str]] = {}
        for name, pattern in patterns.items():
            if pattern:
                groups.setdefault(pattern, []).append(name)
        good = [f"{ident(name)} IS NOT NULL" for name in keys]
        for pattern, group in sorted(groups.items()):
            written = _are_written(group, pattern, values)
            plain = plain_pattern(types[group[0]], ways[group[0]], decimal)
            good.append(f"({_are_plain(group, plain, admitted)} OR {written})" if plain else written)
        verdict = f"CASE WHEN {' AND '.join(good)} THEN NULL ELSE '' END AS _reason" if good else "NULL AS _reason"
    return f"SELECT {RECORD}, {typed}, {verdict} FROM (SELECT row_number() OVER () AS {RECORD}, * FROM {read})"


def _writing(file: DeliveredFile, kind: Kind, column: str) -> DateWriting:
    """How a column's dates are written; Athena's way is the kind's, unless the sender says another."""
    if kind is Kind.VOCABULARY and not file.dates:
        return DateWriting.ATHENA
    return writing_of(file.date_writing(column), column)


def _are_written(names: Sequence[str], pattern: str, values: dict[str, str]) -> str:
    """Whether the fields are all written as their common pattern says (an empty one is), and can be cast."""
    joined = f"concat_ws(';', {', '.join(ident(name) for name in names)})"
    castable = [f"({ident(name)} IS NULL) = ({values[name]} IS NULL)" for name in names]
    return f"(regexp_full_match({joined}, {text(pattern)}) AND {' AND '.join(castable)})"


def _are_plain(names: Sequence[str], pattern: str, admitted: AdmittedFile) -> str:
    """Whether the fields are all written so plainly that no cast of them fails; spares nearly every row the casts.

    They are joined by what separates them in the file: without quotes no field can hold it.
    """
    if admitted.facts.has_quotes and admitted.file.quote:
        return "false"
    separator = admitted.file.separator
    joined = f"concat_ws({text(separator)}, {', '.join(map(ident, names))}, '')"
    return f"regexp_full_match({joined}, {text(f'({pattern}{separator})*')})"


def _first_fault(tests: Sequence[tuple[str, RejectReason, str]]) -> str:
    if not tests:
        return "NULL AS _reason, NULL AS _column"
    reasons = " ".join(f"WHEN {test} THEN '{reason.value}'" for test, reason, _ in tests)
    columns = " ".join(f"WHEN {test} THEN {text(column)}" for test, _, column in tests)
    return f"CASE {reasons} END AS _reason, CASE {columns} END AS _column"


def _raw_text(admitted: AdmittedFile) -> str:
    """The record as a line again; quotes stand where they are needed, not where they stood."""
    separator = admitted.file.separator
    fields = ", ".join(
        f"CASE WHEN {name} IS NULL THEN '' WHEN contains({name}, {text(separator)}) OR contains({name}, '\"') "
        f"OR contains({name}, chr(10)) THEN '\"' || replace({name}, '\"', '\"\"') || '\"' ELSE {name} END"
        for name in map(ident, admitted.columns)
    )
    return f"array_to_string([{fields}], {text(separator)})"


def _checked_stored(admitted: AdmittedFile, kind: Kind, location: str, *, explained: bool) -> str:
    types = {name: admitted.table.columns.column(name).sql_type for name in landed_columns(admitted)}
    stored = dict(zip(admitted.columns, admitted.stored_types, strict=True))
    values, tests = (
        {},
        [(f"({ident(stored[name])} IS NULL)", RejectReason.MISSING_KEY, name) for name in admitted.table.keys],
    )
    for name, sql_type in types.items():
        value, stored_type = ident(stored[name]), admitted.stored_types[stored[name]]
        way = _writing(admitted.file, kind, name)
        if stored_type == "VARCHAR":
            # text in Parquet is text: an empty one is no value, anything else is written as the sender declares
            values[name] = cast_sql(value, sql_type, way, admitted.file.decimal)
            pattern = written_pattern(sql_type, way, admitted.file.decimal)
            written = f"(regexp_full_match({value}, {text(pattern or '.*')}) AND {values[name]} IS NOT NULL)"
            survives = f"(coalesce({value}, '') = '' OR {written})"
        else:
            # a typed value keeps its meaning under the official type: cast there and back gives it again
            values[name] = f"TRY_CAST({value} AS {sql_type})"
            survives = f"(TRY_CAST({values[name]} AS {stored_type}) IS NOT DISTINCT FROM {value})"
        if stored_type != sql_type:
            tests.append((f"NOT {survives}", RejectReason.VALUE, name))
    typed = ", ".join(f"{value} AS {ident(name)}" for name, value in values.items())
    raw = f"CAST(to_json({{{', '.join(f'{text(n)}: {ident(n)}' for n in admitted.stored_types)}}}) AS VARCHAR) AS _raw"
    verdict = f"{_first_fault(tests)}, {raw}" if explained else _first_fault(tests)
    return f"SELECT file_row_number + 1 AS {RECORD}, {typed}, {verdict} FROM {plan_read_parquet(location)}"


def _checked_resources(admitted: AdmittedFile, location: str) -> str:
    read = plan_read_text(admitted.file, location, ())
    kind = text(admitted.table.name)
    return (
        f"SELECT {RECORD}, CASE WHEN valid THEN {_JSON_LINE} ->> '$.id' END AS id, {_JSON_LINE} AS resource, "
        f"{_JSON_LINE} AS _raw, CASE WHEN NOT valid THEN '{RejectReason.JSON.value}' "
        f"WHEN ({_JSON_LINE} ->> '$.resourceType') IS DISTINCT FROM {kind} THEN '{RejectReason.RESOURCE.value}' "
        f"WHEN ({_JSON_LINE} ->> '$.id') IS NULL THEN '{RejectReason.MISSING_KEY.value}' END AS _reason, "
        f"CASE WHEN valid AND ({_JSON_LINE} ->> '$.id') IS NULL THEN 'id' END AS _column "
        f"FROM (SELECT *, CASE WHEN json_valid({_JSON_LINE}) THEN json_type({_JSON_LINE}) = 'OBJECT' ELSE false END "
        f"AS valid FROM (SELECT row_number() OVER () AS {RECORD}, * FROM {read}) WHERE {_JSON_LINE} IS NOT NULL)"
    )
