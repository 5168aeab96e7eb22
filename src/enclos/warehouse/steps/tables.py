"""The tables of a snapshot: those whose rows belong to persons, by bucket, and the others."""

from __future__ import annotations

from enclos.contracts.columns import TableContract
from enclos.contracts.durations import DRUG_DURATION
from enclos.contracts.omop import LINKED_TABLES, PERSON_TABLES, SHARED_TABLES, VOCABULARY_TABLES, omop_tables
from enclos.lexicon.canonical import canonical_bytes, sha256_hex
from enclos.warehouse.plans.person import PERSON_SOURCE
from enclos.warehouse.ports import LakeWriter


def tables_by_bucket() -> tuple[TableContract, ...]:
    """The tables that passes write."""
    return (*(omop_tables()[name] for name in (*PERSON_TABLES, *LINKED_TABLES)), PERSON_SOURCE)


def tables_of_all() -> tuple[TableContract, ...]:
    """The tables that are written whole."""
    return (*(omop_tables()[name] for name in (*SHARED_TABLES, *VOCABULARY_TABLES)), DRUG_DURATION)


def tables_signature() -> str:
    """Stands for the OMOP tables of a snapshot, their columns, and the days of packs."""
    columns = {
        table.name: [[column.name, column.sql_type] for column in table]
        for table in (*tables_of_all(), *tables_by_bucket())
        if table is not PERSON_SOURCE
    }
    return sha256_hex(canonical_bytes(columns))


def table_names(lake: LakeWriter, *, again: bool) -> dict[str, str]:
    """The names of the tables of the snapshot; without a snapshot to keep from, they are made anew and empty."""
    if again:
        return {table.name: lake.name(table.name) for table in (*tables_by_bucket(), *tables_of_all())}
    return {table.name: lake.create(table, by_bucket=True) for table in tables_by_bucket()} | {
        table.name: lake.create(table, by_bucket=False) for table in tables_of_all()
    }
