"""Phrases of SQL that the plans of this room share."""

from __future__ import annotations

from datetime import date

from enclos.contracts.omop import END_DATES, START_DATES
from enclos.contracts.view import ViewTerms
from enclos.views.ports import Snapshot
from enclos.views.rules import SPAN_TABLES


def read(snapshot: Snapshot, table: str, alias: str) -> str:
    """The table under an alias; in brackets, since an alias may not follow the version of a DuckLake table."""
    return f"(FROM {snapshot.relation(table)}) AS {alias}"


def spread(text: str) -> str:
    """A number below 2**52 that the text decides, evenly spread, the same with every engine and version."""
    return f"('0x' || substr(md5({text}), 1, 13))::BIGINT"


def day(on: date) -> str:
    """A day as a literal."""
    return f"DATE '{on.isoformat()}'"


def and_in_period(table: str, terms: ViewTerms) -> str:
    """What is asked further of rows ``t`` of a table: that they touch the permit's days, where they have any."""
    if table not in START_DATES:
        return ""
    start, end = day(terms.period.start_on), day(terms.period.end_on)
    first = f't."{START_DATES[table]}"'
    last = f't."{END_DATES[table]}"' if table in SPAN_TABLES else first
    return f" AND {first} < {end} AND {last} >= {start}"
