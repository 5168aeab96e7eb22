"""A process that makes passes of a build (app/answering.py): it reads what crossed and writes pieces of the lake."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

import pyarrow as pa

from enclos.app.answering import Answer, Ordered, answer_once, answer_until_closed
from enclos.lexicon.keys import KeyName, SecretKey, read_key_name
from enclos.stores.crossing import CrossingZone
from enclos.stores.engine import Engine, open_engine
from enclos.stores.lake_draft import open_piece
from enclos.stores.lake_files import LakeFiles
from enclos.stores.objects import S3Credentials, S3Lake, S3Place
from enclos.studies.work import in_bytes, of_bytes
from enclos.warehouse.ports import CrossingReader
from enclos.warehouse.steps.passes import PassMaker
from enclos.warehouse.steps.tables import tables_by_bucket
from enclos.warehouse.work import Ground, PassAsked


@dataclass(frozen=True, slots=True)
class Workplace:
    """Where a pass reads and writes, and what it may use: nothing secret.

    Units: memory in mebibytes.
    """

    crossing: str
    lake: str
    """The folder of the lake, or the URL of its bucket."""
    memory_mb: int
    threads: int


class WorkplaceKeys:
    """The keys that a pass needs: of the crossing, and of the bucket that the lake lies in. Its repr shows none."""

    def __init__(self, crossing: SecretKey, credentials: S3Credentials | None) -> None:
        self._crossing = crossing
        self.credentials = credentials

    def __repr__(self) -> str:
        return "WorkplaceKeys()"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("keys are never pickled")

    def secret(self, name: KeyName) -> SecretKey:
        """The crossing's key, as a crossing asks for it."""
        if name != self._crossing.name:
            raise KeyError(str(name))
        return self._crossing

    def reveal(self) -> dict[str, Any]:
        """All of it as JSON values, for the one pipe that needs them."""
        crossing = [str(self._crossing.name), self._crossing.reveal_base64()]
        return {"crossing": crossing, "credentials": None if self.credentials is None else self.credentials.reveal()}

    @classmethod
    def of(cls, revealed: dict[str, Any]) -> Self:
        """The keys that were revealed."""
        name, key = revealed["crossing"]
        credentials = revealed["credentials"]
        return cls(
            SecretKey(read_key_name(name), base64.b64decode(key)),
            None if credentials is None else S3Credentials(*credentials),
        )


def main() -> None:
    """Answer questions until nobody asks any more."""
    answer_until_closed(_opened)


def serve(stream: IO[bytes], folder: Path, files: Mapping[str, Path]) -> None:
    """Answer one question, on an executor of Spark."""
    answer_once(_opened, stream, folder, files)


def order_of(ground: Ground, folders: Mapping[str, str]) -> bytes:
    """What holds for all passes, and the folders of the tables by bucket, in bytes."""
    head, tables = ground.told()
    named = {"table": list(folders), "folder": list(folders.values())}
    return in_bytes([pa.table({"ground": pa.array([head], pa.binary())}), pa.table(named), *tables])


def question_of(asked: PassAsked, held: LakeFiles) -> bytes:
    """A pass, and what the snapshot before has of its buckets, in bytes."""
    return in_bytes([pa.table({"asked": pa.array([asked.told()], pa.binary())}), held.files, held.columns])


def answer_of(content: bytes) -> tuple[bytes, LakeFiles, list[str]]:
    """What a pass answered, the files that it wrote, and those before them that are no longer read."""
    head, files, columns, gone = of_bytes(content)
    paths: list[str] = gone["path"].to_pylist()
    return head["made"][0].as_py(), LakeFiles(files, columns), paths


@contextmanager
def _opened(greeting: Mapping[str, Any], spill: Path, _files: Mapping[str, Path]) -> Iterator[Ordered]:
    place, keys = Workplace(**greeting["place"]), WorkplaceKeys.of(greeting["keys"])
    lake: Path | S3Lake = Path(place.lake)
    if keys.credentials is not None:
        lake = S3Lake(S3Place.from_url(place.lake), keys.credentials)
    with open_engine(spill, memory_limit_mb=place.memory_mb, threads=place.threads) as engine:
        crossing = CrossingZone(engine, Path(place.crossing), keys)
        yield lambda order: making(engine, crossing, lake, of_bytes(order))


def making(engine: Engine, crossing: CrossingReader, lake: Path | S3Lake, order: Sequence[pa.Table]) -> Answer:
    """What makes the passes of an order (``order_of``)."""
    head, named, *tables = order
    maker = PassMaker(engine, crossing, Ground.of(head["ground"][0].as_py(), tables))
    folders = dict(zip(named["table"].to_pylist(), named["folder"].to_pylist(), strict=True))
    places = {table: folders[table.name] for table in tables_by_bucket()}

    def answer(question: bytes) -> bytes:
        asked, files, columns = of_bytes(question)
        with open_piece(engine, lake, places, LakeFiles(files, columns)) as piece:
            made = maker.make(PassAsked.of(asked["asked"][0].as_py()))
        told = pa.table({"made": pa.array([made.told()], pa.binary())})
        return in_bytes(
            [told, piece.files.files, piece.files.columns, pa.table({"path": pa.array(piece.gone, pa.string())})]
        )

    return answer
