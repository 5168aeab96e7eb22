"""Forty persons over five years, for tests whose real data may be absent."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
from pyarrow.csv import write_csv

from factories.studies import tables_of
from oracle.histories import FEMALE, MALE, History, Record

OUTCOMES = {"gibleed": 192671, "bronchitis": 260139, "sinusitis": 40481087, "otitis": 372328}
"""The concepts of the R peers' example on GiBleed."""


def built_in() -> list[History]:
    """Forty persons over five years, everything derived from their number: no data and no randomness needed."""
    people = []
    for n in range(40):
        start = date(2015, 1, 1) + timedelta(days=37 * n % 700)
        middle, end = start + timedelta(days=200 + 11 * n), start + timedelta(days=400 + 29 * n)
        periods = (
            ((start, end),)
            if n % 3
            else ((start, middle), (middle + timedelta(days=1 + n), end + timedelta(days=n + 2)))
        )
        records = []
        for at, concept in enumerate(OUTCOMES.values()):
            first = start + timedelta(days=(53 * n + 101 * at) % 600 - 20)
            records += [Record(concept, first + timedelta(days=gap), None) for gap in (0, 1, 90 + n, 90 + n, 500)]
        people.append(
            History(2**42 + n, MALE if n % 2 else FEMALE, (1930 + n, 1 + n % 12, 29 - n % 2), periods, tuple(records))
        )
    return people


def write_tables(folder: Path, people: Iterable[History] | None = None) -> None:
    """The forty persons, or others, as an OMOP delivery: a CSV file a table."""
    folder.mkdir()
    for name, table in tables_of(built_in() if people is None else people, OUTCOMES.values()).items():
        if not table.num_rows:
            continue
        numbered = table
        if f"{name}_id" not in table.column_names and name in {"condition_occurrence", "observation_period"}:
            numbered = table.append_column(f"{name}_id", pa.array(range(1, table.num_rows + 1)))
        write_csv(numbered, folder / f"{name}.csv")
