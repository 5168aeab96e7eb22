"""What Flight SQL tells of a permit: one catalog, one schema, the permit's tables; and of the door.

Source: Apache Arrow, format/FlightSql.proto (schemas of the metadata commands)
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from enclos.gateway.flight.messages import Command
from enclos.gateway.statements import SCHEMA
from enclos.lexicon.version import __version__

_TYPES = {"BIGINT": pa.int64(), "DOUBLE": pa.float64(), "DATE": pa.date32(), "TIMESTAMP": pa.timestamp("us")}
_TEXT = pa.string()
_INFO_VALUE = pa.dense_union(
    [
        pa.field("string_value", pa.string()),
        pa.field("bool_value", pa.bool_()),
        pa.field("bigint_value", pa.int64()),
        pa.field("int32_bitmask", pa.int32()),
        pa.field("string_list", pa.list_(pa.string())),
        pa.field("int32_to_int32_list_map", pa.map_(pa.int32(), pa.list_(pa.int32()))),
    ]
)
_INFO: dict[int, str | bool] = {0: "Enclos", 1: __version__, 2: "1.4", 3: True, 4: True, 5: False}
"""SqlInfo: name, version and Arrow's version of the server; read only; SQL; no Substrait."""
_KEY_COLUMNS = (("catalog_name", _TEXT), ("db_schema_name", _TEXT), ("table_name", _TEXT), ("column_name", _TEXT))
_NO_ROWS = {
    "CommandGetPrimaryKeys": pa.schema([*_KEY_COLUMNS, ("key_name", _TEXT), ("key_sequence", pa.int32())]),
    **dict.fromkeys(
        ("CommandGetExportedKeys", "CommandGetImportedKeys", "CommandGetCrossReference"),
        pa.schema(
            [
                *((f"pk_{name}", kind) for name, kind in _KEY_COLUMNS),
                *((f"fk_{name}", kind) for name, kind in _KEY_COLUMNS),
                *(("key_sequence", pa.int32()), ("fk_key_name", _TEXT), ("pk_key_name", _TEXT)),
                *(("update_rule", pa.uint8()), ("delete_rule", pa.uint8())),
            ]
        ),
    ),
}


def metadata(command: Command, permit: str, names: Mapping[str, Mapping[str, str]]) -> pa.Table | None:
    """The answer to a metadata command, or None when it is none."""
    if command.name in _NO_ROWS:
        return _NO_ROWS[command.name].empty_table()
    if command.name == "CommandGetSqlInfo":
        return _sql_info(command)
    if command.name == "CommandGetCatalogs":
        return pa.table([[permit]], _needed("catalog_name"))
    if command.name == "CommandGetTableTypes":
        return pa.table([["TABLE"]], _needed("table_type"))
    if command.name == "CommandGetDbSchemas":
        shown = _is_permit(command, permit) and _fits(command.said(2), SCHEMA)
        return pa.table({"catalog_name": [permit] * shown, "db_schema_name": [SCHEMA] * shown}, _schemas())
    return _tables(command, permit, names) if command.name == "CommandGetTables" else None


def arrow_schema(columns: Mapping[str, str]) -> pa.Schema:
    """A table's columns with Arrow's types."""
    return pa.schema([(name, _TYPES.get(kind, _TEXT)) for name, kind in columns.items()])


def _needed(name: str) -> pa.Schema:
    return pa.schema([pa.field(name, _TEXT, nullable=False)])


def _schemas() -> pa.Schema:
    return pa.schema([("catalog_name", _TEXT), pa.field("db_schema_name", _TEXT, nullable=False)])


def _tables(command: Command, permit: str, names: Mapping[str, Mapping[str, str]]) -> pa.Table:
    kinds = command.texts(4)
    shown = _is_permit(command, permit) and _fits(command.said(2), SCHEMA) and (not kinds or "TABLE" in kinds)
    found = [name for name in sorted(names) if shown and _fits(command.said(3), name)]
    fields = [
        *(pa.field("catalog_name", _TEXT), pa.field("db_schema_name", _TEXT)),
        *(pa.field("table_name", _TEXT, nullable=False), pa.field("table_type", _TEXT, nullable=False)),
    ]
    columns = [[permit] * len(found), [SCHEMA] * len(found), found, ["TABLE"] * len(found)]
    if command.flag(5):
        fields.append(pa.field("table_schema", pa.binary(), nullable=False))
        columns.append([arrow_schema(names[name]).serialize().to_pybytes() for name in found])
    arrays = [pa.array(column, each.type) for column, each in zip(columns, fields, strict=True)]
    return pa.table(arrays, pa.schema(fields))


def _is_permit(command: Command, permit: str) -> bool:
    return command.said(1) in {None, "", permit}


def _fits(pattern: str | None, name: str) -> bool:
    """Whether a name is like a pattern: % for any letters, _ for one."""
    if pattern is None:
        return True
    at = said = back = 0
    any_letters = -1  # the last % that was met: what follows it is tried from the next letter when it does not fit
    while at < len(name):
        sign = pattern[said : said + 1]
        if sign == "%":
            any_letters, back = said, at
            said += 1
        elif sign in {"_", name[at]}:
            said, at = said + 1, at + 1
        elif any_letters >= 0:
            back += 1
            said, at = any_letters + 1, back
        else:
            return False
    return not pattern[said:].strip("%")


def _sql_info(command: Command) -> pa.Table:
    asked: set[int] = set()
    for each in command.fields.get(1, []):
        asked |= {each} if isinstance(each, int) else set(each)  # packed; the numbers that are known take a byte
    known = {number: value for number, value in _INFO.items() if not asked or number in asked}
    texts = [value for value in known.values() if isinstance(value, str)]
    flags = [value for value in known.values() if isinstance(value, bool)]
    kinds, places, counts = [], [], [0, 0]
    for value in known.values():
        kind = int(isinstance(value, bool))
        kinds.append(kind)
        places.append(counts[kind])
        counts[kind] += 1
    children = [pa.array(texts, _TEXT), pa.array(flags, pa.bool_())]
    children += [pa.array([], each.type) for each in list(_INFO_VALUE)[2:]]
    values = pa.UnionArray.from_dense(
        pa.array(kinds, pa.int8()), pa.array(places, pa.int32()), children, [each.name for each in _INFO_VALUE]
    )
    schema = pa.schema(
        [pa.field("info_name", pa.uint32(), nullable=False), pa.field("value", _INFO_VALUE, nullable=False)]
    )
    return pa.Table.from_arrays([pa.array(list(known), pa.uint32()), values], schema=schema)
