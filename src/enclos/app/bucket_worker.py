"""A process that looks at buckets of one permit (app/answering.py)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np
import pyarrow as pa

from enclos.app.answering import Answer, Ordered, answer_once, answer_until_closed
from enclos.app.openings import OpenedPermit, Opening, OpeningKeys, opened
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
    answer_until_closed(_opened)


def serve(stream: IO[bytes], folder: Path, files: Mapping[str, Path]) -> None:
    """Answer one question, on an executor of Spark."""
    answer_once(_opened, stream, folder, files)


@contextmanager
def _opened(greeting: Mapping[str, Any], spill: Path, files: Mapping[str, Path]) -> Iterator[Ordered]:
    opening, look_of = Opening.of(greeting["opening"]), _looking_for(greeting["asked"])
    here = replace(
        opening, catalog=files.get("catalog", opening.catalog), perimeter=files.get("perimeter", opening.perimeter)
    )
    with opened(here, OpeningKeys.of(greeting["keys"]), spill) as permit:
        yield lambda order: _answering(look_of(of_bytes(order)), permit)


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


def _answering(look: Look, permit: OpenedPermit) -> Answer:
    def answer(question: bytes) -> bytes:
        number, *objecting = np.frombuffer(question, dtype=np.int64)
        permit.now_object(np.array(objecting, dtype=np.int64))
        with permit.cdm.bucket(int(number)) as bucket:
            return in_bytes(look(bucket))

    return answer
