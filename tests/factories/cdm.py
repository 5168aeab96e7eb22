"""Small CDMs in an engine's memory, with random rows for every column of every table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from enclos.contracts.columns import Column
from enclos.contracts.omop import END_DATES, PERSON_TABLES, START_DATES, foreign_keys, omop_tables, primary_keys
from enclos.contracts.sql import SqlEngine
from enclos.contracts.view import PERSON_SOURCE_TABLE, RELATIONS, ViewTerms
from enclos.pseudonyms.secret_functions import ff1_encrypt
from enclos.stores.keys.file import LocalBlocks
from enclos.views.model import Numbered
from enclos.views.rules import opening_of

N_BUCKETS = 3
FIRST_DAY = date(2018, 1, 1)
N_STEPS, STEP_DAYS = 30, 50
"""Days lie on, just before or just after a multiple of STEP_DAYS, so that the edges of a period are often met."""
Row = dict[str, Any]
BUCKETED = (*PERSON_TABLES, "cost", RELATIONS)
"""Tables of the lake whose rows lie in a person's bucket: a cost tells by its number, a relation not at all."""
_ARROW = {
    "BIGINT": pa.int64(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us"),
    "DOUBLE": pa.float64(),
    "VARCHAR": pa.string(),
}


class MemorySnapshot:
    """A snapshot whose tables are in the engine's own memory, in schema ``cdm``."""

    def __init__(self, engine: SqlEngine, base: Mapping[str, Sequence[Row]], sources: Mapping[int, set[str]]) -> None:
        self.tables = frozenset((*base, PERSON_SOURCE_TABLE))
        self._engine = engine
        engine.execute("CREATE SCHEMA IF NOT EXISTS cdm")
        for table, rows in base.items():
            leading = [Column("bucket", "INTEGER")] if table in BUCKETED else []
            engine.register("incoming", _arrow(table, rows))
            columns = ", ".join(f'"{c.name}"::{c.sql_type} AS "{c.name}"' for c in (*leading, *omop_tables()[table]))
            engine.execute(f"CREATE OR REPLACE TABLE cdm.{table} AS SELECT {columns} FROM incoming")
            engine.unregister("incoming")
        pairs = [(person, source) for person, names in sources.items() for source in sorted(names)]
        engine.execute("CREATE OR REPLACE TABLE cdm.person_source (person_id BIGINT, source VARCHAR)")
        for pair in pairs:
            engine.execute("INSERT INTO cdm.person_source VALUES (?, ?)", pair)

    id = 7
    buckets = tuple(range(N_BUCKETS))

    def relation(self, table: str) -> str:
        return f"memory.cdm.{table}"


class MemoryPerimeter:
    """A perimeter in memory; its permutation is the real one, under a key that everybody knows."""

    def __init__(self, key: bytes = b"k" * 32) -> None:
        self._kept: pa.Table | None = None
        self._key = key

    def exists(self) -> bool:
        return self._kept is not None

    def rows(self, bucket: int | None = None) -> pa.Table:
        assert self._kept is not None
        return self._kept if bucket is None else self._kept.filter(pc.field("bucket") == bucket)

    def opened_for(self) -> str:
        return self._opened_for

    def write(self, rows: pa.Table, terms: ViewTerms) -> int:
        self._kept, self._opened_for = rows, opening_of(terms)
        return 1

    def renumbered(self, kind: Numbered, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        return ff1_encrypt(LocalBlocks(self._key), 2, kind.bits, numbers)

    def numbers(self) -> dict[int, int]:
        """The permit's number of each person."""
        rows = self.rows()
        return dict(zip(rows["person_id"].to_pylist(), rows["permit_person"].to_pylist(), strict=True))


class SeededRandomness:
    """Numbers that come again with the same seed."""

    def __init__(self, seed: int = 1) -> None:
        self._generator = np.random.default_rng(seed)

    def numbers(self, n_numbers: int, n_bits: int) -> NDArray[np.int64]:
        return self._generator.integers(0, 2**n_bits, n_numbers, dtype=np.int64)


def place_number(kind: str, number: int) -> int:
    """The number that a perimeter in memory gives a professional or a care site."""
    return int(MemoryPerimeter().renumbered(Numbered[kind.upper()], np.array([number], dtype=np.int64))[0])


def _arrow(table: str, rows: Iterable[Row]) -> pa.Table:
    fields = [pa.field(column.name, _ARROW[column.sql_type]) for column in omop_tables()[table]]
    if table in BUCKETED:
        fields.insert(0, pa.field("bucket", pa.int32()))
    return pa.Table.from_pylist(list(rows), schema=pa.schema(fields))


def arrow_of(table: str, rows: Iterable[Row]) -> pa.Table:
    """Rows of a table, without their bucket."""
    fields = [pa.field(column.name, _ARROW[column.sql_type]) for column in omop_tables()[table]]
    return pa.Table.from_pylist(list(rows), schema=pa.schema(fields))


def random_base(persons: Sequence[int], tables: Iterable[str], seed: int) -> dict[str, list[Row]]:
    """Rows for each person, drawn from the person's own seed: what others have does not change them."""
    base: dict[str, list[Row]] = {table: [] for table in ("person", "observation_period", *tables)}
    for person in persons:
        random = Random(f"{seed}/{person}")  # noqa: S311 - test data
        for table in base:
            if table not in BUCKETED:
                continue
            n_rows = (
                1 if table == "person" else random.randint(0 if table == "death" else 1, 1 if table == "death" else 4)
            )
            base[table] += [_row(table, person, ordinal, random) for ordinal in range(n_rows)]
    if "care_site" in base:
        base["care_site"] = [_shared("care_site", number) for number in range(1, 8)]
    if "provider" in base:
        base["provider"] = [_shared("provider", number) for number in range(1, 8)]
    if "location" in base:
        homes = {row["location_id"] for row in (*base["person"], *base.get("care_site", []))} - {None}
        base["location"] = [_place(home) for home in sorted(homes)]
    return base


def _row(table: str, person: int, ordinal: int, random: Random) -> Row:
    row: Row = {"bucket": person % N_BUCKETS}
    for column in omop_tables()[table]:
        row[column.name] = _value(table, column, person, ordinal, random)
    with suppress(KeyError):
        start, end = START_DATES[table], END_DATES[table]
        row[start], row[end] = sorted((row[start], row[end] or row[start]))
    return row


def _value(  # noqa: C901, PLR0911, PLR0912 - one list of cases
    table: str, column: Column, person: int, ordinal: int, random: Random
) -> Any:
    name = column.name
    if name == "person_id":
        return person
    if name == primary_keys().get(table):
        return person * 2**20 + ordinal
    if not column.required and random.random() < 0.2:
        return None
    if name.startswith("domain_concept_id"):
        return random.choice((56, 56, 56, 19))
    if name.startswith("fact_id"):
        return random.choice((person, person + 1, person - 1))
    if name == "location_id":
        return random.randint(1, 6)
    if name == "cost_domain_id":
        return random.choice(("Visit", "Visit", "Drug"))
    if (
        name.endswith("_event_id")
        or name in {"payer_plan_period_id", "episode_parent_id"}
        or foreign_keys().get((table, name)) in PERSON_TABLES
    ):
        return random.choice((person, person + N_BUCKETS, 0)) * 2**20 + random.randint(0, 3)
    if name.endswith("_source_concept_id"):
        return random.choice((0, 45))
    day = FIRST_DAY + timedelta(days=random.randrange(N_STEPS) * STEP_DAYS + random.choice((-1, 0, 1)))
    match column.sql_type:
        case "DATE":
            return day
        case "TIMESTAMP":
            return datetime.combine(day, time(random.randrange(24)))
        case "DOUBLE":
            return float(random.randint(0, 9))
        case "VARCHAR":
            return f"{name} of {person}"[:40]
    return {"month_of_birth": 6, "day_of_birth": 15, "year_of_birth": 1960}.get(name, random.randint(1, 9))


def _shared(table: str, number: int) -> Row:
    """A care site or a professional; numbers 8 and 9 of other rows lead to none."""
    random = Random(f"{table}/{number}")  # noqa: S311 - test data
    row = {column.name: _value(table, column, number, 0, random) for column in omop_tables()[table]}
    return row | {f"{table}_id": number}


def _place(home: int) -> Row:
    return {
        **dict.fromkeys(omop_tables()["location"].names, "text"),
        "location_id": home,
        "country_concept_id": 1,
        "state": "FR",
        "county": str(home % 2),
        "city": f"commune {home}",
        "zip": f"0{home}000",
        "latitude": 1.0,
        "longitude": 1.0,
    }
