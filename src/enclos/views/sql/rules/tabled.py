"""A statement whose answer may be asked to leave: which rows it counts, by what, and what of each group.

The aggregates of a statement are not computed by the engine. It is rewritten from its checked tree into the rows that
they would run over, each with its person; the platform counts those (studies/tables), so that who is behind a number
follows from the statement's own plan and from nothing that anybody says.

A row is about one person: tables of persons are joined on the person, nothing looks at other rows. Then a key tells of
those who have it and of nobody else. What a key or a column is called, and what a label says, is ours: a name or a
text that a person writes could carry what they have seen. So could a number that they compute: what is summed is a
column, an age or a number of days as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from sqlglot import exp

from enclos.contracts.tables import (
    MOST_KEYS,
    MOST_MEASURES,
    PERSON,
    QUANTILES,
    STAY,
    WEIGHT,
    Key,
    KeyKind,
    Measure,
    TableForm,
    condition_column,
    key_column,
    value_column,
)
from enclos.lexicon.refusals import Refusal
from enclos.views.sql.rules.aggregates import (
    Nouns,
    aggregates_in,
    are_rows_persons,
    check_numbers,
    guard,
    is_plain,
    person_of,
    tried,
)
from enclos.views.sql.rules.lists import refused

_NOT_HERE: tuple[tuple[type[exp.Expr], str, str], ...] = (
    (exp.Subquery, "a subquery", "joins of the permit's tables on person_id"),
    (exp.Exists, "a subquery", "SEMI JOIN … USING (person_id)"),
    (exp.With, "WITH", "joins of the permit's tables on person_id, or a saved cohort"),
    (exp.Window, "a window, which looks at the rows of others", "GROUP BY"),
    (exp.Values, "VALUES", "the columns of the permit's tables"),
    (exp.Having, "HAVING", "the statement without it: small groups are left out"),
    (exp.Qualify, "QUALIFY", "the statement without it"),
    (exp.Limit, "LIMIT", "WHERE"),
    (exp.Offset, "OFFSET", "WHERE"),
)
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL")
_WHOLE = _NUMBERS[:5]
_OF_VALUES: Mapping[type[exp.Expr], str] = {
    exp.Sum: "sum",
    exp.Avg: "mean",
    exp.Stddev: "sd",
    exp.StddevSamp: "sd",
    exp.Median: "median",
}
_PARTS: Mapping[type[exp.Expr], str] = {exp.Year: "year", exp.Month: "month", exp.Quarter: "quarter"}
_COMPARED = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Between, exp.In, exp.Is, exp.And, exp.Or, exp.Not)
_WIDTHS = range(2, 1001)
_DAY = "day"
_CODE = re.compile(r"[A-Za-z0-9%][A-Za-z0-9./%_-]{0,19}")
_SHORT, _LONG = re.compile(r"[0-9]{1,5}|[0-9]{1,3}\.[0-9]{1,2}"), re.compile(r"[1-9][0-9]{5,9}")
_ROWS = "the rows that it counts"


@dataclass(frozen=True, slots=True)
class Tabled:
    """The statement as it leaves with its table, and what its rows are."""

    statement: str
    form: TableForm
    codes: frozenset[int]
    """Long numbers of the statement, which must be concepts."""


@dataclass(slots=True)
class _Reader:
    """The columns of the tables of a statement, and what is gathered on the way."""

    tables: dict[str, str]
    """The table of each name that a column may have before its dot."""
    types: Mapping[str, Mapping[str, str]]
    nouns: Nouns
    select: exp.Select
    values: list[exp.Expr] = field(default_factory=list)
    conditions: list[exp.Expr] = field(default_factory=list)

    def home(self, column: exp.Column) -> tuple[str, str]:
        """The name and the table that a column is of.

        Refuses: SQL_NOT_ALLOWED where two tables have it and none is named.
        """
        name = column.name.lower()
        if column.table:
            called = column.table.lower()
            if name in self.types.get(self.tables.get(called, ""), {}):
                return called, self.tables[called]
            raise _refused("a column that its table does not have", "the columns that docs/sql.md lists")
        homes = [called for called, table in self.tables.items() if name in self.types[table]]
        shared = {name.lower() for join in self.select.args.get("joins") or [] for name in _using(join)}
        if not homes or (len(homes) > 1 and name not in shared):
            raise _refused("a column that several of its tables have", "table.column")
        return homes[0], self.tables[homes[0]]

    def type_of(self, column: exp.Column) -> str:
        """The engine's type of a column."""
        return self.types[self.home(column)[1]][column.name.lower()].partition("(")[0]


def as_table(tree: exp.Expr, nouns: Nouns, types: Mapping[str, Mapping[str, str]]) -> Tabled:
    """Change the tree into the rows that its aggregates count; what they are.

    In:      types — the engine's types of the columns of each table
    Refuses: SQL_NOT_ALLOWED for what cannot be told with the persons behind it, with what to write instead.
    """
    select = _one_select(tree)
    check_numbers(select, nouns.numbers)
    person = person_of(select, nouns.persons, nouns.open)
    reader = _Reader(_tables(select), types, nouns, select)
    items = [(item, item.this if isinstance(item, exp.Alias) else item) for item in select.expressions]
    told = [(item, value) for item, value in items if next(aggregates_in(value), None) is not None]
    by = [(item, value) for item, value in items if (item, value) not in told]
    if not told:
        raise _refused("no aggregate: rows do not leave", "count(DISTINCT person_id) with GROUP BY")
    if len(told) > MOST_MEASURES or len(by) > MOST_KEYS:
        raise _refused("too many columns for one table", f"at most {MOST_KEYS} keys and {MOST_MEASURES} aggregates")
    keys = _named_once([_key(value, reader) for _, value in by], _axes([value for _, value in by], reader))
    measures = tuple(dict.fromkeys(_measure(value, reader) for _, value in told))
    margins = _margins(select, by)
    where = select.args.get("where")
    if where is not None:
        if next(aggregates_in(where), None) is not None:
            raise _refused("an aggregate in WHERE", "the statement without it")
        guard(where.this)
    codes = _codes(select)
    statement = _statement(select, items, [value for _, value in by], margins)
    _rewrite(select, person, [value for _, value in by], reader, measures)
    return Tabled(statement, TableForm(keys, measures, margins), codes)


def _one_select(tree: exp.Expr) -> exp.Select:
    if not isinstance(tree, exp.Select):
        raise _refused("something else than one SELECT", "one SELECT with GROUP BY")
    for kind, name, instead in _NOT_HERE:
        if tree.find(kind) is not None:
            raise _refused(name, instead)
    if tree.args.get("distinct"):
        raise _refused("SELECT DISTINCT", "GROUP BY with count(DISTINCT person_id)")
    if any(isinstance(item, exp.Star) for item in tree.expressions):
        raise _refused("*: rows do not leave", "the names of the keys, and count(DISTINCT person_id)")
    return tree


def _tables(select: exp.Select) -> dict[str, str]:
    tables = [select.args["from_"].this, *(join.this for join in select.args.get("joins") or [])]
    called = [str(table.alias or table.name).lower() for table in tables]
    if len(set(called)) != len(called):
        raise _refused("two tables of one name", "a name for each: person AS p")
    return {name: table.name.lower() for name, table in zip(called, tables, strict=True)}


def _using(join: exp.Join) -> list[str]:
    return [column.name for column in join.args.get("using") or []]


# -- keys


def _key(value: exp.Expr, reader: _Reader) -> Key:
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
        _check_rows_own(value, reader)
        return Key("condition", KeyKind.FLAG)
    raise _refused("a group whose labels are not from a list", _LABELS)


_LABELS = (
    "a *_concept_id, concept_name or another column of a vocabulary table, year_of_birth, year(day), "
    "date_trunc('month', day), number // 10, a comparison, or CASE … THEN 1 … ELSE 2 END"
)


def _key_column(column: exp.Column, reader: _Reader) -> Key:
    name, (_, table) = column.name.lower(), reader.home(column)
    kind = reader.type_of(column)
    if table in reader.nouns.open:
        if name.endswith("_id") and kind in _WHOLE:
            return Key(name, KeyKind.CONCEPT)
        if kind == "VARCHAR" and table != "cdm_source":
            return Key(name, KeyKind.NAME)
    elif name.endswith("_concept_id") or name == "cohort_definition_id":
        return Key(name, KeyKind.CONCEPT)
    elif name == "year_of_birth":
        return Key(name, KeyKind.YEAR)
    if kind in {"DATE", "TIMESTAMP"}:
        raise _refused("a day as a group: who was where on a day may be one person", f"date_trunc('month', {name})")
    if kind in _NUMBERS:
        raise _refused("values as groups", f"{name} // 10")
    raise _refused("a group whose labels are not from a list", _LABELS)


def _check_day(column: exp.Column, reader: _Reader) -> None:
    if reader.type_of(column) != "DATE" or reader.home(column)[1] in reader.nouns.open:
        raise _refused("a part of something that is no day of a record", "year(condition_start_date) and the like")


def _part(part: str, column: exp.Column, reader: _Reader) -> Key:
    _check_day(column, reader)
    return Key(f"{part}_of_{column.name.lower()}", KeyKind.YEAR if part == "year" else KeyKind.PART)


def _stretch(unit: str, column: exp.Column, reader: _Reader) -> Key:
    _check_day(column, reader)
    if unit not in {"month", "quarter", "year"}:
        raise _refused("days or weeks as groups", "date_trunc('month', …)")
    return Key(f"{unit}_from_{column.name.lower()}", KeyKind.MONTH)


def _band(value: exp.IntDiv, reader: _Reader) -> Key:
    width = value.expression
    if not isinstance(width, exp.Literal) or width.is_string or not width.this.isdigit():
        raise _refused("bands of a width that is not written", "number // 10")
    if int(width.this) not in _WIDTHS:
        raise _refused("bands that are too narrow or too wide", "number // 10")
    name = _value_name(value.this, reader, whole=True)
    return Key(f"{name}_by_{int(width.this)}", KeyKind.BAND, width=int(width.this))


def _choice(value: exp.Case, reader: _Reader) -> Key:
    """CASE with its branches numbered in their order, so that labels say nothing but which."""
    branches = [each.args["true"] for each in value.args["ifs"]]
    if value.args.get("default") is not None:
        branches.append(value.args["default"])
    numbers = [each.this if isinstance(each, exp.Literal) and not each.is_string else "" for each in branches]
    if numbers != [str(number) for number in range(1, len(numbers) + 1)]:
        raise _refused("labels that the statement makes", "CASE … THEN 1 … THEN 2 … ELSE 3 END: branches by number")
    _check_rows_own(value, reader)
    return Key("choice", KeyKind.CHOICE)


def _check_rows_own(value: exp.Expr, reader: _Reader) -> None:
    """Refuse what has no column: it would say the same of everybody, whatever that is."""
    if next(aggregates_in(value), None) is not None or value.find(exp.Column) is None:
        raise _refused("a group that is not of the row's own columns", _LABELS)
    for column in value.find_all(exp.Column):
        reader.home(column)


def _named_once(keys: Sequence[Key], axes: Sequence[int]) -> tuple[Key, ...]:
    """Keys of one name get a number behind it."""
    named: list[Key] = []
    for key, axis in zip(keys, axes, strict=True):
        name, number = key.name, 1
        while name in {each.name for each in named}:
            number += 1
            name = f"{key.name}_{number}"
        named.append(Key(name, key.kind, axis, key.width))
    return tuple(named)


@dataclass(slots=True)
class _Axes:
    """Columns that say the same in other words."""

    reader: _Reader
    same: dict[str, str] = field(default_factory=dict)

    def node(self, column: exp.Column) -> str:
        """What a column is: itself, or all of its vocabulary table."""
        called, table = self.reader.home(column)
        return called if table in self.reader.nouns.open else f"{called}.{column.name.lower()}"

    def root(self, node: str) -> str:
        """What stands for all that say the same."""
        while node in self.same:
            node = self.same[node]
        return node

    def join(self, one: str, other: str) -> None:
        """From now on two say the same."""
        if self.root(one) != self.root(other):
            self.same[self.root(one)] = self.root(other)

    def look_up(self, join: exp.Join) -> None:
        """A vocabulary table says the same as the code that leads to it."""
        reader, called = self.reader, str(join.this.alias or join.this.name).lower()
        condition = join.args.get("on")
        for pair in condition.find_all(exp.EQ) if condition is not None else ():
            if isinstance(pair.left, exp.Column) and isinstance(pair.right, exp.Column):
                self.join(self.node(pair.left), self.node(pair.right))
        for name in _using(join):
            for other, table in reader.tables.items():
                if other != called and name.lower() in reader.types[table]:
                    self.join(called, other if table in reader.nouns.open else f"{other}.{name.lower()}")


def _axes(values: Sequence[exp.Expr], reader: _Reader) -> list[int]:
    """Keys that come from the same column are of one axis; so are a code and what vocabulary tables say of it."""
    axes = _Axes(reader)
    for each in _joins(reader.select):
        if each.this.name.lower() in reader.nouns.open:
            axes.look_up(each)
    nodes = [
        [axes.node(column) for column in value.find_all(exp.Column)] or [f"#{at}"] for at, value in enumerate(values)
    ]
    for first, *others in nodes:
        for other in others:
            axes.join(first, other)
    numbers: dict[str, int] = {}
    return [numbers.setdefault(axes.root(first), len(numbers)) for first, *_ in nodes]


# -- measures


def _measure(value: exp.Expr, reader: _Reader) -> Measure:
    condition = 0
    if isinstance(value, exp.Filter):
        where = value.expression.this
        _check_rows_own(where, reader)
        condition = _numbered(where, reader.conditions) + 1
        value = value.this
    if isinstance(value, exp.Count):
        return _count(value, reader, condition)
    estimate = _OF_VALUES.get(type(value), "")
    if isinstance(value, exp.PercentileCont | exp.Quantile):
        share = value.args.get("expression") or value.args.get("quantile")
        shares = {str(number): name for name, number in QUANTILES.items()}
        said = str(float(share.this)) if isinstance(share, exp.Literal) and not share.is_string else ""
        estimate = shares.get(said, "")
        if not estimate:
            raise _refused("a quantile that is not on the list", f"one of {', '.join(shares)}")
    if not estimate:
        raise _refused(_why_not(value), "count, sum, avg, stddev, median or quantile_cont, each alone in its column")
    if isinstance(value.this, exp.Distinct):
        raise _refused("an aggregate of distinct values", f"the aggregate of {_ROWS}")
    name = _value_name(value.this, reader)
    return Measure(estimate, name, _numbered(value.this, reader.values), condition)


def _why_not(value: exp.Expr) -> str:
    if isinstance(value, exp.Max | exp.Min | exp.AnyValue | exp.First | exp.Last | exp.ArgMax | exp.ArgMin | exp.Mode):
        return "an extreme or a chosen value, which is one person's"
    if isinstance(value, exp.ArrayAgg | exp.GroupConcat):
        return "a list of values"
    if not isinstance(value, exp.AggFunc | exp.AnonymousAggFunc):
        return "something computed from aggregates: the persons behind it are not those of either"
    return "an aggregate of which nobody can say on how many persons it rests"


def _count(value: exp.Count, reader: _Reader, condition: int) -> Measure:
    counted = value.this
    name = ""
    if isinstance(counted, exp.Distinct):
        columns = [each for each in counted.expressions if isinstance(each, exp.Column)]
        name = columns[0].name.lower() if len(columns) == len(counted.expressions) == 1 else ""
    elif isinstance(counted, exp.Star) or (isinstance(counted, exp.Column) and counted.name.lower() == "person_id"):
        name = "person_id" if are_rows_persons(reader.select) else "*"
    if name == "person_id":
        return Measure("person_count", "persons", None, condition)
    if name == "visit_occurrence_id":
        return Measure("stay_count", "stays", None, condition)
    if name == "*":
        table = reader.select.args["from_"].this.name.lower()
        joined = any(str(join.args.get("kind") or "").upper() not in {"SEMI", "ANTI"} for join in _joins(reader.select))
        return Measure("record_count", "joined records" if joined else f"records of {table}", None, condition)
    raise _refused(
        "a count of values that are neither persons, stays nor records",
        "count(*), count(DISTINCT person_id) or count(DISTINCT visit_occurrence_id), with FILTER (WHERE …) if need be",
    )


def _joins(select: exp.Select) -> list[exp.Join]:
    return list(select.args.get("joins") or [])


def _value_name(value: exp.Expr, reader: _Reader, *, whole: bool = False) -> str:
    """What a value is called: a column, an age or a number of days as it is.

    Refuses: whatever else is computed, since others could be packed into its digits.
    """
    value = value.unnest()
    if isinstance(value, exp.Column):
        name = value.name.lower()
        is_code = name.endswith(("_concept_id", "_id")) or reader.home(value)[1] in reader.nouns.open
        if not is_code and reader.type_of(value) in (_WHOLE if whole else _NUMBERS):
            return name
    if isinstance(value, exp.Sub) and isinstance(value.expression, exp.Column):
        first, last = value.expression, value.this
        if isinstance(last, exp.Year) and isinstance(last.this, exp.Column) and first.name.lower() == "year_of_birth":
            _check_day(last.this, reader)
            reader.home(first)
            return f"age_at_{last.this.name.lower()}"
        if isinstance(last, exp.Literal) and not last.is_string and first.name.lower() == "year_of_birth":
            reader.home(first)
            return f"age_in_{_year(last)}"
    if isinstance(value, exp.DateDiff) and str(value.args["unit"].name).lower() == _DAY:
        ends = (value.expression, value.this)
        if all(isinstance(each, exp.Column) for each in ends):
            for each in ends:
                _check_day(each, reader)
            return "days_from_{}_to_{}".format(*(each.name.lower() for each in ends))
    raise _refused(
        "something computed in an aggregate or a band",
        "a column of numbers, year(day) - year_of_birth, or date_diff('day', from, to); FILTER (WHERE …) for whose",
    )


def _year(literal: exp.Literal) -> int:
    said = literal.this
    if not (said.isdigit() and len(said) == 4 and said[:2] in {"19", "20"}):
        raise _refused("an age in a year that is none", "2020 - year_of_birth")
    return int(said)


def _numbered(expression: exp.Expr, known: list[exp.Expr]) -> int:
    if expression not in known:
        known.append(expression)
    return known.index(expression)


# -- groups


def _margins(select: exp.Select, by: Sequence[tuple[exp.Expr, exp.Expr]]) -> tuple[tuple[int, ...], ...]:
    """The keys of each part of the table: all of them, or those of CUBE, ROLLUP and GROUPING SETS."""
    group, everything = select.args.get("group"), tuple(range(len(by)))
    if group is None or group.args.get("all"):
        if by and group is None:
            raise _refused("columns beside aggregates without GROUP BY", "GROUP BY ALL")
        return (everything,)
    sets: list[tuple[int, ...]] = [()]
    for each in group.expressions:
        sets = [(*before, *more) for before in sets for more in _grouped(each, by)]
    found = tuple(dict.fromkeys(tuple(sorted(set(each))) for each in sets))
    if {number for margin in found for number in margin} != set(everything):
        raise _refused("columns that no group has", "GROUP BY ALL")
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
    raise _refused("a group that is not shown", "the same expression in SELECT and GROUP BY, or GROUP BY ALL")


def _position(item: exp.Expr) -> int:
    parent = item.parent
    return next(at for at, each in enumerate(parent.expressions, start=1) if each is item) if parent else 0


# -- what runs, and what leaves


def _codes(select: exp.Select) -> frozenset[int]:
    """The long whole numbers of a statement; texts are codes and days, and other numbers short."""
    found = set()
    for literal in select.find_all(exp.Literal):
        if literal.is_string:
            if not _CODE.fullmatch(literal.this):
                raise _refused("a text that is no code", "codes and days; the number of a concept instead of its name")
        elif not _SHORT.fullmatch(literal.this):
            if not _LONG.fullmatch(literal.this):
                raise _refused("a number with many digits", "at most five digits, or the number of a concept")
            found.add(int(literal.this))
    return frozenset(found)


def _statement(
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
    tables = [said.args["from_"].this, *(join.this for join in _joins(said))]
    called = {str(table.alias or table.name).lower(): f"t{at}" for at, table in enumerate(tables, start=1)}
    for table, name in zip(tables, called.values(), strict=True):
        table.set("alias", exp.TableAlias(this=exp.to_identifier(name)))
    for column in said.find_all(exp.Column):
        if column.table:
            column.set("table", exp.to_identifier(called[column.table.lower()]))
    return said.sql(dialect="duckdb", comments=False, pretty=True)


def _rewrite(
    select: exp.Select, person: exp.Column, keys: Sequence[exp.Expr], reader: _Reader, measures: Sequence[Measure]
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


def _stay(reader: _Reader) -> exp.Expr:
    """The stay of a row, from the aggregate that counts it."""
    for count in reader.select.find_all(exp.Count):
        distinct = count.this
        if isinstance(distinct, exp.Distinct) and distinct.expressions[0].name.lower() == "visit_occurrence_id":
            column: exp.Expr = distinct.expressions[0]
            return column
    raise _refused("stays that no table has", "a table with visit_occurrence_id")


def _refused(what: str, instead: str) -> Refusal:
    return refused(f"{what}, and cannot leave as a table", instead)
