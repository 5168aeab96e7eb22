"""Buckets on Spark: its executors look at them, with the keys for as long as each takes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from enclos.app.code import code_digest
from enclos.app.enclosure import Enclosure
from enclos.app.openings import in_json
from enclos.app.settings import SparkSection
from enclos.app.spreading import BUCKET_WORKER, Asked, BucketSpread, opening_of_permit
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.permits.model import SignedPermit
from enclos.stores.files import storage_border
from enclos.stores.lake import LakeSnapshot
from enclos.stores.spark import SparkCrew, SparkPlace
from enclos.studies.ports import Check

_WORD = "spark"


def spark_place(section: SparkSection, on: str) -> SparkPlace:
    """The cluster that ``--on`` names: ``spark``, that of enclos.toml, or ``spark:MASTER``.

    Refuses: SPARK_FAILED when it names none.
    """
    word, _, named = on.partition(":")
    master = named or section.master
    if word != _WORD or not master:
        raise refusal(
            Code.SPARK_FAILED,
            "No cluster is named.",
            "Write --on spark:MASTER, or --on spark with `master` in the section [spark] of enclos.toml.",
        )
    log = Path(section.log) if section.log else None
    return SparkPlace(master, section.address, section.port, section.python, section.conf, log)


@contextmanager
def spread_over_spark(
    enclosure: Enclosure, signed: SignedPermit, asked: Asked, snapshot: LakeSnapshot, check: Check, on: str
) -> Iterator[BucketSpread]:
    """Have buckets looked at by a cluster; nothing of the run is left there when the block ends.

    In: on — see spark_place
    Refuses: SPARK_FAILED, WORKER_DIED; what the study refuses; whatever ``check`` raises.
    """
    limits = enclosure.settings.spark
    opening, keys = opening_of_permit(
        enclosure, signed, snapshot, memory_mb=limits.memory_limit_mb, threads=limits.threads
    )
    greeting = {"asked": dict(asked), "opening": opening.told(), "keys": keys.reveal()}
    files = {"catalog": opening.catalog, "perimeter": opening.perimeter}
    with crew_on_spark(enclosure, on, BUCKET_WORKER, greeting, files) as crew_of:
        yield BucketSpread(enclosure, signed, crew_of(snapshot.n_buckets), range(snapshot.n_buckets), check)


@contextmanager
def crew_on_spark(
    enclosure: Enclosure, on: str, worker: str, greeting: Mapping[str, Any], files: Mapping[str, Path]
) -> Iterator[Callable[[int], SparkCrew]]:
    """A cluster whose tasks answer questions; nothing of the run is left there when the block ends.

    In: on — see spark_place; worker — the module that tasks run; greeting, files — see SparkCrew
    Out: the crew, which starts when it is known how many questions there are
    Refuses: SPARK_FAILED.
    """
    place = spark_place(enclosure.settings.spark, on)
    with ExitStack() as stack:

        def crew_of(n_questions: int) -> SparkCrew:
            scratch = enclosure.paths.spill / f"{os.getpid()}-spark-{os.urandom(4).hex()}"
            with storage_border("Spark's files"):
                scratch.mkdir(parents=True, mode=0o700)
            crew = SparkCrew(
                place,
                worker,
                in_json(greeting),
                files,
                n_questions=n_questions,
                code=code_digest(),
                scratch=scratch.resolve(),
            )
            return stack.enter_context(crew)

        yield crew_of
