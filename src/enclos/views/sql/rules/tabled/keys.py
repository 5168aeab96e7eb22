"""The keys of a table from a statement: labels that come from a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp

from enclos.contracts.tables import Key, KeyKind
from enclos.views.sql.rules.tabled.columns import (
    LABELS,
    NUMBERS,
    WHOLE,
    Reader,
    check_day,
    check_rows_own,
    not_tabled,
    value_name,
)

_PARTS: Mapping[type[exp.Expr], str] = {exp.Year: "year", exp.Month: "month", exp.Quarter: "quarter"}
_COMPARED = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Between, exp.In, exp.Is, exp.And, exp.Or, exp.Not)
_WIDTHS = range(2, 1001)


def key_of(value: exp.Expr, reader: Reader) -> Key:
    """What the levels of a key are; its number and axis are given later."""
    value = value.unnest()
    if isinstance(value, exp.Column):
        return _key_column(value, reader)
    if type(value) in _PARTS and isinstance(value.this, exp.Column):
        return _part(_PARTS[type(value)], value.this, reader)
    if isinstance(value, exp.TimestampTrunc) and isinstance(value.this, exp.Column):
        return _stretch(str(value.args["unit"].name).lower(), value.this, reader)
    if isinstance(value, exp.IntDiv):
        return _band(value, reader)
    if isinstance(value, exp.Case):
        return _choice(value, reader)
    if isinstance(value, _COMPARED):
        check_rows_own(value, reader)
        return Key("condition", KeyKind.FLAG)
    raise not_tabled("a group whose labels are not from a list", LABELS)


def _key_column(column: exp.Column, reader: Reader) -> Key:
    name, (_, table) = column.name.lower(), reader.home(column)
    kind = reader.type_of(column)
    if table in reader.nouns.open:
        if name.endswith("_id") and kind in WHOLE:
            return Key(name, KeyKind.CONCEPT)
        if kind == "VARCHAR" and table != "cdm_source":
            return Key(name, KeyKind.NAME)
    elif name.endswith("_concept_id") or name == "cohort_definition_id":
        return Key(name, KeyKind.CONCEPT)
    elif name == "year_of_birth":
        return Key(name, KeyKind.YEAR)
    if kind in {"DATE", "TIMESTAMP"}:
        raise not_tabled("a day as a group: who was where on a day may be one person", f"date_trunc('month', {name})")
    if kind in NUMBERS:
        raise not_tabled("values as groups", f"{name} // 10")
    raise not_tabled("a group whose labels are not from a list", LABELS)


def _part(part: str, column: exp.Column, reader: Reader) -> Key:
    check_day(column, reader)
    return Key(f"{part}_of_{column.name.lower()}", KeyKind.YEAR if part == "year" else KeyKind.PART)


def _stretch(unit: str, column: exp.Column, reader: Reader) -> Key:
    check_day(column, reader)
    if unit not in {"month", "quarter", "year"}:
        raise not_tabled("days or weeks as groups", "date_trunc('month', …)")
    return Key(f"{unit}_from_{column.name.lower()}", KeyKind.MONTH)


def _band(value: exp.IntDiv, reader: Reader) -> Key:
    width = value.expression
    if not isinstance(width, exp.Literal) or width.is_string or not width.this.isdigit():
        raise not_tabled("bands of a width that is not written", "number // 10")
    if int(width.this) not in _WIDTHS:
        raise not_tabled("bands that are too narrow or too wide", "number // 10")
    name = value_name(value.this, reader, whole=True)
    return Key(f"{name}_by_{int(width.this)}", KeyKind.BAND, width=int(width.this))


def _choice(value: exp.Case, reader: Reader) -> Key:
    """CASE with its branches numbered in their order, so that labels say nothing but which."""
    branches = [each.args["true"] for each in value.args["ifs"]]
    if value.args.get("default") is not None:
        branches.append(value.args["default"])
    numbers = [each.this if isinstance(each, exp.Literal) and not each.is_string else "" for each in branches]
    if numbers != [str(number) for number in range(1, len(numbers) + 1)]:
        raise not_tabled("labels that the statement makes", "CASE … THEN 1 … THEN 2 … ELSE 3 END: branches by number")
    check_rows_own(value, reader)
    return Key("choice", KeyKind.CHOICE)


def named_once(keys: Sequence[Key], axes: Sequence[int]) -> tuple[Key, ...]:
    """Keys of one name get a number behind it."""
    named: list[Key] = []
    for key, axis in zip(keys, axes, strict=True):
        name, number = key.name, 1
        while name in {each.name for each in named}:
            number += 1
            name = f"{key.name}_{number}"
        named.append(Key(name, key.kind, axis, key.width))
    return tuple(named)
