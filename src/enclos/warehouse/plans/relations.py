"""Relations that plans read, and the shape of those that are absent."""

from __future__ import annotations

from enclos.contracts.columns import TableContract
from enclos.contracts.pseudonymised import PSEUDONYMISED
from enclos.lexicon.ids import ORDINALS_PER_PERSON


def empty_relation_sql(table: TableContract) -> str:
    """A FROM-able expression with the table's columns and no row."""
    columns = ", ".join(f'CAST(NULL AS {column.sql_type}) AS "{column.name}"' for column in table)
    return f"(SELECT {columns} WHERE false)"


def everything(table: str, alias: str = "") -> str:
    """All that a row of a pseudonymised table says, listed: what settles an order when nothing else does.

    The bucket is left out: it follows from the person and from the number of buckets, which must change no row.
    """
    of = f"{alias}." if alias else ""
    return ", ".join(f'{of}"{column}"' for column in PSEUDONYMISED[table].names if column != "bucket")


def key_sql(*parts: str) -> str:
    """One number for several values: the key under which a visit is found within its person.

    It is signed, since a join pushes its bounds into Arrow tables as signed numbers.
    """
    return f"CAST(hash({', '.join(parts)}) >> 1 AS BIGINT)"


def row_id_sql(person: str, ordinal: str) -> str:
    """The composed row id: the person's number times 2**20 plus the ordinal."""
    return f"CAST({person} * {ORDINALS_PER_PERSON} + {ordinal} AS BIGINT)"


def numbered_sql(person: str, order: str, *, after: int = 0) -> str:
    """Composed row ids that number the rows of each person in the order given; the first follows ``after``."""
    rank = f"row_number() OVER (PARTITION BY {person} ORDER BY {order})"
    return row_id_sql(person, f"{after} + {rank}" if after else rank)
