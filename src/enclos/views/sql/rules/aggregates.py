"""Queries under a permit for aggregates: counts of groups, each with the persons that it rests on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlglot import exp

from enclos.lexicon.refusals import Refusal
from enclos.views.sql.rules.lists import refused

_JOINS = frozenset({"", "INNER", "LEFT", "SEMI", "ANTI", "OUTER"})
_PLAIN = (exp.And, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Between, exp.In, exp.Is, exp.Not, exp.Paren)
_VALUES = (exp.Column, exp.Identifier, exp.Literal, exp.Null, exp.Boolean)
_NOT_HERE: tuple[tuple[type[exp.Expr], str], ...] = (
    (exp.Subquery, "a subquery"),
    (exp.Exists, "a subquery"),
    (exp.With, "WITH"),
    (exp.Window, "a window"),
    (exp.Values, "VALUES"),
    (exp.Having, "HAVING"),
    (exp.Qualify, "QUALIFY"),
    (exp.Limit, "LIMIT"),
    (exp.Offset, "OFFSET"),
)
_INSTEAD = "one SELECT with count(DISTINCT person_id), WHERE, GROUP BY and joins on person_id, or a study"


@dataclass(frozen=True, slots=True)
class Nouns:
    """What counts know of the tables: those with a person, those that hold nobody, and the columns that are numbers
    of persons or of their rows.
    """

    persons: frozenset[str] = frozenset()
    open: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()


def with_persons(tree: exp.Expr, nouns: Nouns) -> tuple[int, ...]:
    """Change the tree so that its last columns are the persons of each row and of each count; where the counts stand.

    A count follows from the set of its persons: persons are counted, and rows only where a row is a person. Numbers of
    persons and rows join and are counted; compared with a value they would name one person. What a person wrote cannot
    fail for one value and not for another: WHERE, groups and filters that would fail are empty instead (TRY).
    Refuses: SQL_NOT_ALLOWED for everything but counts of groups over tables joined by person.
    """
    select = _one_select(tree)
    check_numbers(select, nouns.numbers)
    person = person_of(select, nouns.persons, nouns.open)
    rows_are_persons = are_rows_persons(select)
    lists, counts = [_persons(person, None)], []
    for place, item in enumerate(list(select.expressions)):
        value = item.this if isinstance(item, exp.Alias) else item
        if value.find(exp.Star) is not None and not isinstance(value, exp.Count | exp.Filter):
            raise _refused("*")
        if next(aggregates_in(value), None) is not None:
            lists.append(_persons(person, _condition(value, rows_are_persons=rows_are_persons)))
            counts.append(place)
        elif not is_plain(value):
            name = item.alias or value.sql(dialect="duckdb")
            item.replace(exp.alias_(tried(value), name, quoted=True))
    if not counts:
        raise _refused("no count")
    _guard_clauses(select)
    keys = [str(place + 1) for place in range(len(select.expressions)) if place not in counts]
    _number_all(select, keys)
    for number, persons in enumerate(lists):
        select.append("expressions", exp.alias_(persons, f"persons of {number}", quoted=True))
    return tuple(counts)


def _one_select(tree: exp.Expr) -> exp.Select:
    if not isinstance(tree, exp.Select):
        raise _refused("something else than one SELECT")
    for kind, name in _NOT_HERE:
        if tree.find(kind) is not None:
            raise _refused(name)
    if tree.args.get("distinct"):
        raise _refused("SELECT DISTINCT")
    return tree


def person_of(select: exp.Select, person_tables: frozenset[str], open_tables: frozenset[str]) -> exp.Column:
    """The person of a row: that of the first table; every other table of persons is joined to it by person."""
    source = select.args.get("from_")
    first = source.this if source is not None else None
    if not isinstance(first, exp.Table) or first.name.lower() not in person_tables:
        raise _refused("no table of persons after FROM")
    known = {_called(first)}
    for join in select.args.get("joins") or []:
        words = {str(join.args.get(part) or "").upper() for part in ("method", "side", "kind")}
        table = join.this
        if not isinstance(table, exp.Table) or not words <= _JOINS:
            raise _refused("a join that is not INNER, LEFT, SEMI or ANTI")
        condition = join.args.get("on")
        using = [column.name.lower() for column in join.args.get("using") or []]
        if (condition is None and not using) or (condition is not None and not is_plain(condition)):
            raise _refused("a join that compares something else than columns")
        if table.name.lower() in open_tables:
            continue
        if "person_id" not in using and not _same_person(condition, known, _called(table)):
            raise _refused("a join of tables of persons that is not on person_id")
        known.add(_called(table))
    return exp.column("person_id", table=_called(first))


def _same_person(condition: exp.Expr | None, known: set[str], table: str) -> bool:
    if condition is None:
        return False
    for part in condition.flatten() if isinstance(condition, exp.And) else [condition]:
        sides = (part.this, part.args.get("expression")) if isinstance(part, exp.EQ) else ()
        tables = [
            side.table.lower() for side in sides if isinstance(side, exp.Column) and side.name.lower() == "person_id"
        ]
        if len(tables) == 2 and table in tables and (set(tables) - {table}) & known:
            return True
    return False


def is_plain(condition: exp.Expr) -> bool:
    """Whether a condition only compares columns and values, so that it cannot fail."""
    return all(isinstance(node, (*_PLAIN, *_VALUES)) for node in condition.walk())


def _called(table: exp.Table) -> str:
    return str(table.alias or table.name).lower()


def aggregates_in(value: exp.Expr) -> Iterator[exp.Expr]:
    """The aggregates inside an expression."""
    return (node for node in value.walk() if isinstance(node, exp.AggFunc | exp.Filter | exp.AnonymousAggFunc))


def check_numbers(select: exp.Select, numbers: frozenset[str]) -> None:
    """Refuse a number of a person or of a row outside counts of persons and joins of columns."""
    if any(alias.alias.lower() in numbers for alias in select.find_all(exp.Alias)):
        raise _refused("a column renamed to a number of a person or of a row")
    for column in select.find_all(exp.Column):
        if column.name.lower() in numbers and not (_is_joined(column) or _is_counted(column)):
            raise _refused("a number of a person or of a row outside count(DISTINCT …) and joins")


def _is_joined(column: exp.Column) -> bool:
    pair = column.parent
    if not isinstance(pair, exp.EQ) or not all(isinstance(side, exp.Column) for side in (pair.left, pair.right)):
        return False
    return pair.find_ancestor(exp.Join, exp.Where, exp.Filter, exp.Group).__class__ is exp.Join


def _is_counted(column: exp.Column) -> bool:
    holder = column.parent.parent if isinstance(column.parent, exp.Distinct) else column.parent
    return isinstance(holder, exp.Count)


def are_rows_persons(select: exp.Select) -> bool:
    """Whether every row is a person of its own: then the number of rows follows from the set of persons."""
    kinds = {str(join.args.get("kind") or "").upper() for join in select.args.get("joins") or []}
    source = select.args["from_"].this
    return bool(source.name.lower() == "person" and kinds <= {"SEMI", "ANTI"})


def _condition(value: exp.Expr, *, rows_are_persons: bool) -> exp.Expr | None:
    """Which rows a count counts; None for all."""
    kept: list[exp.Expr] = []
    if isinstance(value, exp.Filter):
        where = value.expression
        guard(where.this)
        kept.append(where.this.copy())
        value = value.this
    if type(value) is not exp.Count or value.expressions:
        raise _refused("an aggregate that is not a count")
    counted = value.this
    is_of_persons = isinstance(counted, exp.Distinct) and [part.name.lower() for part in counted.expressions] == [
        "person_id"
    ]
    if not (rows_are_persons or is_of_persons):
        raise _refused("a count of rows or values, which one person can have many of")
    if isinstance(counted, exp.Distinct):
        if len(counted.expressions) != 1:
            raise _refused("a count of several columns")
        counted = counted.expressions[0]
    if not isinstance(counted, exp.Star):
        if not isinstance(counted, exp.Column):
            raise _refused("a count of something else than a column")
        kept.append(exp.Not(this=exp.Is(this=counted.copy(), expression=exp.Null())))
    return exp.and_(*kept) if kept else None


def _persons(person: exp.Column, condition: exp.Expr | None) -> exp.Expr:
    listed = exp.ArrayAgg(this=exp.Distinct(expressions=[person.copy()]))
    return listed if condition is None else exp.Filter(this=listed, expression=exp.Where(this=condition))


def _guard_clauses(select: exp.Select) -> None:
    where, group, order = (select.args.get(part) for part in ("where", "group", "order"))
    for clause, name in ((where, "WHERE"), (group, "GROUP BY")):
        if clause is not None and next(aggregates_in(clause), None) is not None:
            raise _refused(f"an aggregate in {name}")
    if where is not None:
        guard(where.this)
    if group is not None:
        for key in list(group.expressions):
            if not isinstance(key, exp.Cube | exp.Rollup | exp.GroupingSets):
                guard(key)
        sets = [node for kind in (exp.Cube, exp.Rollup, exp.GroupingSets) for node in group.find_all(kind)]
        if not all(isinstance(node, _GROUPED) for part in sets for node in part.walk()):
            raise _refused("a computed group in CUBE, ROLLUP or GROUPING SETS")
    if order is not None and not all(isinstance(node, _ORDERED) for node in order.walk()):
        raise _refused("a computed ORDER BY")


def _number_all(select: exp.Select, keys: Sequence[str]) -> None:
    """GROUP BY ALL by the places of the keys: the engine does not see through TRY there."""
    group = select.args.get("group")
    if group is not None and group.args.get("all"):
        select.set("group", exp.Group(expressions=[exp.Literal.number(key) for key in keys]) if keys else None)


_GROUPED = (exp.Cube, exp.Rollup, exp.GroupingSets, exp.Tuple, exp.Column, exp.Identifier, exp.Literal, exp.Paren)
_ORDERED = (exp.Order, exp.Ordered, exp.Column, exp.Identifier, exp.Literal, exp.Var)


def guard(value: exp.Expr) -> None:
    """Put TRY around what could fail."""
    if not is_plain(value):
        value.replace(tried(value))


def tried(value: exp.Expr) -> exp.Expr:
    """The expression, empty where it would fail."""
    return exp.Anonymous(this="TRY", expressions=[value.copy()])


def _refused(what: str) -> Refusal:
    return refused(f"{what}: groups are told here, not rows", _INSTEAD)
