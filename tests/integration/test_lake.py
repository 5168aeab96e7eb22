"""The lake on a real disk: whole builds only, ciphertext only, whatever kills the process."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest

from enclos.contracts.omop import omop_tables
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.lexicon.refusals import NotAsPromised
from enclos.stores.engine import open_engine
from enclos.stores.lake import Lake, attach_lake
from enclos.warehouse.model import BuildReport
from enclos.warehouse.steps import build_snapshot
from factories.pseudonymised import (
    CATALOG_KEY,
    RELEASED,
    YEAR_2019,
    HandCrossing,
    ben,
    dispensing,
    prestation,
    vocabulary,
)

MARCH_1 = date(2019, 3, 1)
CANARY = "CANARYCODE1"
OTHER_KEY = SecretKey(KeyName(KeyRole.CATALOG), b"another catalog key of the tests")


def people(n: int) -> dict:
    """n persons with a consultation and a dispensing each."""
    return vocabulary() | {
        "ben": [ben(person) for person in range(1, n + 1)],
        "prs": [prestation(person, MARCH_1) for person in range(1, n + 1)],
        "pha": [dispensing(person, MARCH_1, 3400930000011) for person in range(1, n + 1)],
        "imb": [
            {"person_id": 1, "IMB_ALD_DTD": MARCH_1, "IMB_ETM_NAT": 41, "MED_MTF_COD": CANARY},
        ],
    }


def build(folder: Path, n: int, *, n_buckets: int = 4, **options) -> BuildReport:
    with open_engine(memory_limit_mb=1024) as engine:
        lake = attach(engine, folder)
        crossing = HandCrossing(engine, people(n), n_buckets)
        options = {"lines_per_pass": -(-crossing.n_rows() // n_buckets), **options}  # a pass for each bucket
        return build_snapshot(engine, crossing, lake, n_buckets, periods=YEAR_2019, released_on=RELEASED, **options)


def attach(engine, folder: Path, *, key: SecretKey = CATALOG_KEY, read_only: bool = False) -> Lake:
    return attach_lake(engine, folder / "catalog.ducklake", folder / "lake", key, read_only=read_only)


def counted(folder: Path, table: str = "person", snapshot: int | None = None) -> int:
    with open_engine() as engine:
        lake = attach(engine, folder, read_only=True)
        return engine.scalar(f"SELECT count(*) FROM {lake.snapshot(snapshot).relation(table)}")


def test_a_snapshot_is_read_for_ever_under_its_id(tmp_path: Path) -> None:
    first, second = build(tmp_path, 3), build(tmp_path, 5, n_buckets=2)
    assert second.snapshot > first.snapshot
    assert [counted(tmp_path, snapshot=report.snapshot) for report in (first, second)] == [3, 5]
    assert counted(tmp_path) == 5
    with open_engine() as engine:
        lake = attach(engine, tmp_path, read_only=True)
        assert [(note.id, note.n_buckets) for note in lake.snapshots()] == [(first.snapshot, 4), (second.snapshot, 2)]
        facts = lake.snapshots()[1].facts
        assert (facts["duration"], facts["observation_period"]) == ("pack-size-1", "rights-1")
        assert lake.snapshot(first.snapshot).buckets == (0, 1, 2, 3)
        assert lake.snapshot().tables >= {"person", "drug_exposure", "concept"}


def test_what_was_never_built_is_refused(tmp_path: Path) -> None:
    with open_engine() as engine, pytest.raises(NotAsPromised) as refused:
        attach(engine, tmp_path, read_only=True)
    assert refused.value.code is Code.LAKE_EMPTY
    with open_engine() as engine:
        lake = attach(engine, tmp_path)
        assert lake.snapshots() == []
        with pytest.raises(NotAsPromised) as refused:
            lake.snapshot()
        assert refused.value.code is Code.LAKE_EMPTY
    report = build(tmp_path, 1)
    with open_engine() as engine:
        lake = attach(engine, tmp_path, read_only=True)
        for unknown in (0, report.snapshot + 1):
            with pytest.raises(NotAsPromised) as refused:
                lake.snapshot(unknown)
            assert refused.value.code is Code.SNAPSHOT_UNKNOWN
        with pytest.raises(KeyError):
            lake.snapshot().relation("note")


def test_every_file_is_partitioned_by_bucket_and_sorted_in_it(tmp_path: Path) -> None:
    build(tmp_path, 40)
    with open_engine() as engine:
        lake = attach(engine, tmp_path, read_only=True)
        relation = lake.snapshot().relation("drug_exposure")
        buckets = engine.rows(
            "SELECT bucket, count(*), count(DISTINCT filename) "
            "FROM (SELECT *, filename FROM lake.main.drug_exposure) GROUP BY bucket"
        )
        assert sorted(buckets) == [(0, 10, 1), (1, 10, 1), (2, 10, 1), (3, 10, 1)]
        assert engine.scalar(f"SELECT count(*) FROM {relation} WHERE person_id % 4 <> bucket") == 0
        ids = [id_ for (id_,) in engine.rows(f"SELECT drug_exposure_id FROM {relation} WHERE bucket = 1")]
        assert ids == sorted(ids)


def test_no_file_holds_a_plain_value(tmp_path: Path) -> None:
    build(tmp_path, 3)
    assert counted(tmp_path, "condition_occurrence") == 1
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} >= {".parquet", ".ducklake"}
    for path in files:
        content = path.read_bytes()
        for plain in (CANARY, "condition_source_value", "drug_exposure", "simvastatin", "3400930000011"):
            assert plain.encode() not in content, (path.name, plain)


def test_another_key_opens_nothing(tmp_path: Path) -> None:
    build(tmp_path, 1)
    with open_engine() as engine, pytest.raises(NotAsPromised) as refused:
        attach(engine, tmp_path, key=OTHER_KEY, read_only=True)
    assert refused.value.code is Code.STORAGE_BROKEN


def test_a_lake_moves_with_its_folder(tmp_path: Path) -> None:
    build(tmp_path / "here", 3)
    shutil.move(tmp_path / "here", tmp_path / "there")
    assert counted(tmp_path / "there") == 3
    assert build(tmp_path / "there", 4).tables["person"] == 4
    assert counted(tmp_path / "there") == 4


def test_a_missing_file_is_refused_without_the_engines_words(tmp_path: Path) -> None:
    build(tmp_path, 3)
    with open_engine() as engine:
        lake = attach(engine, tmp_path, read_only=True)
        held = engine.rows("SELECT DISTINCT filename FROM (SELECT *, filename FROM lake.main.person)")
        assert {str(Path(name).relative_to(tmp_path / "lake")) for (name,) in held} < lake.objects()
    for (name,) in held:
        Path(name).unlink()
    with open_engine() as engine:
        relation = attach(engine, tmp_path, read_only=True).snapshot().relation("person")
        with pytest.raises(NotAsPromised) as refused:
            engine.scalar(f"SELECT max(year_of_birth + person_id) FROM {relation}")
    assert refused.value.code is Code.STORAGE_BROKEN
    assert str(tmp_path) not in str(refused.value)


class _Stop(Exception):
    pass


def test_whatever_a_check_raises_leaves_the_snapshot_before(tmp_path: Path) -> None:
    first = build(tmp_path, 3)
    before = _files(tmp_path)
    calls = []

    def check() -> None:
        calls.append(1)
        if len(calls) == 4:
            raise _Stop

    with pytest.raises(_Stop):
        build(tmp_path, 5, check=check)
    assert counted(tmp_path) == 3
    assert _files(tmp_path) == before
    assert build(tmp_path, 5).snapshot > first.snapshot


def test_a_line_that_reaches_no_row_stops_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mapping with a mistake: one delivered line is lost after it was kept."""
    from enclos.warehouse.plans import drugs

    build(tmp_path, 3)
    kind = drugs.dispensings

    def careless(pha, rule):
        found = kind(pha, rule)
        careful = "(SELECT * FROM stage_pha WHERE n_mapped > 0) AS e"
        assert careful in found.rows
        object.__setattr__(found, "rows", found.rows.replace(careful, f"{careful[:-6]} AND person_id <> 2) AS e"))
        return found

    monkeypatch.setattr("enclos.warehouse.plans.drugs.dispensings", careless)
    with pytest.raises(NotAsPromised) as refused:
        build(tmp_path, 5)
    assert refused.value.code is Code.BUILD_UNBALANCED
    assert "pha" in str(refused.value)
    assert counted(tmp_path) == 3


def test_nobody_delivered_is_refused(tmp_path: Path) -> None:
    with open_engine() as engine:
        lake = attach(engine, tmp_path)
        crossing = HandCrossing(engine, vocabulary(), 4)
        with pytest.raises(NotAsPromised) as refused:
            build_snapshot(engine, crossing, lake, 4, periods=(), released_on=RELEASED)
        assert refused.value.code is Code.BUILD_EMPTY
        assert lake.snapshots() == []


def test_a_reference_without_care_has_no_days_to_observe(tmp_path: Path) -> None:
    with open_engine() as engine:
        lake = attach(engine, tmp_path)
        crossing = HandCrossing(engine, {"ben": [ben(1)]}, 4)
        with pytest.raises(NotAsPromised) as refused:
            build_snapshot(engine, crossing, lake, 4, periods=(), released_on=RELEASED)
        assert refused.value.code is Code.BUILD_PERIOD


BUILDER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from integration.test_lake import build
def progress(phase, share):
    print(phase, share, flush=True)
build(Path(sys.argv[1]), 400, n_buckets=8, progress=progress)
print("done", flush=True)
"""


@pytest.mark.parametrize("after", [0, 1, 3, 6, 9])
def test_a_killed_build_leaves_the_snapshot_before_and_no_litter(tmp_path: Path, after: int) -> None:
    """kill -9 after so many reports of progress; the last ones fall into the commit."""
    build(tmp_path, 3)
    before = _files(tmp_path)
    tests = Path(__file__).resolve().parents[1]
    process = subprocess.Popen([sys.executable, "-c", BUILDER, str(tmp_path), str(tests)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    for _ in range(after + 1):
        process.stdout.readline()
    time.sleep(0.002 * after)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    n_persons = counted(tmp_path)
    assert n_persons in (3, 400)
    if n_persons == 3:
        assert counted(tmp_path, "drug_exposure") == 3
        report = build(tmp_path, 3)
        newer = {path for path in _files(tmp_path) if path not in before}
        with open_engine() as engine:
            attach(engine, tmp_path, read_only=True)
            known = engine.scalar("SELECT count(*) FROM __ducklake_metadata_lake.ducklake_data_file")
        assert known == len(before) + len(newer) == len(_files(tmp_path))
        assert counted(tmp_path, snapshot=report.snapshot) == 3


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in (folder / "lake").rglob("*") if path.is_file()}


def test_rows_hold_the_declared_types(tmp_path: Path) -> None:
    build(tmp_path, 1)
    with open_engine() as engine:
        lake = attach(engine, tmp_path, read_only=True)
        for name, contract in omop_tables().items():
            if name in lake.snapshot().tables:
                described = engine.rows(f"DESCRIBE SELECT * FROM {lake.snapshot().relation(name)}")
                found = [(column, type_) for column, type_, *_ in described if column != "bucket"]
                assert found == [(column.name, column.sql_type) for column in contract], name
