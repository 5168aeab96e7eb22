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

from collections.abc import Mapping
from dataclasses import dataclass

from sqlglot import exp

from enclos.contracts.tables import MOST_KEYS, MOST_MEASURES, TableForm
from enclos.views.sql.rules.aggregates import Nouns, aggregates_in, check_numbers, guard, person_of
from enclos.views.sql.rules.tabled.axes import axes_of
from enclos.views.sql.rules.tabled.columns import Reader, not_tabled, tables_of
from enclos.views.sql.rules.tabled.keys import key_of, named_once
from enclos.views.sql.rules.tabled.margins import margins_of
from enclos.views.sql.rules.tabled.measures import measure_of
from enclos.views.sql.rules.tabled.statement import codes_in, count_rows, statement_of

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


@dataclass(frozen=True, slots=True)
class Tabled:
    """The statement as it leaves with its table, and what its rows are."""

    statement: str
    form: TableForm
    codes: frozenset[int]
    """Long numbers of the statement, which must be concepts."""


def as_table(tree: exp.Expr, nouns: Nouns, types: Mapping[str, Mapping[str, str]]) -> Tabled:
    """Change the tree into the rows that its aggregates count; what they are.

    In:      types — the engine's types of the columns of each table
    Refuses: SQL_NOT_ALLOWED for what cannot be told with the persons behind it, with what to write instead.
    """
    select = _one_select(tree)
    check_numbers(select, nouns.numbers)
    person = person_of(select, nouns.persons, nouns.open)
    reader = Reader(tables_of(select), types, nouns, select)
    items = [(item, item.this if isinstance(item, exp.Alias) else item) for item in select.expressions]
    told = [(item, value) for item, value in items if next(aggregates_in(value), None) is not None]
    by = [(item, value) for item, value in items if (item, value) not in told]
    if not told:
        raise not_tabled("no aggregate: rows do not leave", "count(DISTINCT person_id) with GROUP BY")
    if len(told) > MOST_MEASURES or len(by) > MOST_KEYS:
        raise not_tabled("too many columns for one table", f"at most {MOST_KEYS} keys and {MOST_MEASURES} aggregates")
    keys = named_once([key_of(value, reader) for _, value in by], axes_of([value for _, value in by], reader))
    measures = tuple(dict.fromkeys(measure_of(value, reader) for _, value in told))
    margins = margins_of(select, by)
    where = select.args.get("where")
    if where is not None:
        if next(aggregates_in(where), None) is not None:
            raise not_tabled("an aggregate in WHERE", "the statement without it")
        guard(where.this)
    codes = codes_in(select)
    statement = statement_of(select, items, [value for _, value in by], margins)
    count_rows(select, person, [value for _, value in by], reader, measures)
    return Tabled(statement, TableForm(keys, measures, margins), codes)


def _one_select(tree: exp.Expr) -> exp.Select:
    if not isinstance(tree, exp.Select):
        raise not_tabled("something else than one SELECT", "one SELECT with GROUP BY")
    for kind, name, instead in _NOT_HERE:
        if tree.find(kind) is not None:
            raise not_tabled(name, instead)
    if tree.args.get("distinct"):
        raise not_tabled("SELECT DISTINCT", "GROUP BY with count(DISTINCT person_id)")
    if any(isinstance(item, exp.Star) for item in tree.expressions):
        raise not_tabled("*: rows do not leave", "the names of the keys, and count(DISTINCT person_id)")
    return tree
