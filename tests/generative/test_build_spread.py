"""Builds whose passes other processes make: the same rows, numbers, account and records as of one process."""

from __future__ import annotations

import random
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enclos.stores.lake import ALIAS
from factories.build_apart import Apart
from factories.pseudonymised import Snapshot, built
from factories.some_of_everything import delivery, everything
from generative.test_incremental import BUCKETS_OF_A_PASS, N_BUCKETS, SLICES_OF_A_BUCKET, arrivals

_CATALOG = f"__ducklake_metadata_{ALIAS}.ducklake_"


def state_of(snapshot: Snapshot) -> tuple[Any, ...]:
    report = snapshot.report
    return everything(snapshot), report.tables, report.account, report.unmapped, report.vocabularies, report.rebuilt


def statistics(snapshot: Snapshot) -> list[tuple[Any, ...]]:
    """What the catalog says of whole tables and of their columns, by which the engine plans and prunes."""
    current = f"JOIN {_CATALOG}table AS t ON t.table_id = s.table_id AND t.end_snapshot IS NULL"
    tables = (
        f"SELECT t.table_name, s.record_count, s.next_row_id FROM {_CATALOG}table_stats AS s {current} ORDER BY ALL"
    )
    columns = (
        f"SELECT t.table_name, s.* EXCLUDE (table_id) FROM {_CATALOG}table_column_stats AS s {current} ORDER BY ALL"
    )
    return [*snapshot.engine.rows(tables), *snapshot.engine.rows(columns)]


def check_arrivals(seed: int, lines_per_pass: int, n_between: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - rows for a test
    states = arrivals(delivery(seed), draw)
    chosen = [states[0], *draw.sample(states[1:-1], n_between), states[-1]]
    with TemporaryDirectory() as folder, Apart(Path(folder), seed) as apart:
        for number, tables in enumerate(chosen):
            options = {"lines_per_pass": lines_per_pass, "full": number == 0}
            with built(tables, n_buckets=N_BUCKETS, **options) as alone:
                found = apart.build(tables, N_BUCKETS, **options)
                assert state_of(found) == state_of(alone)
                assert statistics(found) == statistics(alone)
        assert apart.n_made > len(chosen)


@settings(max_examples=1, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10_000))
def test_passes_made_apart_and_in_any_order_give_what_one_process_gives(seed: int) -> None:
    check_arrivals(seed, BUCKETS_OF_A_PASS, 0)


@pytest.mark.slow
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10_000), st.sampled_from([BUCKETS_OF_A_PASS, SLICES_OF_A_BUCKET]))
def test_so_do_slices_of_buckets(seed: int, lines_per_pass: int) -> None:
    check_arrivals(seed, lines_per_pass, 2)
