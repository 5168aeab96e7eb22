"""Work that somebody's page began and does not wait for: in a thread of its own, which ends once whatever happens."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from enclos.app.faults import tell_fault
from enclos.lexicon.refusals import Refusal


@dataclass(slots=True, kw_only=True)
class Apart:
    """One such work, by what came of it: nothing more than that it is over, where it failed by our fault."""

    refused: Refusal | None = None
    ended: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def is_over(self) -> bool:
        """Whether nobody works on it any more."""
        return self.ended.is_set()

    def begin(self, act: Callable[[], None], name: str) -> None:
        """Do it. In: act — keeps itself what it finds; name — of the work, as a fault of ours is told by"""
        threading.Thread(target=self._run, args=(act, name), name=f"enclos-{name}", daemon=True).start()

    def _run(self, act: Callable[[], None], name: str) -> None:
        try:
            act()
        except Refusal as refused:
            self.refused = refused
        except Exception as error:  # noqa: BLE001 - a fault of ours: its text could quote what nobody may read
            tell_fault(name, error)
        finally:
            self.ended.set()
