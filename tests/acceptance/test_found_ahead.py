"""Whoever serves an enclosure finds what checkers are shown before they look, and goes on when something changes."""

from __future__ import annotations

import errno
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event, Thread

import pytest

from enclos.app import looks, permits, releases, studies
from enclos.app.ahead import Ahead, keep_ahead
from enclos.app.house import House
from enclos.app.ledger import show_from
from enclos.ledger.model import Action
from enclos.stores.release_files import ArchiveFiles
from factories.enclosure import ALICE, CAROL, DAN, PASSPHRASE, open_home
from factories.lively_home import PERMIT
from factories.serving import serving
from factories.working_home import QUICK

SECONDS = 60


def found(home: Path) -> set[str]:
    """The requests beside which something is kept."""
    return {path.name.partition(".")[0] for path in home.glob("permits/*/released/beside/*.sealed")}


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


def waiting(home: Path) -> str:
    """One request more, which nobody looks at."""
    with open_home(home) as enclosure:
        run = studies.run(enclosure, permit=PERMIT, user=ALICE, text=QUICK.replace("quick", "another"))["run"]
        asked = releases.request(enclosure, permit=PERMIT, user=ALICE, run=run, purpose="For a later paper")
    return str(asked["request"])


@pytest.fixture
def home(lively: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "home"
    shutil.copytree(lively, copy)
    return copy


def test_a_served_enclosure_finds_what_waits_before_anybody_looks(home: Path, tmp_path: Path) -> None:
    with serving(home):
        until(lambda: len(found(home)) == 3)
        request = waiting(home)
        until(lambda: request in found(home))
        with open_home(home) as enclosure:
            for user in (CAROL, DAN):
                releases.review(enclosure, request, user=user, accept=True, reason="Counts are fine")
            rows = looks.list_all(enclosure)["requests"]
            still_waits = next(row["request"] for row in rows if row["state"] == "open" and row["request"] != request)
            kept = next(home.glob(f"permits/*/released/beside/{still_waits}.sealed"))
            before = kept.read_bytes()
            releases.export(enclosure, request, tmp_path / "another.zip")
        until(lambda: kept.read_bytes() != before)


def test_it_looks_again_only_after_a_request_or_a_release_and_is_no_look_of_anybody(home: Path) -> None:
    checkpoint, ahead = home / "ledger" / "checkpoint", Ahead()
    for n_found in (3, 4):
        with open_home(home) as enclosure:
            n_before = int(checkpoint.read_text().splitlines()[1])
            assert [ahead.catch_up(enclosure, lambda: False) for _ in range(2)] == [True, False]
            written = show_from(enclosure, n_before, 100)["entries"]
        assert {entry["action"] for entry in written} <= {Action.KEY_USE.value}
        assert len(found(home)) == n_found
        waiting(home)
    for kept in home.glob("permits/*/released/beside/*.sealed"):
        kept.unlink()
    with open_home(home) as enclosure:
        permits.revoke(enclosure, PERMIT, reason="A test")
        assert Ahead().catch_up(enclosure, lambda: False)
    assert found(home) == set(), "nobody is shown requests of a permit that has ended"


def test_what_a_storage_that_was_away_refused_is_found_when_it_is_back(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    indexed, n_refused = ArchiveFiles.indexed, 0

    def away(archive: ArchiveFiles) -> Sequence[str]:
        nonlocal n_refused
        if n_refused < n_away:
            n_refused += 1
            raise OSError(errno.EIO, "the disk does not answer")
        return indexed(archive)

    monkeypatch.setattr(ArchiveFiles, "indexed", away)
    ahead, n_away = Ahead(), 1
    with open_home(home) as enclosure:
        with pytest.raises(OSError, match="does not answer"):
            ahead.catch_up(enclosure, lambda: False)
        assert found(home) == set()
        assert [ahead.catch_up(enclosure, lambda: False) for _ in range(2)] == [True, False]
    assert len(found(home)) == 3
    for kept in home.glob("permits/*/released/beside/*.sealed"):
        kept.unlink()
    n_away, ends, house = n_away + 3, Event(), House(home, PASSPHRASE)
    monkeypatch.setattr("enclos.app.ahead.EVERY_SECONDS", 0.01)
    serves = Thread(target=keep_ahead, args=(house, ends))
    serves.start()
    try:
        until(lambda: len(found(home)) == 3)
    finally:
        ends.set()
        serves.join()
        house.close()
    assert n_refused == n_away
