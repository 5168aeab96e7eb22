"""The names that yearly tables had in their year: what an export of that year looks like.

Source: schema-snds (date_created), HDH and ATIH notes; written apart from the reader's table of years, which it judges.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from enclos.synthetic.references import layout

_Field = TypeVar("_Field")
_OLDER = {
    ("T_MCOaaUM", "AUT_TYP1_UM"): (2009, "UM_TYP"),
    ("T_MCOaaC", "ID_MAM_ENF"): (2018, "NIR_ANO_MAM"),
}
"""(last year, name) of columns that had another name."""

_SINCE = {
    ("T_MCOaaB", "TYP_GEN_RSA"): 2015,
    ("T_MCOaaC", "COH_NAI_RET"): 2013,
    ("T_MCOaaC", "COH_SEX_RET"): 2013,
    ("T_MCOaaC", "RNG_NAI"): 2015,
    ("T_MCOaaC", "ID_MAM_ENF"): 2013,
    ("T_MCOaaD", "DGN_ASS_NUM"): 2014,
    ("T_MCOaaUM", "ETA_NUM_GEO"): 2013,
}
_UNTIL = {("T_MCOaaC", "SOR_ANN"): 2018, ("T_MCOaaC", "SOR_MOI"): 2018}


def _there(table: str, column: str, year: int) -> bool:
    return _SINCE.get((table, column), year) <= year <= _UNTIL.get((table, column), year)


def layout_of_year(table: str, year: int) -> tuple[str, ...]:
    """The header of a table in a year."""
    names = []
    for column in layout(table):
        last, older = _OLDER.get((table, column), (0, ""))
        if _there(table, column, year):
            names.append(older if year <= last else column)
    return tuple(names)


def n_renamed(table: str, year: int) -> int:
    """How many columns of a table had another name in a year."""
    return sum(name not in layout(table) for name in layout_of_year(table, year))


def of_year(table: str, year: int, columns: Sequence[_Field]) -> list[_Field]:
    """The fields of a table's layout, one a column, that it has in a year."""
    names = layout(table)[-len(columns) :]
    return [field for name, field in zip(names, columns, strict=True) if _there(table, name, year)]
