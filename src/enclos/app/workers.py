"""Workers of one machine: how many, with how much memory, in which environment."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from enclos.app.settings import EngineSection
from enclos.stores.objects.s3 import AUTHORITIES

LEAST_MEMORY_MB = 256
"""What a worker's engine needs at least; fewer workers are started where there is less."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many workers there are, and what each may use. Units: mebibytes."""

    n_workers: int
    memory_mb: int
    threads: int


def share_of(limits: EngineSection, n_parts: int, workers: int | None = None) -> Share:
    """What the engine's limits give to each worker, so that all together keep to them.

    In: workers — how many are wanted; what enclos.toml says when not given
    """
    wanted = limits.workers if workers is None else workers
    n_workers = max(1, min(wanted, n_parts, limits.memory_limit_mb // LEAST_MEMORY_MB))
    return Share(n_workers, limits.memory_limit_mb // n_workers, max(1, limits.threads // n_workers))


def crew_environment(threads: int) -> dict[str, str]:
    """The whole environment of a worker; nothing of it is secret."""
    kept = {AUTHORITIES: os.environ[AUTHORITIES]} if AUTHORITIES in os.environ else {}
    return {"LC_ALL": "C.UTF-8", "OPENBLAS_NUM_THREADS": str(threads), **kept}


class Answering(Protocol):
    """Processes that answer questions, here or on other machines."""

    def answers(self, order: bytes, questions: Iterable[bytes]) -> Iterator[bytes]:
        """The answers, in the order of the questions; each is taken when a process is free for it."""

    def interrupt(self) -> None:
        """Stop all of them, from any thread."""
