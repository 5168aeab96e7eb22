"""What is kept of a bucket is what would be read of it, as long as there is room."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
import pytest

from enclos.studies.circe import circe_rows
from enclos.studies.circe.kept import ByConcept, Columns, Kept, by_concept
from enclos.studies.circe.rules.columns import grouped
from factories.circe import condition, definition, person
from fakes.whole_cdm import EditedBucket, WholeCdm, whole_cdm_of_rows

ROOM = 1 << 20


def numbers(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def three(names: Sequence[str]) -> Columns:
    """Three numbers for each name."""
    return {name: numbers(1, 2, 3) for name in names}


class Read(EditedBucket):
    """A bucket that remembers what it was asked."""

    def __init__(self, bucket: EditedBucket, edition: tuple[int, str]) -> None:
        super().__init__(bucket.connection)
        self.edition = edition
        self.asked: list[str] = []

    def query(self, sql: str) -> pa.Table:
        self.asked.append(sql)
        return super().query(sql)


class Remembering:
    """A CDM whose buckets remember what they were asked; its rows are of an edition."""

    name = "test"
    buckets = (0,)

    def __init__(self, whole: WholeCdm) -> None:
        self.whole, self.edition, self.asked = whole, "first", list[str]()

    @contextmanager
    def bucket(self, bucket: int) -> Iterator[Read]:
        with self.whole.bucket(bucket) as opened:
            read = Read(opened, (bucket, self.edition))
            yield read
            self.asked = read.asked


def test_records_of_concepts_come_in_order_of_persons() -> None:
    kept = ByConcept(
        by_concept(
            numbers(3, 3, 5, 9, 9), {"person_id": numbers(1, 4, 2, 3, 2**40), "start_date": numbers(5, 6, 7, 8, 9)}
        )
    )
    assert kept.parts([1, 3, 4, 9, 10]) == [(3, slice(0, 2)), (9, slice(3, 5))]
    found = kept.of([3, 4, 5, 9], ["person_id", "start_date"])
    assert found["person_id"].tolist() == [1, 2, 3, 4, 2**40]
    assert found["start_date"].tolist() == [5, 7, 8, 6, 9]
    assert {column.dtype for column in found.values()} == {np.dtype(np.int64)}
    assert len(kept.of([4], ["person_id"])["person_id"]) == len(kept.of([], ["person_id"])["person_id"]) == 0
    empty = ByConcept(by_concept(numbers(), {"person_id": numbers()}))
    assert empty.parts([1]) == []


def test_columns_are_read_once_and_more_of_them_together_with_those_that_are_there() -> None:
    kept, read = Kept(ROOM), list[Sequence[str]]()

    def reading(names: Sequence[str]) -> Columns:
        read.append(names)
        return three(names)

    for wanted in (["a"], ["a"], ["b"], ["a", "b"]):
        found = kept.columns((0, "t"), wanted, lambda: 3, reading)
        assert found is not None and found.keys() >= set(wanted)
    assert read == [("a",), ("a", "b")]
    assert kept.n_bytes == 2 * 3 * 8


def test_a_table_that_is_too_large_is_not_kept_nor_counted_again() -> None:
    kept, counted = Kept(100), list[int]()

    def n_rows() -> int:
        counted.append(1)
        return 13

    assert kept.columns((0, "large"), ["a"], n_rows, three) is None
    assert kept.columns((0, "large"), ["a"], n_rows, three) is None
    assert len(counted) == 1
    assert kept.columns((0, "few"), ["a"], lambda: 3, three, 2) is None
    assert kept.n_bytes == 0


def test_what_there_is_no_room_for_is_not_kept_and_nothing_goes_for_it() -> None:
    kept = Kept(2 * 3 * 8)
    kept.enter(0, "one")
    found = [kept.columns((0, name), ["x"], lambda: 3, three) for name in ("a", "b", "c", "a")]
    assert [each is not None for each in found] == [True, True, False, True]
    assert kept.n_bytes == 2 * 3 * 8
    kept.enter(0, "two")
    assert kept.columns((0, "c"), ["x"], lambda: 3, three) is not None


def test_other_rows_of_a_bucket_and_the_end_take_away_what_was_kept_of_it() -> None:
    kept = Kept(ROOM)
    for bucket in (0, 1):
        kept.enter(bucket, "one")
        kept.columns((bucket, "t"), ["x"], lambda: 3, three)
    kept.enter(0, "one")
    assert kept.n_bytes == 2 * 3 * 8
    kept.enter(0, "two")
    assert kept.n_bytes == 3 * 8
    kept.forget()
    assert kept.n_bytes == 0


def test_records_of_persons_are_neither_shown_nor_pickled() -> None:
    kept = Kept(ROOM)
    kept.columns((0, "t"), ["x"], lambda: 3, three)
    assert repr(kept) == "Kept()"
    with pytest.raises(TypeError):
        pickle.dumps(kept)


def test_a_second_definition_reads_nothing_and_sees_rows_that_have_changed() -> None:
    whole = whole_cdm_of_rows(person(1, condition(7, "2020-01-05"), condition(8, "2020-02-05")))
    cdm, kept = Remembering(whole), Kept(ROOM)

    def starts(concept: int) -> list[str]:
        rows = circe_rows({"one": json.dumps(definition("ConditionOccurrence", concept))}, cdm, kept=kept)
        return [str(day) for day in rows["cohort_start_date"].to_pylist()]

    assert starts(7) == ["2020-01-05"] and cdm.asked
    assert starts(8) == ["2020-02-05"] and cdm.asked == []
    whole.connection.execute("DELETE FROM source.condition_occurrence WHERE condition_concept_id = 7")
    cdm.edition = "second"
    assert starts(7) == [] and cdm.asked


@pytest.mark.parametrize("highest", [3, 300, 70_000, 2**21, 2**31 - 1, 2**40])
@pytest.mark.parametrize("highest_key", [0, 9, 200_000, 2**60])
@pytest.mark.parametrize("n", [0, 1, 2, 5_000])
def test_records_are_put_in_order_of_concepts_then_of_persons_whatever_their_numbers(
    highest: int, highest_key: int, n: int
) -> None:
    drawn = np.random.default_rng(n + highest)
    concept, person = drawn.integers(0, highest + 1, n), drawn.integers(-2, highest_key + 1, n)
    expected = sorted(range(n), key=lambda at: (concept[at], person[at], at))
    assert grouped(concept, person).tolist() == expected
    assert grouped(concept).tolist() == sorted(range(n), key=lambda at: (concept[at], at))
    found = by_concept(concept, {"person_id": person, "row": np.arange(n)})
    assert found["row"].tolist() == expected
    known, counts = np.unique(concept, return_counts=True)
    assert [found["concept"].tolist(), np.diff(found["bound"]).tolist()] == [known.tolist(), counts.tolist()]


def test_what_is_likely_to_be_wanted_is_read_too_where_there_is_room() -> None:
    read = list[Sequence[str]]()

    def reading(names: Sequence[str]) -> Columns:
        read.append(names)
        return {name: np.arange(3) for name in names}

    for room, wanted in ((3 * 8 * 2, ("a",)), (3 * 8 * 3, ("a", "b", "c")), (3 * 8 - 1, None)):
        found = Kept(room).columns((0, "t"), ["a"], lambda: 3, reading, None, ("b", "c"))
        assert (None if found is None else tuple(found)) == wanted
    assert read == [("a",), ("a", "b", "c")]


def test_persons_of_all_numbers_of_32_bits_are_put_in_order() -> None:
    least, most = np.iinfo(np.int32).min, np.iinfo(np.int32).max
    person = np.array([most, least, 0, most, least, -5], dtype=np.int32)
    concept = np.array([1, 1, 1, 2, 2, 2], dtype=np.int32)
    assert grouped(concept, person).tolist() == [1, 2, 0, 4, 5, 3]
