"""Rows that delivered OMOP rows name by number: episodes and their events, costs, and related facts.

A number of a delivery leads to the row's new number where the row was delivered; what names another row stays out and
is accounted for (``no_row``).

Source: OMOP CDM 5.4: EPISODE_EVENT names a table by the concept of its key field, COST and FACT_RELATIONSHIP by domain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from enclos.contracts.omop import omop_tables, primary_keys, table_of_domain_concept_sql, table_of_domain_sql
from enclos.warehouse.model import Fate
from enclos.warehouse.plans.events import delivered_part
from enclos.warehouse.plans.links import OMOP
from enclos.warehouse.plans.parts import Part
from enclos.warehouse.plans.reference import event_fields
from enclos.warehouse.plans.relations import key_sql
from enclos.warehouse.plans.traps import Trap
from enclos.warehouse.plans.visits import VISIT_STAGES

NO_ROW = Trap("no_row", "", Fate.REJECTED, "the row that it names was not delivered")
_STORED = {
    "visit_occurrence": f"SELECT person_id, key, visit_occurrence_id AS id FROM stage_{VISIT_STAGES[OMOP]} WHERE links",
    "visit_detail": f"SELECT person_id, key, visit_detail_id AS id FROM stage_details WHERE origin = {OMOP} AND links",
}
"""Tables whose rows are numbered apart."""


def named_sql(places: Sequence[str]) -> str:
    """Where the numbers of delivered rows lead.

    In: places — tables; the staged keys of their rows
    Out: one row per person, place and key: id.
    """
    each = ["SELECT NULL::BIGINT AS person_id, NULL::VARCHAR AS place, NULL::BIGINT AS key, NULL::BIGINT AS id LIMIT 0"]
    for place in places:
        rows = _STORED.get(place, f"FROM stage_omop_rows_{place}")
        each.append(f"SELECT person_id, '{place}' AS place, key, id FROM ({rows})")
    return " UNION ALL ".join(f"({one})" for one in each)


def fields_sql(concept: str) -> str:
    """The tables by the concepts of their key fields: the vocabulary's, else those known without it."""
    names = ", ".join(f"'{table}.{key}'" for table, key in primary_keys().items())
    known = ", ".join(f"({concept_id}, '{table}')" for concept_id, table in event_fields())
    return f"""
        WITH told AS (
            SELECT concept_id, split_part(lower(concept_name), '.', 1) AS place FROM {concept}
            WHERE lower(concept_name) IN ({names})
        )
        FROM told UNION ALL
        SELECT CAST(concept_id AS BIGINT), place FROM (VALUES {known}) AS known(concept_id, place)
        WHERE concept_id NOT IN (SELECT concept_id FROM told)
    """


def cost_places_sql(omop_cost: str) -> str:
    """The tables that delivered costs name rows of."""
    return (
        f"SELECT {table_of_domain_sql('cost_domain_id')} AS place FROM {omop_cost} "
        f"UNION SELECT 'payer_plan_period' FROM {omop_cost} WHERE payer_plan_period_id IS NOT NULL"
    )


def fact_places_sql(omop_fact_link: str) -> str:
    """The tables that related facts are in."""
    return " UNION ".join(
        f"SELECT {table_of_domain_concept_sql(f'domain_concept_id_{side}')} AS place FROM {omop_fact_link}"
        for side in (1, 2)
    )


def event_places_sql(omop_episode_event: str) -> str:
    """The tables that events of episodes are in, and that of the episodes."""
    return (
        f"SELECT f.place FROM {omop_episode_event} AS d "
        "JOIN stage_event_fields AS f ON f.concept_id = d.episode_event_field_concept_id UNION SELECT 'episode'"
    )


def episode_part(relation: str) -> Part:
    """The rows of delivered episodes; a parent that was not delivered is left empty.

    In: the staged keys of episodes.
    """
    part = delivered_part("episode", relation)
    parent = (
        "LEFT JOIN stage_omop_rows_episode AS parent ON parent.person_id = d.person_id "
        f"AND parent.key = {key_sql('d.source', 'd.episode_parent_id')}"
    )
    return replace(part, values={**part.values, "episode_parent_id": "parent.id"}, rows=f"{part.rows} {parent}")


def event_lines_sql(omop_episode_event: str) -> str:
    """Delivered events of episodes under their new numbers.

    In: the staged fields and named rows.
    Out: person_id, episode_id, event_id (either NULL when its row is not there), field.
    """
    return f"""
        SELECT d.person_id, e.id AS episode_id, n.id AS event_id, d.episode_event_field_concept_id AS field
        FROM {omop_episode_event} AS d
        LEFT JOIN stage_event_fields AS f ON f.concept_id = d.episode_event_field_concept_id
        LEFT JOIN stage_omop_named_episode_event AS e ON e.person_id = d.person_id AND e.place = 'episode'
          AND e.key = {key_sql("d.source", "d.episode_id")}
        LEFT JOIN stage_omop_named_episode_event AS n ON n.person_id = d.person_id AND n.place = f.place
          AND n.key = {key_sql("d.source", "d.event_id")}
    """


def event_rows_sql(bucket: str) -> str:
    """The ``episode_event`` rows of some buckets, from the staged lines."""
    columns = omop_tables()["episode_event"]
    values = {"episode_id": "episode_id", "event_id": "event_id", "episode_event_field_concept_id": "field"}
    listed = ", ".join(f'CAST({values[column.name]} AS {column.sql_type}) AS "{column.name}"' for column in columns)
    return (
        f"SELECT {bucket} AS bucket, {listed} FROM stage_omop_episode_event "
        "WHERE episode_id IS NOT NULL AND event_id IS NOT NULL ORDER BY ALL"
    )


def link_lines_sql(omop_fact_link: str) -> str:
    """Delivered relations of rows under their new numbers.

    In: the staged named rows.
    Out: person_id, the columns of FACT_RELATIONSHIP; a fact that is not there is NULL.
    """
    joins = " ".join(
        f"LEFT JOIN stage_omop_named_fact_link AS n{side} ON n{side}.person_id = d.person_id "
        f"AND n{side}.place = {table_of_domain_concept_sql(f'd.domain_concept_id_{side}')} "
        f"AND n{side}.key = {key_sql('d.source', f'd.fact_id_{side}')}"
        for side in (1, 2)
    )
    return (
        "SELECT d.person_id, d.domain_concept_id_1, n1.id AS fact_id_1, d.domain_concept_id_2, n2.id AS fact_id_2, "
        f"d.relationship_concept_id FROM {omop_fact_link} AS d {joins}"
    )


def mapped_sql(table: str, *named: str) -> str:
    """Staged lines of a table: how many, and how many whose named rows are all there."""
    there = " AND ".join(f"{name} IS NOT NULL" for name in named)
    return f"SELECT count(*), count(*) FILTER (WHERE {there}) FROM stage_{table}"
