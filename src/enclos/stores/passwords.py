"""The sealed list of passwords that programs sign in with: of each a verifier, and the token that it stands for."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from enclos.lexicon.canonical import canonical_bytes
from enclos.lexicon.keys import SecretKey
from enclos.stores.accounts import lock_of
from enclos.stores.files import lock_in_turn, storage_border, write_atomically
from enclos.stores.sealed import seal, unseal

CONTEXT = "enclos passwords"
_WHAT = "the passwords"


@dataclass(frozen=True, slots=True, repr=False)
class KeptPassword:
    """A password as SCRAM checks it (RFC 5802), whose it is, and the token that it ends with."""

    id: str
    user: str
    token: str
    stored_key: bytes
    server_key: bytes
    until: datetime

    def __repr__(self) -> str:
        return "KeptPassword()"


class SealedPasswords:
    """The list in one sealed file that its owner alone reads (0600).

    Refuses: STORAGE_BROKEN when it is altered, STORAGE_FULL; ENCLOSURE_BUSY when others hold it for long.
    """

    def __init__(self, path: Path, key: SecretKey) -> None:
        self._path = path
        self._key = key

    def __repr__(self) -> str:
        return "SealedPasswords()"

    def read(self, now: datetime) -> list[KeptPassword]:
        """The passwords that have not ended."""
        with storage_border(_WHAT):
            try:
                sealed = self._path.read_bytes()
            except FileNotFoundError:
                return []
        kept = [_kept(each) for each in json.loads(unseal(self._key, sealed, CONTEXT))]
        return [each for each in kept if now < each.until]

    def add(self, password: KeptPassword, now: datetime, most: int) -> None:
        """Keep one more; what has ended goes, and of a person's all but the newest."""
        with lock_in_turn(lock_of(self._path)):
            kept = self.read(now)
            own = [each.id for each in kept if each.user == password.user][: -(most - 1)]
            document = [_document(each) for each in [*kept, password] if each.id not in own]
            write_atomically(self._path, seal(self._key, canonical_bytes(document), CONTEXT), _WHAT)


def _document(password: KeptPassword) -> dict[str, Any]:
    return {
        "id": password.id,
        "user": password.user,
        "token": password.token,
        "stored_key": base64.b64encode(password.stored_key).decode("ascii"),
        "server_key": base64.b64encode(password.server_key).decode("ascii"),
        "until": password.until.isoformat(),
    }


def _kept(document: dict[str, Any]) -> KeptPassword:
    return KeptPassword(
        document["id"],
        document["user"],
        document["token"],
        base64.b64decode(document["stored_key"]),
        base64.b64decode(document["server_key"]),
        datetime.fromisoformat(document["until"]),
    )
