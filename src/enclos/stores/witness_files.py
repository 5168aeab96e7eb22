"""What a witness remembers of one ledger, and its own key, as files on a machine of its own."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from enclos.ledger.rules.notes import COSIGNATURE, is_key_name, read_verifying_key, verifying_key
from enclos.ledger.rules.tiles import VERIFYING_KEY
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.stores.ledger_disk import ledger_border, make_folder, sync_folder, write_whole

WITNESS_VKEY = "witness.vkey"
_WITNESS_KEY = "witness.key"


class WitnessKey:
    """A witness's own Ed25519 key and the name that it signs under."""

    def __init__(self, key: Ed25519PrivateKey, name: str) -> None:
        self._key = key
        self._name = name

    def __repr__(self) -> str:
        return f"WitnessKey({self._name})"

    @property
    def name(self) -> str:
        """The name, without spaces."""
        return self._name

    def public_key(self) -> bytes:
        """The public key (32 bytes)."""
        return self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """The signature of the message (64 bytes)."""
        return self._key.sign(message)


class WitnessFiles:
    """What a witness remembers of one ledger, and its own key, in a folder of its own.

    The key lies as a host's key does: readable by its account alone, without a passphrase, so that the witness can
    look on its own every hour (decision 0070).
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def recall(self) -> bytes | None:
        """The last checkpoint that was accepted, under this witness's signature."""
        return self._read("checkpoint")

    def key(self, name: str = "") -> WitnessKey:
        """The witness's key, made at the first look.

        In: name — what a new key signs under; its own digest when empty.
        Refuses: LEDGER_UNSIGNED when the file is no key, or the witness has another name already
        """
        pem = self._read(_WITNESS_KEY)
        if pem is None:
            made = Ed25519PrivateKey.generate()
            pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            public = made.public_key().public_bytes_raw()
            signs_as = name or f"witness-{hashlib.sha256(public).hexdigest()[:12]}"
            if not is_key_name(signs_as):
                raise refusal(Code.LEDGER_UNSIGNED, "A witness's name has neither spaces nor plus signs.")
            self._put(_WITNESS_KEY, pem, mode=0o600)
            self._put(WITNESS_VKEY, f"{verifying_key(signs_as, public, COSIGNATURE)}\n".encode())
        try:
            key = load_pem_private_key(pem, password=None)
        except ValueError:
            key = None
        signs_as, _ = read_verifying_key((self._read(WITNESS_VKEY) or b"").decode(errors="replace"), COSIGNATURE)
        if not isinstance(key, Ed25519PrivateKey) or name not in {"", signs_as}:
            raise refusal(
                Code.LEDGER_UNSIGNED,
                "The witness's key cannot be read, or it signs under another name.",
                "Name the folder of this witness, or begin a new one elsewhere.",
            )
        return WitnessKey(key, signs_as)

    def vkey(self) -> str | None:
        """The witness's verifying key, once it has signed."""
        line = self._read(WITNESS_VKEY)
        return None if line is None else line.decode(errors="replace")

    def trusted(self) -> str | None:
        """The ledger's verifying key that this witness believes since its first look."""
        line = self._read(VERIFYING_KEY)
        return None if line is None else line.decode(errors="replace")

    def trust(self, line: str) -> None:
        """Believe this verifying key of the ledger from now on."""
        self._put(VERIFYING_KEY, line.encode())

    def _read(self, name: str) -> bytes | None:
        with ledger_border():
            try:
                return (self._folder / name).read_bytes()
            except FileNotFoundError:
                return None

    def remember(self, note: bytes) -> None:
        """Keep the checkpoint in the place of the earlier one, durably."""
        self._put("checkpoint", note)

    def keep_conflict(self, note: bytes) -> None:
        """Keep a checkpoint that contradicts the remembered one, as evidence; the same one once."""
        self._put(f"conflict-{hashlib.sha256(note).hexdigest()[:16]}", note)

    def _put(self, name: str, note: bytes, mode: int = 0o644) -> None:
        with ledger_border():
            make_folder(str(self._folder), 0o700)
            made = self._folder / f"next.{os.getpid()}"
            made.unlink(missing_ok=True)
            write_whole(str(made), note, durable=True, mode=mode)
            made.replace(self._folder / name)
            sync_folder(str(self._folder))
