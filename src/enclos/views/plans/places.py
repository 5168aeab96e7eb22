"""Which places, care sites and professionals a permit shows: those that its rows lead to, and no others."""

from __future__ import annotations

from collections.abc import Iterator

from enclos.contracts.view import ViewTerms
from enclos.views.model import Numbered
from enclos.views.plans.members import PERIMETER
from enclos.views.plans.phrases import read
from enclos.views.plans.rows import department_join, number_joins, numbers_table, rows_in
from enclos.views.ports import Snapshot
from enclos.views.rules import REFERRED, referring_tables, shown_columns


def places_in(table: str, terms: ViewTerms, snapshot: Snapshot, bucket: int) -> str:
    """The rows ``t`` of a table that persons share which the rows of a bucket lead to; one may be led to twice."""
    if table == "location":
        lived = (
            f"SELECT person.location_id FROM {read(snapshot, 'person', 'person')} "
            f"JOIN {PERIMETER} AS p ON p.person_id = person.person_id WHERE person.bucket = {bucket}"
        )
        if _shows(terms, "care_site", "location_id") and "care_site" in snapshot.tables:
            lived += f" UNION SELECT t.location_id FROM {places_in('care_site', terms, snapshot, bucket)}"
        return f"{read(snapshot, table, 't')} WHERE t.location_id IN ({lived})"
    column = f"{table}_id"
    referring = [name for name in REFERRED if name == column or (table, name) == ("provider", "care_site_id")]
    led_to = " UNION ".join(_led_to(column, terms, snapshot, bucket)) or "SELECT NULL::BIGINT"
    joins = f"{department_join(table, snapshot)}{number_joins(referring)}"
    return f"{read(snapshot, table, 't')}{joins} WHERE t.{column} IN ({led_to})"


def _led_to(column: str, terms: ViewTerms, snapshot: Snapshot, bucket: int) -> Iterator[str]:
    for table in referring_tables(terms, column):
        if table in snapshot.tables:
            yield f"SELECT t.{column} FROM {rows_in(table, terms, snapshot, bucket)}"
    if column == "care_site_id" and _shows(terms, "provider", column) and "provider" in snapshot.tables:
        yield f"SELECT t.{column} FROM {places_in('provider', terms, snapshot, bucket)}"


def _shows(terms: ViewTerms, table: str, column: str) -> bool:
    return table in terms.tables and column in shown_columns(terms, table, [column])


def plan_numbers_table(kind: Numbered) -> str:
    """An empty table of the permit's numbers of a kind, in the place of another permit's."""
    return f"CREATE OR REPLACE TEMP TABLE {numbers_table(kind)} (number BIGINT, shown BIGINT)"


def plan_unnumbered(kind: Numbered, table: str, snapshot: Snapshot, bucket: int | None) -> str:
    """Numbers of a kind that occur in a table and have none of the permit yet: number. In: bucket — None for all."""
    within = "" if bucket is None else f"bucket = {bucket} AND "
    column = f"{kind.word}_id"
    return (
        f"SELECT DISTINCT {column} AS number FROM {snapshot.relation(table)} "
        f"WHERE {within}{column} IS NOT NULL AND {column} NOT IN (SELECT number FROM {numbers_table(kind)})"
    )


def plan_add_numbers(kind: Numbered, incoming: str) -> str:
    """Add the rows (number, shown) of a table."""
    return f"INSERT INTO {numbers_table(kind)} SELECT number, shown FROM {incoming}"
