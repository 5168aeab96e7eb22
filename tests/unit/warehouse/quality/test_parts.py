"""Keys are looked at some buckets at a time: in bounded memory, and nothing that crosses buckets is missed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pyarrow as pa
import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.ids import ORDINALS_PER_PERSON
from enclos.lexicon.refusals import Refusal
from enclos.stores.engine import Engine, open_engine
from enclos.warehouse.quality.counting import Counter
from enclos.warehouse.quality.model import CheckKey, CheckName, TableShape, Tally
from enclos.warehouse.quality.plans.keyed import KeyedScan
from enclos.warehouse.quality.plans.parts import KeyColumn, Keys, cut_keys
from enclos.warehouse.quality.plans.scan import Part, Scan
from enclos.warehouse.quality.steps import run_quality

DAY = date(2020, 1, 1)
UNIQUE = CheckKey(CheckName.UNIQUE, "visit_occurrence", "visit_occurrence_id")
NAMED = CheckKey(CheckName.REFERENCE, "condition_occurrence", "visit_occurrence_id")


def judged(
    engine: Engine, relations: Mapping[str, str], n_buckets: int, keys_per_part: int
) -> tuple[dict[CheckKey, Tally], int]:
    report = run_quality(
        engine,
        relations.get,
        cdm_version="5.4",
        checked_on=DAY,
        n_buckets=n_buckets,
        keys_per_part=keys_per_part,
    )
    return {result.check.key: result.tally for result in report.results}, report.n_scans


@pytest.mark.parametrize(
    ("n_keys", "n_buckets", "n_parts"), [(0, 8, 1), (10, 8, 1), (11, 8, 2), (45, 8, 5), (999, 8, 8)]
)
def test_parts_are_runs_of_buckets(n_keys: int, n_buckets: int, n_parts: int) -> None:
    parts = cut_keys(n_keys, n_buckets, keys_per_part=10)
    assert len(parts) == n_parts
    assert [bucket for part in parts for bucket in range(part.first, part.last + 1)] == list(range(n_buckets))


def visits(*rows: tuple[int, int, int]) -> pa.Table:
    """In: bucket, person, ordinal."""
    return pa.table(
        {
            "bucket": pa.array([bucket for bucket, _, _ in rows], pa.int32()),
            "person_id": pa.array([person for _, person, _ in rows], pa.int64()),
            "visit_occurrence_id": pa.array([p * ORDINALS_PER_PERSON + n for _, p, n in rows], pa.int64()),
        }
    )


HOME = tuple((person % 4, person, n) for person in range(40) for n in (1, 2))


@pytest.mark.parametrize("keys_per_part", [5, 1000])
def test_a_number_in_two_buckets_is_counted(keys_per_part: int) -> None:
    with open_engine(threads=1) as engine:
        for stray, n_shared in ((), 0), (((1, 1, 1),), 2), (((3, 1, 1),), 2), (((3, 1, 1), (2, 1, 1), (0, 6, 2)), 5):
            engine.register("visits", visits(*HOME, *stray))
            found, _ = judged(engine, {"visit_occurrence": "visits"}, 4, keys_per_part)
            assert found[UNIQUE] == Tally(n_shared, len(HOME) + len(stray))


@pytest.mark.parametrize("keys_per_part", [5, 1000])
def test_a_row_that_names_one_of_another_bucket_finds_it(keys_per_part: int) -> None:
    naming = visits((1, 1, 1), (2, 1, 1), (1, 1, 3), (2, 77, 1))
    with open_engine(threads=1) as engine:
        engine.register("visits", visits(*HOME))
        engine.register("conditions", naming)
        tables = {"visit_occurrence": "visits", "condition_occurrence": "conditions"}
        found, _ = judged(engine, tables, 4, keys_per_part)
    assert found[NAMED] == Tally(2, 4)


@pytest.mark.parametrize(("stray", "by_bucket"), [((), True), (((1, 5, 9),), True), (((2, 5, 9),), False)])
def test_a_column_is_read_by_buckets_only_where_every_key_is_at_home(
    stray: tuple[tuple[int, int, int], ...], by_bucket: bool
) -> None:
    key = KeyColumn("visit_occurrence", "visit_occurrence_id", Keys.OF_ROWS)
    with open_engine(threads=1) as engine:
        engine.register("visits", visits(*HOME, *stray))
        shape = TableShape("visits", {"bucket": "INTEGER", "visit_occurrence_id": "BIGINT"})
        counter = Counter(engine, {"visit_occurrence": shape}, 4)
        cut = [counter.part(key, part).relation for part in cut_keys(80, 4, 20)]
        assert sum(engine.scalar(f"SELECT count(*) FROM {one}") for one in cut) == len(HOME) + len(stray)
    assert all(("WHERE bucket BETWEEN" in one) is by_bucket for one in cut)


@pytest.mark.parametrize(("keys_per_part", "n_parts"), [(1000, 1), (20, 4)])
def test_a_scan_is_planned_once_for_itself_and_once_for_each_part(keys_per_part: int, n_parts: int) -> None:
    key = KeyColumn("visit_occurrence", "visit_occurrence_id", Keys.OF_ROWS)
    planned: list[str] = []

    def plan(shapes: Mapping[str, TableShape]) -> Scan:
        planned.append(shapes["keys"].relation)
        sql = f"SELECT count(visit_occurrence_id) FROM {shapes['keys'].relation}"
        return Scan(sql, ((UNIQUE, Part.VIOLATED, 0), (UNIQUE, Part.DENOMINATOR, 0)))

    with open_engine(threads=1) as engine:
        engine.register("visits", visits(*HOME))
        shape = TableShape("visits", {"bucket": "INTEGER", "visit_occurrence_id": "BIGINT"})
        counter = Counter(engine, {"visit_occurrence": shape}, 4, keys_per_part)
        counter.run_keyed(KeyedScan(plan, {"keys": key}, len(HOME)))
    assert counter.collected() == {UNIQUE: Tally(len(HOME), len(HOME))}
    assert len(planned) == len(set(planned)) == (1 if n_parts == 1 else 1 + n_parts)


def test_memory_is_that_of_a_part() -> None:
    """Without a place to spill: two million keys do not fit, a thirtieth of them does."""
    n, n_buckets = 2_000_000, 32
    rows = (
        f"(SELECT (i % {n_buckets})::INTEGER AS bucket, i % {n_buckets} * {ORDINALS_PER_PERSON} + i // {n_buckets}"
        f" AS visit_occurrence_id FROM range({n}) AS r(i))"
    )
    with open_engine(None, memory_limit_mb=64, threads=1) as engine:
        with pytest.raises(Refusal) as caught:
            judged(engine, {"visit_occurrence": rows}, n_buckets, n)
        assert caught.value.code is Code.STORAGE_FULL
        found, n_scans = judged(engine, {"visit_occurrence": rows}, n_buckets, n // n_buckets)
    assert found[UNIQUE] == Tally(0, n)
    assert n_scans > n_buckets
