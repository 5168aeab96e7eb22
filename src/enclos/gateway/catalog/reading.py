"""A tool's question to the catalog, as the engine reads it over the catalog's tables.

Tools write PostgreSQL with functions and casts that only PostgreSQL has; each is put in words of the engine here, once.
What is not known is left to the engine, whose refusal says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError

from enclos.gateway.catalog.tables import INFORMATION_PREFIX, is_known
from enclos.gateway.catalog.words import CatalogReader, in_engines_words, name_of, not_understood

_KEYWORD_COLUMNS = ("word", "catcode", "catdesc")
_KEYWORD = ("ilike", "T", "reserved (can be function or type)")
_MAKERS = {
    **dict.fromkeys(("unnest", "explode", "generate_series", "exploding_generate_series", "generate_subscripts"), ()),
    **dict.fromkeys(("pg_options_to_table", "aclexplode"), ()),
    "pg_get_keywords": _KEYWORD_COLUMNS,
}
"""Functions that make rows, each with the columns that those have without being named."""
_OF_NUMBERS = {"generate_series", "exploding_generate_series", "generate_subscripts"}
_QUERIES = (exp.Select, exp.SetOperation, exp.Values)


@dataclass(frozen=True, slots=True)
class CatalogQuery:
    """A question that may be put to the engine, and the tables that it reads: name, and whether it is of the
    information schema.
    """

    sql: str
    tables: tuple[tuple[str, bool], ...]


def is_for_catalog(text: str) -> bool:
    """Whether a statement reads the catalog, or no table at all."""
    tree = _tree(text)
    if tree is None:
        return False
    tables = _tables_of(tree)
    read = [table for table in tables if not _is_made(table) or _is_catalog(table)]
    return all(_is_catalog(table) for table in read) and (bool(read) or not tables)


def read_catalog_query(text: str, asker: CatalogReader) -> CatalogQuery:
    """The question in the engine's words.

    Refuses: GATE_CATALOG.
    """
    tree = _tree(text)
    if tree is None:
        raise not_understood()
    read: dict[tuple[str, bool], None] = {}
    for table in _tables_of(tree):
        if _is_made(table):
            table.replace(_stand_in(table))
            continue
        name, information = table.name.lower(), table.db.lower() == "information_schema"
        if not isinstance(table.this, exp.Identifier) or not is_known(name, information=information):
            raise not_understood()
        read[name, information] = None
        if not table.alias:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(name)))
        table.set("this", exp.to_identifier(f"{INFORMATION_PREFIX}{name}" if information else name))
        table.set("db", None)
        table.set("catalog", None)
    try:
        _name_columns(tree)
        sql = in_engines_words(tree, asker).sql(dialect="duckdb", unsupported_level=ErrorLevel.IGNORE, comments=False)
    except (SqlglotError, RecursionError, ValueError, TypeError, AttributeError, KeyError, IndexError):
        raise not_understood() from None
    return CatalogQuery(sql, tuple(read))


def _tree(text: str) -> exp.Expr | None:
    try:
        trees = sqlglot.parse(text, dialect="postgres", error_level=ErrorLevel.IMMEDIATE)
    except (SqlglotError, RecursionError, ValueError, TypeError, AttributeError, IndexError, KeyError):
        return None
    if len(trees) != 1 or not isinstance(trees[0], (*_QUERIES, exp.Subquery)):
        return None
    return trees[0]


def _tables_of(tree: exp.Expr) -> list[exp.Table]:
    ctes = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    return [table for table in tree.find_all(exp.Table) if table.db or table.name.lower() not in ctes]


def _is_made(table: exp.Table) -> bool:
    """Whether it is a function that makes rows of a list; the lists of this catalog are empty."""
    return isinstance(table.this, exp.Func) and name_of(table.this) in _MAKERS


def _stand_in(table: exp.Table) -> exp.Expr:
    """What stands in the place of a function that makes rows: none, but a word of those that are kept."""
    alias = table.args.get("alias") or exp.TableAlias(this=exp.to_identifier("made"))
    maker = name_of(table.this)
    if maker == "pg_get_keywords":  # pgJDBC has no answer where there is no word
        word = [
            exp.alias_(exp.Literal.string(text), name) for text, name in zip(_KEYWORD, _KEYWORD_COLUMNS, strict=True)
        ]
        return exp.Subquery(this=exp.select(*word), alias=alias.copy())
    named = [column.name for column in alias.args.get("columns") or []]
    nothing = [
        exp.alias_(exp.cast(exp.null(), "BIGINT" if maker in _OF_NUMBERS else "TEXT"), name)
        for name in named or _MAKERS[maker] or [alias.this.name]
    ]
    return exp.Subquery(this=exp.select(*nothing).where(exp.false()), alias=alias.copy())


def _is_catalog(table: exp.Table) -> bool:
    schema = table.db.lower()
    name = name_of(table.this) if isinstance(table.this, exp.Func) else table.name.lower()
    return schema in {"pg_catalog", "information_schema"} or (not schema and name.startswith("pg_"))


def _name_columns(tree: exp.Expr) -> None:
    """Columns without a name get that which PostgreSQL gives them."""
    if not isinstance(tree, exp.Select):
        return
    named = []
    for column in tree.expressions:
        name = _given_name(column)
        named.append(exp.alias_(column, name, quoted=True) if name else column)
    tree.set("expressions", named)


def _given_name(column: exp.Expr) -> str:
    while isinstance(column, exp.Dot | exp.Cast):
        column = column.expression if isinstance(column, exp.Dot) else column.this
    if isinstance(column, exp.Alias | exp.Star | exp.Identifier | exp.Column):
        return ""
    if isinstance(column, exp.Case):
        return "case"
    if isinstance(column, exp.Func):
        return name_of(column).replace("current_version", "version")
    return "?column?"
