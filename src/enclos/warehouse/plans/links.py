"""Links between delivered OMOP rows: old numbers to composed ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from enclos.contracts.omop import primary_keys
from enclos.warehouse.plans.relations import everything, key_sql, row_id_sql

OMOP = 3
"""The origin of visits and details that an OMOP delivery brought."""


def keyed_omop_sql(table: str, relation: str) -> str:
    """A delivered OMOP table with the key that others find its rows by.

    Out: its columns, ``key``, and ``n_same``: 1 for the row that a reference finds, more for a number borne again.
    """
    own = f'"{primary_keys()[table]}"'
    return (
        f"SELECT *, {key_sql('source', own)} AS key, "
        f"row_number() OVER (PARTITION BY person_id, source, {own} "
        f"ORDER BY hash({everything(f'omop_{table}')})) AS n_same "
        f"FROM {relation}"
    )


def omop_links_sql(
    column: str, own: Sequence[str], referring: Mapping[str, Sequence[str]], known: str, after: int = 0
) -> str:
    """Where each delivered visit (or detail) number of an OMOP delivery leads.

    A number that no delivered visit bears keeps leading nowhere: it becomes an ordinal after the person's last one, the
    same for all rows that bear it, so that what belonged together still does.

    In: column — visit_occurrence_id or visit_detail_id; own — relations that hold the referred rows; referring —
    relation to the columns in it that refer; known — the staged numbered rows; after — the ordinals before theirs.
    Out: one row per (person_id, key): id.
    """
    rank = "row_number() OVER (PARTITION BY f.person_id ORDER BY f.source, f.original)"
    references = " UNION ".join(
        f'SELECT person_id, source, "{name}" AS original FROM {relation} WHERE "{name}" IS NOT NULL'
        for relation, names in (*referring.items(), *((relation, (column,)) for relation in own))
        for name in names
    )
    return f"""
        WITH reference AS ({references}),
        counted AS (SELECT person_id, count(*) AS n_known FROM {known} GROUP BY person_id),
        found AS (
            SELECT r.person_id, r.source, r.original, {key_sql("r.source", "r.original")} AS key, k.id
            FROM reference AS r
            LEFT JOIN (SELECT person_id, key, "{column}" AS id FROM {known} WHERE origin = {OMOP} AND links) AS k
              ON k.person_id = r.person_id AND k.key = {key_sql("r.source", "r.original")}
        )
        SELECT person_id, key, id FROM found WHERE id IS NOT NULL
        UNION ALL
        SELECT f.person_id, f.key,
               {row_id_sql("f.person_id", f"{after} + coalesce(c.n_known, 0) + {rank}")}
        FROM found AS f LEFT JOIN counted AS c USING (person_id) WHERE f.id IS NULL
    """
