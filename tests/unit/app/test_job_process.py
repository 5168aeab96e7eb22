"""How a piece of work ended is what its process said, also where that is killed after it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from enclos.app.jobs.model import JobState
from enclos.app.jobs.process import Process
from enclos.lexicon.codes import Code

REFUSED = {"refused": [Code.SPARK_FAILED.id, "Spark stopped.", "See what it says."]}
RUNS = {"step": "study", "done": 0.5, "note": ""}


@pytest.mark.parametrize(
    ("said", "state"),
    [(REFUSED, JobState.REFUSED), ({"done_as": "a1"}, JobState.DONE), (RUNS, JobState.INTERRUPTED)],
)
def test_what_was_said_before_a_process_was_killed_holds(said: dict[str, object], state: JobState) -> None:
    act = f"import os; print({json.dumps(said)!r}, flush=True); os.kill(os.getpid(), 9)"
    command = [sys.executable, "-I", "-S", "-c", act]
    ended = Process(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)).follow(
        lambda *_told: None
    )
    assert ended.state is state
    assert ended.run == ("a1" if state is JobState.DONE else "")
    if state is JobState.REFUSED:
        assert ended.refused is not None
        assert (ended.refused.code, ended.refused.what) == (Code.SPARK_FAILED, "Spark stopped.")
