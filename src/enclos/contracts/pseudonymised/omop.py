"""OMOP deliveries, without what identifies."""

from __future__ import annotations

from enclos.contracts.columns import Column, TableContract
from enclos.contracts.omop import PERSON_TABLES, SHARED_TABLES, omop_tables
from enclos.contracts.pseudonymised.columns import PERSON

_IDENTIFYING = frozenset({"person_id", "person_source_value", "provider_id", "provider_source_value"})


def _omop_table(name: str) -> TableContract:
    """An OMOP table as delivered, without what identifies; original row ids stay, to keep links between rows."""
    columns = tuple(Column(c.name, c.sql_type) for c in omop_tables()[name] if c.name not in _IDENTIFYING)
    if name in PERSON_TABLES:
        return TableContract(f"omop_{name}", (*PERSON, *columns))
    return TableContract(f"omop_{name}", (Column("source", "VARCHAR", True), *columns))


OMOP = (
    *(_omop_table(name) for name in PERSON_TABLES),
    *(_omop_table(name) for name in SHARED_TABLES if name != "provider"),
)
