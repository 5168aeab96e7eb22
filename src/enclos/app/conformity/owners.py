"""Who answers for declared documents: an owner's key, and which owners this enclosure accepts.

The ledger alone says who is accepted: no file can be put in its place.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from enclos.app.enclosure import Enclosure
from enclos.app.keys import FILE, Passphrase, key_store, leave_no_core
from enclos.app.salts import ledger_digests
from enclos.ledger.model import Action, Fact, Outcome, Personal
from enclos.ledger.rules.acts import acts_of
from enclos.lexicon.canonical import canonical_bytes
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.lexicon.refusals import Refusal, refusal
from enclos.stores.files import write_atomically
from enclos.stores.keys import KeyStore, read_token_uri
from enclos.stores.statement_files import sign_statement

OWNER_FILE = "owner.json"
_FORMAT, _NAME = "enclos-owner-1", KeyName(KeyRole.OWNER)
_KEY = re.compile(r"[0-9a-f]{64}")


def make_owner(folder: Path, *, owner: str, passphrase: Passphrase, place: str = FILE) -> dict[str, Any]:
    """A key for who answers for documents, in a folder of their own, and owner.json to hand out.

    Refuses: OWNER_KEY when there is one, or the owner has no name; KEY_URI, TOKEN_UNREACHABLE, TOKEN_PIN.
    """
    leave_no_core()
    if not owner.strip():
        raise refusal(Code.OWNER_KEY, "The owner has no name.", "Name the person and the function: --owner.")
    if (folder / OWNER_FILE).exists():
        raise refusal(Code.OWNER_KEY, "There is an owner's key in this folder.", "Use it, or name another folder.")
    if place != FILE:
        read_token_uri(place)
    keys = key_store(folder, "keystore" if place == FILE else "token", place, passphrase, new=True)
    keys.create(_NAME)
    document = {"format": _FORMAT, "owner": owner.strip(), "key": keys.public(_NAME).hex(), "place": place}
    write_atomically(folder / OWNER_FILE, canonical_bytes(document), "an owner's key", mode=0o644)
    return {"owner": document["owner"], "key": document["key"], "file": str(folder / OWNER_FILE)}


def sign(folder: Path, statement: Path, *, passphrase: Passphrase) -> dict[str, Any]:
    """Sign a statement with the owner's key of a folder.

    Refuses: OWNER_KEY, STATEMENT_BROKEN.
    """
    leave_no_core()
    document = _read(folder / OWNER_FILE)
    place = document["place"]
    keys: KeyStore = key_store(folder, "keystore" if place == FILE else "token", place, passphrase, new=False)
    beside = sign_statement(statement, keys.public(_NAME), lambda message: keys.sign(_NAME, message))
    return {"owner": document["owner"], "statement": statement.name, "signature": str(beside)}


def accept(enclosure: Enclosure, file: Path) -> dict[str, Any]:
    """Let what this owner signs count here from now on.

    Refuses: OWNER_KEY.
    """
    document = _read(file)
    facts: dict[str, Fact] = {"what": "accept", "owner": Personal(document["owner"]), "owner_key": document["key"]}
    with enclosure.ledger.intent(Action.CONFORMITY, enclosure.operator, None, facts):
        pass
    return {"owner": document["owner"], "key": document["key"]}


def dismiss(enclosure: Enclosure, file: Path) -> dict[str, Any]:
    """Let nothing that this owner signed count here any more.

    Refuses: OWNER_KEY.
    """
    document = _read(file)
    was = document["key"] in accepted(enclosure)
    facts: dict[str, Fact] = {"what": "dismiss", "owner_key": document["key"]}
    with enclosure.ledger.intent(Action.CONFORMITY, enclosure.operator, None, facts):
        pass
    return {"owner": document["owner"], "dismissed": was}


def accepted(enclosure: Enclosure) -> dict[str, str]:
    """The keys that count here, each with the digest of its owner's name as the ledger has it."""
    found: dict[str, str] = {}
    for act in acts_of(enclosure.ledger.entries()):
        if act.action is not Action.CONFORMITY or act.outcome is not Outcome.DONE:
            continue
        key = str(act.facts.get("owner_key", ""))
        if act.facts.get("what") == "accept":
            found[key] = str(act.facts["owner"])
        elif act.facts.get("what") == "dismiss":
            found.pop(key, None)
    return found


class KnownOwners:
    """Asks whether an owner of a name was accepted with a key."""

    def __init__(self, enclosure: Enclosure) -> None:
        self._enclosure, self._accepted = enclosure, accepted(enclosure)

    def __call__(self, owner: str, key: str) -> bool:
        """Whether this owner signs with this key here."""
        return key in self._accepted and self._accepted[key] in ledger_digests(self._enclosure, owner)


def _read(file: Path) -> dict[str, str]:
    try:
        document = json.loads(file.read_bytes())
        fits = document["format"] == _FORMAT and document["owner"] and _KEY.fullmatch(document["key"])
        if not fits or not isinstance(document["place"], str):
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError):
        raise _no_owner() from None
    return dict(document)


def _no_owner() -> Refusal:
    return refusal(
        Code.OWNER_KEY, "This is not an owner's file.", "Make one: enclos conformity owner FOLDER --owner NAME."
    )
