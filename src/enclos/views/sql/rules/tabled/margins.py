"""The groups of a table: all keys, or those of CUBE, ROLLUP and GROUPING SETS."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from sqlglot import exp

from enclos.views.sql.rules.tabled.columns import not_tabled


def margins_of(select: exp.Select, by: Sequence[tuple[exp.Expr, exp.Expr]]) -> tuple[tuple[int, ...], ...]:
    """The keys of each part of the table: all of them, or those of CUBE, ROLLUP and GROUPING SETS."""
    group, everything = select.args.get("group"), tuple(range(len(by)))
    if group is None or group.args.get("all"):
        if by and group is None:
            raise not_tabled("columns beside aggregates without GROUP BY", "GROUP BY ALL")
        return (everything,)
    sets: list[tuple[int, ...]] = [()]
    for each in group.expressions:
        sets = [(*before, *more) for before in sets for more in _grouped(each, by)]
    found = tuple(dict.fromkeys(tuple(sorted(set(each))) for each in sets))
    if {number for margin in found for number in margin} != set(everything):
        raise not_tabled("columns that no group has", "GROUP BY ALL")
    return found


def _grouped(group: exp.Expr, by: Sequence[tuple[exp.Expr, exp.Expr]]) -> list[tuple[int, ...]]:
    parts = [_place(each, by) for each in group.expressions] if isinstance(group, exp.Cube | exp.Rollup) else []
    if isinstance(group, exp.Cube):
        return [each for size in range(len(parts), -1, -1) for each in combinations(parts, size)]
    if isinstance(group, exp.Rollup):
        return [tuple(parts[:size]) for size in range(len(parts), -1, -1)]
    if isinstance(group, exp.GroupingSets):
        return [tuple(_place(each, by) for each in _members(one)) for one in group.expressions]
    return [(_place(group, by),)]


def _members(group: exp.Expr) -> list[exp.Expr]:
    return list(group.expressions) if isinstance(group, exp.Tuple) else [group.unnest()]


def _place(group: exp.Expr, by: Sequence[tuple[exp.Expr, exp.Expr]]) -> int:
    """Which key a part of GROUP BY means: by its place, its name or as it is written."""
    for place, (item, value) in enumerate(by):
        names = isinstance(group, exp.Column) and not group.table and item.alias.lower() == group.name.lower()
        position = isinstance(group, exp.Literal) and group.this == str(_position(item))
        if names or position or group.unnest() == value.unnest():
            return place
    raise not_tabled("a group that is not shown", "the same expression in SELECT and GROUP BY, or GROUP BY ALL")


def _position(item: exp.Expr) -> int:
    parent = item.parent
    return next(at for at, each in enumerate(parent.expressions, start=1) if each is item) if parent else 0
