"""What long work is told of who looks at buckets."""

from __future__ import annotations

import os
from pathlib import Path

from enclos.app.enclosure import create_enclosure
from enclos.app.jobs.works import Told, _spread
from factories.enclosure import PASSPHRASE, open_home


def test_nobody_is_given_more_processes_than_the_host_has_cores(tmp_path: Path) -> None:
    create_enclosure(tmp_path / "home", passphrase=PASSPHRASE, buckets=1)
    n_cores = os.cpu_count() or 1
    with open_home(tmp_path / "home") as enclosure:
        for given, workers in (({}, None), ({"workers": 1}, 1), ({"workers": 256}, n_cores), ({"workers": None}, None)):
            told = Told(enclosure, "alice", "", given, lambda *_: None, lambda: None)
            assert _spread(told) == {"workers": workers, "on": ""}
