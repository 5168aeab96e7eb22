"""Credentials of an object storage: from the environment, or from a file that its owner alone reads."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal

KEY_ID, SECRET, FILE = "ENCLOS_S3_KEY_ID", "ENCLOS_S3_SECRET", "ENCLOS_S3_CREDENTIALS"
SESSION_TOKEN = "ENCLOS_S3_SESSION_TOKEN"  # noqa: S105 - the name of a variable
_OPEN_TO_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_Shown: TypeAlias = tuple[str, str, str]


class S3Credentials:
    """An access key, its secret, and the session token of temporary ones (empty when they are none); its repr shows
    nothing of them.

    In: file — where they were read; they are read there again once the file is another, as who renews temporary ones
        leaves it
    """

    __slots__ = ("_file", "_seen", "_shown")

    def __init__(self, key_id: str, secret: str, session_token: str = "", *, file: Path | None = None) -> None:
        self._shown: _Shown = (key_id, secret, session_token)
        self._file = file
        self._seen: tuple[int, ...] | None = None

    def reveal(self) -> tuple[str, str, str]:
        """Key, secret and session token as they are now, for the one call that needs them.

        A file that is not there or not whole at this moment is being written: the ones before it are used meanwhile.
        Refuses: STORAGE_CREDENTIALS when others than its owner can read the file.
        """
        if self._file is not None and (state := _state(self._file)) not in (None, self._seen):
            _check_is_private(state[0])
            with suppress(Refusal):
                self._shown, self._seen = _read(self._file), state
        return self._shown

    def __repr__(self) -> str:
        return "S3Credentials()"

    __str__ = __repr__

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("credentials are never pickled")


def read_credentials(environment: Mapping[str, str] | None = None) -> S3Credentials:
    """The credentials that this process may use.

    In: ENCLOS_S3_KEY_ID and ENCLOS_S3_SECRET, with ENCLOS_S3_SESSION_TOKEN when they are temporary; or
        ENCLOS_S3_CREDENTIALS, a TOML file with ``key_id``, ``secret`` and perhaps ``session_token``.
    Refuses: STORAGE_CREDENTIALS when they are absent, or others than its owner can read the file.
    """
    environment = os.environ if environment is None else environment
    if environment.get(KEY_ID) and environment.get(SECRET):
        return S3Credentials(environment[KEY_ID], environment[SECRET], environment.get(SESSION_TOKEN, ""))
    if not environment.get(FILE):
        raise _refused("The credentials of the object storage are not there.")
    path = Path(environment[FILE])
    if (state := _state(path)) is None:
        raise _refused("The file of the storage's credentials cannot be read.")
    _check_is_private(state[0])
    return S3Credentials(*_read(path), file=path)


def _state(path: Path) -> tuple[int, ...] | None:
    """A file's mode, and what is another when it was written anew, also by another in its place; None without one."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mode, found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _check_is_private(mode: int) -> None:
    if mode & _OPEN_TO_OTHERS:
        raise _refused("Others than its owner can use the file of the storage's credentials.")


def _read(path: Path) -> _Shown:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise _refused("The file of the storage's credentials cannot be read.") from None
    key_id, secret, token = document.get("key_id"), document.get("secret"), document.get("session_token", "")
    if not (isinstance(key_id, str) and isinstance(secret, str) and isinstance(token, str) and key_id and secret):
        raise _refused("The file of the storage's credentials does not hold `key_id` and `secret`.")
    return key_id, secret, token


def _refused(what: str) -> Refusal:
    return refusal(Code.STORAGE_CREDENTIALS, what, f"Set {KEY_ID} and {SECRET}, or {FILE} to a file of mode 0600.")
