"""Where a person's own access token is kept between commands: a file of theirs alone, one for each enclosure."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.stores.files import storage_border, write_atomically

TOKEN_VARIABLE = "ENCLOS_TOKEN"  # noqa: S105 - the name of a variable
_OF_OTHERS = 0o077


def keep_token(place: str, token: str) -> Path:
    """Keep a token, in the place of the one before (0600, in a folder of 0700)."""
    path = _path(place)
    with storage_border("a token"):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.parent.chmod(0o700)
    write_atomically(path, token.encode("ascii"), "a token")
    return path


def kept_token(place: str) -> str:
    """The token that was kept for the enclosure, or that ENCLOS_TOKEN holds.

    Refuses: SIGN_IN_MISSING when there is none, or when others can read its file.
    """
    if given := os.environ.get(TOKEN_VARIABLE):
        return given
    try:
        with _path(place).open("rb") as file:
            if os.fstat(file.fileno()).st_mode & _OF_OTHERS:
                raise refusal(Code.SIGN_IN_MISSING, "Others can read the kept token.", "Sign in again: enclos login.")
            return file.read().decode("ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise refusal(Code.SIGN_IN_MISSING, "Nobody is signed in here.", "Sign in: enclos login DIR.") from None


def forget_token(place: str) -> None:
    """Remove the kept token; nothing happens when there is none."""
    with storage_border("a token"):
        _path(place).unlink(missing_ok=True)


def _path(place: str) -> Path:
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "enclos" / "tokens" / sha256(place.encode("utf-8")).hexdigest()[:32]
