"""The newest entries are those of the ledger, whatever was asked for before, and none is read twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from enclos.app import recent
from enclos.app.auditing import Sought, explore
from enclos.app.deliveries import list_deliveries
from enclos.app.enclosure import create_enclosure
from enclos.app.recent import Recent
from enclos.app.running import running_work
from enclos.ledger.model import Action
from enclos.ledger.steps import Ledger
from factories.enclosure import PASSPHRASE, open_home
from factories.ledger import entries_read


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """One of forty entries, of which fifteen are kept."""
    create_enclosure(tmp_path / "home", passphrase=PASSPHRASE, buckets=1)
    with open_home(tmp_path / "home") as enclosure:
        _grow(enclosure.ledger, 40 - enclosure.ledger.size())
        yield enclosure.ledger


def _grow(ledger: Ledger, n: int) -> None:
    for _ in range(n):
        ledger.record(Action.DENIED, "somebody")


@pytest.mark.parametrize("kept", [1, 7, 15, 6_000])
def test_they_are_the_ledgers_own_in_whatever_order_they_are_asked_for(
    ledger: Ledger, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent, "MOST", kept)
    asked = [(30, 35), (38, 99), (26, 31), (25, 40), (0, 40), (3, 9), (39, 40), (40, 60), (12, 12), (20, 10)]
    one = Recent(ledger)
    for n_more in (0, 1, 3, 30):
        _grow(ledger, n_more)
        size, every = ledger.size(), list(ledger.entries())
        for start, end in [*asked, *((size + start - 40, size + end - 40) for start, end in asked)]:
            assert one.between(start, end) == every[start : max(start, end)]


def test_what_was_read_is_not_read_again_and_what_came_since_is(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent, "MOST", 15)
    one, met = Recent(ledger), entries_read(monkeypatch)
    assert [index for index, _ in one.between(30, 40)] == met == list(range(30, 40))
    met.clear()
    one.between(26, 40)
    assert met == list(range(26, 30))
    met.clear()
    _grow(ledger, 2)
    for _ in range(2):
        one.between(30, 42)
    assert met == [40, 41]
    met.clear()
    _grow(ledger, 20)
    one.between(55, 62)
    assert met == list(range(55, 62)), "those between are not wanted any more"


def test_pages_that_look_back_read_the_ledger_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create_enclosure(tmp_path / "home", passphrase=PASSPHRASE, buckets=1)
    with open_home(tmp_path / "home") as enclosure:
        _grow(enclosure.ledger, 30)
        looks = (running_work, list_deliveries, lambda opened: explore(opened, Sought(action="login")))
        for look in looks:
            look(enclosure)  # the first use of a key is an entry
        first = [look(enclosure) for look in looks]
        met = entries_read(monkeypatch)
        assert [look(enclosure) for look in looks] == first
        assert met == []
