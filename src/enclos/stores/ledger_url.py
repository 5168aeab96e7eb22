"""A ledger's published files on a web server or an object store, read as anyone may."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path

from enclos.ledger.ports import LedgerReader
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.stores.ledger_disk import ledger_border

_SECONDS = 30
_MAX_BYTES = 64 << 20
"""More than any file of a ledger holds: 256 entries of at most 64 KiB."""
_ABSENT = {404, 410}


class _NotLedOn(urllib.request.HTTPRedirectHandler):
    """Only the address that was named is asked, so that its server sends nobody to another one inside a network."""

    def redirect_request(self, *_: object) -> None:
        return None


_OPENER = urllib.request.build_opener(_NotLedOn)


class LedgerUrl:
    """A ledger under a web address; only what is asked for by name can be read.

    Refuses: LEDGER_UNWRITABLE when the address does not answer.
    """

    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/")

    def __repr__(self) -> str:
        return "LedgerUrl()"

    def read(self, name: str) -> bytes | None:
        """The file's content, or None when there is no such file."""
        request = urllib.request.Request(f"{self._address}/{name}", headers={"Cache-Control": "no-cache"})  # noqa: S310 - http(s) only, see is_url
        try:
            with _OPENER.open(request, timeout=_SECONDS) as answer:
                content = answer.read(_MAX_BYTES + 1)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in _ABSENT:
                return None
            raise _unreachable() from None
        except OSError:
            raise _unreachable() from None
        if len(content) > _MAX_BYTES:
            raise _unreachable()
        return bytes(content)

    def names(self, under: str) -> Iterable[str]:  # noqa: ARG002 - the address has no listing
        """Nothing: a web address is not listed."""
        return ()


class CopiedLedger:
    """A ledger whose every file that is read is also put into a new folder, as it is.

    Refuses: LEDGER_EXISTS when there is something in the folder; LEDGER_UNWRITABLE.
    """

    def __init__(self, ledger: LedgerReader, folder: Path) -> None:
        if folder.exists() and any(folder.iterdir()):
            raise refusal(Code.LEDGER_EXISTS, "There is something in the folder already.", "Name a new folder.")
        self._ledger = ledger
        self._folder = folder

    def __repr__(self) -> str:
        return "CopiedLedger()"

    def read(self, name: str) -> bytes | None:
        """The file's content, or None when there is no such file."""
        content = self._ledger.read(name)
        if content is not None:
            path = self._folder / name
            with ledger_border():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        return content

    def names(self, under: str) -> Iterable[str]:
        """The names of all files below a folder."""
        return self._ledger.names(under)


def is_url(text: str) -> bool:
    """Whether the text is a web address that a ledger may be read from."""
    return text.startswith(("https://", "http://"))


def _unreachable() -> Exception:
    return refusal(Code.LEDGER_UNWRITABLE, "The ledger's address does not answer.", "Ask its operator, then try again.")
