"""Credentials of an object storage: from the environment, or from a file that its owner alone reads."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal

KEY_ID, SECRET, FILE = "ENCLOS_S3_KEY_ID", "ENCLOS_S3_SECRET", "ENCLOS_S3_CREDENTIALS"
_OPEN_TO_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class S3Credentials:
    """An access key and its secret; its repr shows neither."""

    __slots__ = ("_key_id", "_secret")

    def __init__(self, key_id: str, secret: str) -> None:
        self._key_id = key_id
        self._secret = secret

    def reveal(self) -> tuple[str, str]:
        """The two, for the one call that needs them."""
        return self._key_id, self._secret

    def __repr__(self) -> str:
        return "S3Credentials()"

    __str__ = __repr__

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("credentials are never pickled")


def read_credentials(environment: Mapping[str, str] | None = None) -> S3Credentials:
    """The credentials that this process may use.

    In: ENCLOS_S3_KEY_ID and ENCLOS_S3_SECRET, or ENCLOS_S3_CREDENTIALS, a TOML file with ``key_id`` and ``secret``.
    Refuses: STORAGE_CREDENTIALS when they are absent, or others than its owner can read the file.
    """
    environment = os.environ if environment is None else environment
    if environment.get(KEY_ID) and environment.get(SECRET):
        return S3Credentials(environment[KEY_ID], environment[SECRET])
    if not environment.get(FILE):
        raise _refused("The credentials of the object storage are not there.")
    path = Path(environment[FILE])
    try:
        if path.stat().st_mode & _OPEN_TO_OTHERS:
            raise _refused("Others than its owner can use the file of the storage's credentials.")
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise _refused("The file of the storage's credentials cannot be read.") from None
    key_id, secret = document.get("key_id"), document.get("secret")
    if not (isinstance(key_id, str) and isinstance(secret, str) and key_id and secret):
        raise _refused("The file of the storage's credentials does not hold `key_id` and `secret`.")
    return S3Credentials(key_id, secret)


def _refused(what: str) -> Refusal:
    return refusal(Code.STORAGE_CREDENTIALS, what, f"Set {KEY_ID} and {SECRET}, or {FILE} to a file of mode 0600.")
