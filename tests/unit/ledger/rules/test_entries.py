import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from enclos.ledger.model import Action, Entry, Kind, Outcome, Personal
from enclos.ledger.rules.entries import (
    entry_bytes,
    instant_of,
    instant_text,
    is_token,
    read_entry,
    salted_digest,
    subject_name,
    to_the_millisecond,
    written_facts,
)
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey

AT = datetime(2026, 11, 2, 9, 0, 0, 123000, tzinfo=UTC)
INTENT = Entry(Kind.INTENT, Action.STUDY, AT, "salted:aa", permit="FR-2026-0042", session="0badcafe", facts={"n": 3})
OUTCOME = Entry(Kind.OUTCOME, Action.STUDY, AT, "salted:aa", intent=0, outcome=Outcome.REFUSED, code="PRM-02")
KEY = SecretKey(KeyName(KeyRole.LEDGER_SALT), b"k" * 32)


def salted(text: str) -> str:
    return f"salted:{len(text)}"


def test_an_entry_is_canonical_json() -> None:
    assert entry_bytes(INTENT) == (
        b'{"action":"study","actor":"salted:aa","at":"2026-11-02T09:00:00.123Z","facts":{"n":3},"kind":"intent",'
        b'"permit":"FR-2026-0042","session":"0badcafe","v":1}'
    )
    assert read_entry(entry_bytes(INTENT)) == INTENT
    assert read_entry(entry_bytes(OUTCOME)) == OUTCOME


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"v": True},
        {"v": None},
        {"kind": "rumour"},
        {"action": "dance"},
        {"at": "2026-11-02T09:00:00Z"},
        {"at": "2026-11-02T10:00:00.123+01:00"},
        {"actor": ""},
        {"actor": 7},
        {"permit": 7},
        {"facts": []},
        {"facts": {}},
        {"session": None},
        {"intent": 0},
        {"outcome": "DONE"},
        {"code": "PRM-02"},
        {"extra": 1},
    ],
)
def test_anything_else_is_no_entry(change: dict[str, object]) -> None:
    document = {**json.loads(entry_bytes(INTENT)), **change}
    data = json.dumps({k: v for k, v in document.items() if v is not None}, sort_keys=True, separators=(",", ":"))
    with pytest.raises(ValueError, match=r"."):
        read_entry(data.encode())


@pytest.mark.parametrize(
    "data",
    [
        entry_bytes(INTENT) + b" ",
        entry_bytes(INTENT).replace(b'"v":1', b'"v":1.0'),
        entry_bytes(INTENT).replace(b'"n":3', b'"n":4,"n":3'),
        *(entry_bytes(INTENT).replace(b'"n":3', b'"n":' + n) for n in (b"3.5", b"3.0", b"1e3", b"-0", b"NaN", b"03")),
        entry_bytes(INTENT).replace(b'"n":3', b'"n":9007199254740992'),
        entry_bytes(INTENT).replace(b'"n":3', b'"n":' + b"1" * 5000),
        entry_bytes(INTENT).replace(b"study", b"stud\\u0079"),
        b"",
        b"{}",
        b"[]",
        b"\xff",
    ],
)
def test_one_entry_has_one_form(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_entry(data)


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": Kind.EVENT, "session": "a"},
        {"kind": Kind.INTENT},
        {"kind": Kind.OUTCOME, "intent": 3},
        {"kind": Kind.OUTCOME, "outcome": Outcome.DONE},
        {"kind": Kind.OUTCOME, "intent": -1, "outcome": Outcome.DONE},
        {"kind": Kind.OUTCOME, "intent": 1, "outcome": Outcome.REFUSED},
        {"kind": Kind.OUTCOME, "intent": 1, "outcome": Outcome.DONE, "code": "PRM-02"},
        {"kind": Kind.EVENT, "at": AT.replace(tzinfo=None)},
        {"kind": Kind.EVENT, "at": AT.astimezone(timezone(timedelta(hours=1)))},
        {"kind": Kind.EVENT, "at": AT + timedelta(microseconds=1)},
        {"kind": Kind.EVENT, "actor": ""},
    ],
)
def test_an_entry_that_is_none_of_the_kinds_cannot_be_made(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        Entry(**{"action": Action.LOGIN, "at": AT, "actor": "salted:aa", **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    ["FR-2026-0042", "a" * 64, "sha256:ab", "snds-dcir-2019-01", "2026-11-02T09:00:00.000Z", "1.2", "7", "ER_PRS_F"],
)
def test_plain_tokens_stand_in_clear(text: str) -> None:
    assert is_token(text)


@pytest.mark.parametrize(
    "text",
    [
        "alice@example.org",
        "Alice Martin",
        "",
        "é",
        "a" * 129,
        "../x",
        "-x",
        "a\n",
        "1850578006084",
        "185057800608436",
        "185052A006084",
        "0612345678",
    ],
)
def test_people_and_free_text_do_not(text: str) -> None:
    assert not is_token(text)


def test_facts_are_written_without_free_text_and_without_fractions() -> None:
    facts = {
        "snapshot": 3,
        "is_whole": True,
        "nothing": None,
        "rate": 1.5,
        "whole_number": 2.0,
        "huge": 10**14,
        "person_like": 10**20,
        "code": Code.CLOCK_BEHIND,
        "who": Personal("Dupont"),
        "why": "he asked for it",
        "tables": ["PERSON", "Jean Dupont"],
        "counts": {"person": 12},
    }
    assert written_facts(facts, salted) == {
        "snapshot": 3,
        "is_whole": True,
        "nothing": None,
        "rate": "1.5",
        "whole_number": "2",
        "huge": 10**14,
        "person_like": "salted:21",
        "code": "ENC-09",
        "who": "salted:6",
        "why": "salted:15",
        "tables": ["PERSON", "salted:11"],
        "counts": {"person": 12},
    }


def test_too_many_facts_are_kept_as_one_digest() -> None:
    written = written_facts({f"n_{i}": "a" * 100 for i in range(200)}, salted)
    assert written.keys() == {"facts", "n_facts"}
    assert written["n_facts"] == 200


@pytest.mark.parametrize(
    "facts", [{"Name": 1}, {"alice@example.org": 1}, {"a": {"Bad name": 1}}, {"a": object()}, {"": 1}]
)
def test_a_wrong_fact_is_a_programming_fault(facts: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="a fact"):
        written_facts(facts, salted)  # type: ignore[arg-type]


def test_a_personal_value_does_not_show() -> None:
    assert "Dupont" not in repr(Personal("Dupont"))


def test_a_digest_depends_on_key_salt_and_value() -> None:
    other = SecretKey(KEY.name, b"o" * 32)
    digests = {
        salted_digest(KEY, b"1" * 32, "alice"),
        salted_digest(other, b"1" * 32, "alice"),
        salted_digest(KEY, b"2" * 32, "alice"),
        salted_digest(KEY, b"1" * 32, "bob"),
        "salted:" + subject_name(KEY, "alice"),
        "salted:" + subject_name(other, "alice"),
    }
    assert len(digests) == 6
    assert salted_digest(KEY, b"1" * 32, "Zoe\u0308") == salted_digest(KEY, b"1" * 32, "Zo\u00eb")


def test_instants_have_one_form() -> None:
    assert instant_text(AT) == "2026-11-02T09:00:00.123Z"
    assert instant_of("2026-11-02T09:00:00.123Z") == AT
    paris = datetime(2026, 11, 2, 10, 0, 0, 123999, tzinfo=timezone(timedelta(hours=1)))
    assert to_the_millisecond(paris) == AT
    with pytest.raises(ValueError, match="time zone"):
        to_the_millisecond(datetime(2026, 11, 2))  # noqa: DTZ001 - that it has none is the point
    with pytest.raises(ValueError, match=r"."):
        instant_of("2026-13-02T09:00:00.123Z")
