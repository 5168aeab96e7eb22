"""PostgreSQL's words in the engine's: its functions, casts and operators, each put once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import sqlglot
from sqlglot import exp

from enclos.gateway.catalog.tables import BY_OID, SETTINGS, SYSTEM_CLASSES, table_oids
from enclos.gateway.lists import parts_of
from enclos.gateway.statements import SCHEMA
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.lexicon.version import __version__

_NAMED_BY = {"regclass": "name_of_class", "regtype": "format_type", "regnamespace": "name_of_schema"}
_NUMBERED = {"regclass", "regtype", "regproc", "regprocedure", "regnamespace", "regrole"}
_SCHEMAS = {"", "pg_catalog", "information_schema"}


@dataclass(frozen=True, slots=True)
class CatalogReader:
    """Who asks the catalog, and what they may see the names of."""

    user: str
    database: str
    names: Mapping[str, Mapping[str, str]]


def not_understood() -> Refusal:
    """The refusal of a question that this catalog has no answer to."""
    return refusal(
        Code.GATE_CATALOG,
        "This question to the catalog is not understood.",
        "Ask information_schema.tables and information_schema.columns, or the permit's tables themselves.",
    )


def in_engines_words(tree: exp.Expr, asker: CatalogReader) -> exp.Expr:
    """Each part in the engine's words, what lies inside before what holds it."""
    for cast in list(tree.find_all(exp.Cast)):
        inner = cast.this
        if _target(cast) == "text" and isinstance(inner, exp.Cast) and _target(inner) in _NAMED_BY:
            cast.replace(exp.Anonymous(this=_NAMED_BY[_target(inner)], expressions=[inner.this]))
    for node in reversed(list(tree.walk(bfs=True))):
        made = _rewritten(node, asker)
        if made is not node:
            if node is tree:
                tree = made
            else:
                node.replace(made)
    return tree


def _rewritten(node: exp.Expr, asker: CatalogReader) -> exp.Expr:
    made: exp.Expr = node
    if isinstance(node, exp.Dot):
        made = _after_dot(node)
    elif isinstance(node, exp.Collate):
        made = node.this
    elif isinstance(node, exp.Operator):
        made = _operator(node)
    elif isinstance(node, exp.Cast):
        made = _cast(node, asker)
    elif isinstance(node, exp.Column):
        made = _word(node, asker)
    elif isinstance(node, exp.EQ) and isinstance(node.expression, exp.Any):
        made = _is_any(node)
    elif isinstance(node, exp.Func):
        made = _function(node, asker)
    return made


def _is_any(node: exp.EQ) -> exp.Expr:
    """``x = ANY(list)``, which the engine reads as rows of a list."""
    among = node.expression.this
    while isinstance(among, exp.Paren):
        among = among.this
    if isinstance(among, exp.Select | exp.Subquery):
        return node
    return exp.Anonymous(this="list_contains", expressions=[among, node.this])


def _after_dot(node: exp.Dot) -> exp.Expr:
    """Without the schema before a function or a type."""
    is_schema = isinstance(node.this, exp.Identifier) and node.this.name.lower() in _SCHEMAS | {SCHEMA}
    return node.expression if is_schema else node


def _operator(node: exp.Operator) -> exp.Expr:
    sign = str(node.args.get("operator", "")).rsplit(".", 1)[-1]
    left, right = node.this, node.expression
    if isinstance(right, exp.Collate):
        right = right.this
    found = exp.RegexpLike(this=left, expression=right)
    if sign == "~":
        return found
    if sign == "!~":
        return exp.Not(this=found)
    if sign == "=":
        return exp.EQ(this=left, expression=right)
    raise not_understood()


def _cast(node: exp.Cast, asker: CatalogReader) -> exp.Expr:
    target, inner = _target(node), _inner(node)
    if target in _NUMBERED:
        return _number_of(inner, target, asker)
    if target in {
        "name",
        "char",
        "sql_identifier",
        "character_data",
        "yes_or_no",
        "cstring",
        "bpchar",
        "xid",
        "regconfig",
    }:
        return exp.cast(inner, "TEXT")
    if target in {"oid", "cardinal_number"}:
        return exp.cast(inner, "BIGINT")
    if target in {
        "text",
        "int4",
        "int8",
        "int2",
        "bool",
        "date",
        "float8",
        "float4",
        "numeric",
        "varchar",
        "timestamp",
    }:
        return exp.cast(inner, target.upper())
    if target in {"int2vector", "oidvector", "name[]", "text[]", "oid[]", "char[]"}:
        return _list(inner)
    return node


def _list(inner: exp.Expr) -> exp.Expr:
    """A text in braces as the list that it says."""
    if not (isinstance(inner, exp.Literal) and inner.is_string and inner.name.startswith("{")):
        return inner
    try:
        parts = parts_of(inner.name)
    except ValueError:
        raise not_understood() from None
    return exp.Array(expressions=[exp.null() if part is None else exp.Literal.string(part) for part in parts])


def _inner(cast: exp.Cast) -> exp.Expr:
    inner: exp.Expr = cast.this
    return inner


def _target(cast: exp.Cast) -> str:
    return cast.to.sql(dialect="postgres").lower().replace('"', "").rsplit(".", 1)[-1]


def _number_of(inner: exp.Expr, target: str, asker: CatalogReader) -> exp.Expr:
    """A literal becomes the number of what it names; anything else is a number already."""
    while isinstance(inner, exp.Cast):
        inner = inner.this
    if not (isinstance(inner, exp.Literal) and inner.is_string):
        return inner
    said = inner.name.replace('"', "").rsplit(".", 1)[-1].lower()
    if said.isdigit():
        return exp.Literal.number(said)
    if target == "regtype":
        found = next((oid for oid, kind in BY_OID.items() if said in {kind.name, kind.words}), None)
    elif target == "regnamespace":
        found = {"pg_catalog": 11, SCHEMA: 2200, "information_schema": 13000}.get(said)
    else:
        found = (SYSTEM_CLASSES | table_oids(asker.names)).get(said)
    return exp.null() if found is None else exp.Literal.number(found)


def _names_case(value: exp.Expr, names: Mapping[int, str]) -> exp.Expr:
    if not names:
        return exp.cast(exp.null(), "TEXT")
    branches = [exp.If(this=exp.Literal.number(oid), true=exp.Literal.string(name)) for oid, name in names.items()]
    return exp.Case(this=value, ifs=branches, default=exp.cast(value.copy(), "TEXT"))


def _word(node: exp.Column, asker: CatalogReader) -> exp.Expr:
    """A column without its schema, or one of the words that PostgreSQL calls without brackets."""
    if node.args.get("db") and node.args.get("table"):
        return exp.column(node.this.copy(), table=node.args["table"].copy())
    if node.table or not isinstance(node.this, exp.Identifier) or node.this.quoted:
        return node
    word = node.name.lower()
    if word in {"current_user", "session_user", "user", "current_role"}:
        return exp.Literal.string(asker.user)
    if word == "current_catalog":
        return exp.Literal.string(asker.database)
    return node


def name_of(node: exp.Func) -> str:
    return str(node.this).lower() if isinstance(node, exp.Anonymous) else node.sql_name().lower()


def _arguments(node: exp.Func) -> list[exp.Expr]:
    if isinstance(node, exp.Anonymous):
        return list(node.expressions)
    return [value for value in node.args.values() if isinstance(value, exp.Expr)]


def _function(node: exp.Func, asker: CatalogReader) -> exp.Expr:
    name = name_of(node)
    make = _FUNCTIONS.get(name)
    if make is not None:
        return make(_arguments(node), asker)
    if name.startswith(("has_", "pg_has_")) and name.endswith(("_privilege", "_role")):
        return exp.true()
    return node


_Make = Callable[[Sequence[exp.Expr], CatalogReader], exp.Expr]


def _text(value: str) -> _Make:
    return lambda _, __: exp.Literal.string(value)


def _nothing(_: Sequence[exp.Expr], __: CatalogReader) -> exp.Expr:
    return exp.cast(exp.null(), "TEXT")


def _yes(_: Sequence[exp.Expr], __: CatalogReader) -> exp.Expr:
    return exp.true()


def _zero(_: Sequence[exp.Expr], __: CatalogReader) -> exp.Expr:
    return exp.Literal.number(0)


def _user(_: Sequence[exp.Expr], asker: CatalogReader) -> exp.Expr:
    return exp.Literal.string(asker.user)


def _database(_: Sequence[exp.Expr], asker: CatalogReader) -> exp.Expr:
    return exp.Literal.string(asker.database)


def _schemas(_: Sequence[exp.Expr], __: CatalogReader) -> exp.Expr:
    return exp.Array(expressions=[exp.Literal.string("pg_catalog"), exp.Literal.string(SCHEMA)])


def _first(arguments: Sequence[exp.Expr], _: CatalogReader) -> exp.Expr:
    return arguments[0]


def _type_name(arguments: Sequence[exp.Expr], _: CatalogReader) -> exp.Expr:
    return _names_case(arguments[0], {oid: kind.words for oid, kind in BY_OID.items()})


def _class_name(arguments: Sequence[exp.Expr], asker: CatalogReader) -> exp.Expr:
    return _names_case(arguments[0], {oid: name for name, oid in table_oids(asker.names).items()})


def _schema_name(arguments: Sequence[exp.Expr], _: CatalogReader) -> exp.Expr:
    return _names_case(arguments[0], {11: "pg_catalog", 2200: SCHEMA, 13_000: "information_schema"})


def _expanded(_: Sequence[exp.Expr], __: CatalogReader) -> exp.Expr:
    return sqlglot.parse_one("{'x': CAST(NULL AS INT), 'n': CAST(NULL AS INT)}", dialect="duckdb")


def _setting(arguments: Sequence[exp.Expr], _: CatalogReader) -> exp.Expr:
    return exp.Literal.string(SETTINGS.get(arguments[0].name.lower(), ""))


def _set(arguments: Sequence[exp.Expr], _: CatalogReader) -> exp.Expr:
    return arguments[1]


def _to_regclass(arguments: Sequence[exp.Expr], asker: CatalogReader) -> exp.Expr:
    return _number_of(arguments[0], "regclass", asker)


_FUNCTIONS: dict[str, _Make] = {
    **dict.fromkeys(("current_user", "session_user", "user", "current_role", "pg_get_userbyid"), _user),
    **dict.fromkeys(("current_database", "current_catalog"), _database),
    "current_schema": _text(SCHEMA),
    "current_schemas": _schemas,
    "version": _text(f"PostgreSQL 13.0 (Enclos {__version__})"),
    "current_version": _text(f"PostgreSQL 13.0 (Enclos {__version__})"),
    "format_type": _type_name,
    "name_of_class": _class_name,
    "name_of_schema": _schema_name,
    "_pg_expandarray": _expanded,
    "pg_encoding_to_char": _text("UTF8"),
    "current_setting": _setting,
    "set_config": _set,
    "to_regclass": _to_regclass,
    **dict.fromkeys(("quote_ident", "quote_literal", "pg_table_is_visible_name"), _first),
    **dict.fromkeys(
        (
            *("pg_table_is_visible", "pg_type_is_visible", "pg_function_is_visible", "pg_opclass_is_visible"),
            *("pg_collation_is_visible", "pg_operator_is_visible", "pg_statistics_obj_is_visible"),
        ),
        _yes,
    ),
    "pg_is_in_recovery": lambda _, __: exp.false(),
    "pg_is_other_temp_schema": lambda _, __: exp.false(),
    "pg_relation_is_publishable": lambda _, __: exp.false(),
    **dict.fromkeys(
        (
            *("pg_backend_pid", "pg_my_temp_schema", "pg_relation_size", "pg_total_relation_size", "pg_table_size"),
            *("pg_database_size", "pg_stat_get_numscans", "pg_tablespace_size", "txid_current", "pg_indexes_size"),
        ),
        _zero,
    ),
    **dict.fromkeys(
        (
            *("obj_description", "col_description", "shobj_description", "pg_get_expr", "pg_get_constraintdef"),
            *("pg_get_indexdef", "pg_get_viewdef", "pg_get_partkeydef", "pg_get_serial_sequence", "pg_get_functiondef"),
            *("pg_get_function_result", "pg_get_function_arguments", "pg_get_function_identity_arguments"),
            *("pg_get_triggerdef", "pg_get_ruledef", "pg_get_statisticsobjdef_columns", "inet_server_addr"),
            *("inet_client_addr", "pg_tablespace_location", "pg_get_partition_constraintdef"),
            *("pg_size_pretty", "pg_postmaster_start_time", "pg_options_to_table", "acldefault", "array_upper"),
        ),
        _nothing,
    ),
}
