"""Vocabulary tables: they hold no person and cross as they are."""

from __future__ import annotations

from enclos.contracts.delivered.document import Kind
from enclos.contracts.delivered.tables import delivered_tables
from enclos.contracts.pseudonymised import VOCABULARY
from enclos.pseudonyms.model import LeftBehind
from enclos.pseudonyms.plans.shape import superseded


def columns_read(table: str) -> tuple[str, ...]:
    """What is read of a vocabulary table: all of it."""
    return VOCABULARY[table].names


def judged_vocabulary(table: str, rows: str, *, several: bool) -> str:
    """Every row of a vocabulary table.

    In: several — whether more than one delivery brought the table: then the latest one's rows of a key hold
    """
    columns = ", ".join(f'r."{name}"' for name in VOCABULARY[table].names)
    if not several:
        return f"SELECT {columns}, NULL AS _left FROM {rows} AS r"
    keys = delivered_tables(Kind.VOCABULARY)[table].keys
    late = f"CASE WHEN r._superseded THEN '{LeftBehind.SUPERSEDED.value}' END AS _left"
    # All vocabularies are one: the source of a delivery does not keep its rows apart.
    whole = f"(SELECT * REPLACE ('' AS _source) FROM {rows})"
    return f"SELECT {columns}, {late} FROM {superseded(whole, keys, unique=False)} AS r"
