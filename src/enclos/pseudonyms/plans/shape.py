"""The shape in which rows cross: the contract's columns, in its order, with its types, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from enclos.contracts.columns import TableContract

_HASHED_SEPARATOR = "chr(31)"


def plan_crossing(contract: TableContract, judged: str, n_buckets: int) -> str:
    """The rows of a judged relation that cross, as the contract wants them."""
    computed = {"bucket": f"person_id % {n_buckets}"}
    columns = ", ".join(
        f"CAST({computed.get(c.name, _ident(c.name))} AS {c.sql_type}) AS {_ident(c.name)}" for c in contract
    )
    return f"SELECT {columns} FROM ({judged}) AS judged WHERE _left IS NULL"


def in_shape(contract: TableContract, judged: str) -> str:
    """A judged relation with every column of the contract; those that it does not say are empty."""
    empty = ", ".join(f"CAST(NULL AS {c.sql_type}) AS {_ident(c.name)}" for c in contract)
    return f"SELECT {empty}, CAST(NULL AS VARCHAR) AS _left WHERE false UNION ALL BY NAME {judged}"


def plan_left_behind(judged: str) -> str:
    """How many rows of a judged relation stay, by reason."""
    return f"SELECT _left, count(*) FROM ({judged}) AS judged WHERE _left IS NOT NULL GROUP BY _left ORDER BY _left"


def plan_count(judged: str) -> str:
    """How many rows a judged relation has."""
    return f"SELECT count(*) FROM ({judged}) AS judged"


def digest(label: str, *values: str) -> str:
    """The SHA-256 (32 bytes) of a record's key; ``label`` keeps kinds of records apart."""
    return f"unhex(sha256(concat_ws({_HASHED_SEPARATOR}, '{label}', {', '.join(values)})))"


def plan_digests(keys: str, columns: Sequence[str], label: str) -> str:
    """The distinct keys of a relation with their digest.

    In: columns — ``_source`` first: the same number in two sources is two records
    """
    listed = ", ".join(columns)
    return (
        f"SELECT {listed}, {digest(label, *columns)} AS digest FROM (SELECT DISTINCT {listed} FROM {keys}) "
        f"WHERE {' AND '.join(f'{column} IS NOT NULL' for column in columns)}"
    )


def superseded(relation: str, identity: Sequence[str], *, unique: bool) -> str:
    """A relation with ``_superseded``: whether a later delivery brought the row again.

    In: identity — what makes two rows the same; unique — whether it does so within one delivery too (then the last
    line holds), or rows that look alike there are different events
    """
    keys = ", ".join(["_source", *map(_ident, identity)])
    order = "_delivery DESC, _line DESC" if unique else "_delivery DESC"
    ranking = "row_number" if unique else "rank"
    return f"(SELECT *, {ranking}() OVER (PARTITION BY {keys} ORDER BY {order}) > 1 AS _superseded FROM {relation})"


def _ident(name: str) -> str:
    return f'"{name}"'
