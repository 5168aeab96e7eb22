"""The catalog's tables: names, columns and types of what a permit opens.

Source: PostgreSQL 13, chapters 51 (System Catalogs) and 36 (The Information Schema)
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import pyarrow as pa

from enclos.gateway.statements import SCHEMA

PG_CATALOG, PUBLIC, INFORMATION = 11, 2200, 13_000
_FIRST_TABLE = 16_384
INFORMATION_PREFIX = "information_schema__"


@dataclass(frozen=True, slots=True)
class PgType:
    """A type as PostgreSQL knows it. ``category`` is pg_type's typcategory."""

    oid: int
    name: str
    words: str
    length: int
    category: str
    of: int = 0
    array: int = 0


TYPES = (
    PgType(16, "bool", "boolean", 1, "B", array=1000),
    PgType(17, "bytea", "bytea", -1, "U", array=1001),
    PgType(18, "char", '"char"', 1, "S", array=1002),
    PgType(19, "name", "name", 64, "S", array=1003),
    PgType(20, "int8", "bigint", 8, "N", array=1016),
    PgType(21, "int2", "smallint", 2, "N", array=1005),
    PgType(23, "int4", "integer", 4, "N", array=1007),
    PgType(25, "text", "text", -1, "S", array=1009),
    PgType(26, "oid", "oid", 4, "N", array=1028),
    PgType(700, "float4", "real", 4, "N", array=1021),
    PgType(701, "float8", "double precision", 8, "N", array=1022),
    PgType(1042, "bpchar", "character", -1, "S", array=1014),
    PgType(1043, "varchar", "character varying", -1, "S", array=1015),
    PgType(1082, "date", "date", 4, "D", array=1182),
    PgType(1083, "time", "time without time zone", 8, "D", array=1183),
    PgType(1114, "timestamp", "timestamp without time zone", 8, "D", array=1115),
    PgType(1184, "timestamptz", "timestamp with time zone", 8, "D", array=1185),
    PgType(1186, "interval", "interval", 16, "T", array=1187),
    PgType(1700, "numeric", "numeric", -1, "N", array=1231),
)
_BY_ENGINE = {
    "BIGINT": 20,
    "INTEGER": 23,
    "SMALLINT": 21,
    "DOUBLE": 701,
    "VARCHAR": 25,
    "DATE": 1082,
    "TIMESTAMP": 1114,
    "BOOLEAN": 16,
}
BY_OID = {each.oid: each for each in TYPES} | {
    each.array: PgType(each.array, f"_{each.name}", f"{each.words}[]", -1, "A", of=each.oid) for each in TYPES
}
SYSTEM_CLASSES = {
    "pg_type": 1247,
    "pg_attribute": 1249,
    "pg_proc": 1255,
    "pg_class": 1259,
    "pg_database": 1262,
    "pg_constraint": 2606,
    "pg_namespace": 2615,
    "pg_extension": 3079,
}
SETTINGS = {
    "server_version": "13.0 (Enclos)",
    "server_version_num": "130000",
    "server_encoding": "UTF8",
    "client_encoding": "UTF8",
    "datestyle": "ISO, MDY",
    "intervalstyle": "postgres",
    "timezone": "UTC",
    "integer_datetimes": "on",
    "standard_conforming_strings": "on",
    "search_path": SCHEMA,
    "transaction_isolation": "repeatable read",
    "default_transaction_isolation": "repeatable read",
    "transaction_read_only": "on",
    "default_transaction_read_only": "on",
    "is_superuser": "off",
    "application_name": "",
    "max_index_keys": "32",
    "max_identifier_length": "63",
    "bytea_output": "hex",
    "lc_collate": "C",
    "lc_ctype": "C",
}
_KINDS = {"": pa.int64(), "%": pa.float64(), "$": pa.string(), "?": pa.bool_(), "#": pa.list_(pa.int32())}
_KINDS["@"] = pa.list_(pa.string())
_COLUMN = re.compile(r"(?P<name>\w+)(?P<kind>[%$?#@]?)(?P<fixed>=)?(?P<value>.*)")
_BITS = {"int8": 64, "int4": 32, "int2": 16, "float8": 53}


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of the catalog, and the value that it has in every row, where it has one."""

    name: str
    kind: pa.DataType
    value: object = None


@cache
def _columns() -> dict[tuple[bool, str], tuple[_Column, ...]]:
    """Of each table, by whether it is of the information schema and its name, the columns.

    In tables.csv % is a fraction, $ a text, ? yes or no, # and @ a list, nothing a number; what follows = is in every
    row, with _ for a space.
    """
    with resources.files(__package__).joinpath("tables.csv").open(encoding="utf-8") as file:
        return {
            (row["schema"] == "information_schema", row["table"]): tuple(map(_column, row["columns"].split()))
            for row in csv.DictReader(file)
        }


def _column(text: str) -> _Column:
    found = _COLUMN.fullmatch(text)
    if found is None:
        raise ValueError("a column has a name")
    kind, value = _KINDS[found["kind"]], found["value"].replace("BASE_TABLE", "BASE TABLE")
    if not found["fixed"]:
        return _Column(found["name"], kind)
    if found["kind"] == "$":
        return _Column(found["name"], kind, value)
    fixed = value == "yes" if found["kind"] == "?" else float(value) if found["kind"] == "%" else int(value)
    return _Column(found["name"], kind, fixed)


def type_of(engine_type: str) -> PgType:
    """The PostgreSQL type of a column of the engine."""
    return BY_OID[_BY_ENGINE.get(engine_type, 25)]


def table_oids(names: Mapping[str, object]) -> dict[str, int]:
    """The number of each table."""
    return {name: _FIRST_TABLE + at for at, name in enumerate(sorted(names))}


def is_known(name: str, *, information: bool) -> bool:
    """Whether the catalog has a table of this name."""
    return (information, name) in _columns()


def catalog_table(
    name: str, names: Mapping[str, Mapping[str, str]], user: str, database: str, *, information: bool
) -> pa.Table:
    """One table of the catalog; those that no row is made for are of what a permit never opens."""
    rows = _rows(names, user, database).get(("information_schema." if information else "") + name, [])
    columns = _columns()[information, name]
    return pa.table(
        {each.name: pa.array([row.get(each.name, each.value) for row in rows], each.kind) for each in columns}
    )


def _rows(names: Mapping[str, Mapping[str, str]], user: str, database: str) -> dict[str, list[dict[str, Any]]]:
    """What differs from row to row in the tables that have some."""
    schemas = ((PG_CATALOG, "pg_catalog"), (PUBLIC, SCHEMA), (INFORMATION, "information_schema"))
    oids, tables = table_oids(names), sorted(names)
    columns = [
        (name, at, column, type_of(kind))
        for name in tables
        for at, (column, kind) in enumerate(names[name].items(), start=1)
    ]
    role = [{"rolname": user, "usename": user}]
    return {
        "pg_namespace": [{"oid": oid, "nspname": name} for oid, name in schemas],
        "pg_class": [
            {"oid": oid, "relname": name, "relfilenode": oid, "relnatts": len(names[name])}
            for name, oid in oids.items()
        ],
        "pg_attribute": [
            {
                "attrelid": oids[name],
                "attname": column,
                "atttypid": kind.oid,
                "attlen": kind.length,
                "attnum": at,
                "attbyval": kind.length > 0,
            }
            for name, at, column, kind in columns
        ],
        "pg_type": [
            {
                "oid": kind.oid,
                "typname": kind.name,
                "typlen": kind.length,
                "typbyval": 0 < kind.length <= 8,
                "typcategory": kind.category,
                "typelem": kind.of,
                "typarray": kind.array,
                **{f"typ{way}put": f"{kind.name}{way}" for way in ("in", "out")},
                "typreceive": f"{kind.name}recv",
            }
            for kind in BY_OID.values()
        ],
        "pg_database": [{"datname": database}],
        "pg_roles": role,
        "pg_authid": role,
        "pg_user": role,
        "pg_settings": [{"name": name, "setting": value} for name, value in SETTINGS.items()],
        "pg_tables": [{"tablename": name, "tableowner": user} for name in tables],
        "pg_am": [{}],
        "pg_collation": [{}],
        "pg_tablespace": [{}],
        "information_schema.schemata": [
            {"catalog_name": database, "schema_name": name, "schema_owner": user} for _, name in schemas
        ],
        "information_schema.tables": [{"table_catalog": database, "table_name": name} for name in tables],
        "information_schema.columns": [
            {
                "table_catalog": database,
                "table_name": name,
                "column_name": column,
                "ordinal_position": at,
                "data_type": kind.words,
                "udt_catalog": database,
                "udt_name": kind.name,
                "numeric_precision": _BITS.get(kind.name),
                "datetime_precision": 6 if kind.oid == 1114 else None,
            }
            for name, at, column, kind in columns
        ],
        "information_schema.table_privileges": [
            {"grantor": user, "grantee": user, "table_name": name} for name in tables
        ],
        "information_schema.enabled_roles": [{"role_name": user}],
    }
