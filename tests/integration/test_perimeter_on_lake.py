"""A permit on a real lake: a sealed perimeter, a destroyed key, and no plain value on disk."""

import pickle
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from enclos.contracts.omop import PERSON_TABLES, omop_tables
from enclos.contracts.view import ViewTerms, WholeBase, all_tables
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.lexicon.refusals import NotAsPromised
from enclos.lexicon.spans import Span
from enclos.stores.engine import Engine, EngineFault, open_engine
from enclos.stores.lake import Lake, attach_lake
from enclos.stores.perimeter_file import PERIMETER_FILE, KeptPersons, PerimeterFile
from enclos.stores.permit_files import SystemRandomness
from enclos.views.steps import PermitCdm, open_view
from factories.cdm import N_BUCKETS, MemorySnapshot, random_base

TERMS = ViewTerms("P-1", all_tables(), WholeBase(), Span(date(1990, 1, 1), date(2100, 1, 1)))
PERMIT_KEY = KeyName(KeyRole.PERMIT, "P-1")
CATALOG_KEY = SecretKey(KeyName(KeyRole.CATALOG), b"c" * 32)
CANARY = "CANARY-OF-THE-LAKE"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with open_engine(tmp_path / "spill") as engine:
        yield engine


def built(engine: Engine, tmp_path: Path, n_persons: int) -> Lake:
    lake = attach_lake(engine, tmp_path / "catalog.ducklake", tmp_path / "lake", CATALOG_KEY)
    base = random_base(range(1, n_persons + 1), ["drug_exposure", "location"], 1)
    base["drug_exposure"][0] |= {"drug_source_value": CANARY, "drug_source_concept_id": 45}
    memory = MemorySnapshot(engine, base, {})
    lake.begin()
    for table in base:
        name = lake.create(omop_tables()[table], by_bucket=table in PERSON_TABLES)
        engine.execute(f"INSERT INTO {name} FROM {memory.relation(table)}")
    lake.commit({"n_buckets": N_BUCKETS, "tables": {table: len(rows) for table, rows in base.items()}})
    return lake


def perimeter(engine: Engine, lake: Lake, tmp_path: Path, secret: bytes = b"p" * 32, **kept: Any) -> PerimeterFile:
    path = tmp_path / "permits" / "P-1" / PERIMETER_FILE
    return PerimeterFile(engine, lake.snapshot(), path, SecretKey(PERMIT_KEY, secret), [TERMS], **kept)


def numbers(file: PerimeterFile) -> dict[int, int]:
    rows = file.rows()
    return dict(zip(rows["person_id"].to_pylist(), rows["permit_person"].to_pylist(), strict=True))


def test_a_permit_on_a_lake(engine: Engine, tmp_path: Path) -> None:
    lake = built(engine, tmp_path, 40)
    file = perimeter(engine, lake, tmp_path)
    opened = open_view(TERMS, engine=engine, snapshot=lake.snapshot(), perimeter=file, randomness=SystemRandomness())
    assert (opened.n_persons, opened.n_new) == (40, 40)
    assert [path.name for path in (tmp_path / "permits" / "P-1").iterdir()] == [PERIMETER_FILE]
    cdm = PermitCdm(
        TERMS, name="base", engine=engine, snapshot=lake.snapshot(), perimeter=file, opted_out=(), check=lambda: None
    )
    codes: list[str] = []
    n_persons = 0
    for number in cdm.buckets:
        with cdm.bucket(number) as bucket:
            n_persons += bucket.query("FROM person").num_rows
            codes += bucket.query("SELECT drug_source_value FROM drug_exposure")["drug_source_value"].to_pylist()
    assert n_persons == 40
    assert CANARY in codes
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert CANARY.encode() not in path.read_bytes(), path.name


def test_opening_again_on_the_next_snapshot_keeps_the_numbers(engine: Engine, tmp_path: Path) -> None:
    lake = built(engine, tmp_path, 10)
    file = perimeter(engine, lake, tmp_path)
    open_view(TERMS, engine=engine, snapshot=lake.snapshot(), perimeter=file, randomness=SystemRandomness())
    first = numbers(file)
    again = open_view(TERMS, engine=engine, snapshot=lake.snapshot(), perimeter=file, randomness=SystemRandomness())
    assert again.n_new == 0
    assert numbers(perimeter(engine, lake, tmp_path)) == first


def test_another_key_opens_nothing(engine: Engine, tmp_path: Path) -> None:
    lake = built(engine, tmp_path, 10)
    file = perimeter(engine, lake, tmp_path)
    open_view(TERMS, engine=engine, snapshot=lake.snapshot(), perimeter=file, randomness=SystemRandomness())
    with pytest.raises(NotAsPromised):
        perimeter(engine, lake, tmp_path, b"q" * 32).rows()


def test_persons_that_are_kept_are_those_of_the_file_and_the_build(engine: Engine, tmp_path: Path) -> None:
    lake = built(engine, tmp_path, 12)
    file = perimeter(engine, lake, tmp_path)
    open_view(TERMS, engine=engine, snapshot=lake.snapshot(), perimeter=file, randomness=SystemRandomness())
    kept = KeptPersons(1 << 20)

    def asked(lineage: str, kept: KeptPersons = kept) -> list[dict[str, Any]]:
        rows = perimeter(engine, lake, tmp_path, kept=kept, lineage=lineage).rows(0)
        found: list[dict[str, Any]] = rows.to_pylist()
        return found

    first = asked("1")
    assert len(first) > 1 and asked("1") == first == file.rows(0).to_pylist()
    notes = lake.snapshot()
    with open_engine() as without_lake:
        path = tmp_path / "permits" / "P-1" / PERIMETER_FILE
        key = SecretKey(PERMIT_KEY, b"p" * 32)
        known, later = (
            PerimeterFile(without_lake, notes, path, key, [TERMS], kept=kept, lineage=lineage) for lineage in "12"
        )
        assert known.rows(0).to_pylist() == first, "nobody was looked up"
        with pytest.raises(EngineFault):
            later.rows(0)
    assert asked("1") == first
    file.write(file.rows(1), TERMS)  # the permit is opened anew: nobody of this bucket is in
    assert asked("1") == []
    assert kept.n_bytes == 0
    small = KeptPersons(8)
    assert len(perimeter(engine, lake, tmp_path, kept=small, lineage="1").rows(1)) > 0
    assert small.n_bytes == 0, "no room, no harm"
    with pytest.raises(TypeError):
        pickle.dumps(kept)
    with pytest.raises(NotAsPromised):
        perimeter(engine, lake, tmp_path, b"q" * 32, kept=kept, lineage="1").rows(1)


def test_a_perimeter_is_small(engine: Engine, tmp_path: Path) -> None:
    lake = attach_lake(engine, tmp_path / "catalog.ducklake", tmp_path / "lake", CATALOG_KEY)
    engine.execute(
        "CREATE TABLE many AS SELECT (range % 3)::INTEGER AS bucket, "
        "('0x' || substr(md5(range::VARCHAR), 1, 10))::BIGINT AS person_id FROM range(30000)"
    )
    lake.begin()
    for table, columns in (
        ("person", "bucket, person_id"),
        ("observation_period", "bucket, person_id, observation_period_start_date, observation_period_end_date"),
    ):
        name = lake.create(omop_tables()[table], by_bucket=True)
        values = columns.replace("observation_period_start_date", "DATE '2019-01-01' + (person_id % 900)::INTEGER")
        values = values.replace("observation_period_end_date", "DATE '2022-01-01' + (person_id % 700)::INTEGER")
        engine.execute(f"INSERT INTO {name} ({columns}) SELECT {values} FROM many")
    lake.commit({"n_buckets": N_BUCKETS, "tables": {"person": 30000, "observation_period": 30000}})
    opened = open_view(
        TERMS,
        engine=engine,
        snapshot=lake.snapshot(),
        perimeter=perimeter(engine, lake, tmp_path),
        randomness=SystemRandomness(),
    )
    assert opened.n_persons == 30000
    assert opened.n_bytes <= 500
