"""Requests for re-identification on disk, sealed; the answer, sealed to the source that alone can open it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from enclos.lexicon.canonical import canonical_bytes
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import SecretKey
from enclos.lexicon.refusals import Refusal, refusal
from enclos.rights.model import Reidentification, reidentification_from_json
from enclos.stores.files import storage_border, write_atomically
from enclos.stores.sealed import seal, unseal

_ID = re.compile(r"[0-9a-f]{16}")
_ANSWER, _RECIPIENT = "enclos-reidentification-1", "enclos-recipient-1"
_SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
"""Source: RFC 9180, base mode."""


class ReidentificationFiles:
    """``rights/reidentify/<request>.sealed``, each bound to its name.

    Refuses: REIDENTIFY_UNKNOWN, STORAGE_FULL, STORAGE_BROKEN.
    """

    def __init__(self, root: Path, key: SecretKey) -> None:
        self._root = root
        self._key = key

    def __repr__(self) -> str:
        return "ReidentificationFiles()"

    def ids(self) -> Sequence[str]:
        """The requests, in the order of their numbers."""
        return sorted(path.stem for path in self._root.glob("*.sealed") if _ID.fullmatch(path.stem))

    def read(self, request: str) -> Reidentification:
        """A request as it was kept last."""
        path = self._root / f"{request}.sealed"
        if not _ID.fullmatch(request) or not path.is_file():
            raise refusal(
                Code.REIDENTIFY_UNKNOWN, "No such request was made.", "List them: enclos reidentify list DIR."
            )
        return reidentification_from_json(json.loads(unseal(self._key, path.read_bytes(), context_of(path))))

    def keep(self, request: Reidentification) -> None:
        """Keep a request in the place of what it was, whole or not at all."""
        path = self._root / f"{request.id}.sealed"
        with storage_border("a request"):
            self._root.mkdir(parents=True, exist_ok=True)
        write_atomically(path, seal(self._key, canonical_bytes(request.as_json()), context_of(path)), "a request")


def context_of(path: Path) -> str:
    """What a request's file is bound to."""
    return f"reidentify/{path.stem}"


def public_of(key: SecretKey) -> str:
    """The public half of a source's receiving key, 64 hexadecimal digits. Source: RFC 7748, X25519."""
    return _private(key).public_key().public_bytes_raw().hex()


def recipient_bytes(source: str, public: str) -> bytes:
    """The file by which a source tells where answers for it are sealed to."""
    return canonical_bytes({"format": _RECIPIENT, "source": source, "public_key": public})


def read_recipient(path: Path) -> tuple[str, str]:
    """The source and its public key.

    Refuses: REIDENTIFY_FILE.
    """
    try:
        document = json.loads(path.read_bytes())
        source, public = str(document["source"]), str(document["public_key"])
        X25519PublicKey.from_public_bytes(bytes.fromhex(public))
        if document["format"] != _RECIPIENT or not source:
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError):
        raise _unreadable("This is not a source's public key.", "Take recipient.json from the source.") from None
    return source, public


def write_answer(path: Path, *, request: str, source: str, recipient: str, content: bytes) -> None:
    """Seal an answer to the source's public key; nobody else opens it, the enclosure neither.

    Refuses: REIDENTIFY_FILE when there is something in the place; STORAGE_FULL, STORAGE_BROKEN
    Source: RFC 9180
    """
    if path.exists():
        raise _unreadable("There is something where the answer would go.", "Name another place.")
    public = X25519PublicKey.from_public_bytes(bytes.fromhex(recipient))
    sealed = _SUITE.encrypt(content, public, info=_info(request, source))
    document = {
        "format": _ANSWER,
        "request": request,
        "source": source,
        "recipient": recipient,
        "sealed": base64.b64encode(sealed).decode("ascii"),
    }
    write_atomically(path, canonical_bytes(document), "an answer")


def open_answer(path: Path, key: SecretKey) -> bytes:
    """What an answer says, at the source.

    Refuses: REIDENTIFY_FILE when it is altered or meant for another.
    """
    try:
        document = json.loads(path.read_bytes())
        if document["format"] != _ANSWER:
            raise ValueError
        sealed = base64.b64decode(document["sealed"], validate=True)
        return _SUITE.decrypt(sealed, _private(key), info=_info(document["request"], document["source"]))
    except (OSError, ValueError, KeyError, TypeError, InvalidTag):
        raise _unreadable("The answer is altered, or meant for another source.", "Ask for it again.") from None


def _private(key: SecretKey) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(key.reveal())


def _info(request: str, source: str) -> bytes:
    return canonical_bytes({"format": _ANSWER, "request": request, "source": source})


def _unreadable(what: str, next_step: str) -> Refusal:
    return refusal(Code.REIDENTIFY_FILE, what, next_step)
