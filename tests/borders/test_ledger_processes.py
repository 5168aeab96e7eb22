"""Real processes on real files: killed at any call, side by side, on a full and on a read-only storage."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from enclos.ledger.model import Entry, Kind
from enclos.ledger.rules.tiles import tile_of
from enclos.ledger.steps import Ledger, verify_ledger
from enclos.stores.ledger_files import LedgerFiles
from factories.ledger import ORIGIN, PUBLIC_KEY, SALT, VERIFYING_KEY, MachineClock, SeedSigner, begun, filled

TESTS = Path(__file__).parents[1]
WORKER = TESTS / "borders" / "ledger_worker.py"
TOOL = TESTS.parent / "tools" / "verify_ledger.py"
N_KILLS_IN_CI = 30


def worker(*args: object) -> subprocess.Popen[bytes]:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent / "src")])}
    return subprocess.Popen([sys.executable, str(WORKER), *map(str, args)], env=env, stderr=subprocess.PIPE)


def run(*args: object) -> int:
    process = worker(*args)
    _, errors = process.communicate(timeout=120)
    assert process.returncode in (0, -9), errors.decode()
    return process.returncode


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def begin(folder: Path, n_entries: int) -> Path:
    """A ledger in a folder, without the partial tiles that nothing needs."""
    store = LedgerFiles(folder)
    with begun(store, clock=MachineClock()) as ledger:
        filled(ledger, n_entries)
    for name in store.names("tile"):
        tile = tile_of(name)
        assert tile is not None
        if tile.width < n_entries % 256 and tile.level in (0, None):
            (folder / name).unlink()
    return folder


def opened(folder: Path) -> Ledger:
    return Ledger.open(LedgerFiles(folder), SeedSigner(), MachineClock(), SALT, ORIGIN)


def check(folder: Path, returned: list[dict[str, Any]], n_before: int) -> dict[int, Entry]:
    """What returned stands where it was said to stand, once; every intent is closed; both verifiers agree."""
    with opened(folder) as ledger:
        entries = dict(ledger.entries())
    told = {line["index"]: line["mark"] for line in returned if "mark" in line}
    assert {index: entries[index].facts["mark"] for index in told} == told
    marks = [str(entry.facts["mark"]) for entry in entries.values() if "mark" in entry.facts]
    assert len(set(marks)) == len(marks)
    intents = sorted(index for index, entry in entries.items() if entry.kind is Kind.INTENT)
    assert sorted(entry.intent for entry in entries.values() if entry.intent is not None) == intents
    report = verify_ledger(LedgerFiles(folder), PUBLIC_KEY, ORIGIN)
    assert (report.size, report.n_open) == (len(entries), 0)
    assert report.size >= n_before + len(told)
    told_by_tool = subprocess.run(
        [sys.executable, str(TOOL), str(folder), VERIFYING_KEY], capture_output=True, check=True, timeout=60
    )
    assert json.loads(told_by_tool.stdout)["size"] == report.size
    return entries


def kill_at_points(tmp_path: Path, n_points: int, mode: str = "die") -> None:
    base = begin(tmp_path / "base", 252)
    shutil.copytree(base, tmp_path / "whole")
    assert run(mode, tmp_path / "whole", tmp_path / "whole.json", -1) == 0
    n_calls = lines(tmp_path / "whole.json")[-1]["n_calls"]
    check(tmp_path / "whole", lines(tmp_path / "whole.json"), 252)
    points = sorted({point * n_calls // n_points for point in range(n_points)})
    for start in range(0, len(points), 2):  # two at a time
        pair = points[start : start + 2]
        for point in pair:
            shutil.copytree(base, tmp_path / str(point))
        running = [worker(mode, tmp_path / str(point), tmp_path / f"{point}.json", point) for point in pair]
        errors = [process.communicate(timeout=60)[1] for process in running]
        assert [process.returncode for process in running] == [-9] * len(pair), errors
        for point in pair:
            check(tmp_path / str(point), lines(tmp_path / f"{point}.json"), 252)
            shutil.rmtree(tmp_path / str(point))


@pytest.mark.parametrize("mode", ["die", "hold"])
def test_killed_at_thirty_calls_nothing_is_lost(tmp_path: Path, mode: str) -> None:
    kill_at_points(tmp_path, N_KILLS_IN_CI // 2, mode)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["die", "hold"])
def test_killed_at_every_call_nothing_is_lost(tmp_path: Path, mode: str) -> None:
    kill_at_points(tmp_path, 10_000, mode)


def test_four_processes_write_side_by_side(tmp_path: Path) -> None:
    folder = begin(tmp_path / "ledger", 200)
    running = [worker("append", folder, tmp_path / f"{name}.json", name, 25) for name in "abcd"]
    for process in running:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors.decode()
    returned = [line for name in "abcd" for line in lines(tmp_path / f"{name}.json")]
    assert [line for line in returned if "ended" in line] == [{"ended": True}] * 4
    entries = check(folder, returned, 200)
    assert len(entries) == 200 + 4 * 25 * 3
    instants = [entry.at for entry in entries.values()]
    assert instants == sorted(instants)


def test_a_file_that_may_not_grow_stops_the_work(tmp_path: Path) -> None:
    folder = begin(tmp_path / "ledger", 3)
    assert run("limit", folder, tmp_path / "returned.json", 6000) == 0
    *returned, last = lines(tmp_path / "returned.json")
    assert (last["code"], last["exit"]) == ("LDG-01", 4)
    assert "full" in last["message"]
    assert len(returned) > 3
    entries = check(folder, returned, 3)
    assert len(entries) <= 3 + len(returned) + 1
    with opened(folder) as ledger:
        filled(ledger, 2)
    assert verify_ledger(LedgerFiles(folder), PUBLIC_KEY, ORIGIN).size == len(entries) + 2


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path | None]:
    """A file system of 200 KiB, where the operating system lets us have one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder)]
    is_mounted = os.getuid() == 0 and subprocess.run(command, check=False, capture_output=True).returncode == 0
    yield folder if is_mounted else None
    if is_mounted:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_stops_the_work_and_free_space_resumes_it(small_disk: Path | None, tmp_path: Path) -> None:
    """On a small file system of its own; where none can be mounted, a limit on the size of files stands in."""
    disk = small_disk or tmp_path / "folder"
    folder = begin(disk / "ledger", 3)
    if small_disk:
        (small_disk / "other").write_bytes(b"x" * 100_000)
    assert run("limit", folder, tmp_path / "returned.json", 10_000_000 if small_disk else 6000) == 0
    *returned, last = lines(tmp_path / "returned.json")
    assert last["code"] == "LDG-01"
    assert "full" in last["message"]
    (disk / "other").unlink(missing_ok=True)
    entries = check(folder, returned, 3)
    assert len(entries) <= 3 + len(returned) + 1


def test_a_read_only_storage_stops_the_work_before_it_begins(tmp_path: Path) -> None:
    outside = Path(tempfile.mkdtemp())  # the test's own folder is closed to other users
    try:
        outside.chmod(0o755)
        folder = begin(outside / "ledger", 3)
        if os.getuid() != 0:
            for path in (folder, *folder.rglob("*")):
                path.chmod(path.stat().st_mode & 0o555)
        before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        assert run("readonly", folder, tmp_path / "returned.json", 65534) == 0
        (last,) = lines(tmp_path / "returned.json")
        assert (last["code"], last["exit"], last["ran"]) == ("LDG-01", 4, 0)
        assert "read-only" in last["message"]
        assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    finally:
        for path in outside.rglob("*"):
            path.chmod(0o755)
        shutil.rmtree(outside)
