"""The SNDS tables that Enclos reads, from the official columns.

Source: schema-snds (Health Data Hub, commit fe17ef8, end of 2020), reduced to names and types in snds_columns.csv.
"""

from __future__ import annotations

import csv
import re
from functools import cache
from importlib import resources

from enclos.contracts.columns import Column
from enclos.contracts.delivered.years import later_columns

NINE_KEYS: tuple[str, ...] = (
    "FLX_DIS_DTD",
    "FLX_TRT_DTD",
    "FLX_EMT_TYP",
    "FLX_EMT_NUM",
    "FLX_EMT_ORD",
    "ORG_CLE_NUM",
    "DCT_ORD_NUM",
    "PRS_ORD_NUM",
    "REM_TYP_AFF",
)
"""What joins a prestation (ER_PRS_F) to its affined rows. Source: CNAM, Essentiel SNDS."""

_SQL_TYPES = {
    "string": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "date": "DATE",
    "datetime": "TIMESTAMP",
    "year": "BIGINT",
    "yearmonth": "VARCHAR",
    "boolean": "VARCHAR",
}
"""Booleans are codes ('0', '1') in the exports; months ('yearmonth') are text of six digits."""

_TEXT_COLUMNS = frozenset({"ETA_NUM", "RSA_NUM"})
"""Said to be integers in two of the MCO tables and text in the others; FINESS numbers of Corsica hold a letter."""

_YEARLY = re.compile(r"^(T_(?:MCO|SSR|HAD|RIP))(\d{2})([A-Z][A-Z0-9]*)$")
_ARCHIVED = re.compile(r"^(ER_[A-Z]{3}_F)_20(?:0[6-9]|1[0-2])$")
"""Claims of 2006 to 2012 lie in a table a year: ER_PRS_F_2012. Source: facts, trap 7."""


def snds_family(table: str) -> str:
    """The schema's name of a table: T_MCO19B obeys T_MCOaaB, ER_PRS_F_2012 (archived claims) ER_PRS_F."""
    return _ARCHIVED.sub(r"\1", _YEARLY.sub(r"\1aa\3", table))


@cache
def snds_columns() -> dict[str, tuple[Column, ...]]:
    """The columns of every SNDS table of the package, by family, in the schema's order."""
    text = resources.files("enclos.contracts.delivered").joinpath("snds_columns.csv").read_text(encoding="utf-8")
    tables: dict[str, list[Column]] = {}
    for row in csv.DictReader(text.splitlines()):
        tables.setdefault(row["table"], []).append(Column(row["column"], _sql_type(row)))
    for name, later in later_columns().items():
        tables[name] += [Column(column, "VARCHAR") for column in later]
    return {name: tuple(columns) for name, columns in tables.items()}


def _sql_type(row: dict[str, str]) -> str:
    if row["column"] in _TEXT_COLUMNS:
        return "VARCHAR"
    if row["type"] == "date" and row["length"] == "2":  # a month: SOR_MOI, BEN_NAI_MOI
        return "BIGINT"
    return _SQL_TYPES[row["type"]]
