"""How many rows a permit that is not opened yet would show."""

from __future__ import annotations

from collections.abc import Sequence

from enclos.contracts.view import ViewTerms
from enclos.views.plans.phrases import and_in_period, read
from enclos.views.ports import Snapshot

FORESEEN = "permit_foreseen"
"""The temporary table of who would be in: bucket, person_id."""


def plan_foreseen_rows(tables: Sequence[str], terms: ViewTerms, snapshot: Snapshot, buckets: Sequence[int]) -> str:
    """What of each person table the terms let through in these buckets: table, rows, and the persons who have any."""
    return " UNION ALL ".join(_rows_of(table, terms, snapshot, buckets) for table in tables)


def _rows_of(table: str, terms: ViewTerms, snapshot: Snapshot, buckets: Sequence[int]) -> str:
    listed = ", ".join(map(str, buckets))
    return (
        f"SELECT '{table}', count(*), count(DISTINCT t.person_id) FROM {read(snapshot, table, 't')} "
        f"WHERE t.bucket IN ({listed}) AND t.person_id IN (SELECT person_id FROM {FORESEEN})"
        f"{and_in_period(table, terms)}"
    )
