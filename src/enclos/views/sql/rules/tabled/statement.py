"""What runs instead of the statement, and how the statement leaves with its table."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlglot import exp

from enclos.contracts.tables import PERSON, STAY, WEIGHT, Measure, condition_column, key_column, value_column
from enclos.views.sql.rules.aggregates import is_plain, tried
from enclos.views.sql.rules.tabled.columns import Reader, joins_of, not_tabled

_CODE = re.compile(r"[A-Za-z0-9%][A-Za-z0-9./%_-]{0,19}")
_SHORT, _LONG = re.compile(r"[0-9]{1,5}|[0-9]{1,3}\.[0-9]{1,2}"), re.compile(r"[1-9][0-9]{5,9}")


def codes_in(select: exp.Select) -> frozenset[int]:
    """The long whole numbers of a statement; texts are codes and days, and other numbers short."""
    found = set()
    for literal in select.find_all(exp.Literal):
        if literal.is_string:
            if not _CODE.fullmatch(literal.this):
                raise not_tabled(
                    "a text that is no code", "codes and days; the number of a concept instead of its name"
                )
        elif not _SHORT.fullmatch(literal.this):
            if not _LONG.fullmatch(literal.this):
                raise not_tabled("a number with many digits", "at most five digits, or the number of a concept")
            found.add(int(literal.this))
    return frozenset(found)


def statement_of(
    select: exp.Select,
    items: Sequence[tuple[exp.Expr, exp.Expr]],
    by: Sequence[exp.Expr],
    margins: Sequence[Sequence[int]],
) -> str:
    """The statement as written from its tree, without the names and the order that a person gave to anything."""
    said = select.copy()
    said.set("expressions", [value.copy() for _, value in items])
    if said.args.get("group") is not None:
        sets = [exp.Tuple(expressions=[by[number].copy() for number in margin]) for margin in margins]
        parts = exp.Group(expressions=[exp.GroupingSets(expressions=sets)])
        said.set("group", exp.Group(all=True) if len(margins) == 1 else parts)
    said.set("order", None)
    tables = [said.args["from_"].this, *(join.this for join in joins_of(said))]
    called = {str(table.alias or table.name).lower(): f"t{at}" for at, table in enumerate(tables, start=1)}
    for table, name in zip(tables, called.values(), strict=True):
        table.set("alias", exp.TableAlias(this=exp.to_identifier(name)))
    for column in said.find_all(exp.Column):
        if column.table:
            column.set("table", exp.to_identifier(called[column.table.lower()]))
    return said.sql(dialect="duckdb", comments=False, pretty=True)


def count_rows(
    select: exp.Select, person: exp.Column, keys: Sequence[exp.Expr], reader: Reader, measures: Sequence[Measure]
) -> None:
    """The rows instead of the aggregates: equal ones once, with their number."""
    columns: list[tuple[str, exp.Expr]] = [(PERSON, person)]
    if any(each.estimate == "stay_count" for each in measures):
        columns.append((STAY, _stay(reader)))
    columns += [(key_column(at), _lower(value.unnest())) for at, value in enumerate(keys)]
    columns += [(value_column(at), value) for at, value in enumerate(reader.values)]
    columns += [(condition_column(at), value) for at, value in enumerate(reader.conditions, start=1)]
    written = [
        exp.alias_(value.copy() if is_plain(value) else tried(value), name, quoted=True) for name, value in columns
    ]
    select.set("expressions", [*written, exp.alias_(exp.Count(this=exp.Star()), WEIGHT, quoted=True)])
    select.set("group", exp.Group(expressions=[exp.Literal.number(at) for at in range(1, len(written) + 1)]))
    select.set("order", None)


def _lower(value: exp.Expr) -> exp.Expr:
    """A key as the engine computes it: the engine's // of a number below zero goes up, a band begins below it."""
    if not isinstance(value, exp.IntDiv):
        return value
    return exp.Floor(this=exp.Div(this=exp.Paren(this=value.this.copy()), expression=value.expression.copy()))


def _stay(reader: Reader) -> exp.Expr:
    """The stay of a row, from the aggregate that counts it."""
    for count in reader.select.find_all(exp.Count):
        distinct = count.this
        if isinstance(distinct, exp.Distinct) and distinct.expressions[0].name.lower() == "visit_occurrence_id":
            column: exp.Expr = distinct.expressions[0]
            return column
    raise not_tabled("stays that no table has", "a table with visit_occurrence_id")
