"""The enclosure as the portal has it open: closed while a key is being rotated, opened anew when keys changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Lock

from enclos.app.enclosure import Enclosure, open_enclosure
from enclos.app.keys import Passphrase
from enclos.app.paths import EnclosurePaths
from enclos.app.settings import SETTINGS_FILE
from enclos.app.sign_in import door_of
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.signin.steps import Door


class Opened:
    """An enclosure that many requests use."""

    def __init__(self, folder: Path, passphrase: Passphrase) -> None:
        self._folder = folder
        self._paths = EnclosurePaths(folder)
        self._passphrase = passphrase
        self._lock = Lock()
        self._stack = ExitStack()
        self._open: tuple[Enclosure, Door] | None = None
        self._seen: tuple[object, ...] = ()

    def __repr__(self) -> str:
        return "Opened()"

    @contextmanager
    def use(self) -> Iterator[tuple[Enclosure, Door]]:
        """The enclosure, and what tells whose a token is.

        Refuses: KEY_ROTATING while a rotation is not ended; what opening refuses.
        """
        with self._lock:
            if self._paths.rotation.exists():
                self._close()
                raise refusal(Code.KEY_ROTATING, "The rotation of a key goes on.", "Come again later.")
            seen = self._signs()
            if self._open is None or seen != self._seen:
                self._close()
                enclosure = self._stack.enter_context(open_enclosure(self._folder, self._passphrase))
                self._open = (enclosure, door_of(enclosure))
                self._seen = self._signs()
            opened = self._open
        yield opened

    def close(self) -> None:
        """End it."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        self._open = None
        self._stack.close()
        self._stack = ExitStack()

    def _signs(self) -> tuple[object, ...]:
        """What changes when keys or settings do."""
        files = (self._folder / SETTINGS_FILE, *sorted(self._paths.keys.glob("*.json")))
        return tuple((path.name, path.stat().st_mtime_ns, path.stat().st_ino) for path in files)
