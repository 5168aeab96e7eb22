"""What was answered under a person's idempotency key: kept, so that it holds beyond the process that answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from threading import Lock
from typing import Any

from enclos.app.enclosure import Enclosure
from enclos.app.jobs.model import id_of_key, used_for_another
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.lexicon.refusals import Refusal, refusal
from enclos.stores.job_files import JobFiles

_MOST_KEPT = 1_000
"""Answers of one person; the oldest go for newer ones of their own, and never for another's."""


@dataclass(slots=True)
class _Turn:
    lock: Lock = field(default_factory=Lock)
    n_inside: int = 0


class Answered:
    """What is asked for twice under one key is done once.

    That it was begun is kept before it is done: where a process died in between, nobody does it again unseen.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._turns: dict[str, _Turn] = {}

    def has(self, enclosure: Enclosure, user: str, key: str) -> bool:
        """Whether something was asked for under the person's key that is no long work."""
        return files_of(enclosure, user).read(id_of_key(user, key)) is not None

    def once(
        self, enclosure: Enclosure, user: str, key: str, asked: str, act: Callable[[], dict[str, Any]]
    ) -> dict[str, Any]:
        """The act's answer, made once; what was refused may be asked for again.

        In: asked — the digest of what is asked for
        Refuses: JOB_KEY when the key was used for something else, or it is not known how what it began has ended.
        """
        name = id_of_key(user, key)
        with self._lock:
            turn = self._turns.setdefault(name, _Turn())
            turn.n_inside += 1
        try:
            with turn.lock:
                return _done_once(files_of(enclosure, user), name, asked, act)
        finally:
            with self._lock:
                turn.n_inside -= 1
                if not turn.n_inside:
                    del self._turns[name]


def files_of(enclosure: Enclosure, user: str) -> JobFiles:
    """Where the answers of a person are, sealed under the desk's key."""
    folder = enclosure.paths.jobs / "answers" / sha256(user.encode("utf-8")).hexdigest()[:16]
    return JobFiles(folder, enclosure.keys.secret(KeyName(KeyRole.DESK)))


def _done_once(files: JobFiles, name: str, asked: str, act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    before = files.read(name)
    if before is not None and before["asked"] != asked:
        raise used_for_another()
    if before is not None and before["said"] is None:
        what = "It was begun under this key, and how it ended is not known: the service ended meanwhile."
        raise refusal(Code.JOB_KEY, what, "Look whether it was done; if not, ask under a new key.")
    if before is not None:
        said: dict[str, Any] = before["said"]
        return said
    for number, old in enumerate(files.names(), start=1):
        if number >= _MOST_KEPT:
            files.remove(old)
    files.keep(name, {"asked": asked, "said": None})
    try:
        said = act()
    except Refusal:
        files.remove(name)
        raise
    files.keep(name, {"asked": asked, "said": said})
    return said
