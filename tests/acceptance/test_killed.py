"""A build that is killed leaves the snapshot before it; the next one is as if nothing had happened."""

from __future__ import annotations

import os
import signal
import subprocess
import time

import pytest

from factories.enclosure import ENCLOS, PASSPHRASE, run_cli


@pytest.mark.parametrize("seconds", [1.0, 3.0])
def test_a_killed_build_loses_nothing_and_doubles_nothing(home, seconds):
    before = run_cli("snapshots", home)["snapshots"]
    env = {**os.environ, "ENCLOS_PASSPHRASE": PASSPHRASE}
    process = subprocess.Popen(
        [str(ENCLOS), "build", str(home)], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert run_cli("snapshots", home)["snapshots"][: len(before)] == before
    first = run_cli("build", home)
    second = run_cli("build", home)
    assert first["tables"] == second["tables"]
    assert run_cli("ledger", "verify", home)["n_open"] == 0
