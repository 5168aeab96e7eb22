"""The enclosure as the portal has it open, with what tells whose a token is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from enclos.app.ahead import keep_ahead
from enclos.app.answered import Answered
from enclos.app.denials import Denials
from enclos.app.enclosure import Enclosure
from enclos.app.house import House
from enclos.app.jobs import Jobs
from enclos.app.keys import Passphrase
from enclos.app.pages.rooms.frame import SHARED, prepare
from enclos.app.permits import all_versions
from enclos.app.settings import read_settings
from enclos.app.sign_in import door_of
from enclos.app.turns import FairQueue
from enclos.lexicon.refusals import Refusal
from enclos.signin.steps import Door
from enclos.studies.figures.style import begin_drawing


class Opened:
    """An enclosure that many requests use, with its long work, its queue of statements, and who was turned away; its
    door is kept as long, since a provider's keys are kept in it.
    """

    def __init__(self, folder: Path, passphrase: Passphrase) -> None:
        self._house = House(folder, passphrase)
        self._newest: tuple[Enclosure, Door] | None = None
        self._ahead: threading.Thread | None = None
        self.jobs = Jobs(self._house)
        self.answered, self.denials = Answered(), Denials()
        self.is_ending = threading.Event()
        """What goes on while nobody waits for it ends when this is set."""
        self.statements = FairQueue(read_settings(folder).jobs)

    def __repr__(self) -> str:
        return "Opened()"

    @contextmanager
    def use(self) -> Iterator[tuple[Enclosure, Door]]:
        """The enclosure, and its door.

        Refuses: KEY_ROTATING while a rotation is not ended; what opening refuses.
        """
        with self._house.open() as enclosure:
            newest = self._newest
            if newest is None or newest[0] is not enclosure:
                newest = self._newest = (enclosure, door_of(enclosure))
            yield newest

    def enclosure(self) -> AbstractContextManager[Enclosure]:
        """The enclosure alone.

        Refuses: as ``use``
        """
        return self._house.open()

    def make_ready(self) -> None:
        """Do before anybody asks what everybody's first page needs: open the keys, read what the ledger tells of
        permits, verify these, and compile what stands around pages; and begin what draws, beside which no page can be
        answered. What this is refused, whoever asks is told.
        """
        begin_drawing()
        prepare(SHARED)
        with suppress(Refusal, OSError), self.use() as (enclosure, _):
            all_versions(enclosure)

    def look_ahead(self) -> None:
        """From now on find what checkers will be shown before they look, after what first pages of a kind need."""
        given = (self._house, self.is_ending)
        self._ahead = threading.Thread(target=keep_ahead, args=given, name="enclos-ahead", daemon=True)
        self._ahead.start()

    def close(self) -> None:
        """End its statements and its long work, and it when nobody uses it any more."""
        self.is_ending.set()
        self.statements.close()
        self.jobs.close()
        if self._ahead is not None:
            self._ahead.join()  # it ends what it finds of one release
        self._house.close()
