"""Questions of citizens and their answers as files: sealed to where they are read, signed by who asks."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from enclos.lexicon.canonical import canonical_bytes, sha256_hex
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import SecretKey
from enclos.lexicon.refusals import Refusal, refusal
from enclos.pseudonyms.model import Objector
from enclos.rights.model import Desk, Question
from enclos.stores.files import write_atomically

DESK, ENCLOSURE = "enclos-desk-1", "enclos-asked-1"
_QUESTION, _ANSWER = "enclos-question-1", "enclos-answer-1"
_SIGNED = b"enclos question 1\n"
_SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
"""Source: RFC 9180, base mode."""
_ASKED_BYTES = 1024
"""What is sealed of whom a question is about, filled up: its length tells nothing of the pseudonym."""
_MOST_BYTES = 64 << 20


def desk_of(source: str, key: SecretKey) -> Desk:
    """The public half of a desk's key: what it receives with, and what it signs with."""
    public = X25519PrivateKey.from_private_bytes(key.reveal()).public_key().public_bytes_raw()
    return Desk(source, public.hex(), _signer(key).public_key().public_bytes_raw().hex())


def digest_of(desk: Desk) -> str:
    """What the ledger and people know a desk by."""
    return sha256_hex(canonical_bytes(desk.as_json()))


def question_key(key: SecretKey) -> str:
    """The public key that questions are sealed to; it follows from the enclosure's desk key and goes when that goes."""
    return _opener(key).public_key().public_bytes_raw().hex()


def write_public(path: Path, document: Mapping[str, Any]) -> None:
    """Put a file that is handed out: a desk's keys, or an enclosure's."""
    write_atomically(path, canonical_bytes(dict(document)), "a public key", mode=0o644)


def read_desk(path: Path) -> Desk:
    """The desk that a file names.

    Refuses: QUESTION_FILE
    """
    document = _document(path, DESK, "This is not a desk's file.", "Take desk.json from the desk.")
    return _desk(document["desk"])


def read_enclosure(path: Path) -> dict[str, str]:
    """Of an enclosure that may be asked: name, origin, question_key, ledger_key.

    Refuses: QUESTION_FILE
    """
    document = _document(path, ENCLOSURE, "This is not an enclosure's file.", "Take it from the enclosure.")
    names = ("enclosure", "origin", "question_key", "ledger_key")
    if not all(isinstance(document.get(name), str) for name in names):
        raise _unreadable("This is not an enclosure's file.", "Take it from the enclosure.")
    return {name: document[name] for name in names}


def write_question(path: Path, question: Question, asked: Objector, key: SecretKey) -> None:
    """Put a question: whom it is about sealed to the enclosure, all of it signed by the desk.

    In: question — nothing sealed yet; key — the desk's
    Refuses: QUESTION_FILE when there is something in the place
    """
    check_free(path)
    subject = canonical_bytes({"source": asked.source, "pseudonym": asked.pseudonym, "rank": asked.rank})
    sealed = _SUITE.encrypt(
        subject.ljust(_ASKED_BYTES), X25519PublicKey.from_public_bytes(bytes.fromhex(question.key)), info=_of(question)
    )
    document = {**question.as_json(), "format": _QUESTION, "sealed": base64.b64encode(sealed).decode("ascii")}
    signature = _signer(key).sign(_SIGNED + canonical_bytes(document))
    write_atomically(path, canonical_bytes({**document, "signature": signature.hex()}), "a question")


def read_question(path: Path) -> Question:
    """A question as its desk signed it; whether that desk may ask is not known yet.

    Refuses: QUESTION_FILE
    """
    document = _document(path, _QUESTION, "This is not a question.", "Ask the desk for it again.")
    try:
        signature = bytes.fromhex(document.pop("signature"))
        question = _question(document, base64.b64decode(document["sealed"], validate=True))
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(question.desk.signing_key))
        key.verify(signature, _SIGNED + canonical_bytes(document))
        if not all(at.tzinfo for at in (question.asked_at, question.expires_at)) or not question.id.startswith("q-"):
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError, InvalidSignature):
        raise _unreadable("The question is not what its desk signed.", "Ask the desk for it again.") from None
    return question


def open_question(question: Question, key: SecretKey) -> Objector:
    """Whom a question is about, under the pseudonym of its source.

    In: key — the enclosure's desk key
    Refuses: QUESTION_FILE; QUESTION_DESK when it is about a person of another source than the desk's
    """
    try:
        document = json.loads(_SUITE.decrypt(question.sealed, _opener(key), info=_of(question)))
        source, pseudonym, rank = document["source"], document["pseudonym"], document["rank"]
        is_whole = all(isinstance(each, str) and each for each in (source, pseudonym))
        if not is_whole or not (rank is None or isinstance(rank, int)):
            raise ValueError
    except (ValueError, KeyError, TypeError, InvalidTag):
        raise _unreadable("The question does not open here.", "Ask the desk for it again.") from None
    if source != question.desk.source:
        raise refusal(
            Code.QUESTION_DESK, "The question is about a person of another source.", "Let that source's desk ask."
        )
    return Objector(source, pseudonym, rank)


def write_answer(path: Path, question: Question, content: bytes) -> int:
    """Put an answer, sealed to the desk's key; nobody else opens it, the enclosure neither. Its size in bytes."""
    check_free(path)
    public = X25519PublicKey.from_public_bytes(bytes.fromhex(question.desk.public_key))
    sealed = _SUITE.encrypt(content, public, info=_of(question))
    document = {**question.as_json(), "format": _ANSWER, "sealed": base64.b64encode(sealed).decode("ascii")}
    written = canonical_bytes(document)
    write_atomically(path, written, "an answer")
    return len(written)


def open_answer(path: Path, key: SecretKey) -> tuple[Question, bytes]:
    """What an answer says, at the desk, and to which question.

    Refuses: QUESTION_FILE when it is altered or meant for another
    """
    document = _document(path, _ANSWER, "This is not an answer.", "Ask the enclosure for it again.")
    try:
        question = _question(document, b"")
        private = X25519PrivateKey.from_private_bytes(key.reveal())
        sealed = base64.b64decode(document["sealed"], validate=True)
        return question, _SUITE.decrypt(sealed, private, info=_of(question))
    except (ValueError, KeyError, TypeError, InvalidTag):
        raise _unreadable("The answer is altered, or meant for another desk.", "Ask anew.") from None


def check_free(path: Path) -> None:
    """Refuse a place where there is something.

    Refuses: QUESTION_FILE
    """
    if path.exists():
        raise _unreadable("There is something in the place.", "Name another place.")


def _question(document: Mapping[str, Any], sealed: bytes) -> Question:
    """Refuses: QUESTION_FILE for its desk; ValueError, KeyError, TypeError for all else."""
    return Question(
        document["id"],
        document["origin"],
        document["key"],
        _desk(document["desk"]),
        datetime.fromisoformat(document["asked_at"]),
        datetime.fromisoformat(document["expires_at"]),
        sealed,
    )


def _desk(document: Any) -> Desk:
    try:
        desk = Desk(str(document["source"]), str(document["public_key"]), str(document["signing_key"]))
        public = X25519PublicKey.from_public_bytes(bytes.fromhex(desk.public_key))
        X25519PrivateKey.generate().exchange(public)  # refuses a key that every secret agrees with
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(desk.signing_key))
    except (ValueError, KeyError, TypeError):
        raise _unreadable("The keys of the desk are none.", "Take desk.json from the desk.") from None
    return desk


def _document(path: Path, wanted: str, what: str, next_step: str) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        document = json.loads(content)
        if len(content) > _MOST_BYTES or not isinstance(document, dict) or document.get("format") != wanted:
            raise ValueError
    except (OSError, ValueError, RecursionError):
        raise _unreadable(what, next_step) from None
    return document


def _signer(key: SecretKey) -> Ed25519PrivateKey:
    seed = hmac.digest(key.reveal(), b"enclos question signature 1", "sha256")
    return Ed25519PrivateKey.from_private_bytes(seed)


def _opener(key: SecretKey) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(hmac.digest(key.reveal(), b"enclos question opening 1", "sha256"))


def _of(question: Question) -> bytes:
    """What is sealed is bound to: all that stands beside it."""
    return canonical_bytes(question.as_json())


def _unreadable(what: str, next_step: str) -> Refusal:
    return refusal(Code.QUESTION_FILE, what, next_step)
