"""Grouped scans count what one slow check at a time counts, on random dirty CDMs."""

from __future__ import annotations

from datetime import date
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enclos.stores.engine import open_engine
from enclos.warehouse.quality.catalogue import catalogue
from enclos.warehouse.quality.model import Status
from enclos.warehouse.quality.steps import run_quality
from factories.dirty_cdm import as_relations, composed, small_cdm
from oracle.quality import Cdm, Row, count_all

CHECKED_ON = date(2025, 6, 30)
N_BUCKETS = 3


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10**6), n_rows=st.integers(1, 9), version=st.sampled_from(("5.3", "5.4")))
def test_grouped_scans_equal_single_checks(seed: int, n_rows: int, version: str) -> None:
    cdm = small_cdm(seed, n_rows, version)
    with open_engine(threads=1) as engine, as_relations(engine, cdm, version) as relation:
        report = run_quality(engine, relation, cdm_version=version, checked_on=CHECKED_ON)
    mine = {
        (result.check.key.name.value, *result.check.key[1:]): (result.tally.n_violated, result.tally.n_denominator)
        for result in report.results
    }
    slow = count_all(cdm, version, CHECKED_ON)
    assert {key: (mine[key], value) for key, value in slow.items() if mine[key] != value} == {}
    unmeasured = mine.keys() - slow.keys()
    assert all(mine[key] == (0, 0) for key in unmeasured)
    assert all(result.tally.n_denominator for result in report.results if result.status is Status.PASSED)


def in_buckets(cdm: Cdm, random: Random, *, astray: bool) -> Cdm:
    """The tables of persons with a bucket before their columns: the person's, or any or none for some rows."""

    def bucket(row: Row) -> int | None:
        if astray and random.random() < 0.3:
            return random.choice((None, -1, 0, 1, 2, N_BUCKETS))
        return int(row["person_id"] or 0) % N_BUCKETS

    return {
        table: [{"bucket": bucket(row), **row} for row in rows] if "person_id" in rows[0] else rows
        for table, rows in cdm.items()
    }


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 10**6),
    version=st.sampled_from(("5.3", "5.4")),
    keys_per_part=st.sampled_from((1, 4)),
    astray=st.booleans(),
)
def test_parts_count_what_single_checks_count(seed: int, version: str, keys_per_part: int, astray: bool) -> None:
    """Wherever rows lie: the same key in two buckets, in no bucket, in none of the snapshot's."""
    cdm = composed(small_cdm(seed, 9, version), version)
    placed = in_buckets(cdm, Random(seed), astray=astray)  # noqa: S311  # drawn from a seed, guards nothing
    with open_engine(threads=1) as engine, as_relations(engine, placed, version) as relation:
        report = run_quality(
            engine,
            relation,
            cdm_version=version,
            checked_on=CHECKED_ON,
            n_buckets=N_BUCKETS,
            keys_per_part=keys_per_part,
        )
    mine = {
        (result.check.key.name.value, *result.check.key[1:]): (result.tally.n_violated, result.tally.n_denominator)
        for result in report.results
    }
    slow = count_all(cdm, version, CHECKED_ON)
    assert {key: (mine[key], value) for key, value in slow.items() if mine[key] != value} == {}
    assert report.n_scans > 200


def test_the_dirty_cdm_violates_every_kind_of_check_somewhere() -> None:
    """The generator is worth its name: each check type is violated on some seed."""
    violated: set[str] = set()
    for seed in range(12):
        slow = count_all(small_cdm(seed, 9), "5.3", CHECKED_ON)
        violated |= {key[0] for key, (n, _) in slow.items() if n}
    assert violated == {check.key.name.value for check in catalogue("5.3").checks}
