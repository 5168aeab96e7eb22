"""CDM_SOURCE and METADATA: what the snapshot is and by which rules it was made."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from enclos.contracts.omop import omop_tables
from enclos.warehouse import concepts

_DOCUMENTATION = "docs/warehouse.md"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def cdm_source_sql(
    name: str, data_until: date, released_on: date, vocabulary: str, concept: str, omop_cdm_source: str | None
) -> str:
    """The one row of ``cdm_source``.

    In: data_until — the last delivered day; omop_cdm_source — the delivered description, when it is the only source.
    """
    own = {
        "cdm_source_name": _literal(name),
        "cdm_source_abbreviation": _literal(name[:25]),
        "cdm_holder": _literal(name),
        "source_description": "NULL",
        "source_documentation_reference": "NULL",
        "cdm_etl_reference": _literal(_DOCUMENTATION),
        "source_release_date": f"DATE '{data_until}'",
        "cdm_release_date": f"DATE '{released_on}'",
        "cdm_version": "'5.4'",
        "cdm_version_concept_id": f"(SELECT coalesce(max(concept_id), {concepts.UNKNOWN}) FROM {concept} "
        f"WHERE concept_id = {concepts.CDM_5_4})",
        "vocabulary_version": f"(SELECT coalesce(max(vocabulary_version), 'unknown') FROM {vocabulary} "
        "WHERE vocabulary_id = 'None')",
    }
    kept = {name for name in own if name.startswith(("cdm_source", "cdm_holder", "source_"))}
    names = omop_tables()["cdm_source"].names
    if omop_cdm_source is None:
        return "SELECT " + ", ".join(f'{own[name]} AS "{name}"' for name in names)
    listed = ", ".join(
        f'{f"coalesce({name}, {own[name]})" if name in kept else own[name]} AS "{name}"' for name in names
    )
    return f"SELECT {listed} FROM (SELECT * FROM {omop_cdm_source} ORDER BY source, cdm_source_name LIMIT 1)"


def metadata_sql(facts: Mapping[str, str], released_on: date) -> str:
    """One ``metadata`` row per rule that made the snapshot.

    In: facts — the rule's name and its versioned id.
    """
    rows = " UNION ALL ".join(
        f"SELECT {number} AS metadata_id, {concepts.UNKNOWN} AS metadata_concept_id, "
        f"{concepts.TYPE_ALGORITHM} AS metadata_type_concept_id, {_literal(name)} AS name, "
        f"{_literal(value)} AS value_as_string, "
        f"NULL AS value_as_concept_id, TRY_CAST({_literal(value)} AS DOUBLE) AS value_as_number, "
        f"DATE '{released_on}' AS metadata_date, NULL AS metadata_datetime"
        for number, (name, value) in enumerate(sorted(facts.items()), start=1)
    )
    return f"SELECT * FROM ({rows}) ORDER BY metadata_id"
