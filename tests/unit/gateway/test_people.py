"""A password stands for a token: it lets in whom the token tells of, as long as it does, and is kept nowhere."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from enclos.app.enclosure import create_enclosure
from enclos.app.rotation import rotate_key
from enclos.app.sign_in import sign_in_locally, sign_out
from enclos.gateway.people import SignedIn, draw_password
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.signin.model import Role
from factories.enclosure import ALICE, CAROL, PASSPHRASE, open_home
from factories.people import PASSWORD, local_account, shown_code


def test_a_password_is_kept_as_what_checks_it_and_ends_with_its_token(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    create_enclosure(folder, passphrase=PASSPHRASE)
    with open_home(folder) as enclosure:
        authenticator = local_account(enclosure, ALICE, "Alice", [Role.RESEARCHER])
        code = shown_code(authenticator, datetime.now(UTC))
        _, token = sign_in_locally(enclosure, ALICE, PASSWORD, code)
        drawn = [draw_password(enclosure, token)["password"] for _ in range(10)]
        who = SignedIn(enclosure)
        assert len(who.verifiers(ALICE)) == 8, "the oldest went"
        assert who.verifiers(CAROL) == []
        found = who.person_of(drawn[-1], ALICE)
        assert found is not None
        assert (found[0], who.person_of(token, "")) == (ALICE, (ALICE, token))
        for shown, user in ((drawn[-1], CAROL), ("wrong", ALICE), (drawn[0], ALICE), (token, CAROL), ("a.b.c", ALICE)):
            assert who.person_of(shown, user) is None
        kept = enclosure.paths.passwords.read_bytes()
        assert not any(secret.encode() in kept for secret in (*drawn, token, ALICE))
        assert enclosure.paths.passwords.stat().st_mode & 0o077 == 0
        assert rotate_key(enclosure, "accounts")["moved"]["n_files"] == 2
    with open_home(folder) as enclosure:
        who = SignedIn(enclosure)
        who.require(found[1])
        sign_out(enclosure, token)
        for credential in (found[1], token, "unknown"):
            with pytest.raises(Refusal) as caught:
                who.require(credential)
            assert caught.value.code is Code.GATE_CREDENTIAL
        with pytest.raises(Refusal):
            draw_password(enclosure, token)
