"""Signing in to an enclosure: what the ledger says of it, and whom a token lets in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from enclos.app.accounts import add_account, change_account, list_accounts, remove_account
from enclos.app.enclosure import Enclosure, create_enclosure
from enclos.app.move_target import read_target
from enclos.app.moving import move_enclosure
from enclos.app.parts import parts_of
from enclos.app.rotation import rotate_key
from enclos.app.sign_in import (
    check_is_signed_in,
    person_of,
    sign_in_locally,
    sign_out,
    sign_out_everywhere,
)
from enclos.ledger.model import Action, Outcome
from enclos.ledger.rules.acts import Act, acts_of
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.signin.model import Role
from factories.enclosure import ALICE, PASSPHRASE, open_home
from factories.people import PASSWORD, local_account, shown_code


@pytest.fixture(scope="module")
def enclosure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enclosure]:
    folder = tmp_path_factory.mktemp("sign-in") / "home"
    create_enclosure(folder, passphrase=PASSPHRASE, buckets=1)
    with open_home(folder) as opened:
        yield opened


def acts(enclosure: Enclosure, since: int = 0) -> list[Act]:
    return list(acts_of(enclosure.ledger.entries(since)))


def withheld(enclosure: Enclosure, token: str) -> Code:
    with pytest.raises(Refusal) as caught:
        person_of(enclosure, token)
    return caught.value.code


def signed_in(enclosure: Enclosure, account: str, roles: list[Role]) -> str:
    enrolment = local_account(enclosure, account, "", roles)
    return sign_in_locally(enclosure, account, PASSWORD, shown_code(enrolment, enclosure.ledger.now()))[1]


def test_a_token_lets_in_who_signed_in_and_what_ends_it_ends_it_at_once(enclosure: Enclosure) -> None:
    since = enclosure.ledger.size()
    token = signed_in(enclosure, ALICE, [Role.RESEARCHER])
    who = person_of(enclosure, token)
    assert (who.subject, who.is_local, who.expires_at - who.authenticated_at) == (ALICE, True, timedelta(hours=1))
    check_is_signed_in(enclosure, token, ALICE, Role.RESEARCHER)
    for user, role, code in (
        (ALICE, Role.CHECKER, Code.SIGN_IN_ROLE),
        ("bob@example.org", Role.RESEARCHER, Code.SIGN_IN_MISSING),
    ):
        with pytest.raises(Refusal) as caught:
            check_is_signed_in(enclosure, token, user, role)
        assert caught.value.code is code
    sign_out(enclosure, token)
    assert withheld(enclosure, token) is Code.SIGN_IN_TOKEN
    said = [(act.action, act.outcome) for act in acts(enclosure, since) if act.action in {Action.LOGIN, Action.ACCOUNT}]
    done = (Action.LOGIN, Outcome.DONE)
    assert said == [(Action.ACCOUNT, Outcome.DONE), done, done, done], "made, entered twice, left"
    assert [act.facts["code"] for act in acts(enclosure, since) if act.action is Action.DENIED] == ["SGN-05", "SGN-10"]


@pytest.mark.parametrize("end", ["change", "remove", "everywhere"])
def test_a_changed_removed_or_signed_out_account_ends_its_tokens(enclosure: Enclosure, end: str) -> None:
    account = f"{end}@example.org"
    token = signed_in(enclosure, account, [Role.CHECKER])
    assert person_of(enclosure, token).roles == {Role.CHECKER}
    if end == "change":
        change_account(enclosure, account, roles=[Role.STEWARD])
    elif end == "remove":
        remove_account(enclosure, account)
    else:
        sign_out_everywhere(enclosure, account)
    assert withheld(enclosure, token) is Code.SIGN_IN_TOKEN


def test_an_account_that_is_made_again_does_not_bring_its_tokens_back(enclosure: Enclosure) -> None:
    token = signed_in(enclosure, "again@example.org", [Role.CHECKER])
    remove_account(enclosure, "again@example.org")
    add_account(enclosure, "again@example.org", "", [Role.CHECKER])
    assert withheld(enclosure, token) is Code.SIGN_IN_TOKEN


def test_a_failed_sign_in_is_in_the_ledger_without_a_name(enclosure: Enclosure) -> None:
    with pytest.raises(Refusal):
        sign_in_locally(enclosure, "mallory@example.org", PASSWORD, "000000")
    last = acts(enclosure)[-1]
    assert (last.action, last.outcome, last.code) == (Action.LOGIN, Outcome.REFUSED, "SGN-01")
    assert "mallory" not in str(last)


def test_a_rotation_of_the_accounts_key_keeps_them_and_one_of_the_signing_key_ends_all_tokens(tmp_path: Path) -> None:
    home = tmp_path / "home"
    create_enclosure(home, passphrase=PASSPHRASE, buckets=1)
    with open_home(home) as opened:
        token = signed_in(opened, ALICE, [Role.STEWARD])
        assert opened.paths.accounts in {part.path for part in parts_of(opened.paths, opened.keys)}
        assert rotate_key(opened, "accounts")["moved"] == {"n_files": 1}
    with open_home(home) as opened:
        assert person_of(opened, token).subject == ALICE
        rotate_key(opened, "sign-in")
    with open_home(home) as opened:
        assert withheld(opened, token) is Code.SIGN_IN_TOKEN


@pytest.mark.slow
def test_accounts_move_to_another_host_and_tokens_do_not(tmp_path: Path) -> None:
    home, target = tmp_path / "home", tmp_path / "there.toml"
    create_enclosure(home, passphrase=PASSPHRASE, buckets=1)
    with open_home(home) as opened:
        token = signed_in(opened, ALICE, [Role.STEWARD])
    target.write_text('[enclosure]\npath = "there"\n')
    move_enclosure(home, read_target(target, home), passphrase=PASSPHRASE, target_passphrase=PASSPHRASE)
    with open_home(tmp_path / "there") as opened:
        assert [each["account"] for each in list_accounts(opened)["accounts"]] == [ALICE]
        assert withheld(opened, token) is Code.SIGN_IN_TOKEN
