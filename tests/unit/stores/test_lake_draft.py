"""A build in a draft of the catalog: what other processes wrote is read, and values are found whatever files lack."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from enclos.contracts.columns import Column, TableContract
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.stores.engine import Engine, open_engine
from enclos.stores.lake import Lake, attach_lake
from enclos.stores.lake_draft import LakeDraft, open_piece
from enclos.stores.lake_files import named_files

KEY = SecretKey(KeyName(KeyRole.CATALOG), b"a catalog key of the unit tests.")
TABLE = TableContract("thing", (Column("person_id", "BIGINT"), Column("seen_on", "DATE"), Column("said", "VARCHAR")))
OF_THE_BUILD = TableContract("part", (Column("told", "VARCHAR"),))
FACTS = {"n_buckets": 4, "tables": ["thing"]}
NAME = 'lake.main."thing"'


class Place:
    """A folder with a catalog and a lake, and an engine that has them attached."""

    def __init__(self, folder: Path) -> None:
        self.catalog, self.folder = folder / "catalog.ducklake", folder / "lake"
        self.draft_path = folder / "draft"
        self.engine = open_engine(memory_limit_mb=256, threads=1)
        self.attach(self.catalog)

    def attach(self, catalog: Path) -> Lake:
        return attach_lake(self.engine, catalog, self.folder, KEY)

    def draft(self) -> LakeDraft:
        return LakeDraft(self.engine, self.catalog, self.draft_path, self.attach)

    def begun(self, *, anew: bool) -> LakeDraft:
        draft = self.draft()
        draft.begin()
        if anew:
            draft.create(TABLE, by_bucket=True)
        draft.create(OF_THE_BUILD, by_bucket=False)
        return draft

    def rows(self, where: str = "true") -> list[tuple[object, ...]]:
        return self.engine.rows(f"SELECT person_id, said FROM {NAME} WHERE {where} ORDER BY ALL")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    with place.engine:
        yield place


def put(engine: Engine, *rows: tuple[int, str]) -> None:
    """Rows by their person and what they say, SQL of a text; the bucket follows from the person."""
    values = ", ".join(f"({person % 4}, {person}, DATE '2020-01-01' + {person}, {said})" for person, said in rows)
    engine.execute(f"INSERT INTO {NAME} VALUES {values}")


def written(draft: LakeDraft, place: Place, replaces: int | None, *rows: tuple[int, str]) -> None:
    """Have another engine write rows, in the place of those of a bucket."""
    held = draft.held([] if replaces is None else [replaces])
    with (
        open_engine(memory_limit_mb=256, threads=1) as other,
        open_piece(other, place.folder, {TABLE: draft.folders()["thing"]}, held) as piece,
    ):
        if replaces is not None:
            other.execute(f"DELETE FROM {NAME} WHERE bucket = {replaces}")
        put(other, *rows)
    draft.take(piece.files, piece.gone)


def test_a_value_is_found_though_the_first_build_had_a_file_without_any(place: Place) -> None:
    draft = place.begun(anew=True)
    put(place.engine, (1, "NULL"), (2, "'m'"))
    draft.commit(FACTS)
    draft = place.begun(anew=False)
    put(place.engine, (3, "'a'"))
    draft.commit(FACTS)
    assert place.rows("said = 'm'") == [(2, "m")]
    assert place.rows("said = 'a'") == [(3, "a")]
    assert place.rows("said IS NULL") == [(1, None)]


def test_pieces_of_several_processes_are_one_table(place: Place) -> None:
    draft = place.begun(anew=True)
    written(draft, place, None, (1, "NULL"), (5, "NULL"))
    written(draft, place, None, (2, "'m'"), (3, "'z'"))
    snapshot = draft.commit(FACTS)
    assert draft.newest() == snapshot
    assert place.rows() == [(1, None), (2, "m"), (3, "z"), (5, None)]
    assert place.rows("said = 'm'") == [(2, "m")]
    assert place.rows("seen_on > DATE '2020-01-04'") == [(5, None)]
    keys = draft.file_keys()
    assert {(place.folder / name).exists() for name in keys} == {True}
    assert not place.draft_path.exists()


def test_a_piece_replaces_a_bucket_and_the_snapshot_before_keeps_its_own(place: Place) -> None:
    draft = place.begun(anew=True)
    written(draft, place, None, (1, "'a'"), (2, "'b'"))
    first = draft.commit(FACTS)
    draft = place.begun(anew=False)
    written(draft, place, 1, (5, "'c'"))
    second = draft.commit(FACTS)
    before, now = (draft.snapshot(each).relation("thing") for each in (first, second))
    assert place.engine.rows(f"SELECT person_id FROM {before} ORDER BY 1") == [(1,), (2,)]
    assert place.engine.rows(f"SELECT person_id FROM {now} ORDER BY 1") == [(2,), (5,)]
    row_ids = place.engine.rows(f"SELECT count(*), count(DISTINCT rowid) FROM {NAME}")
    assert row_ids == [(2, 2)]


def test_an_abandoned_build_changes_nothing_and_its_files_go_with_the_next(place: Place) -> None:
    draft = place.begun(anew=True)
    written(draft, place, None, (1, "'a'"))
    draft.commit(FACTS)
    content = place.catalog.read_bytes()
    draft = place.begun(anew=False)
    written(draft, place, None, (2, "'b'"))
    draft.abandon()
    assert place.catalog.read_bytes() == content
    assert place.rows() == [(1, "a")]
    assert len(list(place.folder.rglob("*.parquet"))) == 2
    place.begun(anew=False).commit(FACTS)
    assert len(list(place.folder.rglob("*.parquet"))) == 1
    assert place.rows() == [(1, "a")]


def test_files_of_a_table_that_is_not_there_are_taken_by_nobody(place: Place) -> None:
    draft = place.begun(anew=True)
    written(draft, place, None, (1, "'a'"))
    draft.commit(FACTS)
    told = named_files(place.engine)
    assert "key" not in repr(told).lower()
    draft = place.draft()
    draft.begin()
    draft.create(TableContract("thing", (*TABLE.columns[:2], Column("other", "VARCHAR"))), by_bucket=True)
    draft.take(told, [])
    with pytest.raises(AssertionError, match="does not have"):
        draft.commit(FACTS)
    draft.abandon()
    assert place.rows() == [(1, "a")]
