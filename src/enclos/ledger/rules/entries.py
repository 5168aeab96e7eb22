"""Entries as bytes, and how a fact is kept: plain tokens in clear, everything else as a salted digest."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from enclos.ledger.model import Action, Entry, Fact, Kind, Outcome, Personal, Written
from enclos.lexicon.canonical import canonical_bytes
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import SecretKey

VERSION = 1
FACTS_MAX_BYTES = 16 * 1024
SALTED = "salted:"

_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+=/-]{0,127}")
_PERSON_NUMBER = re.compile(r"[1-8][0-9]{5}[0-9AB][0-9]{6}([0-9]{2})?|[0-9]{10,}")
"""A French social security number, with or without its key, or any other long number. Source: INSEE, NIR."""
_FACT_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
_SAFE_INTEGER = 2**53
_FIELDS = {"v", "kind", "action", "at", "actor", "permit", "session", "intent", "outcome", "code", "facts"}

Salted = Callable[[str], str]
"""The salted digest of a text."""


def is_token(text: str) -> bool:
    """Whether a text may stand in the ledger in clear: an identifier, a digest, a code, a date or a version."""
    return _TOKEN.fullmatch(text) is not None and _PERSON_NUMBER.fullmatch(text) is None


def subject_name(key: SecretKey, value: str) -> str:
    """The name under which a subject's salt is kept; it tells nothing without the key."""
    return _keyed(key, b"subject", _normal(value)).hex()[:32]


def salted_digest(key: SecretKey, salt: bytes, value: str) -> str:
    """The digest that stands for a personal value.

    One subject has one salt, so that entries of one actor can be told to be so; once the salt is destroyed nobody,
    with or without the key, can tell whose they were.
    """
    return SALTED + _keyed(key, b"digest", salt + _normal(value)).hex()


def derived_key(key: SecretKey, purpose: bytes) -> bytes:
    """A key for one purpose of the ledger."""
    return hmac.digest(key.reveal(), b"enclos ledger 1 " + purpose, hashlib.sha256)


def _keyed(key: SecretKey, purpose: bytes, message: bytes) -> bytes:
    return hmac.digest(derived_key(key, purpose), message, hashlib.sha256)


def _normal(value: str) -> bytes:
    return unicodedata.normalize("NFC", value).encode("utf-8", "surrogatepass")


def written_text(text: str, salted: Salted) -> str:
    """The text in clear when it is a plain token, else its salted digest."""
    return text if is_token(text) else salted(text)


def written_facts(facts: Mapping[str, Fact], salted: Salted) -> dict[str, Written]:
    """The facts as they are kept.

    Too many of them (over 16 KiB) are kept as one digest and their number.
    Refuses: ValueError for a name that is not lower-case words, or a value of another type: a programming fault.
    """
    written = {name: _written(value, salted) for name, value in facts.items() if _check_name(name)}
    if len(_canonical(written)) <= FACTS_MAX_BYTES:
        return written
    return {"facts": salted(_canonical(written).decode()), "n_facts": len(written)}


def _check_name(name: str) -> bool:
    if _FACT_NAME.fullmatch(name) is None:
        raise ValueError("a fact's name is lower-case words joined by underscores")
    return True


def _written(value: Fact, salted: Salted) -> Written:
    written: Written
    match value:
        case None | bool():
            written = value
        case int():
            written = value if abs(value) < _SAFE_INTEGER else written_text(str(value), salted)
        case float():
            written = str(int(value)) if value.is_integer() else repr(value)
        case Personal():
            written = salted(value.value)
        case Code():
            written = value.id
        case str():
            written = written_text(value, salted)
        case Mapping():
            written = {name: _written(item, salted) for name, item in value.items() if _check_name(name)}
        case Sequence():
            written = [_written(item, salted) for item in value]
        case _:
            raise ValueError("a fact is a text, a number, a code, or a list or table of these")
    return written


def instant_text(at: datetime) -> str:
    """The instant in RFC 3339, UTC, milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def instant_of(text: str) -> datetime:
    """The instant of its text.

    Refuses: ValueError when it is not in the one form that the ledger writes.
    """
    if _INSTANT.fullmatch(text) is None:
        raise ValueError("an instant is UTC in milliseconds")
    return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)


def to_the_millisecond(at: datetime) -> datetime:
    """The instant in UTC, cut to milliseconds.

    Refuses: ValueError when it has no time zone.
    """
    if at.utcoffset() is None:
        raise ValueError("an instant has a time zone")
    at = at.astimezone(UTC)
    return at - timedelta(microseconds=at.microsecond % 1000)


def entry_bytes(entry: Entry) -> bytes:
    """The entry as it is hashed: canonical JSON, absent fields left out."""
    document: dict[str, Written] = {
        "v": VERSION,
        "kind": entry.kind.value,
        "action": entry.action.value,
        "at": instant_text(entry.at),
        "actor": entry.actor,
        "permit": entry.permit,
        "session": entry.session,
        "intent": entry.intent,
        "outcome": entry.outcome.value if entry.outcome else None,
        "code": entry.code,
        "facts": dict(entry.facts) or None,
    }
    return _canonical({name: value for name, value in document.items() if value is not None})


def _canonical(document: Mapping[str, Written]) -> bytes:
    """Canonical JSON; without fractions and in ASCII alone the standard library writes the same, and faster."""
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode() if text.isascii() else canonical_bytes(document)


def read_entry(data: bytes) -> Entry:
    """The entry of its bytes.

    Refuses: ValueError when they are not exactly what ``entry_bytes`` writes for some entry.
    """
    entry = parse_entry(data)
    if entry_bytes(entry) != data:
        raise ValueError("not in canonical form")
    return entry


def _no_number(text: str) -> int:  # noqa: ARG001 - the parser's shape
    raise ValueError("a number of the ledger is whole")


def _whole_number(text: str) -> int:
    if len(text) > len(str(-_SAFE_INTEGER)) or abs(int(text)) >= _SAFE_INTEGER or text == "-0":
        raise ValueError("a number of the ledger is one that every reader reads alike")
    return int(text)


def parse_entry(data: bytes) -> Entry:
    """The entry of bytes that are known to be the ledger's own; their form is not checked again.

    Refuses: ValueError when they hold no entry.
    """
    document = json.loads(data, parse_float=_no_number, parse_int=_whole_number, parse_constant=_no_number)
    if not isinstance(document, dict) or not document.keys() <= _FIELDS or document.get("v") != VERSION:
        raise ValueError("not an entry of this version")
    facts = document.get("facts", {})
    texts = [document.get(name) for name in ("at", "actor", "permit", "session", "code")]
    if not isinstance(facts, dict) or not all(text is None or isinstance(text, str) for text in texts):
        raise ValueError("a field has another type")
    intent = document.get("intent")
    if intent is not None and type(intent) is not int:
        raise ValueError("a field has another type")
    return Entry(
        kind=Kind(document.get("kind")),
        action=Action(document.get("action")),
        at=instant_of(str(document.get("at"))),
        actor=document.get("actor", ""),
        permit=document.get("permit"),
        session=document.get("session"),
        intent=intent,
        outcome=Outcome(document["outcome"]) if "outcome" in document else None,
        code=document.get("code"),
        facts=facts,
    )
