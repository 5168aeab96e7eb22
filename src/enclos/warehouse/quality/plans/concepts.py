"""Scans over concepts: how often each concept stands in each field, joined once with the vocabulary.

Source: OHDSI DataQualityDashboard 2.x, check type definitions.
"""

from __future__ import annotations

from dataclasses import dataclass

from enclos.warehouse.quality.model import CheckName, ConceptSpec, TableSpec
from enclos.warehouse.quality.plans.rows import Shapes
from enclos.warehouse.quality.plans.scan import quoted

_NO_CONCEPT = (
    "SELECT NULL::BIGINT AS concept_id, NULL::VARCHAR AS domain_id, NULL::VARCHAR AS concept_class_id,"
    " NULL::VARCHAR AS standard_concept, NULL::VARCHAR AS invalid_reason WHERE false"
)
NO_UNIT = -1


@dataclass(frozen=True, slots=True)
class ConceptScan:
    """One query over all concept fields of a table.

    Out: per field number, known (in the vocabulary), domain, class, standard and valid: field_number, known,
    domain_id, concept_class_id, is_standard, n_rows.
    """

    sql: str
    fields: tuple[str, ...]


def plan_concepts(table: TableSpec, shapes: Shapes) -> ConceptScan | None:
    """Count rows by concept for every concept field in one scan, and look the concepts up once."""
    shape = shapes[table.name]
    fields = tuple(field.name for field in table.fields if field.is_concept and shape.has(field.name))
    if not fields:
        return None
    columns = [quoted(name) for name in fields]
    sets = ", ".join(f"({column})" for column in columns)
    number = " ".join(f"WHEN GROUPING({column}) = 0 THEN {index}" for index, column in enumerate(columns))
    value = " ".join(f"WHEN {index} THEN {column}" for index, column in enumerate(columns))
    counted = (
        f"SELECT {', '.join(columns)}, CASE {number} END AS field_number, count(*) AS n"
        f" FROM {shape.relation} GROUP BY GROUPING SETS ({sets})"
    )
    vocabulary = shapes.get("concept")
    concept = f"SELECT * FROM {vocabulary.relation}" if vocabulary is not None else _NO_CONCEPT
    return ConceptScan(
        f"SELECT field_number, c.concept_id IS NOT NULL AS known, c.domain_id, c.concept_class_id,"
        " coalesce(c.standard_concept = 'S', false) AND c.invalid_reason IS NULL AS is_standard,"
        " CAST(sum(n) AS BIGINT) AS n_rows"
        f" FROM (SELECT field_number, n, CASE field_number {value} END AS concept_id FROM ({counted})) AS v"
        f" LEFT JOIN ({concept}) AS c ON c.concept_id = v.concept_id"
        " WHERE v.concept_id IS NOT NULL AND v.concept_id <> 0 OR c.concept_id IS NULL AND v.concept_id = 0"
        " GROUP BY ALL",
        fields,
    )


def plan_sexes(table: str, field: str, asked: tuple[ConceptSpec, ...], shapes: Shapes) -> str | None:
    """Count rows of concepts that belong to one sex, and those of persons of the other.

    Out: one row per asked concept that occurs: its number in ``asked``, n_violated, n_rows.
    """
    shape, person = shapes[table], shapes.get("person")
    if not asked or person is None or not person.has("person_id", "gender_concept_id"):
        return None
    if not shape.has("person_id", field):
        return None
    column = quoted(field)
    wanted = ", ".join(
        f"({number}, {concept}, {spec.gender_concept_id}, {str(spec.name is CheckName.SEX_OF_DESCENDANTS).lower()})"
        for number, spec in enumerate(asked)
        for concept in spec.concept_ids
    )
    ancestors = shapes.get("concept_ancestor")
    below = (
        " UNION ALL SELECT w.number, a.descendant_concept_id, w.sex FROM wanted AS w"
        f" JOIN {ancestors.relation} AS a ON a.ancestor_concept_id = w.concept_id WHERE w.deep"
        if ancestors is not None
        else ""
    )
    return (
        f"WITH wanted(number, concept_id, sex, deep) AS (VALUES {wanted}),"
        f" members AS (SELECT number, concept_id, sex FROM wanted WHERE NOT deep{below}),"
        f" total AS (SELECT {column} AS concept_id, count(*) AS n FROM {shape.relation} GROUP BY ALL),"
        f" by_sex AS (SELECT t.{column} AS concept_id, p.gender_concept_id AS sex, count(*) AS n"
        f" FROM {shape.relation} AS t JOIN {person.relation} AS p ON t.person_id = p.person_id GROUP BY ALL),"
        " rows AS (SELECT number, sum(n) AS n FROM members JOIN total USING (concept_id) GROUP BY number),"
        " wrong AS (SELECT m.number, sum(b.n) AS n FROM members AS m JOIN by_sex AS b"
        " ON b.concept_id = m.concept_id AND b.sex <> m.sex GROUP BY m.number)"
        " SELECT number, CAST(coalesce(wrong.n, 0) AS BIGINT), CAST(rows.n AS BIGINT)"
        " FROM rows LEFT JOIN wrong USING (number)"
    )


def plan_units(table: str, field: str, asked: tuple[ConceptSpec, ...], shapes: Shapes) -> str | None:
    """Count numeric rows with a source unit by concept and unit.

    Out: concept_id, unit_concept_id (-1 for none), n_rows, for the asked concepts.
    """
    shape = shapes[table]
    if not asked or not shape.has(field, "unit_concept_id", "value_as_number", "unit_source_value"):
        return None
    concepts = ", ".join(str(concept) for spec in asked for concept in spec.concept_ids)
    return (
        f"SELECT {quoted(field)}, coalesce(unit_concept_id, {NO_UNIT}), count(*) FROM {shape.relation}"
        f" WHERE {quoted(field)} IN ({concepts}) AND value_as_number IS NOT NULL AND unit_source_value IS NOT NULL"
        " GROUP BY ALL"
    )
