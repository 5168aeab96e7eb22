"""Records of the domains, as the definitions pick them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from enclos.studies.circe.domains import DOMAINS, Domain
from enclos.studies.circe.model import ConceptSet, Correlated, Count, Criterion, Group, GroupKind
from enclos.studies.circe.outline import Outline, Pick
from enclos.studies.circe.plans.concepts import numbers_sql, text_of, unnested

_LOCATIONS = """(
    SELECT history.location_history_id, history.entity_id AS person_id, history.start_date, history.end_date,
        location.region_concept_id
    FROM location_history AS history
    JOIN location ON location.location_id = history.location_id
    WHERE history.domain_id = 'PERSON'
)"""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the definitions share, and the concepts that their concept sets stand for."""

    outline: Outline
    codes: Mapping[int, Sequence[int]]

    def concepts(self, concept_set: ConceptSet | None) -> Sequence[int]:
        """The concepts of a set, in order."""
        return () if concept_set is None else self.codes.get(self.outline.concept_sets[concept_set], ())

    def may_have_events(self, criterion: Criterion) -> bool:
        """Whether the vocabulary knows a concept of every set that the criterion's records are picked by, and what
        correlates with them can be.
        """
        sets = (criterion.concept_set, criterion.source_set)
        return all(each is None or self.concepts(each) for each in sets) and (
            criterion.correlated is None or self.may_hold(criterion.correlated)
        )

    def may_hold(self, group: Group) -> bool:
        """Whether a group can hold for any event: what it counts can be there as often as it wants."""
        n = sum(
            self.may_hold(member)
            if isinstance(member, Group)
            else not isinstance(member, Correlated) or self._may_be_counted(member)
            for member in group.members
        )
        if not group.members or group.kind is GroupKind.AT_MOST:
            return True
        return n >= {GroupKind.ALL: len(group.members), GroupKind.ANY: 1}.get(group.kind, group.n)

    def _may_be_counted(self, member: Correlated) -> bool:
        return member.n == 0 or member.count is Count.AT_MOST or self.may_have_events(member.criterion)

    def within(self, sql: str, concept_set: ConceptSet | None, *, negated: bool = False) -> str:
        """The SQL that asks whether a concept is in a set; no concept is in an empty one."""
        if not (concepts := self.concepts(concept_set)):
            return "TRUE" if negated else "FALSE"
        return f"{sql} {'NOT ' if negated else ''}IN {numbers_sql(concepts)}"


def record_table(domain: Domain) -> str:
    """The table of a domain's records."""
    return f"circe_record_{DOMAINS[domain].table}"


def plan_persons(columns: Sequence[str]) -> str:
    """Make ``circe_person``: what filters read of a person."""
    return f"CREATE OR REPLACE TEMP TABLE circe_person AS SELECT {', '.join(('person_id', *columns))} FROM person"


def plan_records(domain: Domain, reading: Reading) -> str:
    """Make the table of a domain's records, once for each pick that they are in."""
    picks = [(pick, (number,)) for pick, number in reading.outline.stored.items() if pick.domain is domain]
    parts = records_of(domain, picks, ("pick",), names_of(domain, reading.outline), reading)
    return f"CREATE OR REPLACE TEMP TABLE {record_table(domain)} AS {' UNION ALL '.join(parts)} ORDER BY pick"


def picked(pick: Pick, reading: Reading) -> str:
    """The records of a pick, in brackets or by the name of their table.

    Out: one row per record: person_id, event_id, start_date, end_date, visit_occurrence_id, concept_id, and the columns
         that filters and counts read
    """
    if pick in reading.outline.stored:
        names = ", ".join(names_of(pick.domain, reading.outline))
        return f"(SELECT {names} FROM {record_table(pick.domain)} WHERE pick = {reading.outline.stored[pick]})"
    (sql,) = records_of(pick.domain, [(pick, ())], (), names_of(pick.domain, reading.outline), reading)
    return f"({sql})"


def names_of(domain: Domain, outline: Outline) -> list[str]:
    """The columns of records that are picked."""
    always = ("person_id", "event_id", "start_date", "end_date", "visit_occurrence_id", "concept_id")
    return [*always, *(name for name in outline.columns.get(domain, ()) if name not in always)]


def records_of(
    domain: Domain,
    picks: Sequence[tuple[Pick, tuple[int, ...]]],
    labels: Sequence[str],
    names: Sequence[str],
    reading: Reading,
) -> list[str]:
    """Queries for the records of picks of one domain, each once for each label of its pick; the table is read at once
    for all picks that are told in the same way.

    In: picks — a pick and its label; labels — the columns of a label; names — those that are wanted of ``picked``, or
        sort_date
    Out: one row per record and label: the label, then the columns wanted
    """
    table, columns = DOMAINS[domain], _columns(domain)
    selected = [f"{columns[name]} AS {name}" if name in columns else f"d.{name}" for name in names]
    source = _LOCATIONS if domain is Domain.LOCATION_REGION else table.table
    of_concept = [each for each in picks if each[0].concept_set is not None and each[0].source_set is None]
    of_source = [each for each in picks if each[0].concept_set is None and each[0].source_set is not None]
    parts = []
    alone = [each for each in picks if (each[0].concept_set is None) == (each[0].source_set is None)]
    for some, column in ((of_concept, table.concept), (of_source, table.source_concept)):
        found = [each for each in some if reading.concepts(each[0].concept_set or each[0].source_set)]
        if len(found) < 2:
            alone += found or some[:1]
            continue
        rows = [
            f"({', '.join(map(str, label))}, {text_of(reading.concepts(pick.concept_set or pick.source_set))})"
            for pick, label in found
        ]
        listed = ", ".join(labels)
        told = [labelled(f"label.{name}", name) for name in labels]
        parts.append(
            f"SELECT {', '.join((*told, *selected))} FROM {source} AS d "
            f"JOIN (SELECT {listed}, {unnested('codes')} AS concept "
            f"FROM (VALUES {', '.join(rows)}) AS t({listed}, codes)) AS label ON label.concept = d.{column}"
        )
    for pick, label in alone:
        tests = [
            reading.within(f"d.{column}", concept_set)
            for column, concept_set in ((table.concept, pick.concept_set), (table.source_concept, pick.source_set))
            if concept_set is not None
        ]
        told = [labelled(value, name) for name, value in zip(labels, label, strict=True)]
        where = f" WHERE {' AND '.join(tests)}" if tests else ""
        parts.append(f"SELECT {', '.join((*told, *selected))} FROM {source} AS d{where}")
    return parts


def _columns(domain: Domain) -> dict[str, str]:
    """The SQL of the columns of every record of a domain."""
    table = DOMAINS[domain]
    return {
        "person_id": "CAST(d.person_id AS BIGINT)",
        "event_id": f"CAST(d.{table.event_id} AS BIGINT)",
        "start_date": table.start,
        "end_date": table.end,
        "sort_date": table.start,
        "visit_occurrence_id": "CAST(d.visit_occurrence_id AS BIGINT)" if table.visit else "CAST(NULL AS BIGINT)",
        "concept_id": f"d.{table.concept}" if table.concept else "NULL",
    }


def plan_by_concept(domain: Domain, column: str, names: Sequence[str]) -> str:
    """All records of a domain that have a concept in a column.

    In: names — those of ``picked`` that are wanted
    Out: one row per record: concept, and what is wanted
    """
    columns = _columns(domain)
    selected = ", ".join(f"{columns.get(name, f'd.{name}')} AS {name}" for name in names)
    return (
        f"SELECT CAST(d.{column} AS BIGINT) AS concept, {selected} FROM {DOMAINS[domain].table} AS d "
        f"WHERE d.{column} IS NOT NULL"
    )


def plan_count(table: str) -> str:
    """How many rows a table has.

    Out: one row: n
    """
    return f"SELECT count(*) AS n FROM {table}"


def labelled(value: int | str, name: str) -> str:
    """The SQL of one column of a label; small numbers are the quicker to sort by."""
    return f"CAST({value} AS {'USMALLINT' if name in ('cohort', 'part') else 'INTEGER'}) AS {name}"
