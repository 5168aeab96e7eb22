"""Populations of permits that a cohort definition decides."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from enclos.contracts.omop import PERSON_TABLES, omop_tables
from enclos.contracts.view import InCohort, Population, ViewTerms, WithControls
from enclos.lexicon.spans import Span
from enclos.stores.engine import Engine
from enclos.stores.lake import LakeSnapshot
from enclos.studies.circe import read_circe
from enclos.studies.circe.columns import check_held, columns_of
from enclos.studies.circe.steps import made


def check_population(population: Population) -> None:
    """Refuse a population whose cohort definition cannot be made.

    Refuses: CIRCE_UNREADABLE, CIRCE_INVALID, CIRCE_TABLE_MISSING.
    """
    if (definition := _definition_of(population)) is not None:
        check_held({"": read_circe(definition)})


def cohort_persons(
    terms: ViewTerms, engine: Engine, snapshot: LakeSnapshot, opted_out: Collection[int]
) -> NDArray[np.int64]:
    """The persons whom the population's definition puts into its cohort on some day of the permit's period.

    The definition is made on the whole of each person's records, since what it looks back at may lie before the period.
    Empty: when the population has no cohort definition.
    """
    definition = _definition_of(terms.population)
    if definition is None:
        return np.zeros(0, np.int64)
    read = read_circe(definition)
    whole = _WholeSnapshot(engine, snapshot, list(columns_of([read])), opted_out)
    return np.concatenate([np.zeros(0, np.int64), *(_within(each.rows, terms.period) for each in made([read], whole))])


def _definition_of(population: Population) -> str | None:
    inner = population.cases if isinstance(population, WithControls) else population
    return inner.definition if isinstance(inner, InCohort) else None


def _within(rows: pa.Table, period: Span) -> NDArray[np.int64]:
    starts, ends = (rows[name].to_numpy() for name in ("cohort_start_date", "cohort_end_date"))
    first, after = np.datetime64(period.start_on), np.datetime64(period.end_on)
    found: NDArray[np.int64] = np.unique(rows["subject_id"].to_numpy()[(starts < after) & (ends >= first)])
    return found


class _WholeSnapshot:
    """All rows of a snapshot but those of persons who object, bucket by bucket, for the access body alone."""

    name = "snapshot"

    def __init__(
        self, engine: Engine, snapshot: LakeSnapshot, tables: Sequence[str], opted_out: Collection[int]
    ) -> None:
        self._engine = engine
        self._snapshot = snapshot
        self._tables = tables
        self._opted_out = ", ".join(map(str, sorted(opted_out)))
        self.buckets: Sequence[int] = tuple(snapshot.buckets)

    @contextmanager
    def bucket(self, bucket: int) -> Iterator[Engine]:
        """Views of the tables that the definition reads; gone when the block ends."""
        try:
            for table in self._tables:
                self._engine.execute(f'CREATE OR REPLACE TEMP VIEW "{table}" AS {self._select(table, bucket)}')
            yield self._engine
        finally:
            for table in self._tables:
                self._engine.execute(f'DROP VIEW IF EXISTS temp."{table}"')

    def _select(self, table: str, bucket: int) -> str:
        if table not in self._snapshot.tables:
            empty = ", ".join(f'NULL::{column.sql_type} AS "{column.name}"' for column in omop_tables()[table])
            return f"SELECT {empty} WHERE FALSE"
        rows = f"SELECT * FROM {self._snapshot.relation(table)}"
        if table not in PERSON_TABLES:
            return rows
        kept = f" AND person_id NOT IN ({self._opted_out})" if self._opted_out else ""
        return f"{rows} WHERE bucket = {bucket}{kept}"
