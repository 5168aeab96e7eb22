"""An enclosure that stays open for many statements, and is opened anew when its keys or settings have changed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from enclos.app.enclosure import Enclosure, open_enclosure
from enclos.app.keys import Passphrase
from enclos.app.paths import EnclosurePaths
from enclos.app.settings import SETTINGS_FILE, read_settings


@dataclass(eq=False, slots=True)
class _Opened:
    """The enclosure with the keys of one moment, and how many are inside."""

    enclosure: Enclosure
    seen: object
    closing: ExitStack
    n_inside: int = 0


@dataclass(slots=True)
class House:
    """The enclosure in a folder, for whoever needs it now.

    Who is inside goes on with the keys of when they came, while newcomers get those in use: nobody waits for anybody.
    Refuses: what opening an enclosure is refused for; KEY_ROTATING while a rotation goes on.
    """

    folder: Path
    passphrase: Passphrase = field(repr=False)
    origin: str = ""
    _paths: EnclosurePaths = field(init=False)
    _change: threading.Condition = field(default_factory=threading.Condition, init=False, repr=False)
    _newest: _Opened | None = field(default=None, init=False, repr=False)
    _n_open: int = field(default=0, init=False, repr=False)

    def __post_init__(self) -> None:
        self._paths = EnclosurePaths(self.folder)
        self.origin = read_settings(self.folder).ledger.origin

    @contextmanager
    def open(self) -> Iterator[Enclosure]:
        """The enclosure; its keys are those in use."""
        with self._change:
            opened = self._current()
            opened.n_inside += 1
        try:
            yield opened.enclosure
        finally:
            with self._change:
                opened.n_inside -= 1
                self._close_if_left(opened)

    def close(self) -> None:
        """Close it when nobody is inside any more."""
        with self._change:
            before, self._newest = self._newest, None
            if before is not None:
                self._close_if_left(before)
            while self._n_open:
                self._change.wait()

    def _current(self) -> _Opened:
        seen = self._mark()
        before = self._newest
        if before is not None and before.seen == seen:
            return before
        closing = ExitStack()
        enclosure = closing.enter_context(open_enclosure(self.folder, self.passphrase))
        if before is not None:
            enclosure = replace(enclosure, remembered=before.enclosure.remembered)  # what was found holds under any key
        self._newest = _Opened(enclosure, seen, closing)
        self._n_open += 1
        if before is not None:
            self._close_if_left(before)
        return self._newest

    def _close_if_left(self, opened: _Opened) -> None:
        if opened is not self._newest and opened.n_inside == 0:
            self._n_open -= 1
            self._change.notify_all()
            opened.closing.close()

    def _mark(self) -> object:
        """What changes when a key is made, replaced or destroyed, or the settings are."""
        files = [self.folder / SETTINGS_FILE, *sorted(self._paths.keys.glob("*"))]
        found = [(file.name, file.stat()) for file in files]
        return self._paths.rotation.exists(), [(name, of.st_mtime_ns, of.st_ino) for name, of in found]
