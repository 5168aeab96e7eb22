"""The national run at the size of a village: killed in the midst of its long steps it goes on, and nothing is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from factories.crews import BUCKETS, PASSES, crew_of, is_alive

ROOT = Path(__file__).resolve().parents[2]
STEPS = ("synth", "ingest-05", "build", "study-truth-incidence", "move", "build-again")
"""In whose midst the run is killed, once each."""
SHARED = {"build": PASSES, "study-truth-incidence": BUCKETS}
"""Of these, those that two processes share, and what they are."""
STUDIES = ("truth-first", "truth-incidence", "prevalence", "first-0012")


def begin(folder: Path) -> subprocess.Popen[bytes]:
    size = ("--persons", "1000", "--years", "2018-2019", "--floor-gb", "1", "--workers", "2", "--studies", *STUDIES)
    command = [sys.executable, str(ROOT / "bench" / "national.py"), "--dir", str(folder), *size]
    with (folder.parent / "said").open("ab") as said:
        return subprocess.Popen(command, stdout=said, stderr=said, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"})


def told(folder: Path) -> list[dict[str, Any]]:
    path = folder / "run.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def is_in(folder: Path, step: str) -> bool:
    """Whether a step runs now: its command has said something, and the step is not done."""
    rows = told(folder)
    log = folder / "log" / f"{step}.log"
    return bool(rows) and (rows[-1]["step"], rows[-1]["what"]) == (step, "begun") and log.exists()


def shared_among(run: subprocess.Popen[bytes], kind: str) -> list[int]:
    """The processes that share the work of the command that runs now."""
    return [each for command in crew_of(run.pid, "enclos.cli") for each in crew_of(command, kind)]


@pytest.mark.slow
def test_a_run_that_is_killed_in_every_long_step_goes_on_and_loses_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    for step in STEPS:
        run = begin(folder)
        while run.poll() is None and not is_in(folder, step):
            time.sleep(0.01)
        time.sleep(1.5)  # the command has started by then, and none of these is done
        workers: list[int] = []
        while step in SHARED and run.poll() is None and len(workers) < 2:
            time.sleep(0.01)
            workers = shared_among(run, SHARED[step])
        assert run.poll() is None, (tmp_path / "said").read_text(encoding="utf-8")
        run.send_signal(signal.SIGKILL)
        run.wait()
        assert is_in(folder, step), f"{step} was done before the kill"
        until = time.monotonic() + 20
        while any(map(is_alive, workers)) and time.monotonic() < until:
            time.sleep(0.01)
        assert not any(map(is_alive, workers))
    assert begin(folder).wait() == 0, (tmp_path / "said").read_text(encoding="utf-8")
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert all(account["holds"] for account in report["accounts"])
    assert not report["failed"]
    begun = [row["step"] for row in told(folder) if row["what"] == "begun"]
    assert {step for step in begun if begun.count(step) > 1} == set(STEPS)
    rows = {row["step"]: row["found"] for row in report["rows"]}
    assert rows["permit-0012"]["n_persons"] <= rows["permit-0001"]["n_persons"] == rows["build"]["n_persons"]
    assert rows["release-truth-first"]["left"] == 1
    assert rows["rerun-prevalence"]["same"] is True
    judged = rows["quality"]
    assert judged["checks"] == judged["passed"] + judged["failed"] + judged["not_applicable"] > 2000
    # delivered text goes once it has landed, and the old place once everything is at the new one
    assert not any((folder / "france" / "deliveries").iterdir())
    assert not (folder / "home" / "lake").exists()
    # a call after the end does nothing more
    assert begin(folder).wait() == 0
    assert [row["step"] for row in told(folder) if row["what"] == "begun"] == begun
