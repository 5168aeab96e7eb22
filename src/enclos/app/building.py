"""Passes of a build over several processes, here or on Spark: how many, and what they wrote taken in order."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from enclos.app.enclosure import Enclosure
from enclos.app.openings import in_json
from enclos.app.pass_worker import Workplace, WorkplaceKeys, answer_of, order_of, question_of
from enclos.app.workers import Answering, crew_environment, share_of
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.stores.crew import Crew
from enclos.stores.engine import Engine
from enclos.stores.files import remove_tree, storage_border
from enclos.stores.lake_draft import LakeDraft
from enclos.stores.objects import read_credentials
from enclos.warehouse.ports import PassSpread
from enclos.warehouse.rules import cut
from enclos.warehouse.steps.build import LINES_PER_PASS
from enclos.warehouse.steps.tables import tables_by_bucket
from enclos.warehouse.work import Ground, PassAsked, PassMade

_WORKER = "enclos.app.pass_worker"
_MOST_WORKERS = 256
_LEAST_LINES_PER_PASS = 2_500_000
"""So few lines take some ten times as long as what any pass takes."""


def lines_per_pass(n_lines: int, n_workers: int) -> int:
    """How many lines a pass maps, so that there is one for each worker and all together need the memory of one."""
    return min(max(_LEAST_LINES_PER_PASS, LINES_PER_PASS // n_workers), -(-n_lines // n_workers))


class BuildSpread:
    """Makes passes in other processes; see warehouse/ports.py."""

    def __init__(self, crew_of: Callable[[int], Answering], draft: LakeDraft) -> None:
        self._crew_of = crew_of
        self._draft = draft

    def __repr__(self) -> str:
        return "BuildSpread()"

    def __call__(self, ground: Ground, asked: Iterable[PassAsked]) -> Iterator[PassMade]:
        """What each pass answers, in order; the files that it wrote are the draft's then."""
        folders = self._draft.folders()
        order = order_of(ground, {table.name: folders[table.name] for table in tables_by_bucket()})
        crew = self._crew_of(ground.n_passes)
        for answer in crew.answers(order, self._questions(ground, asked)):
            made, files, gone = answer_of(answer)
            self._draft.take(files, gone)
            yield PassMade.of(made)

    def _questions(self, ground: Ground, asked: Iterable[PassAsked]) -> Iterator[bytes]:
        for each in asked:
            buckets = cut(each.number, ground.n_passes, ground.n_buckets).buckets
            yield question_of(each, self._draft.held(buckets if each.before else ()))


@contextmanager
def passes_spread(
    enclosure: Enclosure, engine: Engine, n_lines: int, *, workers: int | None, on: str
) -> Iterator[tuple[LakeDraft, PassSpread | None, int]]:
    """Have passes made by several processes, or on a cluster; nothing of them is left when the block ends.

    In: engine — which has the lake attached for writing; n_lines — that crossed; workers — how many are wanted, what
        enclos.toml says when not given; on — names a cluster (app/spark.py)
    Out: the lake that the build writes, where its passes are made (None: in this process), lines of a pass at most
    Refuses: WORKER_DIED, SPARK_FAILED; what a pass refuses.
    """
    share = share_of(enclosure.settings.engine, _MOST_WORKERS, workers)
    draft = enclosure.draft_of_lake(engine)
    if on:
        from enclos.app.spark import crew_on_spark

        limits = enclosure.settings.spark
        greeting = _greeting(enclosure, limits.memory_limit_mb, limits.threads)
        with crew_on_spark(enclosure, on, _WORKER, greeting, {}) as crew_of:
            yield draft, BuildSpread(crew_of, draft), lines_per_pass(n_lines, enclosure.n_buckets)
        return
    if share.n_workers == 1:
        yield draft, None, LINES_PER_PASS
        return
    spill = enclosure.paths.spill / f"{os.getpid()}-crew-{os.urandom(4).hex()}"
    with storage_border("spill files"):
        spill.mkdir(parents=True)
    greeting = {**_greeting(enclosure, share.memory_mb, share.threads), "spill": str(spill.resolve())}
    try:
        with Crew(_WORKER, in_json(greeting), share.n_workers, crew_environment(share.threads)) as crew:
            yield draft, BuildSpread(lambda _: crew, draft), lines_per_pass(n_lines, share.n_workers)
    finally:
        remove_tree(spill)


def _greeting(enclosure: Enclosure, memory_mb: int, threads: int) -> dict[str, Any]:
    """What a process is told that makes passes, its keys among it."""
    storage = enclosure.settings.storage
    place = Workplace(
        str(enclosure.paths.crossing.resolve()),
        storage.url or str(enclosure.paths.lake.resolve()),
        memory_mb,
        threads,
    )
    keys = WorkplaceKeys(
        enclosure.keys.secret(KeyName(KeyRole.CROSSING)),
        None if storage.url is None else read_credentials(enclosure.environment),
    )
    return {"place": asdict(place), "keys": keys.reveal()}
