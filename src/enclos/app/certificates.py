"""The proof that a key was destroyed: one signed statement for each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from enclos.app.enclosure import Enclosure
from enclos.app.keys import unrecorded
from enclos.ledger.model import Action
from enclos.lexicon.canonical import canonical_bytes
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole, KeyUse
from enclos.lexicon.refusals import Refusal, refusal
from enclos.stores.files import write_atomically
from enclos.stores.keys import KeySigner, KeyStore
from enclos.stores.keys.port import KeyEntry

_CERTIFICATE, _MOVE, _END = "enclos-key-destroyed-1", "enclos-moved-1", "enclos-destroyed-1"
_CONTEXTS = {_CERTIFICATE: b"enclos key destroyed 1\n", _MOVE: b"enclos moved 1\n", _END: b"enclos destroyed 1\n"}
_WORTH = {
    "file": "a copy of the old key file and the passphrase would bring the key back (decision 0003)",
    "token": "the key never left the token, where its object is destroyed (decision 0011)",
    "wrapped": "the key that wrapped it never left the token, where its object is destroyed (decision 0011)",
}
_STAYS = "it lies sealed under the key that followed, to compare earlier digests, and ends with that one"
"""Of the key of the ledger's digests, which holds nothing that could be moved: see docs/keys.md."""


def certify(enclosure: Enclosure) -> list[str]:
    """A certificate, signed by the ledger's key, for every destroyed key that has none yet; the new ones' names."""
    made = []
    for entry in enclosure.keys.entries():
        path = enclosure.paths.certificates / f"{entry.id}.json"
        if entry.destroyed_at is None or path.exists():
            continue
        statement = {
            "format": _CERTIFICATE,
            "enclosure": enclosure.settings.enclosure.name,
            **{k: v for k, v in key_row(entry).items() if k not in {"in_use", "public_key"}},
            "opens": opens(unrecorded(enclosure.keys), entry.name),
            "worth": _STAYS if entry.name.role is KeyRole.LEDGER_SALT else _WORTH[entry.place],
            "ledger": {"origin": enclosure.ledger.origin, "size": enclosure.ledger.size()},
        }
        _sign(enclosure, path, statement)
        made.append(path.name)
    return made


def certify_move(there: Enclosure, mark: Mapping[str, Any], gone: Sequence[KeyEntry], before: KeyStore) -> Path:
    """A certificate, signed by the new ledger's key, that nothing at the old place opens any more; where it lies.

    In: mark — what the old place says of the move; gone — its keys, all destroyed; before — its key store.
    """
    path = there.paths.certificates / f"move-{mark['move']}.json"
    entries = there.ledger.entries()
    left = [entry.at for _, entry in entries if entry.action is Action.MOVE and entry.facts.get("move") == mark["move"]]
    _sign(
        there,
        path,
        {
            "format": _MOVE,
            "enclosure": there.settings.enclosure.name,
            "move": mark["move"],
            "left_at": mark["stopped_at"],
            "began_at": min(left).isoformat() if left else mark["stopped_at"],
            "n_objects": mark["n_objects"],
            "n_files": mark["n_files"],
            "studies": mark["studies"],
            "keys": [key_row(entry) for entry in gone],
            "opens": [entry.id for entry in gone if opens(before, entry.name)],
            "worth": [_WORTH[place] for place in sorted({entry.place for entry in gone})],
            "ledger": {"origin": there.ledger.origin, "size": there.ledger.size()},
        },
    )
    return path


def certify_end(enclosure: Enclosure, path: Path, *, removed: int, left: Sequence[str]) -> None:
    """A certificate that an enclosure was destroyed, the last that its ledger's key signs.

    In: removed — how many files and objects; left — hosts that did not answer
    """
    entries = enclosure.keys.entries()
    store = unrecorded(enclosure.keys)
    _sign(
        enclosure,
        path,
        {
            "format": _END,
            "enclosure": enclosure.settings.enclosure.name,
            "at": enclosure.ledger.now().isoformat(),
            "keys": [key_row(entry) for entry in entries if entry.destroyed_at],
            "opens": [entry.id for entry in entries if entry.destroyed_at and opens(store, entry.name)],
            "ends_with_this": [entry.id for entry in entries if not entry.destroyed_at],
            "worth": [_WORTH[place] for place in sorted({entry.place for entry in entries})],
            "n_removed": removed,
            "left": list(left),
            "ledger": {"origin": enclosure.ledger.origin, "size": enclosure.ledger.size()},
        },
    )


def _sign(enclosure: Enclosure, path: Path, statement: Mapping[str, Any]) -> None:
    signer = KeySigner(enclosure.keys, KeyName(KeyRole.LEDGER))
    signature = signer.sign(_CONTEXTS[statement["format"]] + canonical_bytes(statement))
    document = {**statement, "signed_by": signer.public_key().hex(), "signature": signature.hex()}
    write_atomically(path, canonical_bytes(document), "a certificate")


def verify_certificate(path: Path, key: str) -> dict[str, Any]:
    """Check that a certificate says what the given key signed.

    In: key — the ledger's public key that the caller trusts, 64 hexadecimal digits
    Refuses: STORAGE_BROKEN
    """
    try:
        document = json.loads(path.read_bytes())
        statement = {name: value for name, value in document.items() if name not in {"signed_by", "signature"}}
        message = _CONTEXTS[statement["format"]] + canonical_bytes(statement)
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(document["signature"]), message)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, InvalidSignature):
        raise refusal(
            Code.STORAGE_BROKEN, "The certificate is not what this key signed.", "Ask for it again."
        ) from None
    return statement


def key_row(entry: KeyEntry) -> dict[str, Any]:
    """What may be said of a key: everything but the key."""
    return {
        "role": entry.name.role.value,
        "subject": entry.name.subject,
        "generation": entry.name.generation,
        "key": entry.id,
        "place": entry.place,
        "in_use": entry.is_current,
        "created_at": entry.created_at,
        "destroyed_at": entry.destroyed_at,
        "public_key": entry.public.hex() if entry.public else None,
    }


def opens(keys: KeyStore, name: KeyName) -> bool:
    """Whether a store still gives the use of a key."""
    try:
        match name.role.use:
            case KeyUse.SIGN:
                keys.public(name)
            case KeyUse.PSEUDONYMISE:
                keys.blocks(name)
            case KeyUse.SEAL:
                keys.secret(name)
    except Refusal:
        return False
    return True
