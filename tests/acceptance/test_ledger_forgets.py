"""A person leaves the ledger's memory when the law wants it, not before, and every proof stays."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from factories.enclosure import ALICE, refused, run_cli


def test_nobody_is_forgotten_before_their_time_and_old_traces_are(tmp_path: Path) -> None:
    home = tmp_path / "home"
    run_cli("init", home)
    forget = ("ledger", "forget", home)
    assert run_cli(*forget, "--user", ALICE, "--reason", "asked") == {"n_salts": 0}  # never met
    refused("sql", home, "--permit", "FR-TEST-0001", "--user", ALICE, "SELECT 1")
    assert refused(*forget, "--user", ALICE, "--reason", "asked")[:2] == (3, "LDG-10")
    assert run_cli(*forget, "--old")["n_salts"] == 0
    salts = list((home / "ledger" / "private" / "salts").iterdir())
    long_ago = (datetime.now(UTC) - timedelta(days=500)).timestamp()
    for salt in salts:
        os.utime(salt, (long_ago, long_ago))
    answer = run_cli(*forget, "--old")
    assert (answer["retention_months"], answer["n_salts"]) == (12, len(salts) - 1)  # the operator was met just now
    assert run_cli(*forget, "--user", ALICE, "--reason", "asked") == {"n_salts": 0}
    assert run_cli("ledger", "verify", home)["size"] > 6
