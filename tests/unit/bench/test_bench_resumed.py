"""Long runs: what is done stays done whatever killed the run; no command outlives it; the disk keeps its floor."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def resumed(bench: Callable[[str], ModuleType]) -> ModuleType:
    return bench("resumed")


def run(used: object, folder: Path, command: list[str]) -> int:
    with (folder / "out").open("wb") as out, (folder / "err").open("ab") as err:
        ended: int = used.run(command, dict(os.environ), out, err)  # type: ignore[attr-defined]
    return ended


def test_what_is_done_stays_done_and_what_was_cut_off_is_done_again(resumed: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    journal = resumed.Journal(path)
    journal.begin("synth")
    journal.finish("synth", {"wall": 1.0}, {"n_rows": 5})
    journal.begin("ingest-00")
    whole = path.read_bytes()
    journal.finish("ingest-00", {"wall": 2.0}, {"n_rows": 5})
    written = path.read_bytes()
    for kept in range(len(whole), len(written)):  # a kill anywhere in the last line
        path.write_bytes(written[:kept])
        again = resumed.Journal(path)
        is_whole = kept == len(written) - 1  # but for the end of the line
        assert again.found("synth") == {"n_rows": 5}
        assert again.is_done("ingest-00") is is_whole
        assert again.unfinished == ([] if is_whole else ["ingest-00"])
        again.begin("ingest-01")
        once_more = resumed.Journal(path)
        assert once_more.is_done("ingest-00") is is_whole
        assert once_more.times_begun("ingest-01") == 1


def test_a_step_that_failed_is_tried_again_and_then_no_longer_told(resumed: ModuleType, tmp_path: Path) -> None:
    journal = resumed.Journal(tmp_path / "run.jsonl")
    journal.begin("study")
    journal.fail("study", "refused")
    again = resumed.Journal(tmp_path / "run.jsonl")
    assert (again.failed, again.is_done("study"), again.unfinished) == ({"study": "refused"}, False, [])
    again.begin("study")
    again.finish("study", {}, {})
    last = resumed.Journal(tmp_path / "run.jsonl")
    assert (last.failed, last.is_done("study"), last.times_begun("study")) == ({}, True, 2)


def test_a_command_is_measured_with_all_it_starts(resumed: ModuleType, tmp_path: Path) -> None:
    used = resumed.Used(tmp_path, floor=0)
    below = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'bytearray(300_000_000)'])"
    assert run(used, tmp_path, [sys.executable, "-c", below]) == 0
    assert run(used, tmp_path, [sys.executable, "-c", "sum(range(3_000_000)); raise SystemExit(3)"]) == 3
    told = used.as_json()
    assert told["commands"] == 2
    assert told["cpu"] > 0
    own = getrusage(RUSAGE_SELF).ru_maxrss / 2**20  # a command begins as a copy of who starts it
    assert 0.27 < told["peak_gib"] < max(0.6, 1.1 * own)
    assert told["lowest_free_gb"] > 0


def test_what_takes_too_long_is_ended(resumed: ModuleType, tmp_path: Path) -> None:
    used = resumed.Used(tmp_path, floor=0, longest=0.2)
    with pytest.raises(resumed.StepFailedError, match="longer than"):
        run(used, tmp_path, [sys.executable, "-c", "import time; time.sleep(60)"])


def test_a_command_ends_before_the_disk_is_full_and_a_step_says_what_it_needs(
    resumed: ModuleType, tmp_path: Path
) -> None:
    used = resumed.Used(tmp_path, floor=2**62)
    with pytest.raises(resumed.NoRoomError, match="were free"):
        run(used, tmp_path, [sys.executable, "-c", "import time; time.sleep(60)"])
    step = resumed.Step("move", dict, room=10**18)
    with pytest.raises(resumed.NoRoomError, match=r"move needs 1000000000\.0 GB beside the 6\.0 GB"):
        resumed.need_room(tmp_path, step, 6 * 10**9)
    resumed.need_room(tmp_path, resumed.Step("link", dict), 0)


def test_no_command_outlives_a_run_that_was_killed(bench_folder: Path, tmp_path: Path) -> None:
    script = f"""
import os, sys
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
sys.path.insert(0, {str(bench_folder)!r})
import resumed
place = Path({str(tmp_path)!r})
say = "import os, sys, time; sys.stdout.write(str(os.getpid())); sys.stdout.flush(); time.sleep(60)"
with (place / "out").open("wb") as out:
    resumed.Used(place, floor=0).run([sys.executable, "-c", say], dict(os.environ), out, out)
"""
    driver = subprocess.Popen([sys.executable, "-c", script])
    until = time.monotonic() + 20
    said = tmp_path / "out"
    while not (said.exists() and said.read_text()) and time.monotonic() < until:
        time.sleep(0.02)
    child = int(said.read_text())
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    while time.monotonic() < until and Path(f"/proc/{child}").exists():
        time.sleep(0.02)
    assert not Path(f"/proc/{child}").exists()


def test_a_folder_has_one_run_at_a_time(resumed: ModuleType, tmp_path: Path) -> None:
    with resumed.only_one(tmp_path), pytest.raises(SystemExit, match="another run"), resumed.only_one(tmp_path):
        pass


def test_energy_is_told_where_the_machine_says_it(resumed: ModuleType, tmp_path: Path) -> None:
    assert resumed.energy_joules(tmp_path) is None
    for number, used in enumerate((3_000_000, 4_500_000)):
        (tmp_path / f"intel-rapl:{number}").mkdir()
        (tmp_path / f"intel-rapl:{number}" / "energy_uj").write_text(json.dumps(used))
    (tmp_path / "intel-rapl:0:0").mkdir()  # a part of the first, which has it already
    (tmp_path / "intel-rapl:0:0" / "energy_uj").write_text("9")
    assert resumed.energy_joules(tmp_path) == pytest.approx(7.5, abs=1e-6)
