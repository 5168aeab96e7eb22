"""``enclos ledger find`` and ``entry``: what an auditor's pages show, by commands."""

from __future__ import annotations

from pathlib import Path

from enclos.ledger.rules.notes import check_proof, read_proof, read_verifying_key
from factories.enclosure import call, run_cli


def test_an_entry_is_found_and_its_proof_kept(begun: Path, tmp_path: Path) -> None:
    found = run_cli("ledger", "find", begun, "--action", "init")
    (act,) = found["acts"]
    assert (act["index"], act["outcome"], found["older"]) == (0, None, None)
    assert run_cli("ledger", "find", begun, "--since", "2001-01-01", "--until", "2001-01-02")["acts"] == []
    shown = run_cli("ledger", "entry", begun, 0, "--proof", tmp_path / "proof")
    origin, key = read_verifying_key((begun / "ledger" / "ledger.vkey").read_text().strip())
    assert check_proof(read_proof((tmp_path / "proof").read_bytes()), shown["entry"].encode(), origin, key).size > 0
    for wrong in (("find", begun, "--action", "nothing"), ("entry", begun, 99_999)):
        assert call("ledger", *wrong).returncode == 2
