"""Processes of this program that answer messages, several at a time; one that dies is replaced, and asked again.

A message reaches them by their standard input and leaves by their standard output, behind its length: what is secret
in it is on no disk, in no argument and in no environment. They end when this process does, however it ends: the other
end of their input closes.
"""

from __future__ import annotations

import struct
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from queue import SimpleQueue
from types import TracebackType
from typing import IO, Self

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal

TRIES = 3
"""How often one question is asked before it is given up, when who was to answer died."""
_HEAD = struct.Struct(">cQ")
_START = "import sys; sys.path[:] = {path!r}; from {module} import main; main()"


class Kind(Enum):
    """What a message is."""

    GREETING = b"g"
    """The first: what holds for all questions."""
    ORDER = b"o"
    """What holds for the questions from now on."""
    QUESTION = b"q"
    ANSWER = b"a"
    REFUSED = b"r"
    """The code and the words of a refusal, as JSON."""
    FAILED = b"f"
    """A bug: the kind of the exception, and nothing of its text."""
    NOTHING = b"n"
    """There is nothing to do, or no more."""


class WorkFailed(RuntimeError):
    """A process of the crew met a bug; its text, which may quote data, stays behind."""


def write_message(pipe: IO[bytes], kind: Kind, content: bytes) -> None:
    """Write one message."""
    pipe.write(_HEAD.pack(kind.value, len(content)))
    pipe.write(content)
    pipe.flush()


def read_message(pipe: IO[bytes]) -> tuple[Kind, bytes]:
    """Read one message.

    Refuses: an EOFError when there is no whole one left.
    """
    head = _read(pipe, _HEAD.size)
    kind, size = _HEAD.unpack(head)
    return Kind(kind), _read(pipe, size)


def _read(pipe: IO[bytes], size: int) -> bytes:
    content = pipe.read(size)
    if len(content) != size:
        raise EOFError
    return content


@dataclass(slots=True)
class _Hand:
    """One process, and the order that it has."""

    process: subprocess.Popen[bytes]
    order: bytes | None = None

    @property
    def pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        """Where it is told, and where it tells."""
        if self.process.stdin is None or self.process.stdout is None:
            raise AssertionError("a process of the crew has two pipes")
        return self.process.stdin, self.process.stdout

    def ask(self, order: bytes, question: bytes) -> tuple[Kind, bytes]:
        """The answer to a question.

        Refuses: an OSError or an EOFError when the process is dead.
        """
        told, telling = self.pipes
        if self.order is not order:
            write_message(told, Kind.ORDER, order)
            self.order = order
        write_message(told, Kind.QUESTION, question)
        return read_message(telling)

    def end(self) -> None:
        """Kill it, and leave nothing of it."""
        self.process.kill()
        self.process.wait()
        for pipe in self.pipes:
            with suppress(OSError):  # what was not written yet is nobody's any more
                pipe.close()


class Crew:
    """So many processes that run ``module.main``; they start when they are first needed.

    In: greeting — told to each when it starts; environment — the whole of theirs, nothing of it secret.
    """

    def __init__(self, module: str, greeting: bytes, n_hands: int, environment: Mapping[str, str]) -> None:
        start = _START.format(path=[each for each in sys.path if each], module=module)
        self._command = [sys.executable, "-I", "-S", "-B", "-c", start]
        self._environment = dict(environment)
        self._greeting = greeting
        self._n_hands = n_hands
        self._free: SimpleQueue[_Hand | None] = SimpleQueue()
        for _ in range(n_hands):
            self._free.put(None)
        self._threads = ThreadPoolExecutor(n_hands, thread_name_prefix="enclos-crew")
        self._lock = threading.Lock()
        self._alive: set[int] = set()
        self._hands: dict[int, _Hand] = {}
        self._over = False

    def __repr__(self) -> str:
        return "Crew()"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.interrupt()
        self._threads.shutdown(cancel_futures=True)
        with self._lock:
            for hand in self._hands.values():
                hand.end()
            self._hands.clear()

    def interrupt(self) -> None:
        """Kill all of them, from any thread: what was asked is not answered any more."""
        with self._lock:
            self._over = True
            for hand in self._hands.values():
                hand.process.kill()

    def answers(self, order: bytes, questions: Iterable[bytes]) -> Iterator[bytes]:
        """The answers, in the order of the questions.

        A question is taken from ``questions`` when a process is free for it; answers that came too early wait, as many
        as there are processes.

        Refuses: what was refused there; WORKER_DIED when a question kills whoever is asked.
        """
        ahead: deque[Future[bytes]] = deque()
        left, more = iter(questions), True
        while more or ahead:
            while more and len(ahead) < 2 * self._n_hands and self._n_busy(ahead) < self._n_hands:
                question = next(left, None)
                if question is None:
                    more = False
                else:
                    ahead.append(self._threads.submit(self._answer, order, question))
            if ahead and ahead[0].done():
                yield ahead.popleft().result()
            elif ahead:
                wait([each for each in ahead if not each.done()], return_when=FIRST_COMPLETED)

    @staticmethod
    def _n_busy(ahead: Iterable[Future[bytes]]) -> int:
        return sum(not each.done() for each in ahead)

    def _answer(self, order: bytes, question: bytes) -> bytes:
        for _ in range(TRIES):
            hand = self._free.get()
            try:
                hand = hand or self._hired()
                kind, content = hand.ask(order, question)
            except (OSError, EOFError):
                if hand is not None:
                    self._dismiss(hand)
                hand = None
                if self._over:
                    break
            else:
                return understood(kind, content)
            finally:
                self._free.put(hand)
        raise refusal(
            Code.WORKER_DIED,
            f"A process that works on a part of the data was killed {TRIES} times over the same part."
            if not self._over
            else "The work was stopped.",
            "Give each more memory: fewer --workers, or a larger memory_limit_mb in the section [engine].",
        )

    def _hired(self) -> _Hand:
        with self._lock:
            if self._over:
                raise EOFError
            process = subprocess.Popen(  # noqa: S603 - a fixed command; all that is told goes through the pipe
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=self._environment,
                start_new_session=True,
            )
            hand = self._hands[process.pid] = _Hand(process)
        write_message(hand.pipes[0], Kind.GREETING, self._greeting)
        return hand

    def _dismiss(self, hand: _Hand) -> None:
        with self._lock:
            self._hands.pop(hand.process.pid, None)
        hand.end()


def understood(kind: Kind, content: bytes) -> bytes:
    """What an answer says.

    Refuses: what was refused there; WorkFailed.
    """
    if kind is Kind.ANSWER:
        return content
    if kind is Kind.REFUSED:
        import json

        told = json.loads(content)
        raise refusal(Code[told["code"]], told["what"], told["next"])
    raise WorkFailed(f"a process of the crew stopped with {content.decode('ascii', 'replace')}")
