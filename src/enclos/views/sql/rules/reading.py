"""The person's tree: every part of it is on a list, every name is one of the permit's or made in the statement.

Source: the tree is that of sqlglot's DuckDB dialect.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count, pairwise

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from enclos.lexicon.canonical import sha256_hex
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.views.sql.model import CheckedQuery, Scan
from enclos.views.sql.rules.aggregates import Nouns, with_persons
from enclos.views.sql.rules.keeping import kept_rows
from enclos.views.sql.rules.lists import (
    MAX_CHARACTERS,
    MAX_CUBE,
    MAX_DEPTH,
    MAX_LISTED,
    MAX_NESTING,
    MAX_TABLES,
    MAX_TOKENS,
    allowed_functions,
    refused,
    refused_function,
)
from enclos.views.sql.rules.tabled import as_table

DIALECT = "duckdb"
# The parser writes what it does not understand to its log, with the person's text.
logging.getLogger("sqlglot").setLevel(logging.CRITICAL + 1)

_QUERIES = (exp.Select, exp.SetOperation, exp.Subquery, exp.Values)
_PARTS: tuple[type[exp.Expr], ...] = (
    *(exp.Select, exp.Union, exp.Except, exp.Intersect, exp.Subquery, exp.With, exp.CTE, exp.Values, exp.Tuple),
    *(exp.From, exp.Join, exp.Table, exp.TableAlias, exp.Where, exp.Group, exp.GroupingSets, exp.Cube, exp.Rollup),
    *(exp.Having, exp.Qualify, exp.Order, exp.Ordered, exp.Limit, exp.Offset, exp.Distinct, exp.Window),
    *(exp.WindowSpec, exp.Filter, exp.WithinGroup, exp.IgnoreNulls, exp.RespectNulls),
    *(exp.Column, exp.Identifier, exp.Star, exp.Alias, exp.Var, exp.Paren, exp.Literal, exp.Boolean, exp.Null),
    *(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.In, exp.Between, exp.Not, exp.Any, exp.All),
    *(exp.NullSafeEQ, exp.NullSafeNEQ, exp.Like, exp.ILike, exp.SimilarTo, exp.Escape),
    *(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.Neg, exp.DPipe),
    *(exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseLeftShift, exp.BitwiseRightShift, exp.BitwiseNot),
    *(exp.Interval, exp.DataType, exp.DataTypeParam, exp.Bracket, exp.Slice),
)
"""What a tree may be made of, besides functions."""

_NAMED: Mapping[str, tuple[str, str]] = {
    "Lambda": ("a function written in the statement (lambda)", "list_sum, list_sort and the like, or a join"),
    "Comprehension": ("a list comprehension", "list(x) FILTER (WHERE …)"),
    "Columns": ("COLUMNS(…)", "the names of the columns"),
    "Placeholder": ("a parameter", "the value itself"),
    "Parameter": ("a parameter", "the value itself"),
    "TableSample": ("a random sample", "a permit for a sample, or WHERE person_id % 100 = 0"),
    "HistoricalData": ("a version of a table", "the table itself: a permit reads one snapshot"),
    "Pivot": ("PIVOT or UNPIVOT", "an aggregate with FILTER (WHERE …) for each column"),
    "Lateral": ("LATERAL", "a subquery in SELECT or a join"),
    "Hint": ("a hint", "the statement without it"),
    "Into": ("SELECT INTO", "the result itself"),
    "PositionalColumn": ("a column by its position", "the column's name"),
    "Collate": ("a collation", "lower(…)"),
    "Dot": ("a function or field after a dot", "the function before its arguments"),
    "Unnest": ("the function unnest, which is not allowed", "a join, or VALUES"),
    "Explode": ("the function unnest, which is not allowed", "a join, or VALUES"),
    "JSONExtract": ("a JSON path", "the columns of the permit's tables"),
    "JSONExtractScalar": ("a JSON path", "the columns of the permit's tables"),
    "Struct": ("a struct", "columns beside each other"),
    "ToMap": ("a map", "columns beside each other"),
    "Rand": ("the function random, which is not allowed", "a stable choice by person_id"),
    "CurrentDate": ("the function current_date, which is not allowed", "a date written as DATE 'YYYY-MM-DD'"),
    "CurrentTimestamp": ("the function now, which is not allowed", "a date written as DATE 'YYYY-MM-DD'"),
    "RawString": ("a string between dollars", "a string between single quotes"),
    "ByteString": ("a string with escapes", "a string between single quotes"),
}
_JOIN_WORDS = frozenset({"", "ASOF", "INNER", "LEFT", "RIGHT", "FULL", "OUTER", "CROSS", "SEMI", "ANTI"})


@dataclass(frozen=True, slots=True)
class Granted:
    """What a query may name: the columns of each table, lower case, with the engine's types.

    ``for_counts`` is given where the permit gives counts, not rows.
    """

    tables: Mapping[str, Mapping[str, str]]
    for_counts: Nouns | None = None


def read_query(text: str, granted: Granted) -> CheckedQuery:
    """The query that the text states, written anew from its checked tree.

    Refuses: SQL_NOT_ALLOWED for anything that is not on the lists; SQL_LIMIT when it is too large; VIEW_NOT_GRANTED
    for a table that the permit does not hold.
    """
    tree = _checked_tree(text)
    counts = with_persons(tree, granted.for_counts) if granted.for_counts else ()
    return replace(_finished(tree, granted), counts=counts)


def read_table(text: str, granted: Granted) -> CheckedQuery:
    """The rows of a statement whose answer may be asked to leave, with what they are counted into.

    In:      granted — with what counts know of the tables, whatever the permit shows
    Refuses: as ``read_query``; SQL_NOT_ALLOWED for what cannot be told with the persons behind it.
    """
    if granted.for_counts is None:
        raise ValueError("a table is counted by persons")
    tree = _checked_tree(text)
    _check_columns(tree, {table.name.lower() for table in tree.find_all(exp.Table)} & granted.tables.keys(), granted)
    found = as_table(tree, granted.for_counts, granted.tables)
    return replace(_finished(tree, granted), table=found.form, statement=found.statement, codes=found.codes)


def _checked_tree(text: str) -> exp.Expr:
    """The tree of a statement, every part of which is on a list."""
    _check_tokens(text)
    try:
        trees = sqlglot.parse(text, dialect=DIALECT, error_level=ErrorLevel.IMMEDIATE)
    except SqlglotError as error:
        raise refused(f"something that does not read as a SELECT of DuckDB{_place(error)}") from None
    except (RecursionError, ValueError, TypeError, AttributeError, IndexError, KeyError):
        raise refused("something that does not read as a SELECT of DuckDB") from None
    if len(trees) != 1 or not isinstance(trees[0], _QUERIES):
        raise refused("something else than one SELECT", "exactly one SELECT")
    tree = trees[0]
    _check_size(tree)
    for node in tree.walk():
        _check_node(node)
    return tree


def _finished(tree: exp.Expr, granted: Granted) -> CheckedQuery:
    """What runs, written from a tree whose names are the permit's."""
    scans = _resolve(tree, granted)
    sql = _written(tree)
    names = frozenset(cte.alias.lower() for cte in tree.find_all(exp.CTE))
    columns = frozenset(_known_columns(tree, {scan.table for scan in scans}, granted))
    return CheckedQuery(sql, scans, names, columns, sha256_hex(sql.encode("utf-8")), shape=_shape(tree))


def _shape(tree: exp.Expr) -> str:
    """The statement with one mark in the place of each constant, and of each list of constants."""

    def without(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.In) and all(isinstance(item, exp.Literal) for item in node.expressions):
            return exp.In(this=node.this.transform(without), expressions=[exp.Placeholder()])
        return exp.Placeholder() if isinstance(node, exp.Literal | exp.Boolean) else node

    return tree.transform(without).sql(dialect=DIALECT)


def _check_tokens(text: str) -> None:
    if len(text) > MAX_CHARACTERS or "\x00" in text:
        raise _too_large("characters")
    try:
        tokens = sqlglot.tokenize(text, read=DIALECT)
    except SqlglotError:
        raise refused("something that does not read as SQL") from None
    if len(tokens) > MAX_TOKENS:
        raise _too_large("words")
    depth = deepest = 0
    for token in tokens:
        depth += token.text in {"(", "[", "{"}
        depth -= token.text in {")", "]", "}"}
        deepest = max(deepest, depth)
    if deepest > MAX_NESTING:
        raise _too_large("brackets inside brackets")
    _check_numbers(tokens)


def _check_numbers(tokens: Sequence[Token]) -> None:
    """Forms of numbers that two parsers may cut differently: 0x1F, 12abc."""
    for token, after in pairwise(tokens):
        if token.token_type is TokenType.NUMBER and after.start == token.end + 1 and after.text[:1].isidentifier():
            raise refused("a number with letters", "a decimal number")


def _check_size(tree: exp.Expr) -> None:
    tables = n_nodes = 0
    levels: list[tuple[exp.Expr, int]] = [(tree, 1)]
    while levels:
        node, depth = levels.pop()
        n_nodes += 1
        if depth > MAX_DEPTH or n_nodes > MAX_TOKENS * 2:
            raise _too_large("parts inside parts")
        tables += isinstance(node, exp.Table)
        for value in node.args.values():
            if isinstance(value, list) and len(value) > MAX_LISTED:
                raise _too_large("elements in a list")
            children = value if isinstance(value, list) else [value]
            levels.extend((child, depth + 1) for child in children if isinstance(child, exp.Expr))
        if isinstance(node, exp.Cube | exp.Rollup) and len(node.expressions) > MAX_CUBE:
            raise _too_large("columns in a CUBE or ROLLUP")
    if tables > MAX_TABLES or sum(len(cube.expressions) for cube in tree.find_all(exp.Cube)) > MAX_CUBE:
        raise _too_large("tables or groupings")


def _check_node(node: exp.Expr) -> None:
    kind = type(node).__name__
    if kind in _NAMED:
        raise refused(*_NAMED[kind])
    if isinstance(node, exp.Anonymous):
        if str(node.this).lower() not in allowed_functions():
            raise refused_function(str(node.this))
    elif isinstance(node, exp.Func):
        pass  # under which name the engine knows it, its own parser says: engine_tree.py
    elif not isinstance(node, _PARTS) or type(node) not in _PARTS:
        raise refused("a part of SQL that is not allowed")
    _check_form(node)


def _check_form(node: exp.Expr) -> None:
    """Forms of allowed parts that are not."""
    if isinstance(node, exp.With) and node.args.get("recursive"):
        raise refused("a recursive WITH", "concept_ancestor, which holds all generations")
    if isinstance(node, exp.Join):
        _check_join(node)
    if isinstance(node, exp.Select) and any(node.args.get(part) for part in ("hint", "into", "sample", "kind")):
        raise refused("a hint, a sample or INTO")
    if isinstance(node, exp.Star) and not _stands_for_columns(node):
        raise refused("a pattern of column names", "the names of the columns")
    if isinstance(node, exp.Identifier) and node.name.lower() == "rowid":
        raise refused_function("rowid")


def _stands_for_columns(star: exp.Star) -> bool:
    holder = star.parent.parent if isinstance(star.parent, exp.Column) else star.parent
    return isinstance(holder, exp.Select | exp.Count)


def _check_join(join: exp.Join) -> None:
    words = {str(join.args.get(part) or "").upper() for part in ("method", "side", "kind")}
    if "NATURAL" in words:
        raise refused("NATURAL JOIN", "JOIN … USING (person_id)")
    if not words <= _JOIN_WORDS:
        raise refused("a join of a kind that is not allowed", "JOIN … ON or JOIN … USING")


def _resolve(tree: exp.Expr, granted: Granted) -> tuple[Scan, ...]:
    """Give every table the name of its scan; every name must be known."""
    ctes = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    if ctes & granted.tables.keys():
        raise refused("a WITH name that is the name of a table", "another name")
    tables = [table for table in tree.find_all(exp.Table) if not _is_cte(table, ctes)]
    for table in tables:
        if table.name.lower() not in granted.tables or not isinstance(table.this, exp.Identifier):
            raise _not_granted(table, granted)
    used = {table.name.lower() for table in tables}
    _check_columns(tree, used, granted)
    named = {identifier.name.lower() for identifier in tree.find_all(exp.Identifier)}
    has_star = any(not isinstance(star.parent, exp.Count) for star in tree.find_all(exp.Star))
    scans: dict[tuple[str, str], Scan] = {}
    for table in tables:
        name = table.name.lower()
        types = granted.tables[name]
        keep = kept_rows(table, types)
        columns = tuple(types) if has_star else tuple(column for column in types if column in named)
        free = next(
            each for at in count() if (each := f"scan_{at}") not in ctes | {scan.name for scan in scans.values()}
        )
        found = scans.setdefault((name, keep), Scan(free, name, columns or tuple(types)[:1], keep))
        alias = table.args.get("alias") or exp.TableAlias()
        if alias.args.get("columns"):
            raise refused("names of columns after the name of a table", "AS in SELECT")
        if alias.args.get("this") is None:
            alias.set("this", exp.to_identifier(name))
        table.set("alias", alias)
        table.set("this", exp.to_identifier(found.name))
    return tuple(scans.values())


def _is_cte(table: exp.Table, ctes: set[str]) -> bool:
    if table.args.get("db") or table.args.get("catalog"):
        raise refused("a table name with a dot", "the name of one of the permit's tables")
    if any(table.args.get(part) for part in ("when", "version", "pivots", "hints", "rows_from", "changes", "joins")):
        raise refused("something after a table's name that is not allowed")
    return isinstance(table.this, exp.Identifier) and table.name.lower() in ctes


def _check_columns(tree: exp.Expr, used: set[str], granted: Granted) -> None:
    """Every column is one of a table that is read, or was named in the statement."""
    known = _known_columns(tree, used, granted)
    sources = used | {alias.name.lower() for alias in tree.find_all(exp.TableAlias) if alias.this is not None}
    sources |= {table.name.lower() for table in tree.find_all(exp.Table)}
    for column in tree.find_all(exp.Column):
        if column.args.get("db") or column.args.get("catalog"):
            raise refused("a column name with more than one dot", "alias.column")
        if column.table and column.table.lower() not in sources:
            raise refused(f"a name before a dot that is no table of the query{_at(column)}")
        if not isinstance(column.this, exp.Star) and column.name.lower() not in known:
            raise refused(f"a column that no table of the query has{_at(column)}", "the columns that docs/sql.md lists")


def _known_columns(tree: exp.Expr, used: set[str], granted: Granted) -> set[str]:
    return {column for table in used for column in granted.tables[table]} | _given_names(tree)


def _given_names(tree: exp.Expr) -> set[str]:
    """Names that the statement itself makes: of columns of SELECT, of tables' columns, of windows."""
    names = {alias.alias.lower() for alias in tree.find_all(exp.Alias)}
    for alias in tree.find_all(exp.TableAlias):
        names |= {column.name.lower() for column in alias.args.get("columns") or ()}
    return names


def _written(tree: exp.Expr) -> str:
    try:
        return tree.sql(dialect=DIALECT, identify=True, comments=False, unsupported_level=ErrorLevel.RAISE)
    except (SqlglotError, RecursionError, ValueError, TypeError, AttributeError):
        raise refused("a part of SQL that is not allowed") from None


def _place(error: SqlglotError) -> str:
    faults: list[dict[str, object]] = getattr(error, "errors", [])
    line, column = (faults[0].get("line"), faults[0].get("col")) if faults else (None, None)
    return f" (line {line}, column {column})" if line and column else ""


def _at(column: exp.Column) -> str:
    where = next(_positions(column), None)
    return f" (line {where[0]}, column {where[1]})" if where else ""


def _positions(column: exp.Column) -> Iterator[tuple[int, int]]:
    for part in column.find_all(exp.Identifier):
        line, end = part.meta.get("line"), part.meta.get("col")
        if isinstance(line, int) and isinstance(end, int):
            yield line, max(end - len(part.name) + 1, 1)


def _not_granted(table: exp.Table, granted: Granted) -> Refusal:
    if isinstance(table.this, exp.Func):
        called = table.this
        name = str(called.this) if isinstance(called, exp.Anonymous) else re.sub(r"\W", "", called.sql_name())
        return refused_function(name if name.lower() != "generate_series" else "range")
    return refusal(
        Code.VIEW_NOT_GRANTED,
        "The query reads a table that this permit does not hold.",
        f"It holds: {', '.join(granted.tables)}.",
    )


def _too_large(what: str) -> Refusal:
    return refusal(Code.SQL_LIMIT, f"The query has too many {what}.", "Split it, or join a smaller table.")
