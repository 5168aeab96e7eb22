"""Keys: where they live, who opens them, and that every use is in the ledger."""

from __future__ import annotations

import ctypes
import getpass
import os
import resource
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from enclos.app.settings import KeysSection
from enclos.ledger.model import Action
from enclos.ledger.steps import Ledger
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import BlockCipher, KeyName, KeyRole, SecretKey
from enclos.lexicon.refusals import refusal
from enclos.stores.keys import FileKeyStore, KeyEntry, KeysByRole, KeySigner, KeyStore, TokenPlace, read_token_uri

Passphrase: TypeAlias = str | Callable[[], str]
"""The passphrase of a file key store, or how to ask for it when one is needed."""

FILE = "file"
_PR_SET_DUMPABLE = 4
_CERTIFIABLE = "role=file or role=pkcs11:…"


def make_keys(folder: Path, section: KeysSection, passphrase: Passphrase) -> KeyStore:
    """New, empty key stores in the places that the settings name.

    Refuses: KEY_URI, TOKEN_UNREACHABLE, TOKEN_PIN
    """
    return _stores(folder, section, passphrase, new=True)


def open_keys(folder: Path, section: KeysSection, passphrase: Passphrase) -> KeyStore:
    """The key stores in the places that the settings name.

    Refuses: PASSPHRASE_WRONG, KEY_URI, TOKEN_UNREACHABLE, TOKEN_PIN, STORAGE_BROKEN
    """
    return _stores(folder, section, passphrase, new=False)


def _stores(folder: Path, section: KeysSection, passphrase: Passphrase, *, new: bool) -> KeyStore:
    leave_no_core()
    places = read_places(section.roles)
    most = key_store(folder, "keystore" if section.place == FILE else "token", section.place, passphrase, new=new)
    others = {role: key_store(folder, role.value, place, passphrase, new=new) for role, place in places.items()}
    return KeysByRole(most, others) if others else most


def key_store(folder: Path, name: str, place: str, passphrase: Passphrase, *, new: bool) -> KeyStore:
    """One key store: a file, or a token with its register, both named so in the folder."""
    path = folder / f"{name}.json"
    if place == FILE:
        given = passphrase if isinstance(passphrase, str) else passphrase()
        return FileKeyStore.initialise(path, given) if new else FileKeyStore.open(path, given)
    from enclos.stores.keys.token import TokenKeyStore

    token = read_token_uri(place)
    return TokenKeyStore.initialise(path, token, _pin(token)) if new else TokenKeyStore.open(path, token, _pin(token))


def read_places(roles: Sequence[str]) -> dict[KeyRole, str]:
    """Where the keys of some roles live.

    In: roles — each ``role=place``
    Refuses: KEY_URI
    """
    known = {role.value: role for role in KeyRole if role is not KeyRole.CHECK}
    places: dict[KeyRole, str] = {}
    for text in roles:
        role, _, place = text.partition("=")
        if role not in known or known[role] in places or not (place == FILE or read_token_uri(place)):
            raise refusal(
                Code.KEY_URI, "A role's place is given twice or the role is unknown.", f"Write {_CERTIFIABLE}"
            )
        places[known[role]] = place
    return places


def leave_no_core() -> None:
    """No core file of this process or its children, since it would hold keys.

    A kernel that pipes cores to a program minds no limit, so the process says too that it is not to be dumped; then no
    other process of its account reads its memory either. Source: core(5), prctl(2) PR_SET_DUMPABLE
    """
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0 if hard == resource.RLIM_INFINITY else min(hard, 0)))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _pin(token: TokenPlace) -> str:
    given = os.environ.get(token.pin_variable) or os.environ.get("ENCLOS_PIN")
    if given:
        return given
    if not sys.stdin.isatty():
        raise refusal(
            Code.TOKEN_PIN, "There is no terminal to ask for the token's PIN on.", f"Set {token.pin_variable}."
        )
    return getpass.getpass(f"PIN of the token {token.token}: ", stream=sys.stderr)


class UsedKeys:
    """A key store whose every first use, creation and destruction in this process is in the ledger before it happens.

    What an entry says: actor, role, subject, the key's random id, how it is used and within which action.
    """

    def __init__(self, keys: KeyStore, ledger: Ledger, actor: str) -> None:
        self._keys = keys
        self._ledger = ledger
        self._actor = actor
        self._noted: set[tuple[str, str, Action | None]] = set()

    def __repr__(self) -> str:
        return "UsedKeys()"

    @property
    def unrecorded(self) -> KeyStore:
        """The store itself, for what the ledger's own lock does not let be recorded."""
        return self._keys

    def create(self, name: KeyName) -> None:
        """Make a new random key."""
        self._record(Action.KEY_CREATE, name, "create")
        self._keys.create(name)

    def exists(self, name: KeyName) -> bool:
        """Whether the key is there."""
        return self._keys.exists(name)

    def secret(self, name: KeyName) -> SecretKey:
        """The key for sealing."""
        self._note(name, "seal")
        return self._keys.secret(name)

    def blocks(self, name: KeyName) -> BlockCipher:
        """The key for pseudonyms, where it lives."""
        self._note(name, "pseudonymise")
        return self._keys.blocks(name)

    def sign(self, name: KeyName, message: bytes) -> bytes:
        """The Ed25519 signature of the message (64 bytes)."""
        self._note(name, "sign")
        return self._keys.sign(name, message)

    def public(self, name: KeyName) -> bytes:
        """The Ed25519 public key (32 bytes); showing it is no use of the key."""
        return self._keys.public(name)

    def destroy(self, name: KeyName) -> None:
        """Forget the key for ever."""
        self._record(Action.KEY_DESTROY, name, "destroy")
        self._keys.destroy(name)

    def names(self) -> list[str]:
        """The names of the keys that are there."""
        return self._keys.names()

    def entries(self) -> Sequence[KeyEntry]:
        """What may be known of every key."""
        return self._keys.entries()

    def promote(self, name: KeyName) -> None:
        """Let this generation be the one in use."""
        self._keys.promote(name)

    def take_over(self, entry: KeyEntry) -> None:
        """Enter a key of another store as one that ended there."""
        self._keys.take_over(entry)

    def carried(self, name: KeyName) -> bytes:
        """The bytes of a pseudonym key, for the store that takes it over."""
        self._note(name, "carry")
        return self._keys.carried(name)

    def adopt(self, name: KeyName, key: bytes) -> None:
        """Keep a pseudonym key that another store carried."""
        self._record(Action.KEY_CREATE, name, "adopt")
        self._keys.adopt(name, key)

    def _note(self, name: KeyName, use: str) -> None:
        mark = (str(name), use, self._ledger.doing)
        if mark not in self._noted:
            self._record(Action.KEY_USE, name, use)
            self._noted.add(mark)

    def _record(self, action: Action, name: KeyName, use: str) -> None:
        doing = self._ledger.doing
        facts = {
            "role": name.role.value,
            "subject": name.subject,
            "key": key_id(self._keys, name),
            "use": use,
            "within": doing.value if doing else "reading",
        }
        self._ledger.record(action, self._actor, facts=facts)


def unrecorded(keys: KeyStore) -> KeyStore:
    """The store itself, whose uses the ledger's own lock does not let be recorded."""
    return keys.unrecorded if isinstance(keys, UsedKeys) else keys


class AccessBodySigner(KeySigner):
    """The access body's key in use; what it signed before a rotation still verifies."""

    def __init__(self, keys: KeyStore) -> None:
        super().__init__(keys, KeyName(KeyRole.ACCESS_BODY))

    def public_key(self) -> bytes:
        """The public keys, the one in use first, 32 bytes each."""
        current = super().public_key()
        entries = [entry for entry in self._keys.entries() if entry.name.role is KeyRole.ACCESS_BODY]
        earlier = [entry.public for entry in entries if entry.public and entry.public != current and entry.was_used]
        return b"".join([current, *reversed(earlier)])


def key_id(keys: KeyStore, name: KeyName) -> str:
    """The random id of a key, or of the generation in use; empty when there is none."""
    whole = name.of_generation(0)
    for entry in keys.entries():
        wanted = entry.name == name if name.generation else entry.is_current and entry.name.of_generation(0) == whole
        if wanted:
            return entry.id
    return ""
