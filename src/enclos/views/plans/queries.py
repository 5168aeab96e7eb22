"""Queries that show no number of a person or of a row, and can therefore do without the permit's own.

A number stands only for who is meant: whatever compares numbers with each other finds the same under any numbering.
A query is read by key when numbers occur in it solely as

- what is counted: ``count(person_id)``, ``count(DISTINCT person_id)``;
- one side of an equality with a number of the same kind, ``USING``, ``IN (SELECT …)`` or ``IS NULL``;
- what is grouped or partitioned by;
- a column that an inner query hands on, under its own name.

Anything else, and any form that is not known here, is read with the permit's numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from functools import cache, lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from enclos.contracts.omop import PERSON_TABLES
from enclos.views.model import Treatment
from enclos.views.rules import OPEN_TABLES, REFERRED, column_rules

_KEYED_TABLES = frozenset((*PERSON_TABLES, "cost"))
_NUMBERS = {Treatment.PERSON: "person", Treatment.RELATIVE: "person", Treatment.ROW_ID: "row", Treatment.ROW_REF: "row"}
_NOT_KNOWN = (
    exp.Pivot,
    exp.Lateral,
    exp.Unnest,
    exp.SetOperation,
    exp.Lambda,
    exp.Placeholder,
    exp.Parameter,
    exp.PositionalColumn,
    exp.Columns,
    exp.Dot,
    exp.TableSample,
)
"""Forms under which a value could come by another way than by its name."""

_NAMES_REFERENCES = re.compile(rf"\b({'|'.join(REFERRED)})\b", re.IGNORECASE)
_ORDERED = ("order", "limit", "offset")


@lru_cache(maxsize=256)
def reads_by_key(sql: str) -> frozenset[str]:
    """The person tables that a query may read by key: all that it reads, or none.

    Empty: when a number could be seen, or when the query cannot be judged.
    """
    try:
        parsed = sqlglot.parse(sql, read="duckdb")
    except (SqlglotError, RecursionError):
        return frozenset()
    if len(parsed) != 1 or not isinstance(parsed[0], exp.Select):
        return frozenset()
    query = parsed[0]
    with_ = query.args.get("with_")
    own = {cte.alias.lower() for cte in query.find_all(exp.CTE)}
    tables = {table.name.lower() for table in query.find_all(exp.Table)} - own
    names = own | tables | {alias.name.lower() for alias in query.find_all(exp.TableAlias)}
    if (
        any(query.find_all(*_NOT_KNOWN))
        or (with_ is not None and with_.args.get("recursive"))
        or own & (_KEYED_TABLES | set(OPEN_TABLES))
        or not tables <= _KEYED_TABLES | set(OPEN_TABLES)
        or not all(_is_plain(table) for table in query.find_all(exp.Table))
        or any(alias.columns for alias in query.find_all(exp.TableAlias))
        or any(join.args.get("method") or join.kind.upper() == "POSITIONAL" for join in query.find_all(exp.Join))
        or not all(isinstance(star.parent, exp.Count) for star in query.find_all(exp.Star))
        or not all(_keeps_its_name(alias) for alias in query.find_all(exp.Alias))
        or not all(_is_key(column, names) for column in query.find_all(exp.Column))
    ):
        return frozenset()
    return frozenset(tables & _KEYED_TABLES)


def plan_query(sql: str, keyed_view: Callable[[str], str], granted: Collection[str]) -> str:
    """The query with the tables that it may read by key in front; the query as it is where it may read none so.

    In: keyed_view — the SQL of a table's rows by key: ``plan_view`` with ``keyed``. The query's text is not changed.
    """
    tables = reads_by_key(sql)
    if not tables <= set(granted):
        return sql
    head = sql.lstrip()
    word = head[: len("select")].lower()
    if not tables or not (word == "select" or word.startswith("with")):
        return sql
    views = ", ".join(f'"{table}" AS NOT MATERIALIZED ({keyed_view(table)})' for table in sorted(tables))
    return f"WITH {views} {head}" if word == "select" else f"WITH {views}, {head[len('with') :]}"


@lru_cache(maxsize=256)
def may_show_references(sql: str) -> bool:
    """Whether a statement of the platform may show professionals or care sites: it names them, or takes whole rows."""
    if _NAMES_REFERENCES.search(sql):
        return True
    try:
        parsed = sqlglot.parse(sql, read="duckdb")
    except (SqlglotError, RecursionError):
        return True
    for statement in parsed:
        if statement is None or isinstance(statement, exp.Command) or any(statement.find_all(exp.Columns, exp.Dot)):
            return True
        tables = {name.lower() for table in statement.find_all(exp.Table) for name in (table.name, table.alias)}
        if (
            any(not isinstance(star.parent, exp.Count) for star in statement.find_all(exp.Star))
            or any(column.name.lower() in tables for column in statement.find_all(exp.Column))
            or any(join.args.get("method") for join in statement.find_all(exp.Join))
        ):
            return True
    return False


@cache
def _kinds() -> Mapping[str, str]:
    """Columns that hold numbers, by name, and of what kind; ``mixed`` where tables differ."""
    kinds: dict[str, str] = {}
    for (_, column), rule in column_rules().items():
        kind = _NUMBERS.get(rule.treatment)
        if kind and kinds.setdefault(column, kind) != kind:
            kinds[column] = "mixed"
    return kinds


def _kind(node: exp.Expr | None) -> str | None:
    return _kinds().get(node.name.lower()) if isinstance(node, exp.Column) else None


def _keeps_its_name(alias: exp.Alias) -> bool:
    """Whether nothing but a number goes under a number's name."""
    name = alias.alias.lower()
    return name not in _kinds() or (isinstance(alias.this, exp.Column) and alias.this.name.lower() == name)


def _is_plain(table: exp.Table) -> bool:
    """Whether this is a table by its bare name, not a function, a file, a sample or another schema's."""
    return (
        isinstance(table.this, exp.Identifier)
        and not table.db
        and not any(table.args.get(name) for name in ("sample", "pivots", "when", "version", "ordinality", "rows_from"))
    )


def _is_key(  # noqa: C901, PLR0911 - one list of cases
    column: exp.Column, tables: set[str]
) -> bool:
    """Whether a column is no number, or one that only serves to tell who is meant."""
    if column.name.lower() in tables:  # a whole row
        return False
    kind = _kind(column)
    if kind is None:
        return True
    if kind == "mixed":
        return False
    parent = column.parent
    match parent:
        case exp.Count():
            return True
        case exp.Distinct():
            return isinstance(parent.parent, exp.Count)
        case exp.EQ():
            return _kind(parent.left) == _kind(parent.right) == kind
        case exp.Is():
            return isinstance(parent.expression, exp.Null)
        case exp.In():
            return column.arg_key == "this" and _hands_on_one(parent.args.get("query"), kind)
        case exp.Group():
            return True
        case exp.Window():
            return column.arg_key == "partition_by"
        case exp.Alias():
            return parent.alias.lower() == column.name.lower() and _is_handed_on(parent, kind)
    return _is_handed_on(column, kind)


def _hands_on_one(query: exp.Expr | None, kind: str) -> bool:
    """Whether ``IN`` asks for one column of that kind."""
    select = query.this if isinstance(query, exp.Subquery) else query
    if not isinstance(select, exp.Select) or len(select.expressions) != 1:
        return False
    return _kind(select.expressions[0].unalias()) == kind


def _is_handed_on(projection: exp.Expr, kind: str) -> bool:
    """Whether this stands in the list of an inner query that is neither ordered nor used as a value."""
    select = projection.parent
    if not isinstance(select, exp.Select) or projection.arg_key != "expressions":
        return False
    distinct = select.args.get("distinct")
    if any(select.args.get(name) for name in _ORDERED) or (distinct and distinct.args.get("on")):
        return False
    return _is_inner(select, kind)


def _is_inner(select: exp.Select, kind: str) -> bool:
    """Whether the query's rows go into another one: FROM, JOIN, WITH, or IN after a number of that kind."""
    within: exp.Expr | None = select.parent
    if isinstance(within, exp.Subquery):
        if any(within.args.get(name) for name in ("with_", *_ORDERED)):
            return False
        within = within.parent
    if isinstance(within, exp.In):
        return _kind(within.this) == kind
    return isinstance(within, exp.CTE | exp.From | exp.Join)
