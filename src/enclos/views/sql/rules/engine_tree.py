"""The engine's own reading of the text that will run, held against the same lists under the engine's names.

Two parsers that understand a statement differently cannot open a gap between what was checked and what runs: what
runs is checked by the parser that runs it. A part that is not known here is refused.
Source: DuckDB 1.5.5, json_serialize_sql.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any

from enclos.views.sql.model import CheckedQuery
from enclos.views.sql.rules.lists import TYPES, allowed_functions, counting_functions, refused, refused_function

_EXPRESSIONS = frozenset(
    {
        *("CONSTANT", "COLUMN_REF", "FUNCTION", "WINDOW", "CAST", "OPERATOR", "COMPARISON", "CONJUNCTION", "CASE"),
        *("BETWEEN", "SUBQUERY", "STAR"),
    }
)
_OPERATORS = frozenset(
    {
        *("OPERATOR_NOT", "OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL", "COMPARE_IN", "COMPARE_NOT_IN"),
        *("OPERATOR_COALESCE", "OPERATOR_NULLIF", "OPERATOR_TRY", "ARRAY_EXTRACT", "ARRAY_SLICE", "GROUPING_FUNCTION"),
    }
)
_SOURCES = frozenset({"BASE_TABLE", "SUBQUERY", "JOIN", "EMPTY", "EXPRESSION_LIST"})
_QUERIES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE"})
_JOINS = frozenset({"REGULAR", "CROSS", "ASOF", "DEPENDENT"})


def check_engine_tree(serialized: str, query: CheckedQuery) -> None:
    """Return when the engine reads exactly what was checked.

    In: serialized — what json_serialize_sql says of ``query.sql``.
    Refuses: SQL_NOT_ALLOWED.
    """
    document = json.loads(serialized)
    statements = document.get("statements", [])
    if document.get("error") or len(statements) != 1 or statements[0].get("named_param_map"):
        raise refused("something that the engine does not read as one SELECT")
    names = {scan.name for scan in query.scans} | query.names
    functions = counting_functions() if query.is_guarded else allowed_functions()
    for part in _parts(statements[0]["node"]):
        _check(part, names, query.columns, functions)


def _parts(root: Any) -> Iterator[dict[str, Any]]:
    waiting = [root]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            if value.get("class") != "CONSTANT":
                waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _check(part: dict[str, Any], names: Collection[str], columns: Collection[str], functions: Collection[str]) -> None:
    if "class" in part:
        _check_expression(part, columns, functions)
    elif "cte_map" in part:
        if part.get("type") not in _QUERIES or part.get("sample"):
            raise refused("a kind of query that is not allowed")
    elif "sample" in part:
        _check_source(part, names)
    elif "id" in part and "type_info" in part and part["id"] not in TYPES:
        raise refused("a type that is not allowed", "a number, a text, a date, or a list of them")


def _check_expression(part: dict[str, Any], columns: Collection[str], functions: Collection[str]) -> None:
    kind = part["class"]
    if kind not in _EXPRESSIONS:
        raise refused("a part of SQL that is not allowed")
    if kind == "COLUMN_REF" and str(part["column_names"][-1]).lower() not in columns:
        # session_user, localtimestamp and the like are columns to the parser, and functions where there is no column
        raise refused_function(str(part["column_names"][-1]).lower())
    if kind in {"FUNCTION", "WINDOW"}:
        name = str(part.get("function_name", "")).lower()
        is_builtin = part.get("schema") in {"", "main"} and not part.get("catalog") and not part.get("export_state")
        if not is_builtin or name not in functions:
            raise refused_function(name)
        if name == "age" and len(part.get("children", [])) == 1:
            raise refused("age of one day, which asks for the time", "age of two days, or date_diff")
    if kind == "OPERATOR" and part["type"] not in _OPERATORS:
        raise refused("an operator that is not allowed")
    if kind == "STAR" and part.get("expr"):  # without one it is * or the ALL of ORDER BY ALL
        raise refused("COLUMNS(…)", "the names of the columns")


def _check_source(part: dict[str, Any], names: Collection[str]) -> None:
    if part.get("sample") or part.get("type") not in _SOURCES:
        raise refused("something after FROM that is not a table of the permit")
    if part["type"] == "JOIN" and part.get("ref_type") not in _JOINS:
        raise refused("a join of a kind that is not allowed", "JOIN … ON or JOIN … USING")
    if part["type"] == "BASE_TABLE" and (
        part.get("schema_name")
        or part.get("catalog_name")
        or part.get("at_clause")
        or str(part.get("table_name", "")).lower() not in names
    ):
        raise refused("something after FROM that is not a table of the permit")
