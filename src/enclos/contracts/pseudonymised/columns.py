"""The columns that every table of persons has."""

from __future__ import annotations

from enclos.contracts.columns import Column, TableContract

PERSON = (Column("person_id", "BIGINT", True), Column("bucket", "INTEGER", True), Column("source", "VARCHAR", True))


def person_table(name: str, **columns: str) -> TableContract:
    """A table whose rows belong to a person."""
    return TableContract(name, (*PERSON, *(Column(column, sql_type) for column, sql_type in columns.items())))
