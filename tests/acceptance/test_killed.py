"""kill -9 at a random moment of ingest, link or build: the next run ends with nothing lost and nothing twice."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from enclos.app.snapshots import reading_snapshot
from enclos.synthetic import make_france
from factories.enclosure import ENCLOS, PASSPHRASE, open_home, run_cli

Rows = dict[str, tuple[int, int]]


@pytest.fixture(scope="module")
def deliveries(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("small")
    make_france(folder, 150, (2019, 2019), 5)
    return sorted((folder / "deliveries").iterdir())


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An enclosure without data: its copies share keys, so that equal histories give equal numbers."""
    folder = tmp_path_factory.mktemp("keys") / "home"
    run_cli("init", folder)
    return folder


@pytest.fixture(scope="module")
def undisturbed(
    keys: Path, deliveries: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Rows, list[float]]:
    """All rows of the history that nobody disturbs, and how long each step took."""
    home = tmp_path_factory.mktemp("undisturbed") / "home"
    shutil.copytree(keys, home)
    seconds = []
    for step in steps(home, deliveries):
        began = time.perf_counter()
        run_cli(*step)
        seconds.append(time.perf_counter() - began)
    return rows_of(home), seconds


def steps(home: Path, deliveries: list[Path]) -> list[tuple[object, ...]]:
    return [("ingest", home, *deliveries), ("link", home), ("build", home)]


def rows_of(home: Path) -> Rows:
    """Of every table, how many rows and a hash of all of them that no order changes."""
    with open_home(home) as enclosure, reading_snapshot(enclosure) as (engine, snapshot):
        found = {}
        for table in sorted(snapshot.tables):
            hashed = f"SELECT count(*), coalesce(sum(CAST(hash(t) AS HUGEINT)), 0) FROM {snapshot.relation(table)} AS t"
            found[table] = engine.rows(hashed)[0]
        return found


def killed(after: float, *step: object) -> None:
    env = {**os.environ, "ENCLOS_PASSPHRASE": PASSPHRASE}
    command = [str(ENCLOS), *(str(word) for word in step)]
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    process.wait()


def disturbed(
    keys: Path, deliveries: list[Path], undisturbed: tuple[Rows, list[float]], home: Path, seed: int, times: int
) -> None:
    draw = random.Random(seed)  # noqa: S311 - moments for a test
    shutil.copytree(keys, home)
    for step, seconds in zip(steps(home, deliveries), undisturbed[1], strict=True):
        for _ in range(times):
            killed(draw.uniform(0, seconds), *step)
        run_cli(*step)
    assert rows_of(home) == undisturbed[0]
    again = run_cli("build", home)
    assert rows_of(home) == undisturbed[0]
    assert not set(again["rebuilt"]) - {"cdm_source", "metadata"}
    assert run_cli("ledger", "verify", home)["n_open"] == 0


@pytest.mark.slow
def test_a_step_that_is_killed_loses_nothing_and_doubles_nothing(keys, deliveries, undisturbed, tmp_path) -> None:
    disturbed(keys, deliveries, undisturbed, tmp_path / "home", seed=1, times=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_fifty_moments_lose_nothing_and_double_nothing(keys, deliveries, undisturbed, tmp_path, seed) -> None:
    disturbed(keys, deliveries, undisturbed, tmp_path / "home", seed=100 + seed, times=3)
