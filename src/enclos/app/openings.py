"""What another process needs to open the buckets of a permit: where things are, and apart from it the keys."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from enclos.lexicon.keys import SecretKey, read_key_name
from enclos.permits.document import permit_from_json
from enclos.stores.engine import open_engine
from enclos.stores.lake import LakeSnapshot, attach_lake
from enclos.stores.objects import S3Credentials, S3Lake, S3Place
from enclos.stores.perimeter_file import PerimeterFile
from enclos.views.steps import PermitCdm


@dataclass(frozen=True, slots=True)
class Opening:
    """How the buckets of a permit are opened: places and terms, nothing secret.

    Units: memory in mebibytes.
    """

    name: str
    catalog: Path
    lake: str
    """The folder of the lake, or the URL of its bucket."""
    perimeter: Path
    snapshot: LakeSnapshot
    permits: tuple[dict[str, Any], ...]
    """The documents of all versions of the permit, that which holds last."""
    memory_mb: int
    threads: int

    def told(self) -> dict[str, Any]:
        """The opening as JSON values; ``Opening.of`` makes it again."""
        snapshot = self.snapshot
        return {
            "name": self.name,
            "catalog": str(self.catalog),
            "lake": self.lake,
            "perimeter": str(self.perimeter),
            "snapshot": [snapshot.id, snapshot.n_buckets, sorted(snapshot.tables), sorted(snapshot.others)],
            "permits": list(self.permits),
            "memory_mb": self.memory_mb,
            "threads": self.threads,
        }

    @classmethod
    def of(cls, told: dict[str, Any]) -> Self:
        """The opening that was told."""
        id_, n_buckets, tables, others = told["snapshot"]
        return cls(
            told["name"],
            Path(told["catalog"]),
            told["lake"],
            Path(told["perimeter"]),
            LakeSnapshot(id_, n_buckets, frozenset(tables), frozenset(others)),
            tuple(told["permits"]),
            told["memory_mb"],
            told["threads"],
        )


class OpeningKeys:
    """The keys that an opening needs: of the catalog, of the permit, and of the bucket that the lake lies in.

    They are told to a process that this one starts, by a pipe; its repr shows none.
    """

    def __init__(self, catalog: SecretKey, permit: SecretKey, credentials: S3Credentials | None) -> None:
        self.catalog = catalog
        self.permit = permit
        self.credentials = credentials

    def __repr__(self) -> str:
        return "OpeningKeys()"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("keys are never pickled")

    def reveal(self) -> dict[str, Any]:
        """All of it as JSON values, for the one pipe that needs them."""
        keys = [[str(key.name), key.reveal_base64()] for key in (self.catalog, self.permit)]
        return {"keys": keys, "credentials": None if self.credentials is None else self.credentials.reveal()}

    @classmethod
    def of(cls, revealed: dict[str, Any]) -> Self:
        """The keys that were revealed."""
        catalog, permit = (SecretKey(read_key_name(name), base64.b64decode(key)) for name, key in revealed["keys"])
        credentials = revealed["credentials"]
        return cls(catalog, permit, None if credentials is None else S3Credentials(*credentials))


class OpenedPermit:
    """The buckets of a permit, opened in another process, which is told with each bucket who objects."""

    def __init__(self, cdm: PermitCdm, objecting: list[int]) -> None:
        self.cdm = cdm
        self._objecting = objecting

    def now_object(self, persons: NDArray[np.int64]) -> None:
        """From now on these persons are not shown."""
        self._objecting[:] = persons.tolist()


@contextmanager
def opened(opening: Opening, keys: OpeningKeys, spill: Path) -> Iterator[OpenedPermit]:
    """Open what the opening says, for reading.

    In: spill — a folder for spill files, which are encrypted
    Refuses: as attaching a lake does.
    """
    lake: Path | S3Lake = Path(opening.lake)
    if opening.lake.startswith("s3://"):
        if keys.credentials is None:
            raise AssertionError("a lake in a bucket has credentials")
        lake = S3Lake(S3Place.from_url(opening.lake), keys.credentials)
    terms = [permit_from_json(document).terms for document in opening.permits]
    objecting: list[int] = []
    with open_engine(spill, memory_limit_mb=opening.memory_mb, threads=opening.threads) as engine:
        attach_lake(engine, opening.catalog, lake, keys.catalog, read_only=True)
        perimeter = PerimeterFile(engine, opening.snapshot, opening.perimeter, keys.permit, terms)
        cdm = PermitCdm(
            terms[-1],
            name=opening.name,
            engine=engine,
            snapshot=opening.snapshot,
            perimeter=perimeter,
            check=_asked_where_it_is_started,
            opted_out=objecting,
        )
        yield OpenedPermit(cdm, objecting)


def _asked_where_it_is_started() -> None:
    """Nothing: who starts this process asks before each bucket, and kills it in the midst of one."""


def in_json(value: object) -> bytes:
    """JSON values as bytes."""
    return json.dumps(value).encode()
