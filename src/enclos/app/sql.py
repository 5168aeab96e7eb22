"""People's SQL: one query under a permit, through the guard, the view and the walls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from time import perf_counter

import pyarrow as pa
import pyarrow.compute as pc
from pyroaring import BitMap64

from enclos.app.enclosure import Enclosure
from enclos.app.permits import active, permit_key
from enclos.app.snapshots import reading_snapshot
from enclos.app.statements import asked, limits_of
from enclos.contracts.view import Access
from enclos.ledger.model import Fact, Personal
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.permits.model import SignedPermit
from enclos.stores.confined.process import Incoming, run_confined
from enclos.stores.query_history import QueryHistory
from enclos.views.sql.model import CheckedQuery
from enclos.views.sql.steps import check_query, granted_columns, schema_of, withhold

_MAX_SHOWN = 5_000
"""Sets of persons that one new set is compared with."""
_PARTS_OF_A_DAY = {unit: 86_400 * parts for unit, parts in (("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9))}
_FIRST_DAY, _LAST_DAY = ((day - date(1970, 1, 1)).days for day in (date.min, date.max))
_SHAPE_SECONDS = 20
"""What a query over no rows may take."""


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """What a query gave. Units: seconds from the call to the whole result; min_count persons of a
    count, where the permit gives counts.
    """

    table: pa.Table
    snapshot: int
    seconds: float
    min_count: int | None = None

    def __repr__(self) -> str:
        return f"Answer({self.table.num_rows} rows)"


def ask(
    enclosure: Enclosure,
    *,
    permit: str,
    user: str,
    text: str,
    unconfined_for_trying_out: bool = False,
    also: Callable[[], object] = lambda: None,
) -> Answer:
    """Answer one query of a person under a permit; the rows stay inside the enclosure's walls.

    The right to ask is checked before, at every bucket, four times a second while the query runs, and at the end.
    In: unconfined_for_trying_out — also where no process can be shut in; for synthetic data; also — asked whenever
        the right is checked: what it raises ends the query as the end of the permit does
    Refuses: what permits refuse of the user; SQL_NOT_ALLOWED, SQL_LIMIT, SQL_FAILED, SQL_UNCONFINED, VIEW_NOT_GRANTED;
        under a permit for aggregates SQL_WITHHELD when too much was shown already.
    """
    started = perf_counter()
    facts: dict[str, Fact] = {"query": Personal(text)}
    with asked(enclosure, permit, user, facts, unconfined_for_trying_out, also) as statement:
        signed, ticket = statement.signed, statement.ticket
        terms = signed.permit.terms
        with reading_snapshot(enclosure) as (engine, snapshot):
            query = check_query(text, terms, engine)
            rows = statement.rows(query, engine, snapshot)
            table = in_the_calendar(statement.answer(query, rows, engine, limits_of(enclosure)))
        min_count = None
        if terms.access is Access.AGGREGATES:
            min_count = signed.permit.min_count
            table, ticket.facts["question"] = _shown(enclosure, signed, query, table)
        ticket.facts.update({"n_rows": table.num_rows, "n_bytes": table.nbytes})
    return Answer(_named_once(table), snapshot.id, round(perf_counter() - started, 3), min_count)


def shape(
    enclosure: Enclosure, *, permit: str, user: str, text: str, also: Callable[[], object] = lambda: None
) -> pa.Schema:
    """The columns that a query would give, found without reading a row.

    In: also — as in ``ask``
    Refuses: as ``ask``, but for what only the rows tell.
    """

    def check() -> None:
        also()

    terms = active(enclosure, permit, user).permit.terms
    with enclosure.engine_to_read() as engine:
        query = check_query(text, terms, engine)
        incoming = [Incoming(scan.name, scan.keep, schema_of(scan, engine), ()) for scan in query.scans]
    table = run_confined(
        query.sql,
        incoming,
        limits=replace(limits_of(enclosure), wall_seconds=_SHAPE_SECONDS, cpu_seconds=2 * _SHAPE_SECONDS),
        check=check,
        unconfined_for_trying_out=enclosure.settings.sql.unconfined_for_trying_out,
    )
    return _named_once(table.select(range(table.num_columns - query.n_person_lists))).schema


def names_of(enclosure: Enclosure, *, permit: str, user: str) -> tuple[str, dict[str, dict[str, str]]]:
    """The tables that a permit opens in SQL with their columns and types, by the version that is in force.

    Refuses: what permits refuse of the user.
    """
    signed = active(enclosure, permit, user)
    return signed.digest, {
        table: dict(columns) for table, columns in granted_columns(signed.permit.terms).tables.items()
    }


def _shown(enclosure: Enclosure, signed: SignedPermit, query: CheckedQuery, table: pa.Table) -> tuple[pa.Table, int]:
    """What of the counts may be shown beside all that the permit has shown; what is shown is remembered first.

    Out: the counts; the number of the question, which the ledger keeps
    """
    with shown_before(enclosure, signed) as (history, before):
        answer, told = withhold(table, query, before, signed.permit.min_count)
        number = history.keep(query.digest, told)
    return answer, number


@contextmanager
def shown_before(enclosure: Enclosure, signed: SignedPermit) -> Iterator[tuple[QueryHistory, list[BitMap64]]]:
    """What counts the permit has shown, while nobody else can show any; whoever shows some keeps the question's number
    in the ledger.

    Refuses: SQL_WITHHELD when they are too many to compare with.
    """
    permit_id = signed.permit.id
    key, known = enclosure.keys.secret(permit_key(permit_id)), enclosure.marks.questions(permit_id)
    with QueryHistory(enclosure.paths.permits / permit_id, key, n_known=known).alone() as history:
        before = history.sets()
        if len(before) > _MAX_SHOWN:
            raise refusal(
                Code.SQL_WITHHELD,
                "This permit has shown as many counts as its questions may compare.",
                "Run a study: its counts are compared when they are released.",
            )
        yield history, before


def in_the_calendar(table: pa.Table) -> pa.Table:
    """An answer whose days and instants are of the years 1 to 9999: others can be computed, and told in no form.

    Refuses: SQL_FAILED.
    """
    for column in table.columns:
        values = column
        while pa.types.is_list(values.type):
            values = pc.list_flatten(values)
        if pa.types.is_date32(values.type):
            since_1970, parts = values.cast(pa.int32()), 1
        elif pa.types.is_timestamp(values.type):
            since_1970, parts = values.cast(pa.int64()), _PARTS_OF_A_DAY[values.type.unit]
        else:
            continue
        least, most = pc.min_max(since_1970).as_py().values()
        if least is not None and not _FIRST_DAY * parts <= least <= most < (_LAST_DAY + 1) * parts:
            raise refusal(
                Code.SQL_FAILED,
                "A value cannot be converted or computed.",
                "Use TRY_CAST, or leave such rows out with CASE.",
            )
    return table


def _named_once(table: pa.Table) -> pa.Table:
    """Columns of the same name get a number behind it, so that a row can be a document."""
    names: list[str] = []
    for name in table.column_names:
        again, number = name, 1
        while again in names:
            again, number = f"{name}_{number}", number + 1
        names.append(again)
    return table.rename_columns(names)
