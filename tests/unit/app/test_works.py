"""What long work is told of who looks at buckets, and how much of it is kept."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from enclos.app.enclosure import create_enclosure
from enclos.app.jobs.model import Job, JobState
from enclos.app.jobs.runner import _forget_oldest
from enclos.app.jobs.works import Told, _spread
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.stores.job_files import JobFiles
from factories.enclosure import PASSPHRASE, open_home


def test_nobody_is_given_more_processes_than_the_host_has_cores(tmp_path: Path) -> None:
    create_enclosure(tmp_path / "home", passphrase=PASSPHRASE, buckets=1)
    n_cores = os.cpu_count() or 1
    with open_home(tmp_path / "home") as enclosure:
        for given, workers in (({}, None), ({"workers": 1}, 1), ({"workers": 256}, n_cores), ({"workers": None}, None)):
            told = Told(enclosure, "alice", "", given, lambda *_: None, lambda: None, print)
            assert _spread(told) == {"workers": workers, "on": ""}


def test_a_person_s_work_pushes_out_their_own_oldest_and_nobody_else_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("enclos.app.jobs.runner._MOST_KEPT", 3)
    files = JobFiles(tmp_path, SecretKey(KeyName(KeyRole.DESK), bytes(32)))
    users = ["bob", *["alice"] * 5]
    for number, user in enumerate(users):
        _forget_oldest(files, user)
        job = Job(f"{number:016x}", "quality", "", user, "", {}, "", datetime.now(UTC), state=JobState.DONE)
        files.keep(job.id, job.as_json())
        os.utime(tmp_path / f"{job.id}.sealed", (number, number))
    assert [int(name, 16) for name in files.names()] == [5, 4, 3, 0]
