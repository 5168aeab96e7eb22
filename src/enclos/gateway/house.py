"""An enclosure that stays open for many statements, and is opened anew when its keys have changed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from enclos.app.enclosure import Enclosure, open_enclosure
from enclos.app.keys import Passphrase
from enclos.app.paths import EnclosurePaths
from enclos.app.settings import read_settings


class House:
    """The enclosure in a folder, for whoever needs it now.

    Refuses: what opening an enclosure is refused for; KEY_ROTATING while a rotation goes on.
    """

    def __init__(self, folder: Path, passphrase: Passphrase) -> None:
        self._folder = folder
        self._paths = EnclosurePaths(folder)
        self._passphrase = passphrase
        self._change = threading.Condition()
        self._stack = ExitStack()
        self._enclosure: Enclosure | None = None
        self._seen: object = None
        self._n_inside = 0
        self.origin = read_settings(folder).ledger.origin

    @contextmanager
    def open(self) -> Iterator[Enclosure]:
        """The enclosure; its keys are those in use."""
        with self._change:
            while self._enclosure is None or self._mark() != self._seen:
                if self._n_inside:
                    self._change.wait()
                else:
                    self._reopen()
            self._n_inside += 1
            enclosure = self._enclosure
        try:
            yield enclosure
        finally:
            with self._change:
                self._n_inside -= 1
                self._change.notify_all()

    def close(self) -> None:
        """Close it when nobody is inside any more."""
        with self._change:
            while self._n_inside:
                self._change.wait()
            self._leave()

    def _reopen(self) -> None:
        self._leave()
        self._seen = self._mark()
        self._enclosure = self._stack.enter_context(open_enclosure(self._folder, self._passphrase))

    def _leave(self) -> None:
        self._enclosure = None
        self._stack.close()

    def _mark(self) -> object:
        """What changes when a key is made, replaced or destroyed."""
        files = sorted(self._paths.keys.glob("*"))
        return self._paths.rotation.exists(), [(file.name, file.stat().st_mtime_ns) for file in files]
