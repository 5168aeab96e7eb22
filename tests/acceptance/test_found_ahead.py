"""Whoever serves an enclosure finds what checkers are shown before they look, and goes on when something changes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from enclos.app import looks, permits, releases, studies
from enclos.app.ahead import Ahead
from enclos.app.ledger import show_from
from enclos.ledger.model import Action
from factories.enclosure import ALICE, CAROL, DAN, open_home
from factories.lively_home import PERMIT, lively_home
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


def test_a_served_enclosure_finds_what_waits_before_anybody_looks(tmp_path: Path) -> None:
    home = lively_home(tmp_path).home
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


def test_it_looks_again_only_after_a_request_or_a_release_and_is_no_look_of_anybody(tmp_path: Path) -> None:
    home = lively_home(tmp_path).home
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
