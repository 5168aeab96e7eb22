"""A process that answers questions as it is told by its standard input, or one question of a hatch.

``stores/crew.py`` starts and asks the first, ``stores/spark/executing.py`` the second. What a worker answers is its own
matter: it opens what the greeting says, and gives for an order what answers questions.
"""

from __future__ import annotations

import json
import os
import select
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any, TypeAlias

from enclos.app.keys import leave_no_core
from enclos.lexicon.refusals import Refusal
from enclos.stores.crew import Kind, read_message, write_message

Answer: TypeAlias = Callable[[bytes], bytes]
Ordered: TypeAlias = Callable[[bytes], Answer]
"""What answers the questions of an order."""
Open: TypeAlias = Callable[[Mapping[str, Any], Path, Mapping[str, Path]], AbstractContextManager[Ordered]]
"""Opens what a greeting says, given a folder to spill to and files by name that stand for those of the greeting."""


def answer_until_closed(open_: Open) -> None:
    """Answer questions until nobody asks any more."""
    leave_no_core()
    threading.Thread(target=_end_with_who_asks, daemon=True).start()
    told, telling = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    _, content = read_message(told)
    greeting = json.loads(content)
    with open_(greeting, Path(greeting["spill"]) / str(os.getpid()), {}) as ordered:
        _serve(ordered, told, telling)


def answer_once(open_: Open, stream: IO[bytes], folder: Path, files: Mapping[str, Path]) -> None:
    """Answer one question on a machine that has no file of the enclosure but these (stores/spark/executing.py)."""
    leave_no_core()
    _, content = read_message(stream)
    with open_(json.loads(content), folder, files) as ordered:
        answer = ordered(read_message(stream)[1])
        write_message(stream, *_answered(answer, read_message(stream)[1]))


def _serve(ordered: Ordered, told: IO[bytes], telling: IO[bytes]) -> None:
    answer: Answer | None = None
    while True:
        try:
            kind, content = read_message(told)
        except EOFError:
            return
        if kind is Kind.ORDER:
            answer = ordered(content)
        elif answer is None:
            raise AssertionError("a question comes after an order")
        else:
            write_message(telling, *_answered(answer, content))


def _answered(answer: Answer, question: bytes) -> tuple[Kind, bytes]:
    try:
        return Kind.ANSWER, answer(question)
    except Refusal as refused:
        told = {"code": refused.code.name, "what": refused.what, "next": refused.next_step}
        return Kind.REFUSED, json.dumps(told).encode()
    except Exception as error:  # noqa: BLE001 - a bug leaves as the name of its kind, never with its text
        return Kind.FAILED, type(error).__name__.encode()


def _end_with_who_asks() -> None:
    """End at once when the other end of the input is closed: whoever asked was killed, or has stopped asking."""
    poll = select.poll()
    poll.register(0, 0)
    while not any(events & (select.POLLHUP | select.POLLERR) for _, events in poll.poll()):
        pass
    os._exit(0)
