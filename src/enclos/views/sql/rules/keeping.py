"""Which rows of a table a query can use at all: simple comparisons of its WHERE, written anew."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date

from sqlglot import exp

_COMPARISONS: Mapping[type[exp.Expr], str] = {exp.EQ: "=", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">="}
_WHOLE = re.compile(r"[0-9]{1,18}")
_MAX_VALUES = 1000


def kept_rows(table: exp.Table, types: Mapping[str, str]) -> str:
    """SQL over the table's columns that drops only rows which the query's own WHERE would drop; empty for all rows.

    Only comparisons of a column with written values that cannot fail: whole numbers, days, codes for equality. The
    query keeps its WHERE, so a comparison that is not understood costs time and nothing else.
    """
    source = table.parent
    select = source.parent if isinstance(source, exp.From | exp.Join) else None
    if not isinstance(select, exp.Select) or select.args.get("where") is None:
        return ""
    joins = select.args.get("joins") or []
    if any(str(join.args.get("method") or "") for join in joins):
        return ""  # which row an ASOF join takes depends on rows that WHERE drops later
    name = (table.alias or table.name).lower()
    parts = [
        text
        for condition in _conjuncts(select.args["where"].this)
        if (text := _comparison(condition, name, types, is_alone=not joins)) is not None
    ]
    return " AND ".join(sorted(parts))


def _conjuncts(condition: exp.Expr) -> Iterator[exp.Expr]:
    if isinstance(condition, exp.Paren):
        yield from _conjuncts(condition.this)
    elif isinstance(condition, exp.And):
        yield from _conjuncts(condition.left)
        yield from _conjuncts(condition.right)
    else:
        yield condition


def _comparison(condition: exp.Expr, name: str, types: Mapping[str, str], *, is_alone: bool) -> str | None:
    column = condition.this
    if not isinstance(column, exp.Column) or not (column.table.lower() == name or (is_alone and not column.table)):
        return None
    sql_type = types.get(column.name.lower(), "")
    quoted = f'"{column.name.lower()}"'
    sign = _COMPARISONS.get(type(condition))
    if sign is not None:
        value = _value(condition.expression, sql_type)
        is_ordered = not isinstance(condition, exp.EQ)
        if value is None or (is_ordered and sql_type == "VARCHAR"):
            return None
        return f"{quoted} {sign} {value}"
    if isinstance(condition, exp.Between) and sql_type != "VARCHAR":
        low, high = _value(condition.args["low"], sql_type), _value(condition.args["high"], sql_type)
        return f"{quoted} BETWEEN {low} AND {high}" if low and high and not condition.args.get("symmetric") else None
    if isinstance(condition, exp.In) and 0 < len(condition.expressions) <= _MAX_VALUES:
        values = [_value(value, sql_type) for value in condition.expressions]
        return f"{quoted} IN ({', '.join(v for v in values if v)})" if all(values) else None
    return None


def _value(node: exp.Expr, sql_type: str) -> str | None:
    """A written value of exactly the column's type, as SQL of ours."""
    if sql_type == "DATE":
        if isinstance(node, exp.Cast) and node.to.this is exp.DataType.Type.DATE:
            node = node.this
        return _day(node)
    if not isinstance(node, exp.Literal):
        return None
    if sql_type in {"BIGINT", "INTEGER"} and not node.is_string and _WHOLE.fullmatch(node.this):
        return str(int(node.this))
    if sql_type == "VARCHAR" and node.is_string:
        return "'" + str(node.this).replace("'", "''") + "'"
    return None


def _day(node: exp.Expr) -> str | None:
    if not (isinstance(node, exp.Literal) and node.is_string and re.fullmatch(r"\d{4}-\d{2}-\d{2}", node.this)):
        return None
    try:
        return f"DATE '{date.fromisoformat(node.this).isoformat()}'"
    except ValueError:
        return None
