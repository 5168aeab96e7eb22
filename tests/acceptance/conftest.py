"""A small synthetic France and an enclosure built from it, made once for all workers and copied for each test."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from enclos.synthetic import make_france
from factories.deliveries import write_own_stays
from factories.enclosure import permit_text, run_cli
from factories.lively_home import lively_home
from factories.released_home import released_home

N_PERSONS, YEARS, SEED = 1500, (2019, 2020), 11


def made_once(root: Path, name: str, make: Callable[[Path], None]) -> Path:
    """The folder, made by the first worker that asks; the others wait for it."""
    folder, done = root / name, root / f"{name}.done"
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            done.touch()
    return folder


@pytest.fixture(scope="session")
def released(shared_root: Path) -> Path:
    """A small enclosure in which a study was released; only to be copied."""
    return made_once(shared_root, "released", lambda folder: released_home(folder) and None) / "home"


@pytest.fixture(scope="session")
def lively(shared_root: Path) -> Path:
    """An enclosure in which something of everything is going on; only to be copied."""

    def make(folder: Path) -> None:
        folder.mkdir()
        lively_home(folder)

    return made_once(shared_root, "lively", make) / "home"


@pytest.fixture(scope="session")
def france(shared_root: Path) -> Path:
    """deliveries/ and truth/ of 1 500 persons over two years, traps included."""
    return made_once(shared_root, "france", lambda folder: make_france(folder, N_PERSONS, YEARS, SEED) and None)


@pytest.fixture(scope="session")
def built(shared_root: Path, france: Path) -> Path:
    """An enclosure with everything ingested, linked and built, and one permit open. Never changed: copy it."""

    def make(folder: Path) -> None:
        run_cli("init", folder)
        run_cli("ingest", folder, *sorted((france / "deliveries").iterdir()))
        run_cli("link", folder, "--truth", france / "truth")
        run_cli("build", folder)
        permit = folder.parent / "permit-built.yaml"
        permit.write_text(permit_text(), encoding="utf-8")
        run_cli("permit", "sign", folder, permit)
        run_cli("permit", "open", folder, "FR-TEST-0001")

    return made_once(shared_root, "built", make)


@pytest.fixture
def home(built: Path, tmp_path: Path) -> Path:
    """A copy of the built enclosure that the test may change."""
    copy = tmp_path / "home"
    shutil.copytree(built, copy)
    return copy


@pytest.fixture(scope="session")
def south(shared_root: Path) -> Path:
    """An enclosure of 250 other persons over one year, with a floor of its own."""

    def make(folder: Path) -> None:
        make_france(folder.parent / "france-south", 250, (2019, 2019), 23)
        run_cli("init", folder, "--min-count-floor", 1, "--buckets", 2)
        run_cli("ingest", folder, *sorted((folder.parent / "france-south" / "deliveries").iterdir()))
        run_cli("link", folder)
        run_cli("build", folder)
        permit = folder.parent / "permit-south.yaml"
        permit.write_text(permit_text("FR-TEST-0002", min_count=1), encoding="utf-8")
        run_cli("permit", "sign", folder, permit)
        run_cli("permit", "open", folder, "FR-TEST-0002")

    return made_once(shared_root, "south", make)


@pytest.fixture
def southern(south: Path, tmp_path: Path) -> Path:
    """A copy of the enclosure of 250 persons that the test may change."""
    copy = tmp_path / "southern"
    shutil.copytree(south, copy)
    return copy


@pytest.fixture(scope="session")
def few(shared_root: Path) -> Path:
    """An enclosure of sixty patients of one hospital, three of them older, with one permit open: it moves quickly."""

    def make(folder: Path) -> None:
        deliveries = folder.parent / "few-deliveries"
        stays = [{"entry": f"2019-04-{1 + n % 20:02d}", "exit": f"2019-04-{3 + n % 20:02d}"} for n in range(60)]
        stays = [{**stay, "birth": "1931-05-02"} for stay in stays[:3]] + stays[3:]
        run_cli("init", folder, "--buckets", 4, "--min-count-floor", 1)
        run_cli("ingest", folder, write_own_stays(deliveries, "hosp-e", stays))
        run_cli("build", folder)
        permit = folder.parent / "permit-few.yaml"
        permit.write_text(permit_text(), encoding="utf-8")
        run_cli("permit", "sign", folder, permit)
        run_cli("permit", "open", folder, "FR-TEST-0001")

    return made_once(shared_root, "few", make)


@pytest.fixture
def small(few: Path, tmp_path: Path) -> Path:
    """A copy of the enclosure of sixty patients that the test may change."""
    copy = tmp_path / "small"
    shutil.copytree(few, copy)
    return copy


@pytest.fixture(scope="session")
def begun(shared_root: Path) -> Path:
    """An enclosure without data. Never changed: copy it."""
    return made_once(shared_root, "empty", lambda folder: run_cli("init", folder) and None)


@pytest.fixture
def empty(begun: Path, tmp_path: Path) -> Path:
    """An enclosure without data that the test may change."""
    copy = tmp_path / "empty"
    shutil.copytree(begun, copy)
    return copy


@pytest.fixture
def delivery(france: Path, tmp_path: Path) -> Path:
    """A copy of one monthly flux that the test may spoil."""
    source = sorted((france / "deliveries").glob("snds-dcir-*"))[3]
    copy = tmp_path / source.name
    shutil.copytree(source, copy)
    return copy
