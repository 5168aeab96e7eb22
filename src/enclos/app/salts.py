"""Earlier keys of the ledger's digests, sealed under the one in use.

A digest in the ledger cannot be made again under another key: nobody keeps what it stands for, and the tree may not
change. So who holds the key in use can still compare earlier digests, and who stole an earlier key cannot compare later
ones.
"""

from __future__ import annotations

from pathlib import Path

from enclos.app.enclosure import Enclosure
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.lexicon.refusals import Refusal
from enclos.stores.files import storage_border, write_atomically
from enclos.stores.sealed import seal, unseal

_CONTEXT, _BYTES = "enclos earlier ledger salts", 32


def keep_earlier(path: Path, old: SecretKey, new: SecretKey) -> int:
    """Put the old key, and those before it, under the new one; done twice, it is as once. How many there are."""
    with storage_border("the ledger's earlier keys"):
        sealed = path.read_bytes() if path.exists() else b""
    try:
        return len(unseal(new, sealed, _CONTEXT)) // _BYTES
    except Refusal:
        keys = old.reveal() + (unseal(old, sealed, _CONTEXT) if sealed else b"")
    write_atomically(path, seal(new, keys, _CONTEXT), "the ledger's earlier keys")
    return len(keys) // _BYTES


def ledger_digests(enclosure: Enclosure, value: str) -> tuple[str, ...]:
    """Every digest under which the ledger may know a personal value: under the key in use and under those before."""
    return enclosure.ledger.digests(value, _earlier(enclosure))


def _earlier(enclosure: Enclosure) -> list[SecretKey]:
    path, name = enclosure.paths.earlier_salts, KeyName(KeyRole.LEDGER_SALT)
    if not path.exists():
        return []
    with storage_border("the ledger's earlier keys"):
        keys = unseal(enclosure.keys.secret(name), path.read_bytes(), _CONTEXT)
    return [SecretKey(name, keys[at : at + _BYTES]) for at in range(0, len(keys), _BYTES)]
