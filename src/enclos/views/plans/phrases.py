"""Phrases of SQL that the plans of this room share."""

from __future__ import annotations

from datetime import date

from enclos.views.ports import Snapshot


def read(snapshot: Snapshot, table: str, alias: str) -> str:
    """The table under an alias; in brackets, since an alias may not follow the version of a DuckLake table."""
    return f"(FROM {snapshot.relation(table)}) AS {alias}"


def spread(text: str) -> str:
    """A number below 2**52 that the text decides, evenly spread, the same with every engine and version."""
    return f"('0x' || substr(md5({text}), 1, 13))::BIGINT"


def day(on: date) -> str:
    """A day as a literal."""
    return f"DATE '{on.isoformat()}'"
