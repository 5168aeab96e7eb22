"""Columns of yearly tables that were renamed, begun or ended: the schema by year, as data.

A column's first and last year come from snds_years.csv, else from the official schema (created, deleted). An older name
lands under today's in the years that knew it; a column outside its years is landed as it is and told, since the
official years are known to be imprecise; a name that no year knows is refused.

Source: schema-snds fe17ef8 (date_created, date_deleted); HDH and ATIH notes on UM_TYP (2010), ETA_NUM_GEO (2013),
SOR_ANN and SOR_MOI of C (to 2018), NIR_ANO_MAM (2013–2018, then ID_MAM_ENF), FP_PEC (to March 2023).
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

_YEARLY = re.compile(r"^T_(?:MCO|SSR|HAD|RIP)(\d{2})[A-Z]", re.IGNORECASE)

PROJECT_ALIASES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("NUM_ENQ", ("BEN_NIR_PSA", "NIR_ANO_17")),
    ("NUM_ENQ_ANO", ("BEN_NIR_ANO",)),
    ("NUM_ENQ_IDT", ("BEN_IDT_ANO",)),
)
"""Names that extracts for a project give to identities, and the official columns that they may stand for.

Source: CNAM, extractions à façon: NUM_ENQ is the BEN_NIR_PSA, the PMSI's NIR_ANO_17, under a project's number.
"""


@dataclass(frozen=True, slots=True)
class Years:
    """The years in which a table has a column (None: no limit known), and the name that it lands under."""

    first: int | None
    last: int | None
    today: str = ""

    def hold(self, year: int) -> bool:
        """Whether the table of that year has the column."""
        return (self.first is None or year >= self.first) and (self.last is None or year <= self.last)


@cache
def column_years() -> dict[tuple[str, str], Years]:
    """The years of every column that has a limit, by table family and column."""
    found: dict[tuple[str, str], Years] = {}
    for row in _rows("snds_columns.csv"):
        first, last = _year(row["created"]), _year(row["deleted"])
        if first or last:
            found[row["table"], row["column"]] = Years(first, last)
    for row in _rows("snds_years.csv"):
        found[row["table"], row["column"]] = Years(_year(row["first"]), _year(row["last"]), row["today"])
    return found


@cache
def later_columns() -> dict[str, tuple[str, ...]]:
    """Columns that are younger than the official schema at hand, by table family."""
    known = {(row["table"], row["column"]) for row in _rows("snds_columns.csv")}
    found: dict[str, tuple[str, ...]] = {}
    for row in _rows("snds_years.csv"):
        if (row["table"], row["column"]) not in known:
            found[row["table"]] = (*found.get(row["table"], ()), row["column"])
    return found


@cache
def older_names(family: str, year: int) -> dict[str, str]:
    """The names that a table of a year gives to columns of today, in lower case, with today's name."""
    return {
        column.lower(): years.today
        for (table, column), years in column_years().items()
        if table == family and years.today and years.hold(year)
    }


def outside_years(family: str, year: int, column: str) -> bool:
    """Whether a column is one that the table of that year should not have."""
    years = column_years().get((family, column))
    return years is not None and not years.hold(year)


def year_of_table(table: str) -> int | None:
    """The year in a yearly table's name (T_MCO09UM); None for another table."""
    found = _YEARLY.match(table)
    return 2000 + int(found.group(1)) if found else None


def project_aliases(columns: tuple[str, ...], header: tuple[str, ...]) -> dict[str, str]:
    """The project extracts' names in a header, with the columns of the table that they stand for."""
    known = dict(PROJECT_ALIASES)
    found: dict[str, str] = {}
    for name in header:
        for official in known.get(name.upper(), ()):
            if official in columns and official.lower() not in {other.lower() for other in header}:
                found.setdefault(name, official)
    return found


def _rows(name: str) -> list[dict[str, str]]:
    text = resources.files("enclos.contracts.delivered").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def _year(text: str) -> int | None:
    return int(text) if text not in ("", "0") else None
