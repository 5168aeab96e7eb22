"""The SQL of a perimeter and of a permit's tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from enclos.contracts.durations import DRUG_DURATION
from enclos.contracts.omop import END_DATES, START_DATES, omop_tables
from enclos.contracts.view import PLACE_TABLES, PotentialIdentifier, ViewTerms
from enclos.lexicon.ids import ORDINAL_BITS, ORDINAL_MASK, ORDINALS_PER_PERSON
from enclos.lexicon.spans import Span
from enclos.views.model import ColumnRule, Numbered, Reader, Treatment
from enclos.views.plans.members import PERIMETER, Members
from enclos.views.plans.phrases import day, spread
from enclos.views.plans.places import places_in
from enclos.views.plans.rows import plan_empty, rows_in, shown_number
from enclos.views.ports import Snapshot
from enclos.views.rules import OPEN_TABLES, REFERRED, SPAN_TABLES, column_rules, shown_columns


def plan_bucket_perimeter(relation: str) -> str:
    """One bucket of the perimeter as a temporary table."""
    return f"CREATE OR REPLACE TEMP TABLE {PERIMETER} AS SELECT person_id, permit_person FROM {relation}"


SAVED = "saved_cohort"
"""The rows of saved cohorts, under the permit's numbers, while they are read."""


def plan_saved(terms: ViewTerms) -> str:
    """The saved rows of the persons of a bucket who are in, as a person may see them: days as in all other tables.

    Reads the perimeter's temporary table. A row is in when its start lies in the period.
    Out: the columns of SAVED_COHORT.
    """
    exact = PotentialIdentifier.EXACT_DATES in terms.identifiers
    start, end = (
        _day_in_period(f"t.{name}", terms.period, exact=exact) for name in ("cohort_start_date", "cohort_end_date")
    )
    return (
        f"SELECT t.cohort_definition_id, t.subject_id, {start} AS cohort_start_date, {end} AS cohort_end_date, "
        f"t.subject_id AS person_id FROM {SAVED} AS t SEMI JOIN {PERIMETER} AS p ON p.permit_person = t.subject_id "
        f"WHERE t.cohort_start_date >= {day(terms.period.start_on)} "
        f"AND t.cohort_start_date < {day(terms.period.end_on)}"
    )


def plan_view(
    table: str,
    terms: ViewTerms,
    snapshot: Snapshot,
    bucket: int,
    reader: Reader,
    *,
    keyed: Members | None = None,
    refers: bool = True,
) -> str:
    """The rows of one granted table in one bucket, as the permit shows them; reads the perimeter's temporary table.

    In: keyed — leave the warehouse's own numbers where the permit's would stand, and tell by these members who is in:
        only inside a query that shows no number to anybody (plan_query); refers — show numbers of professionals and
        care sites, from the temporary tables of ``steps.places``: not needed where nobody names them.
    Out: the granted columns in the contract's order. For platform studies, columns that may be empty and are not
         granted are there and empty, so that a study that can do without them runs.
    Empty: a table that the snapshot does not hold has no rows.
    Refuses: VIEW_NOT_GRANTED.
    """
    contract = omop_tables()[table]
    shown = shown_columns(terms, table, contract.names)
    outputs = [
        (_shown(column_rules()[table, column.name], terms, reader, keyed=keyed is not None, refers=refers), column)
        for column in contract
        if column.name in shown
    ]
    if reader is Reader.PLATFORM:
        outputs += [("NULL", column) for column in contract if column.name not in shown and not column.required]
        order = {name: place for place, name in enumerate(contract.names)}
        outputs.sort(key=lambda output: order[output[1].name])
    if table not in snapshot.tables:
        return plan_empty([column for _, column in outputs])
    selected = ", ".join(f'({sql})::{column.sql_type} AS "{column.name}"' for sql, column in outputs)
    if table in PLACE_TABLES:
        return f"SELECT DISTINCT {selected} FROM {places_in(table, terms, snapshot, bucket)}"
    referring = [name for name in REFERRED if refers and name in shown]
    return f"SELECT {selected} FROM {rows_in(table, terms, snapshot, bucket, keyed, referring)}"


def plan_open_table(table: str, snapshot: Snapshot) -> str:
    """A table that holds no person, whole."""
    if table not in OPEN_TABLES:
        raise ValueError("only tables without persons are open")
    contract = DRUG_DURATION if table == DRUG_DURATION.name else omop_tables()[table]
    if table not in snapshot.tables:
        return plan_empty(list(contract))
    columns = ", ".join(f'"{name}"' for name in contract.names)
    return f"SELECT {columns} FROM {snapshot.relation(table)}"


@dataclass(frozen=True, slots=True)
class _Showing:
    """One column on its way into a view; ``exact`` lifts the month, ``listed`` the department, ``keyed`` the permit's
    numbers.
    """

    rule: ColumnRule
    terms: ViewTerms
    exact: bool
    listed: bool
    keyed: bool
    refers: bool

    @property
    def value(self) -> str:
        return f't."{self.rule.column}"'


def _shown_day(column: _Showing) -> str:
    """A row is in when its start is, so that only other days can need a cut."""
    table = column.rule.table
    if column.exact and table not in SPAN_TABLES and column.rule.column == START_DATES.get(table):
        return column.value
    return _day_in_period(column.value, column.terms.period, exact=column.exact)


_SHOWN: dict[Treatment, Callable[[_Showing], str]] = {
    Treatment.PLAIN: lambda column: column.value,
    Treatment.PERSON: lambda column: "t.person_id" if column.keyed else "p.permit_person",
    Treatment.RELATIVE: lambda column: f"of_{column.rule.column}.shown",
    Treatment.ROW_ID: lambda column: _renumbered(column.value, keyed=column.keyed),
    Treatment.ROW_REF: lambda column: _own_row(column.value, keyed=column.keyed),
    Treatment.DAY: _shown_day,
    Treatment.INSTANT: lambda column: _instant_in_period(column.value, column.terms.period, exact=column.exact),
    Treatment.BIRTH_MONTH: lambda column: column.value if column.exact else "NULL",
    Treatment.BIRTH_DAY: lambda column: column.value if column.exact else "NULL",
    Treatment.BIRTH_INSTANT: lambda column: column.value if column.exact else "NULL",
    Treatment.CODE: lambda column: f'CASE WHEN coalesce(t."{column.rule.argument}", 0) <> 0 THEN {column.value} END',
    Treatment.WHOLE_ROW: lambda column: _if_whole(column.rule, column.value, column.terms.period),
    Treatment.PLACE: lambda column: _place(column.rule.table, column.terms, listed=column.listed),
    Treatment.PROVIDER: lambda column: shown_number(Numbered.PROVIDER) if column.refers else "NULL",
    Treatment.CARE_SITE: lambda column: shown_number(Numbered.CARE_SITE) if column.refers else "NULL",
    Treatment.COMMUNE: lambda column: column.value if column.listed else "NULL",
    Treatment.HIDDEN: lambda _: "NULL",
}
"""The SQL of each treatment; ``t`` is the table, ``p`` the perimeter, ``place`` where a person lives."""


def _shown(rule: ColumnRule, terms: ViewTerms, reader: Reader, *, keyed: bool, refers: bool) -> str:
    """The SQL that shows one column."""
    listed = rule.unless is not None and rule.unless in terms.identifiers
    exact = listed or reader is Reader.PLATFORM
    return _SHOWN[rule.treatment](_Showing(rule, terms, exact=exact, listed=listed, keyed=keyed, refers=refers))


def _renumbered(value: str, *, keyed: bool) -> str:
    return value if keyed else f"p.permit_person * {ORDINALS_PER_PERSON} + ({value} & {ORDINAL_MASK})"


def _own_row(value: str, *, keyed: bool) -> str:
    return f"CASE WHEN ({value} >> {ORDINAL_BITS}) = t.person_id THEN {_renumbered(value, keyed=keyed)} END"


def _day_in_period(value: str, period: Span, *, exact: bool) -> str:
    first, last = day(period.start_on), day(period.end_on - timedelta(days=1))
    cut = f"CASE WHEN {value} > {last} THEN {last} WHEN {value} < {first} THEN {first} ELSE {value} END"
    return (
        cut if exact else f"greatest(date_trunc('month', {cut})::DATE, CASE WHEN {value} IS NOT NULL THEN {first} END)"
    )


def _instant_in_period(value: str, period: Span, *, exact: bool) -> str:
    if not exact:
        return "NULL"
    return f"CASE WHEN {value} >= {day(period.start_on)} AND {value} < {day(period.end_on)} THEN {value} END"


def _if_whole(rule: ColumnRule, value: str, period: Span) -> str:
    return f'CASE WHEN t."{END_DATES[rule.table]}" < {day(period.end_on)} THEN {value} END'


def _place(table: str, terms: ViewTerms, *, listed: bool) -> str:
    """A place under the permit's own number; the permit's id is part of it, so that permits do not share it."""
    alias = "t" if table == "location" else "place"
    what = "t.location_id" if listed else f"{alias}.country_concept_id, '|', {alias}.state, '|', {alias}.county"
    number = spread(f"concat('{terms.permit_id}', '|', {what})")
    return f"CASE WHEN {alias}.location_id IS NOT NULL THEN {number} END"
