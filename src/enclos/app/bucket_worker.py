"""A process that looks at buckets of one permit, as it is told by its standard input (stores/crew.py)."""

from __future__ import annotations

import json
import os
import select
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np
import pyarrow as pa

from enclos.app.keys import leave_no_core
from enclos.app.openings import OpenedPermit, Opening, OpeningKeys, in_json, opened
from enclos.lexicon.refusals import Refusal
from enclos.stores.crew import Kind, read_message, write_message
from enclos.studies.circe import read_circe
from enclos.studies.circe.steps import Maker
from enclos.studies.document import study_from_yaml
from enclos.studies.ports import CdmBucket
from enclos.studies.steps import Looker
from enclos.studies.work import Work, in_bytes, of_bytes

Look: TypeAlias = Callable[[CdmBucket], list[pa.Table]]
"""What a bucket is asked, and what it answers."""


def main() -> None:
    """Answer questions until nobody asks any more."""
    leave_no_core()
    threading.Thread(target=_end_with_who_asks, daemon=True).start()
    told, telling = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    _, content = read_message(told)
    greeting = json.loads(content)
    spill = Path(greeting["spill"]) / str(os.getpid())
    with opened(Opening.of(greeting["opening"]), OpeningKeys.of(greeting["keys"]), spill) as permit:
        _serve(_looking_for(greeting["asked"]), permit, told, telling)


def serve(stream: IO[bytes], folder: Path, files: Mapping[str, Path]) -> None:
    """Answer one question on a machine that has no file of the enclosure but these (stores/spark/executing.py)."""
    leave_no_core()
    _, content = read_message(stream)
    greeting = json.loads(content)
    opening = replace(Opening.of(greeting["opening"]), catalog=files["catalog"], perimeter=files["perimeter"])
    with opened(opening, OpeningKeys.of(greeting["keys"]), folder) as permit:
        look = _looking_for(greeting["asked"])(of_bytes(read_message(stream)[1]))
        write_message(stream, *_answer(look, permit, read_message(stream)[1]))


def _looking_for(asked: Mapping[str, Any]) -> Callable[[Sequence[pa.Table]], Look]:
    """What makes the bucket function of each order: of a study, or of cohorts."""
    if "study" in asked:
        study = study_from_yaml(asked["study"])

        def look_of(order: Sequence[pa.Table]) -> Look:
            head, *tables = order
            looker = Looker(study, Work.of(head["work"][0].as_py(), tables))
            return lambda bucket: looker.look(bucket).tables()

        return look_of
    maker = Maker([read_circe(text) for text in asked["definitions"]], attrition=True)
    return lambda _order: lambda bucket: maker.look(bucket).tables()


def _serve(
    look_of: Callable[[Sequence[pa.Table]], Look], permit: OpenedPermit, told: IO[bytes], telling: IO[bytes]
) -> None:
    look: Look | None = None
    while True:
        try:
            kind, content = read_message(told)
        except EOFError:
            return
        if kind is Kind.ORDER:
            look = look_of(of_bytes(content))
        elif look is None:
            raise AssertionError("a question comes after an order")
        else:
            write_message(telling, *_answer(look, permit, content))


def _answer(look: Look, permit: OpenedPermit, question: bytes) -> tuple[Kind, bytes]:
    number, *objecting = np.frombuffer(question, dtype=np.int64)
    permit.now_object(np.array(objecting, dtype=np.int64))
    try:
        with permit.cdm.bucket(int(number)) as bucket:
            return Kind.ANSWER, in_bytes(look(bucket))
    except Refusal as refused:
        return Kind.REFUSED, in_json({"code": refused.code.name, "what": refused.what, "next": refused.next_step})
    except Exception as error:  # noqa: BLE001 - a bug leaves as the name of its kind, never with its text
        return Kind.FAILED, type(error).__name__.encode()


def _end_with_who_asks() -> None:
    """End at once when the other end of the input is closed: whoever asked was killed, or has stopped asking."""
    poll = select.poll()
    poll.register(0, 0)
    while not any(events & (select.POLLHUP | select.POLLERR) for _, events in poll.poll()):
        pass
    os._exit(0)
