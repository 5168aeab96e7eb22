"""What a permit would show, counted before it is signed or opened; nothing is written."""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa

from enclos.contracts.omop import PERSON_TABLES
from enclos.contracts.sql import SqlEngine
from enclos.contracts.view import InCohort, ViewTerms, WithControls
from enclos.views.model import Foreseen
from enclos.views.plans import OPTED_OUT, plan_candidates
from enclos.views.plans.foreseen import FORESEEN, plan_foreseen_rows
from enclos.views.ports import Snapshot
from enclos.views.steps.registering import registered

FEW = 100_000
"""So many persons of a snapshot are looked at whole; of more, the rows of one bucket are counted."""


def foresee(
    terms: ViewTerms, *, engine: SqlEngine, snapshot: Snapshot, opted_out: Collection[int] = ()
) -> Foreseen | None:
    """Count what a permit of these terms would show on a snapshot.

    Empty: None for a population that a cohort definition decides: making it is what opening does.
    Refuses: VIEW_POPULATION.
    """
    population = terms.population
    if isinstance(population.cases if isinstance(population, WithControls) else population, InCohort):
        return None
    with registered(engine, OPTED_OUT, pa.table({"person_id": pa.array(sorted(opted_out), pa.int64())})):
        engine.execute(f"CREATE OR REPLACE TEMP TABLE {FORESEEN} AS {plan_candidates(terms, snapshot)}")
    try:
        counted = engine.rows(f"SELECT bucket, count(*) FROM {FORESEEN} GROUP BY bucket")
        in_buckets = {int(bucket): int(n) for bucket, n in counted}
        n_persons = sum(in_buckets.values())
        n_all = int(engine.scalar(f"SELECT count(*) FROM {snapshot.relation('person')}"))
        looked_at = sorted(in_buckets) if n_all <= FEW else sorted(in_buckets, key=lambda each: -in_buckets[each])[:1]
        n_looked_at = sum(in_buckets[bucket] for bucket in looked_at)
        tables = [table for table in terms.tables if table in PERSON_TABLES and table in snapshot.tables]
        counted = engine.rows(plan_foreseen_rows(tables, terms, snapshot, looked_at)) if looked_at and tables else []
        found = dict.fromkeys(tables, (0, 0)) | {str(table): (int(n), int(m)) for table, n, m in counted}
    finally:
        engine.execute(f"DROP TABLE IF EXISTS {FORESEEN}")
    share = n_persons / n_looked_at if n_looked_at else 0
    return Foreseen(
        n_persons, n_looked_at, {table: (round(n * share), round(m * share)) for table, (n, m) in found.items()}
    )
