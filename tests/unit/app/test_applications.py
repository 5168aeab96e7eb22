"""Applications in a real enclosure: kept sealed, decided once, and never by who would use the data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from enclos.app.applications import (
    Hand,
    ask_for,
    grant,
    keep_application,
    list_applications,
    new_id,
    refuse,
    show_application,
    withdraw,
)
from enclos.app.enclosure import Enclosure, create_enclosure
from enclos.app.permits import amend, newest, renew, revoke, sign
from enclos.app.rotation import rotate_key
from enclos.ledger.model import Action, Kind, Outcome
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from factories.enclosure import ALICE, CAROL, DAN, PASSPHRASE, open_home, permit_text

BY_ALICE, BY_CAROL, BY_DAN = Hand(ALICE, False), Hand(CAROL, True), Hand(DAN, False)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("applications") / "home"
    create_enclosure(place, passphrase=PASSPHRASE, buckets=1)
    return place


@pytest.fixture
def enclosure(home: Path) -> Iterator[Enclosure]:
    with open_home(home) as opened:
        yield opened


def refused(act: object, *given: object, **named: object) -> Code:
    with pytest.raises(Refusal) as found:
        act(*given, **named)  # type: ignore[operator]
    return found.value.code


def asked(enclosure: Enclosure, permit: str, hand: Hand = BY_ALICE) -> str:
    kept = keep_application(enclosure, hand, permit_text(permit))
    return str(ask_for(enclosure, hand, kept["application"])["application"])


def test_an_application_becomes_a_permit_once(enclosure: Enclosure) -> None:
    number = asked(enclosure, "FR-APP-1")
    shown = show_application(enclosure, BY_CAROL, number)
    assert (shown["stage"], shown["may"]) == ("asked", ["keep", "grant", "refuse"])
    assert refused(grant, enclosure, BY_CAROL, number, digest="0" * 64) is Code.PERMIT_CHANGED
    granted = grant(enclosure, BY_CAROL, number, digest=shown["digest"])
    assert (granted["stage"], granted["permit"]) == ("granted", "FR-APP-1")
    assert refused(grant, enclosure, BY_CAROL, number) is Code.APPLICATION_TRANSITION
    assert newest(enclosure, "FR-APP-1").version == 1
    assert [step["move"] for step in granted["steps"]] == ["keep", "ask", "grant"]
    signed = [e for _, e in enclosure.ledger.entries() if e.action is Action.PERMIT_SIGN and e.kind is Kind.OUTCOME]
    assert [entry.outcome for entry in signed] == [Outcome.DONE]


def test_what_was_signed_but_not_noted_is_noted_by_the_same_call(enclosure: Enclosure) -> None:
    number = asked(enclosure, "FR-APP-2")
    sign(enclosure, show_application(enclosure, BY_CAROL, number)["document"])  # a kill came after the signature
    assert grant(enclosure, BY_CAROL, number)["stage"] == "granted"
    other = keep_application(enclosure, BY_ALICE, permit_text("FR-APP-2", min_count=20))["application"]
    ask_for(enclosure, BY_ALICE, other)
    assert refused(grant, enclosure, BY_CAROL, other) is Code.PERMIT_EXISTS


def test_nobody_else_sees_a_draft_or_decides(enclosure: Enclosure) -> None:
    number = keep_application(enclosure, BY_ALICE, permit_text("FR-APP-3"))["application"]
    for hand in (BY_CAROL, BY_DAN):
        assert refused(show_application, enclosure, hand, number) is Code.APPLICATION_UNKNOWN
        assert refused(keep_application, enclosure, hand, "x: y", application=number) is Code.APPLICATION_UNKNOWN
        assert number not in str(list_applications(enclosure, hand))
    ask_for(enclosure, BY_ALICE, number)
    assert refused(grant, enclosure, BY_ALICE, number) is Code.APPLICATION_PERSON
    assert refused(refuse, enclosure, BY_ALICE, number, why="not for me") is Code.APPLICATION_PERSON
    assert refused(keep_application, enclosure, BY_ALICE, "x: y", application=number) is Code.APPLICATION_PERSON
    assert refused(show_application, enclosure, BY_DAN, number) is Code.APPLICATION_UNKNOWN
    assert number in str(list_applications(enclosure, BY_CAROL))


def test_who_would_use_the_data_does_not_grant_them(enclosure: Enclosure) -> None:
    kept = keep_application(enclosure, BY_CAROL, permit_text("FR-APP-4", users=(ALICE, CAROL.upper())))
    ask_for(enclosure, BY_CAROL, kept["application"])
    assert refused(grant, enclosure, BY_CAROL, kept["application"]) is Code.APPLICATION_PERSON
    assert refused(newest, enclosure, "FR-APP-4") is Code.PERMIT_UNKNOWN


def test_nor_by_amending_or_renewing(enclosure: Enclosure) -> None:
    sign(enclosure, permit_text("FR-APP-10"), by=CAROL)
    own = permit_text("FR-APP-10", users=(ALICE, CAROL))
    assert refused(amend, enclosure, own, reason="me too", by=CAROL) is Code.APPLICATION_PERSON
    assert refused(sign, enclosure, permit_text("FR-APP-11"), by=ALICE) is Code.APPLICATION_PERSON
    later = newest(enclosure, "FR-APP-10").permit.valid_until.replace(year=2031)
    assert refused(renew, enclosure, "FR-APP-10", until=later, reason="more", by=ALICE) is Code.APPLICATION_PERSON
    assert newest(enclosure, "FR-APP-10").version == 1


def test_a_refusal_has_a_reason_and_what_is_wrong_is_not_asked_for(enclosure: Enclosure) -> None:
    number = asked(enclosure, "FR-APP-5")
    assert refused(refuse, enclosure, BY_CAROL, number, why="no") is Code.PERMIT_INVALID
    assert refuse(enclosure, BY_CAROL, number, why="too wide a purpose")["steps"][-1]["why"] == "too wide a purpose"
    bad = keep_application(enclosure, BY_ALICE, "permit: FR-APP-6\n")["application"]
    assert refused(ask_for, enclosure, BY_ALICE, bad) is Code.PERMIT_INVALID
    assert withdraw(enclosure, BY_ALICE, bad)["stage"] == "withdrawn"
    for wrong in ("../keys", "", "0" * 15):
        assert refused(show_application, enclosure, BY_ALICE, wrong) is Code.APPLICATION_UNKNOWN


def test_a_form_sent_twice_is_kept_once(enclosure: Enclosure) -> None:
    number, text = new_id(), permit_text("FR-APP-7")
    first, again = (keep_application(enclosure, BY_ALICE, text, application=number) for _ in range(2))
    assert (first, len(again["steps"])) == (again, 1)


def test_applications_are_sealed_and_follow_their_key(home: Path) -> None:
    with open_home(home) as opened:
        number = asked(opened, "FR-APP-8")
        rotate_key(opened, "desk")
    with open_home(home) as opened:
        assert show_application(opened, BY_CAROL, number)["stage"] == "asked"
    for file in (home / "applications").iterdir():
        assert b"example.org" not in file.read_bytes()


def test_a_permit_is_changed_as_it_was_looked_at(enclosure: Enclosure) -> None:
    text = permit_text("FR-APP-9")
    sign(enclosure, text, by=CAROL)
    amend(enclosure, text.replace("min_count: 11", "min_count: 12"), reason="stricter", by=CAROL, of_version=1)
    later = newest(enclosure, "FR-APP-9").permit.valid_until.replace(year=2031)
    for act, given in (
        (amend, {"text": text}),
        (renew, {"permit_id": "FR-APP-9", "until": later}),
        (revoke, {"permit_id": "FR-APP-9"}),
    ):
        assert refused(act, enclosure, **given, reason="again", by=CAROL, of_version=1) is Code.PERMIT_CHANGED
    assert newest(enclosure, "FR-APP-9").version == 2
