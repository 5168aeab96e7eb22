"""A person leaves the ledger's memory when the law wants it, not before, and every proof stays."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from enclos.app.enclosure import SystemClock
from enclos.app.ledger import verify
from enclos.app.register import export_register
from enclos.app.salts import forget_permit
from enclos.app.sql import ask
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from factories.enclosure import ALICE, open_home, refused, run_cli


def test_nobody_is_forgotten_before_their_time_and_old_traces_are(tmp_path: Path) -> None:
    home = tmp_path / "home"
    run_cli("init", home)
    forget = ("ledger", "forget", home)
    assert run_cli(*forget, "--user", ALICE, "--reason", "asked") == {"n_salts": 0}  # never met
    refused("sql", home, "--permit", "FR-TEST-0001", "--user", ALICE, "SELECT 1")
    assert refused(*forget, "--user", ALICE, "--reason", "asked")[:2] == (3, "LDG-10")
    assert run_cli(*forget, "--old")["n_salts"] == 0
    salts = [path for path in (home / "ledger" / "private" / "salts").rglob("*") if path.is_file()]
    long_ago = (datetime.now(UTC) - timedelta(days=500)).timestamp()
    for salt in salts:
        os.utime(salt, (long_ago, long_ago))
    answer = run_cli(*forget, "--old")
    assert (answer["retention_months"], answer["n_salts"]) == (12, len(salts) - 1)  # the operator was met just now
    assert run_cli(*forget, "--user", ALICE, "--reason", "asked") == {"n_salts": 0}
    assert run_cli("ledger", "verify", home)["size"] > 6


def test_a_project_is_erased_after_its_end_and_the_ledger_still_proves_all(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    permit, text = "FR-TEST-0001", "SELECT count(DISTINCT person_id) AS n FROM person"
    with open_home(small) as enclosure:
        ask(enclosure, permit=permit, user=ALICE, text=text, unconfined_for_trying_out=True)
        with pytest.raises(Refusal) as told:
            forget_permit(enclosure, permit, "asked by the holder")
        assert told.value.code is Code.LEDGER_RETENTION
        size = enclosure.ledger.size()
    later = datetime.now(UTC) + timedelta(days=60)
    monkeypatch.setattr(SystemClock, "now", lambda _: later)
    with open_home(small) as enclosure:  # it has ended; its data go, who used them can be told for a year
        first = forget_permit(enclosure, permit, "asked by the holder")
        assert (first["n_salts"], first["n_users"], first["n_files"] > 1, len(first["keys"])) == (0, 0, True, 1)
        assert first["salts_from"] is not None and len(first["certificates"]) == 1
        assert sorted(path.name for path in (small / "permits" / permit).iterdir()) == ["newest.json", "v0001.json"]
        assert enclosure.ledger.digests(text)
    later += timedelta(days=400)
    died = RuntimeError("killed")

    def dies(*_: object) -> None:
        raise died

    with open_home(small) as enclosure:
        with monkeypatch.context() as broken:
            broken.setattr(enclosure.ledger, "forget_permit", dies)
            with pytest.raises(RuntimeError):
                forget_permit(enclosure, permit, "asked by the holder")
        done = forget_permit(enclosure, permit, "asked by the holder")
        assert (done["n_salts"] > 0, done["n_users"], done["n_files"], done["salts_from"]) == (True, 1, 0, None)
        assert done["keys"] == first["keys"] and done["certificates"] == []
        assert enclosure.ledger.digests(text) == enclosure.ledger.digests(ALICE) == ()
        again = forget_permit(enclosure, permit, "asked by the holder")
        assert (again["n_salts"], again["n_users"], again["n_files"]) == (0, 0, 0)
        assert export_register(enclosure, tmp_path / "register")["n_permits"] == 1
        assert enclosure.ledger.size() > size
    assert verify(small)["n_open"] == 0
