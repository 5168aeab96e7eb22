"""Ask a permit's view in SQL, through the guard and the walls, on small CDMs in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import date
from pathlib import Path

import pyarrow as pa

from enclos.app.enclosure import create_enclosure
from enclos.contracts.omop import PERSON_TABLES, omop_tables
from enclos.contracts.view import Access, TableGrant, ViewTerms, WholeBase
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.lexicon.spans import Span
from enclos.stores.confined.process import Incoming, QueryLimits, run_confined
from enclos.stores.engine import Engine
from enclos.stores.lake import attach_lake
from enclos.views.sql.steps import PermitRows, check_query
from enclos.views.steps import open_view
from factories.cdm import N_BUCKETS, MemoryPerimeter, MemorySnapshot, Row, SeededRandomness, random_base
from factories.enclosure import PASSPHRASE, open_home

PERIOD = Span(date(2018, 1, 1), date(2023, 1, 1))
TABLES = ("person", "observation_period", "condition_occurrence", "drug_exposure", "death")
TERMS = ViewTerms("P-SQL", tuple(TableGrant(table) for table in TABLES), WholeBase(), PERIOD, frozenset(), Access.ROWS)
RARE = 4_000_001
"""A diagnosis that only hidden persons have."""
VISIBLE = range(1, 31)
HIDDEN = range(101, 104)
SMALL = QueryLimits(memory_mb=512, address_space_mb=2048, threads=1, wall_seconds=30, cpu_seconds=60)


def small_base(visible: Iterable[int] = VISIBLE, hidden: Iterable[int] = HIDDEN, seed: int = 1) -> dict[str, list[Row]]:
    """A CDM in which the hidden persons all have the rare diagnosis."""
    hidden = set(hidden)
    base = random_base(sorted({*visible, *hidden}), TABLES[2:], seed)
    for row in base["condition_occurrence"]:
        if row["person_id"] in hidden:
            row["condition_concept_id"] = RARE
    observed = {"observation_period_start_date": date(2018, 1, 1), "observation_period_end_date": date(2022, 12, 31)}
    base["observation_period"] = [row | observed for row in base["observation_period"]]
    return base


def small_home(folder: Path) -> Path:
    """An enclosure with that CDM in its lake, made without deliveries."""
    create_enclosure(folder, passphrase=PASSPHRASE, buckets=N_BUCKETS)
    base = small_base()
    with open_home(folder) as enclosure, enclosure.engine() as engine:
        catalog = enclosure.keys.secret(KeyName(KeyRole.CATALOG))
        lake = attach_lake(engine, enclosure.paths.catalog, enclosure.paths.lake, catalog)
        memory = MemorySnapshot(engine, base, {})
        lake.begin()
        for table in base:
            name = lake.create(omop_tables()[table], by_bucket=table in PERSON_TABLES)
            engine.execute(f"INSERT INTO {name} FROM {memory.relation(table)}")
        lake.commit({"n_buckets": N_BUCKETS, "tables": {table: len(rows) for table, rows in base.items()}})
    return folder


class Asked:
    """An opened permit over a CDM in memory; the hidden persons have objected."""

    def __init__(
        self,
        engine: Engine,
        base: dict[str, list[Row]],
        *,
        terms: ViewTerms = TERMS,
        hidden: Collection[int] = HIDDEN,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self.engine, self.terms, self.check = engine, terms, check
        snapshot, perimeter = MemorySnapshot(engine, base, {}), MemoryPerimeter()
        open_view(
            terms,
            engine=engine,
            snapshot=snapshot,
            perimeter=perimeter,
            randomness=SeededRandomness(),
            opted_out=hidden,
        )
        self.rows = PermitRows(
            terms, engine=engine, snapshot=snapshot, perimeter=perimeter, check=check, opted_out=hidden
        )

    def sql(self, text: str, limits: QueryLimits = SMALL) -> pa.Table:
        query = check_query(text, self.terms, self.engine)
        incoming = [
            Incoming(scan.name, scan.keep, self.rows.schema(scan), self.rows.tables(scan)) for scan in query.scans
        ]
        return run_confined(query.sql, incoming, limits=limits, check=self.check)
