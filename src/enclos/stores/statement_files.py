"""Declared documents as files: a statement in TOML, its signature beside it, and the document that it vouches for.

``NAME.toml`` is what its owner says, ``NAME.toml.sig`` the owner's key and signature over the bytes of it.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from enclos.conformity.model import Claim, Declared
from enclos.conformity.rules.judging import standing_of
from enclos.lexicon.canonical import canonical_bytes, sha256_hex
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.stores.files import write_atomically

_SIGNED = b"enclos statement 1\n"
_WANTED = {"type", "title", "owner", "enclosure", "dated", "expires", "requirements"}
_FIELDS = _WANTED | {"claim", "reason", "file", "sha256"}
_MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Statement:
    """What a file says, and about which enclosure."""

    declared: Declared
    enclosure: str
    file: str


def read_statement(path: Path) -> Statement:
    """What a statement says, signed or not.

    Refuses: STATEMENT_BROKEN with the file's name.
    """
    try:
        content = path.read_bytes()
        document = tomllib.loads(content.decode("utf-8"))
        given = set(document)
        if len(content) > _MOST_BYTES or given - _FIELDS or _WANTED - given:
            raise ValueError
        if not all(isinstance(document[name], str) for name in given - {"dated", "expires", "requirements"}):
            raise ValueError
        if bool(document.get("file")) != bool(document.get("sha256")) or "/" in document.get("file", ""):
            raise ValueError
        declared = Declared(
            id=sha256_hex(content)[:16],
            type=document["type"],
            title=document["title"],
            owner=document["owner"],
            dated_on=_day(document["dated"]),
            expires_on=_day(document["expires"]),
            claim=Claim(document.get("claim", Claim.COVERS.value)),
            requirements=frozenset(
                (catalogue, str(number))
                for catalogue, numbers in document["requirements"].items()
                for number in numbers
            ),
            reason=document.get("reason", ""),
            sha256=document.get("sha256", ""),
        )
    except (OSError, ValueError, TypeError, AttributeError):
        raise _broken(path) from None
    return Statement(declared, document["enclosure"], document.get("file", ""))


def sign_statement(path: Path, public: bytes, sign: Callable[[bytes], bytes]) -> Path:
    """Put the owner's signature beside a statement, once it says what a statement says and its document is there.

    Refuses: STATEMENT_BROKEN.
    """
    statement = read_statement(path)
    if not _is_whole(path, statement):
        raise refusal(
            Code.STATEMENT_BROKEN,
            f"What {path.name} vouches for is not beside it, or has another SHA-256.",
            "Put the document there, or correct `sha256`.",
        )
    signature = sign(_SIGNED + path.read_bytes())
    beside = path.with_name(f"{path.name}.sig")
    document = {"key": public.hex(), "signature": signature.hex()}
    write_atomically(beside, canonical_bytes(document), "a signature", mode=0o644)
    return beside


def read_statements(folder: Path, origin: str, is_known: Callable[[str, str], bool], today: date) -> list[Declared]:
    """Every statement of a folder, with its standing, in the order of names.

    In: origin — of this enclosure's ledger; is_known — whether an owner of that name and key was accepted here.
    Refuses: STATEMENT_BROKEN with the file that cannot be read: a statement is never passed over.
    """
    if not folder.is_dir():
        raise refusal(Code.STATEMENT_BROKEN, "There is no such folder of statements.", "Name the folder: --evidence.")
    found = []
    for path in sorted(folder.glob("*.toml")):
        statement = read_statement(path)
        key, is_signed = _signature(path)
        standing = standing_of(
            statement.declared,
            is_signed=is_signed,
            is_known=is_known(statement.declared.owner, key),
            is_here=statement.enclosure == origin,
            is_whole=_is_whole(path, statement),
            today=today,
        )
        found.append(replace(statement.declared, standing=standing))
    return found


def _signature(path: Path) -> tuple[str, bool]:
    """The key that is named beside a statement, and whether it signed it as it is."""
    try:
        beside: dict[str, Any] = json.loads(path.with_name(f"{path.name}.sig").read_bytes())
        key, signature = bytes.fromhex(beside["key"]), bytes.fromhex(beside["signature"])
    except (OSError, ValueError, KeyError, TypeError):
        return "", False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, _SIGNED + path.read_bytes())
    except (ValueError, InvalidSignature):
        return key.hex(), False
    return key.hex(), True


def _is_whole(path: Path, statement: Statement) -> bool:
    """Whether the document that it vouches for lies beside it, as it was."""
    if not statement.file:
        return True
    try:
        with (path.parent / statement.file).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return False
    return digest == statement.declared.sha256.lower()


def _day(value: object) -> date:
    if type(value) is not date:
        raise ValueError("a day of TOML")
    return value


def _broken(path: Path) -> Refusal:
    return refusal(
        Code.STATEMENT_BROKEN,
        f"{path.name} is not a statement: type, title, owner, enclosure, dated, expires, requirements by catalogue.",
        "Repair it, or take it out of the folder: docs/conformity.md has an example.",
    )
