"""Executors of Spark that answer messages, as the processes of a crew do (stores/crew.py); Spark replaces who dies."""

from __future__ import annotations

import hashlib
import json
import ssl
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.stores.crew import TRIES, Kind, read_message, understood, write_message
from enclos.stores.spark.hatch import Hatch
from enclos.stores.spark.session import SparkPlace, SparkSession

_AHEAD = 4096
"""So many answers wait for those before them at most."""
_EVERY_SECONDS = 0.5
_SECONDS_TO_PART = 10


class SparkCrew:
    """Tasks of Spark that come to a hatch for questions; Spark's own process has no key and sees no message.

    In: place — the cluster; module — whose ``serve`` tasks run; greeting — told to each; files — by name, sent to
        machines that lack them: ciphertext alone; n_questions — of each order; code — the digest of the program;
        scratch — a folder for what Spark writes on this machine, which is nobody else's
    """

    def __init__(
        self,
        place: SparkPlace,
        module: str,
        greeting: bytes,
        files: Mapping[str, Path],
        *,
        n_questions: int,
        code: str,
        scratch: Path,
    ) -> None:
        self._greeting = greeting
        self._files = dict(files)
        self._digests = {name: _digest(path) for name, path in files.items()}
        self._n_questions = n_questions
        self._changed = threading.Condition()
        self._waiting: deque[tuple[int, bytes, bytes]] = deque()
        """Questions that nobody looks at: number, order, question."""
        self._n_idle = 0
        self._answers: dict[int, tuple[Kind, bytes]] = {}
        self._failed: dict[int, int] = {}
        self._n_asked = 0
        self._is_asking = False
        self._over = False
        self._hatch = Hatch(place.address, place.port, code, self._talk)
        try:
            self._session = SparkSession(place, module, scratch)
        except BaseException:
            self._hatch.close()
            raise

    def __repr__(self) -> str:
        return "SparkCrew()"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.interrupt()
        self._session.end()

    def interrupt(self) -> None:
        """Stop all of it, from any thread: what was asked is not answered any more."""
        with self._changed:
            self._over = True
            self._changed.notify_all()
        self._hatch.close()

    def answers(self, order: bytes, questions: Iterable[bytes]) -> Iterator[bytes]:
        """The answers, in the order of the questions; a question is taken when a task is free for it.

        Refuses: what was refused there; WORKER_DIED when a question kills whoever is asked; SPARK_FAILED.
        """
        self._asking(True)
        self._session.run(self._hatch.place.told(), self._n_questions)
        left, given = iter(questions), self._n_asked
        end = given + self._n_questions
        while given < end:
            if self._n_asked < end and self._is_wanted(given):
                self._put(order, next(left))
            elif (answer := self._answer(given)) is not None:
                given += 1
                yield understood(*answer)
        self._asking(False)

    def _asking(self, is_asking: bool) -> None:
        with self._changed:
            self._is_asking = is_asking
            self._changed.notify_all()

    def _is_wanted(self, given: int) -> bool:
        """Whether a task waits for a question, and the next answer is still awaited."""
        with self._changed:
            return self._n_idle > len(self._waiting) and given not in self._answers and self._n_asked - given < _AHEAD

    def _put(self, order: bytes, question: bytes) -> None:
        with self._changed:
            self._waiting.append((self._n_asked, order, question))
            self._n_asked += 1
            self._changed.notify_all()

    def _answer(self, number: int) -> tuple[Kind, bytes] | None:
        """An answer, when it is there; it is waited for a little, or until something else is to be done."""
        with self._changed:
            self._look()
            if number not in self._answers:
                self._changed.wait(_EVERY_SECONDS)
            return self._answers.pop(number, None)

    def _look(self) -> None:
        """See that it goes on; the caller holds the lock."""
        if self._over:
            raise refusal(Code.WORKER_DIED, "The work was stopped.", "Run it again.")
        if any(n >= TRIES for n in self._failed.values()):
            raise refusal(
                Code.WORKER_DIED,
                f"A task of Spark was lost {TRIES} times over the same part of the data.",
                "Give executors more memory beside the JVM's: spark.executor.memoryOverhead.",
            )
        self._session.look()

    # -- in a thread for each task that came

    def _talk(self, connection: ssl.SSLSocket) -> None:
        stream: Any = connection.makefile("rwb")
        asked = self._next()
        if asked is None:
            _part(connection, stream)
            return
        number, order, question = asked
        answer, was_asked = None, False
        try:
            self._greet(stream)
            was_asked = True
            write_message(stream, Kind.ORDER, order)
            write_message(stream, Kind.QUESTION, question)
            answer = read_message(stream)
        finally:
            with self._changed:
                if answer is not None:
                    self._answers[number] = answer
                else:  # another task will look at it
                    self._waiting.appendleft(asked)
                    self._failed[number] = self._failed.get(number, 0) + was_asked
                self._changed.notify_all()
        _part(connection, stream)

    def _next(self) -> tuple[int, bytes, bytes] | None:
        """The next question for a task; None when there is none left to answer."""
        with self._changed:
            self._n_idle += 1
            self._changed.notify_all()
            try:
                while self._is_asking and not (self._over or self._waiting):
                    self._changed.wait()
                return self._waiting.popleft() if self._waiting and not self._over else None
            finally:
                self._n_idle -= 1

    def _greet(self, stream: IO[bytes]) -> None:
        write_message(stream, Kind.GREETING, json.dumps(self._digests).encode())
        for name in json.loads(read_message(stream)[1]):
            write_message(stream, Kind.GREETING, self._files[name].read_bytes())
        write_message(stream, Kind.GREETING, self._greeting)


def _part(connection: ssl.SSLSocket, stream: IO[bytes]) -> None:
    """Say that there is no more; the other one goes first, since it takes a closed hatch for a reason to stop."""
    write_message(stream, Kind.NOTHING, b"")
    connection.settimeout(_SECONDS_TO_PART)
    stream.read(1)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
