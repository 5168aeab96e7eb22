"""Buckets over several processes: how many, with how much memory, and each under a permit that still holds."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeAlias

import numpy as np
import pyarrow as pa

from enclos.app.enclosure import Enclosure
from enclos.app.objectors import objectors_at_query
from enclos.app.openings import Opening, OpeningKeys, in_json
from enclos.app.permits import permit_key, versions_of
from enclos.app.workers import Answering, Share, crew_environment, share_of
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.permits.document import json_from_permit
from enclos.permits.model import SignedPermit
from enclos.stores.crew import Crew
from enclos.stores.files import remove_tree, storage_border
from enclos.stores.lake import LakeSnapshot
from enclos.stores.objects import read_credentials
from enclos.stores.perimeter_file import PERIMETER_FILE
from enclos.studies.circe.steps import Made
from enclos.studies.ports import Check
from enclos.studies.work import Partial, Work, in_bytes, of_bytes

BUCKET_WORKER = "enclos.app.bucket_worker"
Asked: TypeAlias = Mapping[str, str | list[str]]


class BucketSpread:
    """Looks at the buckets of a permit in other processes; see studies/ports.py."""

    def __init__(
        self, enclosure: Enclosure, signed: SignedPermit, crew: Answering, buckets: range, check: Check
    ) -> None:
        self._enclosure = enclosure
        self._signed = signed
        self._crew = crew
        self._buckets = buckets
        self._check = check

    def __repr__(self) -> str:
        return "BucketSpread()"

    def __call__(self, work: Work) -> Iterator[Partial]:
        """What each bucket answers, in order; the permit and the objections are asked before each."""
        head, tables = work.told()
        order = [pa.table({"work": pa.array([head], pa.binary())}), *tables]
        return map(Partial.of, self._answers(order))

    def cohorts(self) -> Iterator[Made]:
        """What each bucket has of the cohorts that were asked for, in order; as for a study."""
        return map(Made.of, self._answers([]))

    def _answers(self, order: Sequence[pa.Table]) -> Iterator[list[pa.Table]]:
        return map(of_bytes, self._crew.answers(in_bytes(order), self._questions()))

    def _questions(self) -> Iterator[bytes]:
        for bucket in self._buckets:
            self._check()
            yield np.array([bucket, *objectors_at_query(self._enclosure, self._signed)], dtype=np.int64).tobytes()

    def interrupt(self) -> None:
        """Stop in the midst of what is looked at, from any thread."""
        self._crew.interrupt()


def opening_of_permit(
    enclosure: Enclosure, signed: SignedPermit, snapshot: LakeSnapshot, *, memory_mb: int, threads: int
) -> tuple[Opening, OpeningKeys]:
    """How another process opens the buckets of a permit, and with which keys; their use is in the ledger."""
    storage, permit = enclosure.settings.storage, signed.permit.id
    versions = [json_from_permit(each.permit) for each in versions_of(enclosure, permit)]
    opening = Opening(
        name=enclosure.settings.enclosure.name,
        catalog=enclosure.paths.catalog.resolve(),
        lake=storage.url or str(enclosure.paths.lake.resolve()),
        perimeter=(enclosure.paths.permits / permit / PERIMETER_FILE).resolve(),
        snapshot=snapshot,
        permits=(*versions, json_from_permit(signed.permit)),
        memory_mb=memory_mb,
        threads=threads,
    )
    keys = OpeningKeys(
        enclosure.keys.secret(KeyName(KeyRole.CATALOG)),
        enclosure.keys.secret(permit_key(permit)),
        None if storage.url is None else read_credentials(enclosure.environment),
    )
    return opening, keys


@contextmanager
def spread_over(
    enclosure: Enclosure,
    signed: SignedPermit,
    asked: Asked,
    snapshot: LakeSnapshot,
    check: Check,
    *,
    workers: int | None,
    on: str,
) -> Iterator[BucketSpread | None]:
    """Where buckets are looked at: on the cluster that ``on`` names, else by workers here; None: in this process.

    In: asked — ``study``, the whole text, or ``definitions``, the texts of Circe's cohorts; workers — how many, as
        enclos.toml says when not given
    Refuses: WORKER_DIED, SPARK_FAILED; what the study refuses; whatever ``check`` raises.
    """
    if on:
        from enclos.app.spark import spread_over_spark

        with spread_over_spark(enclosure, signed, asked, snapshot, check, on) as cluster:
            yield cluster
        return
    share = share_of(enclosure.settings.engine, snapshot.n_buckets, workers)
    with spread_over_processes(enclosure, signed, asked, snapshot, check, share) as processes:
        yield processes


@contextmanager
def spread_over_processes(
    enclosure: Enclosure,
    signed: SignedPermit,
    asked: Asked,
    snapshot: LakeSnapshot,
    check: Check,
    share: Share,
) -> Iterator[BucketSpread | None]:
    """Have buckets looked at by several processes; they are gone when the block ends.

    None where one process is enough: that is this one.

    Refuses: WORKER_DIED; what the study refuses; whatever ``check`` raises.
    """
    if share.n_workers == 1:
        yield None
        return
    opening, keys = opening_of_permit(enclosure, signed, snapshot, memory_mb=share.memory_mb, threads=share.threads)
    spill = enclosure.paths.spill / f"{os.getpid()}-crew-{os.urandom(4).hex()}"
    with storage_border("spill files"):
        spill.mkdir(parents=True)
    greeting = {"asked": dict(asked), "opening": opening.told(), "keys": keys.reveal(), "spill": str(spill.resolve())}
    try:
        with Crew(BUCKET_WORKER, in_json(greeting), share.n_workers, crew_environment(share.threads)) as crew:
            yield BucketSpread(enclosure, signed, crew, range(snapshot.n_buckets), check)
    finally:
        remove_tree(spill)
