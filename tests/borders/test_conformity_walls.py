"""The probe of the walls calls a canary that lives: behind walls nothing leads through, without them all is seen."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from enclos.conformity.model import Sight
from enclos.stores.confined.enclosing import Walls
from enclos.stores.machine import shut_in

pytestmark = pytest.mark.system("bubblewrap")


def sights(tmp_path: Path) -> dict[str, Sight]:
    (tmp_path / "permits").mkdir(exist_ok=True)
    return {each.probe: each.sight for each in shut_in.walls_probes([tmp_path / "permits"])[0].look()}


@pytest.mark.parametrize("by", [Walls.BUBBLEWRAP, Walls.LANDLOCK])
def test_behind_walls_nothing_leads_through(by: Walls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shut_in, "walls", lambda: by)
    assert set(sights(tmp_path).values()) == {Sight.HOLDS}


def test_without_walls_the_probe_sees_every_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shut_in, "walls", lambda: Walls.BUBBLEWRAP)
    monkeypatch.setattr(shut_in, "confined_command", lambda _: [sys.executable, "-I", "-c", ""])
    assert set(sights(tmp_path).values()) == {Sight.FAILS}


def test_where_no_query_can_run_nothing_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shut_in, "walls", lambda: Walls.NONE)
    assert set(sights(tmp_path).values()) == {Sight.BLIND}
