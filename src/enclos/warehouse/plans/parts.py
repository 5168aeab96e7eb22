"""Tables of the bucket, put together from parts, in the order in which they are stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from enclos.contracts.omop import CHILD_OF_SUBJECT, START_DATES, omop_tables, primary_keys
from enclos.lexicon.ids import ORDINAL_BITS
from enclos.warehouse import concepts
from enclos.warehouse.model import Cut
from enclos.warehouse.plans.relations import numbered_sql

_OWNERS = {
    "cost": f"(cost_id >> {ORDINAL_BITS})",
    "episode_event": f"(episode_id >> {ORDINAL_BITS})",
    "fact_relationship": (
        f"(CASE WHEN domain_concept_id_1 <> {concepts.DOMAIN_PERSON} THEN fact_id_1 >> {ORDINAL_BITS} "
        f"WHEN relationship_concept_id = {CHILD_OF_SUBJECT} THEN fact_id_2 ELSE fact_id_1 END)"
    ),
}
"""Whose a row is, in tables that name no person: a mother and her child are the child's on both sides."""


@dataclass(frozen=True, slots=True)
class Part:
    """Rows that one origin puts into a table: what each column is, and where it comes from."""

    values: Mapping[str, str]
    """SQL by column; a column that is not named is empty."""
    rows: str
    """The FROM clause and what follows it."""
    tie: str = "0"
    """A number that stands for all that a row says, as SQL."""
    key: str = "NULL"
    """What delivered rows name the row by, as SQL."""


def numbered_rows_sql(table: str, parts: Sequence[Part], bucket: str) -> str:
    """The rows of a table, numbered within their person by date and then by all they say.

    The number depends neither on the order of delivery nor on the number of buckets; rows that say exactly the same
    are interchangeable.

    In: bucket — SQL over person_id.
    """
    number = numbered_sql("person_id", f'"{START_DATES[table]}", tie')
    return _laid_out_sql(table, parts, bucket, f'{number} AS "{primary_keys()[table]}", ')


def keyed_rows_sql(table: str, parts: Sequence[Part]) -> str:
    """Where the key of each row of ``numbered_rows_sql`` leads; rows that say the same share out their numbers.

    Out: one row per person and key: person_id, key, id.
    """
    start = f'"{START_DATES[table]}"'
    union = " UNION ALL ".join(
        f"SELECT {part.values['person_id']} AS person_id, CAST({part.values[START_DATES[table]]} AS DATE) AS {start}, "
        f"{part.tie} AS tie, CAST({part.key} AS BIGINT) AS key {part.rows}"
        for part in parts
    )
    number = numbered_sql("person_id", f"{start}, tie, key")
    return (
        f"SELECT person_id, key, min(id) AS id FROM (SELECT person_id, key, {number} AS id FROM ({union})) "
        "WHERE key IS NOT NULL GROUP BY person_id, key"
    )


def stored_rows_sql(table: str, parts: Sequence[Part], bucket: str) -> str:
    """The rows of a table whose numbers the parts give."""
    return _laid_out_sql(table, parts, bucket, "")


def sliced_sql(cut: Cut) -> str:
    """The condition on ``person_id`` that a slice of a bucket adds; true for whole buckets."""
    return f"person_id // {cut.n_buckets} % {cut.n_slices} = {cut.slice}" if cut.n_slices > 1 else "true"


def within_sql(cut: Cut, owner: str = "person_id") -> str:
    """The condition that rows of the lake are of the cut.

    In: owner — the person in whose bucket a row lies, as SQL over the row.
    """
    return f"bucket IN ({', '.join(map(str, cut.buckets))}) AND {sliced_sql(cut).replace('person_id', owner)}"


def emptied_sql(table: str, name: str, cut: Cut) -> str:
    """Remove a cut's rows from a table: whole files, since a file holds rows of one bucket and one pass."""
    return f"DELETE FROM {name} WHERE {within_sql(cut, _OWNERS.get(table, 'person_id'))}"


def _laid_out_sql(table: str, parts: Sequence[Part], bucket: str, number: str) -> str:
    """Rows in the order of their numbers, which is person and date; columns that no part fills stay out of the sort."""
    key, columns = primary_keys()[table], omop_tables()[table]
    filled = [column for column in columns if any(column.name in part.values for part in parts)]
    union = " UNION ALL ".join(
        "SELECT "
        + ", ".join(f'CAST({part.values.get(c.name, "NULL")} AS {c.sql_type}) AS "{c.name}"' for c in filled)
        + f", {part.tie} AS tie {part.rows}"
        for part in parts
    )
    known = {key, *(column.name for column in filled)}
    listed = ", ".join(
        f'"{column.name}"' if column.name in known else f"CAST(NULL AS {column.sql_type})" for column in columns
    )
    return f'SELECT {bucket} AS bucket, {listed} FROM (SELECT {number}* FROM ({union}) ORDER BY "{key}")'
