"""PROVIDER: professionals, known by speciality and place only; their numbers follow from their keys.

A number that no delivered professional bears keeps leading nowhere: it is the same for all rows that bear it, and has
no row.
"""

from __future__ import annotations

from collections.abc import Sequence

from enclos.contracts.omop import omop_tables
from enclos.warehouse.plans.places import number_sql
from enclos.warehouse.plans.vocabulary import code_key_sql

LINKS = "stage_providers"


def providers_sql(omop_provider: str, h_provider: str, referring: Sequence[str]) -> str:
    """Every professional that a delivery knows or names.

    In: referring — OMOP relations with a ``provider_id``
    Out: one row per (source, key): provider_id, known, kind (omop or hospital), and the delivered columns; care_site_id
    is the delivered number or key.
    """
    kept = _delivered_columns()
    listed = ", ".join(f'"{name}"' for name in kept)
    nothing = ", ".join(f'CAST(NULL AS {omop_tables()["provider"].column(name).sql_type}) AS "{name}"' for name in kept)
    named = " UNION ".join(
        f"SELECT source, provider_id AS key FROM {relation} WHERE provider_id IS NOT NULL" for relation in referring
    )
    strangers = f"UNION ALL SELECT source, key, false, 'omop', {nothing} FROM ({named})" if referring else ""
    code = code_key_sql("h.speciality")
    of_hospital = f"""
        SELECT h.source, h.provider_key, true, 'hospital', coalesce(s.concept_id, 0), h.place_key, h.speciality,
               coalesce(s.source_concept_id, 0)
        FROM {h_provider} AS h
        LEFT JOIN stage_codes AS s ON s.vocabulary = h.vocabulary AND s.code = {code} AND s.part = 1
    """
    return f"""
        SELECT {number_sql("'provider'", "source", "key")} AS provider_id, *
        FROM (SELECT * FROM (SELECT source, provider_id AS key, true AS known, 'omop' AS kind, {listed}
                             FROM {omop_provider} UNION ALL {of_hospital} {strangers})
              QUALIFY row_number() OVER (PARTITION BY source, key ORDER BY known DESC, hash({listed})) = 1)
    """


def provider_rows_sql() -> str:
    """The ``provider`` table, from the staged providers."""
    values = {
        "provider_id": "p.provider_id",
        "care_site_id": "c.care_site_id",
        **{name: f"p.{name}" for name in _delivered_columns() if name != "care_site_id"},
    }
    columns = ", ".join(
        f'CAST({values.get(column.name, "NULL")} AS {column.sql_type}) AS "{column.name}"'
        for column in omop_tables()["provider"]
    )
    return f"""
        SELECT {columns} FROM {LINKS} AS p
        LEFT JOIN stage_care_sites AS c ON c.kind = CASE p.kind WHEN 'omop' THEN 'omop' ELSE 'place' END
          AND c.code = p.source AND c.original = p.care_site_id
        WHERE p.known ORDER BY p.provider_id
    """


def provider_join_sql(alias: str, line: str, key: str = "provider_id") -> str:
    """JOIN text from a delivered line to its provider."""
    return f"LEFT JOIN {LINKS} AS {alias} ON {alias}.source = {line}.source AND {alias}.key = {line}.{key}"


def _delivered_columns() -> tuple[str, ...]:
    return ("specialty_concept_id", "care_site_id", "specialty_source_value", "specialty_source_concept_id")
