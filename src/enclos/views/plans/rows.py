"""Which rows of a person table a permit shows: what stands after FROM."""

from __future__ import annotations

from collections.abc import Collection

from enclos.contracts.columns import Column
from enclos.contracts.omop import omop_tables
from enclos.contracts.view import RELATIONS, ViewTerms
from enclos.lexicon.ids import ORDINAL_BITS
from enclos.views.model import Numbered
from enclos.views.plans.members import PERIMETER, Members
from enclos.views.plans.phrases import and_in_period, day, read
from enclos.views.plans.relatives import PERSON_DOMAIN, RELATED, RELATIVES
from enclos.views.ports import Snapshot
from enclos.views.rules import REFERRED

_PLACE_COLUMNS = list(omop_tables()["location"])


def rows_in(
    table: str,
    terms: ViewTerms,
    snapshot: Snapshot,
    bucket: int,
    keyed: Members | None = None,
    referring: Collection[str] = (),
) -> str:
    """The rows ``t`` of a bucket that the permit shows, joined with what its columns are shown by.

    In: keyed — tell by these who is in, rather than by the permit's numbers ``p``; referring — columns whose numbers
        are looked up
    """
    if table == "cost":
        return _costs(terms, snapshot, bucket, keyed)
    if table == RELATIONS:
        return _relations(snapshot, bucket)
    return (
        f"{read(snapshot, table, 't')}{_numbers(keyed)}{department_join(table, snapshot)}{number_joins(referring)} "
        f"WHERE t.bucket = {bucket}{_is_in(keyed)}{and_in_period(table, terms)}"
    )


def plan_empty(columns: list[Column]) -> str:
    """No rows, with these columns."""
    empty = ", ".join(f'NULL::{column.sql_type} AS "{column.name}"' for column in columns)
    return f"SELECT {empty} WHERE false"


def department_join(table: str, snapshot: Snapshot) -> str:
    """Where a person or a care site is, as ``place``."""
    if table not in {"person", "care_site"}:
        return ""
    known = "location" in snapshot.tables
    places = read(snapshot, "location", "place") if known else f"({plan_empty(_PLACE_COLUMNS)}) AS place"
    return f" LEFT JOIN {places} ON place.location_id = t.location_id"


def numbers_table(kind: Numbered) -> str:
    """The name of the temporary table (number, shown) of the permit's numbers of a kind."""
    return f"permit_{kind.word}"


def shown_number(kind: Numbered) -> str:
    """The permit's number, where ``number_joins`` looked it up."""
    return f"of_{kind.word}.shown"


def number_joins(referring: Collection[str]) -> str:
    """Look the permit's numbers up for columns of ``t``."""
    return "".join(
        f" LEFT JOIN {numbers_table(kind)} AS of_{kind.word} ON of_{kind.word}.number = t.{column}"
        for column, kind in REFERRED.items()
        if column in referring
    )


def _costs(terms: ViewTerms, snapshot: Snapshot, bucket: int, keyed: Members | None) -> str:
    """Costs of visits that began in the period: a cost has no person and no day but those of its visit."""
    start, end = day(terms.period.start_on), day(terms.period.end_on)
    owned = f"(SELECT *, cost_id >> {ORDINAL_BITS} AS person_id FROM {snapshot.relation('cost')}) AS t"
    return (
        f"{owned}{_numbers(keyed)} "
        f"JOIN {read(snapshot, 'visit_occurrence', 'visit')} ON visit.bucket = t.bucket "
        "AND visit.visit_occurrence_id = t.cost_event_id "
        f"WHERE t.bucket = {bucket}{_is_in(keyed)} AND t.cost_domain_id = 'Visit' AND visit.person_id = t.person_id "
        f"AND visit.visit_start_date < {end} AND visit.visit_start_date >= {start}"
    )


def _relations(snapshot: Snapshot, bucket: int) -> str:
    """Relations of two persons who are both in, whatever their buckets: they have no day, and no other person's."""
    others = " ".join(f"JOIN {RELATIVES} AS of_{fact} ON of_{fact}.number = t.{fact}" for fact in RELATED)
    return (
        f"{read(snapshot, RELATIONS, 't')} {others} WHERE t.bucket = {bucket} "
        f"AND t.domain_concept_id_1 = {PERSON_DOMAIN} AND t.domain_concept_id_2 = {PERSON_DOMAIN}"
    )


def _numbers(keyed: Members | None) -> str:
    """Join the permit's numbers, unless warehouse numbers do."""
    return "" if keyed else f" JOIN {PERIMETER} AS p ON p.person_id = t.person_id"


def _is_in(keyed: Members | None) -> str:
    """The test that the join of the permit's numbers makes otherwise."""
    return f" AND {keyed.test('t.person_id')}" if keyed else ""
