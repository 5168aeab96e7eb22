"""The token key store: keys in a PKCS#11 token (an HSM, or SoftHSM2 in tests).

Signing keys and pseudonym keys are made in the token, sensitive and not extractable, and never leave it. Keys that
the engine or AES-GCM must hold in this process are 32 bytes wrapped by AES-256-GCM under a key of their own in the
token: destroying that one object makes every copy of the wrapped bytes useless.

Source: PKCS #11 v3.0 (CKM_AES_ECB, CKM_AES_GCM, CKM_EDDSA)
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass

from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyUse, SecretKey
from enclos.lexicon.refusals import Refusal, refusal
from enclos.stores.keys.port import KeyEntry, check_use, key_missing, stays_in_token
from enclos.stores.keys.register import KeyRegister, to_base64
from enclos.stores.keys.uri import TokenPlace

_FORMAT = "enclos-token-keys-1"
_NONCE_BYTES, _TAG_BITS = 12, 128
_ED25519 = bytes.fromhex("130c656477617264733235353139")
"""CKA_EC_PARAMS of Ed25519: PrintableString "edwards25519". Source: PKCS #11 v3.0, section 2.3.5."""
BYTES_PER_CALL = 16 << 20
"""What one call takes; larger buffers are cut."""

_FIXED = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False, Attribute.MODIFIABLE: False}
_BARRED = {Attribute.WRAP: False, Attribute.UNWRAP: False, Attribute.SIGN: False, Attribute.VERIFY: False}
_PSEUDONYM_KEY = _FIXED | _BARRED | {Attribute.ENCRYPT: True, Attribute.DECRYPT: False}
_WRAPPING_KEY = _FIXED | _BARRED | {Attribute.ENCRYPT: True, Attribute.DECRYPT: True}


class TokenKeyStore:
    """Keys in a token, and a register beside the enclosure that names them.

    Refuses: TOKEN_UNREACHABLE, TOKEN_PIN, KEY_MISSING, STORAGE_BROKEN.
    """

    def __init__(self, path: Path, held: _Held) -> None:
        self._register = KeyRegister(path, _FORMAT)
        self._held = held

    def __repr__(self) -> str:
        return "TokenKeyStore()"

    @classmethod
    def initialise(cls, path: Path, place: TokenPlace, pin: str) -> TokenKeyStore:
        """Make an empty key store in a token that exists."""
        store = cls(path, _hold(place, pin))
        store._register.begin({"store": secrets.token_hex(4)})
        return store

    @classmethod
    def open(cls, path: Path, place: TokenPlace, pin: str) -> TokenKeyStore:
        """Open a key store; the PIN is checked at once."""
        store = cls(path, _hold(place, pin))
        store._register.read()
        return store

    def create(self, name: KeyName) -> None:
        """Make a new key in the token.

        Refuses: ValueError when a key of that name exists or was destroyed.
        """
        label = self._register.check_new(name)
        with self._session() as session:
            self._destroy_objects(session, label)  # left by a process that died before it was entered
            identity = {"label": self._object(label), "id": os.urandom(16), "store": True}
            if name.role.use is KeyUse.SIGN:
                self._register.add(label, {"place": "token", "public": _key_pair(session, identity).hex()})
            elif name.role.use is KeyUse.PSEUDONYMISE:
                session.generate_key(KeyType.AES, 256, template=_PSEUDONYM_KEY, **identity)
                self._register.add(label, {"place": "token"})
            else:
                wrapping = session.generate_key(KeyType.AES, 256, template=_WRAPPING_KEY, **identity)
                nonce = os.urandom(_NONCE_BYTES)
                wrapped = wrapping.encrypt(
                    session.generate_random(256), mechanism=Mechanism.AES_GCM, mechanism_param=_gcm(nonce, label)
                )
                self._register.add(label, {"place": "wrapped", "wrapped": to_base64(nonce + wrapped)})

    def exists(self, name: KeyName) -> bool:
        """Whether the key is there and not destroyed."""
        return self._register.exists(name)

    def secret(self, name: KeyName) -> SecretKey:
        """The key for sealing, unwrapped by the token."""
        check_use(name, KeyUse.SEAL)
        label, entry = self._register.entry(name)
        blob = base64.b64decode(entry["wrapped"])
        with self._session() as session:
            wrapping = self._only(session, label, ObjectClass.SECRET_KEY, name)
            try:
                value = wrapping.decrypt(
                    blob[_NONCE_BYTES:],
                    mechanism=Mechanism.AES_GCM,
                    mechanism_param=_gcm(blob[:_NONCE_BYTES], label),
                )
            except pkcs11.PKCS11Error:
                raise refusal(
                    Code.STORAGE_BROKEN, f"The entry of key {name} is altered.", "Restore the key store."
                ) from None
        return SecretKey(name, value)

    def blocks(self, name: KeyName) -> TokenBlocks:
        """The key for pseudonyms, in the token."""
        check_use(name, KeyUse.PSEUDONYMISE)
        label, _ = self._register.entry(name)
        with self._session() as session:
            return TokenBlocks(self._held, self._only(session, label, ObjectClass.SECRET_KEY, name))

    def sign(self, name: KeyName, message: bytes) -> bytes:
        """The Ed25519 signature of the message (64 bytes), made in the token."""
        check_use(name, KeyUse.SIGN)
        label, _ = self._register.entry(name)
        with self._session() as session:
            private = self._only(session, label, ObjectClass.PRIVATE_KEY, name)
            return bytes(private.sign(message, mechanism=Mechanism.EDDSA))

    def public(self, name: KeyName) -> bytes:
        """The Ed25519 public key (32 bytes), as the token has it."""
        check_use(name, KeyUse.SIGN)
        label, entry = self._register.entry(name)
        with self._session() as session:
            public = _point(self._only(session, label, ObjectClass.PUBLIC_KEY, name))
        if public.hex() != entry["public"]:
            raise refusal(Code.STORAGE_BROKEN, f"The entry of key {name} is altered.", "Restore the key store.")
        return public

    def destroy(self, name: KeyName) -> None:
        """Destroy the key's objects in the token; its name and the instant stay in the register."""
        for label in self._register.living(name):
            with self._session() as session:
                self._destroy_objects(session, label)
            self._register.end(label)

    def names(self) -> list[str]:
        """The names of the keys that are there."""
        return self._register.names()

    def entries(self) -> Sequence[KeyEntry]:
        """What may be known of every key."""
        return self._register.entries("token")

    def promote(self, name: KeyName) -> None:
        """Let this generation be the one in use."""
        self._register.promote(name)

    def take_over(self, entry: KeyEntry) -> None:
        """Enter a key of another store as one that ended there."""
        self._register.take_over(entry)

    def carried(self, name: KeyName) -> bytes:  # noqa: ARG002 - the port's shape
        """Refuses: KEY_FIXED, since a key never leaves a token."""
        raise stays_in_token()

    def adopt(self, name: KeyName, key: bytes) -> None:  # noqa: ARG002 - the port's shape
        """Refuses: KEY_FIXED, since no key enters a token from outside."""
        raise stays_in_token()

    @contextmanager
    def _session(self) -> Iterator[Any]:
        with self._held.lock, token_border():
            yield self._held.session

    def _object(self, label: str) -> str:
        return f"enclos/{self._register.read()['store']}/{label}"

    def _only(self, session: Any, label: str, kind: ObjectClass, name: KeyName) -> Any:
        found = list(session.get_objects({Attribute.CLASS: kind, Attribute.LABEL: self._object(label)}))
        if len(found) != 1:
            raise key_missing(name)
        return found[0]

    def _destroy_objects(self, session: Any, label: str) -> None:
        for each in list(session.get_objects({Attribute.LABEL: self._object(label)})):
            each.destroy()


class TokenBlocks:
    """AES inside the token over whole arrays of blocks: one call for 16 MiB, the key never leaves it."""

    __slots__ = ("_held", "_key")

    def __init__(self, held: _Held, key: Any) -> None:
        self._held = held
        self._key = key

    def __repr__(self) -> str:
        return "TokenBlocks()"

    def encrypt(self, blocks: bytes) -> bytes:
        """Each 16-byte block on its own."""
        parts = []
        for start in range(0, len(blocks), BYTES_PER_CALL):
            with self._held.lock, token_border():  # each for itself, so that the ledger can sign in between
                parts.append(self._key.encrypt(blocks[start : start + BYTES_PER_CALL], mechanism=Mechanism.AES_ECB))
        return b"".join(parts)


@dataclass(slots=True)
class _Held:
    """One session with a token, shared by this process: a login counts for all sessions of a process."""

    session: Any
    salt: bytes = field(repr=False)
    pin_digest: bytes = field(repr=False)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def knows(self, pin: str) -> bool:
        return hmac.compare_digest(self.pin_digest, _pin_digest(self.salt, pin))


_HELD: dict[TokenPlace, _Held] = {}
_HOLDING = threading.Lock()


def _hold(place: TokenPlace, pin: str) -> _Held:
    with _HOLDING:
        held = _HELD.get(place)
        if held is None:
            salt = os.urandom(16)
            held = _HELD[place] = _Held(_open_session(place, pin), salt, _pin_digest(salt, pin))
        elif not held.knows(pin):
            raise _pin_wrong()
        return held


def _pin_digest(salt: bytes, pin: str) -> bytes:
    return hashlib.blake2b(pin.encode("utf-8"), key=salt).digest()


def _open_session(place: TokenPlace, pin: str) -> Any:
    try:
        module = pkcs11.lib(place.module)
        token = module.get_token(token_label=place.token, **({"token_serial": place.serial} if place.serial else {}))
        return token.open(rw=True, user_pin=pin)
    except (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange):
        raise _pin_wrong() from None
    except (pkcs11.PKCS11Error, RuntimeError, OSError):
        raise refusal(
            Code.TOKEN_UNREACHABLE,
            "The token that holds the keys cannot be reached.",
            "Check the module's path, the token's label and that the token is plugged in and set up.",
        ) from None


def _pin_wrong() -> Refusal:
    return refusal(
        Code.TOKEN_PIN, "The PIN does not open this token.", "Set ENCLOS_PIN; too many tries lock some tokens."
    )


@contextmanager
def token_border() -> Iterator[None]:
    """Replace the module's exceptions by a refusal that carries none of its text."""
    try:
        yield
    except pkcs11.PKCS11Error:
        raise refusal(
            Code.TOKEN_UNREACHABLE,
            "The token that holds the keys did not answer as it should.",
            "Check the token, then run the command again.",
        ) from None


def _key_pair(session: Any, identity: dict[str, Any]) -> bytes:
    parameters = session.create_domain_parameters(KeyType.EC_EDWARDS, {Attribute.EC_PARAMS: _ED25519}, local=True)
    public, _ = parameters.generate_keypair(
        mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN, private_template=_FIXED | {Attribute.SIGN: True}, **identity
    )
    return _point(public)


def _point(public: Any) -> bytes:
    """The 32 bytes of CKA_EC_POINT, which is a DER OCTET STRING. Source: PKCS #11 v3.0, section 2.3.5."""
    point = bytes(public[Attribute.EC_POINT])
    return point[-32:]


def _gcm(nonce: bytes, label: str) -> Any:
    return pkcs11.GCMParams(nonce, label.encode("utf-8"), _TAG_BITS)
