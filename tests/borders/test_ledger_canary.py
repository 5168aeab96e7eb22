"""No personal value is in clear in any file of the ledger, the private ones included, nor in any message."""

from __future__ import annotations

from pathlib import Path

import pytest

from enclos.ledger.model import Action, Personal
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.stores.ledger_files import LedgerFiles
from factories.ledger import MachineClock, begun

EMAIL = "canary.martin@hopital.example"
NAME = "Zoé Canarie"
NIR = "2850578006084"
NIR_CORSE = "185052A006084"
SQL = "SELECT * FROM person WHERE person_source_value = 'canary-zyzzyva'"
CANARIES = ("canary", "canari", "martin", NIR, NIR_CORSE, "zyzzyva")


def test_no_canary_is_in_any_file(tmp_path: Path) -> None:
    ledger = begun(LedgerFiles(tmp_path), clock=MachineClock())
    facts = {
        "email": EMAIL,
        "name": NAME,
        "nir": NIR,
        "nir_corse": NIR_CORSE,
        "sql": SQL,
        "list": [EMAIL, {"deep": NAME}],
        "marked": Personal("canary"),
        "n_rows": 12,
    }
    with ledger.intent(Action.SQL, EMAIL, f"permit of {NAME}", facts) as ticket:
        ticket.facts.update(facts)
    ledger.record(Action.DENIED, NAME, NIR, facts)
    with pytest.raises(ValueError, match="canary"), ledger.intent(Action.STUDY, EMAIL, facts=facts):
        raise ValueError(SQL)
    with pytest.raises(Refusal), ledger.intent(Action.STUDY, EMAIL, facts=facts) as ticket:
        raise refusal(Code.ENCLOSURE_BUSY, f"{NAME} is at work.")
    ledger.record(Action.LOGIN, EMAIL, facts={f"n_{i}": f"{EMAIL} {i}" for i in range(400)})
    ledger.close()
    shown = [repr(ledger), repr(ticket), *(repr(entry) for _, entry in ledger.entries())]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 10
    texts = [
        path.read_bytes().decode("latin-1") + path.as_posix()[len(tmp_path.as_posix()) :] for path in files
    ] + shown
    found = [canary for canary in CANARIES for text in texts if canary in text.lower()]
    assert found == []
    assert any('"n_rows":12' in text for text in texts)


@pytest.mark.parametrize("actor", [EMAIL, NIR, "plain-token"])
def test_an_actor_is_never_in_clear_even_when_a_plain_token(tmp_path: Path, actor: str) -> None:
    ledger = begun(LedgerFiles(tmp_path), clock=MachineClock())
    ledger.record(Action.LOGIN, actor)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and actor.encode() in path.read_bytes()]


def test_only_the_private_folder_holds_anything_secret_or_linkable(tmp_path: Path) -> None:
    ledger = begun(LedgerFiles(tmp_path), clock=MachineClock())
    ledger.intent(Action.STUDY, EMAIL)
    assert {path.name for path in tmp_path.iterdir()} == {"checkpoint", "ledger.vkey", "tile", "private"}
    assert (tmp_path / "private").stat().st_mode & 0o077 == 0
