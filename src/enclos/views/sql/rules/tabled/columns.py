"""The columns of a statement: of which table each is, of what kind, and which values may be computed of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from enclos.lexicon.refusals import Refusal
from enclos.views.sql.rules.aggregates import Nouns, aggregates_in
from enclos.views.sql.rules.lists import refused

NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL")
WHOLE = NUMBERS[:5]
LABELS = (
    "a *_concept_id, concept_name or another column of a vocabulary table, year_of_birth, year(day), "
    "date_trunc('month', day), number // 10, a comparison, or CASE … THEN 1 … ELSE 2 END"
)
_DAY = "day"


@dataclass(slots=True)
class Reader:
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
            raise not_tabled("a column that its table does not have", "the columns that docs/sql.md lists")
        homes = [called for called, table in self.tables.items() if name in self.types[table]]
        shared = {name.lower() for join in self.select.args.get("joins") or [] for name in using(join)}
        if not homes or (len(homes) > 1 and name not in shared):
            raise not_tabled("a column that several of its tables have", "table.column")
        return homes[0], self.tables[homes[0]]

    def type_of(self, column: exp.Column) -> str:
        """The engine's type of a column."""
        return self.types[self.home(column)[1]][column.name.lower()].partition("(")[0]


def tables_of(select: exp.Select) -> dict[str, str]:
    """The table of each name that a column may have before its dot."""
    tables = [select.args["from_"].this, *(join.this for join in select.args.get("joins") or [])]
    called = [str(table.alias or table.name).lower() for table in tables]
    if len(set(called)) != len(called):
        raise not_tabled("two tables of one name", "a name for each: person AS p")
    return {name: table.name.lower() for name, table in zip(called, tables, strict=True)}


def using(join: exp.Join) -> list[str]:
    """The columns that a join names by USING."""
    return [column.name for column in join.args.get("using") or []]


def joins_of(select: exp.Select) -> list[exp.Join]:
    """The joins of a statement."""
    return list(select.args.get("joins") or [])


def check_day(column: exp.Column, reader: Reader) -> None:
    """Refuse what is no day of a record."""
    if reader.type_of(column) != "DATE" or reader.home(column)[1] in reader.nouns.open:
        raise not_tabled("a part of something that is no day of a record", "year(condition_start_date) and the like")


def check_rows_own(value: exp.Expr, reader: Reader) -> None:
    """Refuse what has no column: it would say the same of everybody, whatever that is."""
    if next(aggregates_in(value), None) is not None or value.find(exp.Column) is None:
        raise not_tabled("a group that is not of the row's own columns", LABELS)
    for column in value.find_all(exp.Column):
        reader.home(column)


def value_name(value: exp.Expr, reader: Reader, *, whole: bool = False) -> str:
    """What a value is called: a column, an age or a number of days as it is.

    Refuses: whatever else is computed, since others could be packed into its digits.
    """
    value = value.unnest()
    if isinstance(value, exp.Column):
        name = value.name.lower()
        is_code = name.endswith(("_concept_id", "_id")) or reader.home(value)[1] in reader.nouns.open
        if not is_code and reader.type_of(value) in (WHOLE if whole else NUMBERS):
            return name
    if isinstance(value, exp.Sub) and isinstance(value.expression, exp.Column):
        first, last = value.expression, value.this
        if isinstance(last, exp.Year) and isinstance(last.this, exp.Column) and first.name.lower() == "year_of_birth":
            check_day(last.this, reader)
            reader.home(first)
            return f"age_at_{last.this.name.lower()}"
        if isinstance(last, exp.Literal) and not last.is_string and first.name.lower() == "year_of_birth":
            reader.home(first)
            return f"age_in_{_year(last)}"
    if isinstance(value, exp.DateDiff) and str(value.args["unit"].name).lower() == _DAY:
        ends = (value.expression, value.this)
        if all(isinstance(each, exp.Column) for each in ends):
            for each in ends:
                check_day(each, reader)
            return "days_from_{}_to_{}".format(*(each.name.lower() for each in ends))
    raise not_tabled(
        "something computed in an aggregate or a band",
        "a column of numbers, year(day) - year_of_birth, or date_diff('day', from, to); FILTER (WHERE …) for whose",
    )


def _year(literal: exp.Literal) -> int:
    said = literal.this
    if not (said.isdigit() and len(said) == 4 and said[:2] in {"19", "20"}):
        raise not_tabled("an age in a year that is none", "2020 - year_of_birth")
    return int(said)


def numbered(expression: exp.Expr, known: list[exp.Expr]) -> int:
    """The place of an expression among those that are known; a new one is put behind."""
    if expression not in known:
        known.append(expression)
    return known.index(expression)


def not_tabled(what: str, instead: str) -> Refusal:
    """The refusal of what cannot leave as a table."""
    return refused(f"{what}, and cannot leave as a table", instead)
