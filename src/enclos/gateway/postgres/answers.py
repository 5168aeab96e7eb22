"""Answers on their way to a client: columns described, and calls that another connection may stop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import TypeVar

import pyarrow as pa

from enclos.gateway.postgres.types import column_of
from enclos.gateway.postgres.wire import Field, Malformed

_Answer = TypeVar("_Answer")


class Calls:
    """The calls of one session to the keeper, one at a time."""

    def __init__(self, threads: Executor) -> None:
        self._threads = threads
        self._stop: threading.Event | None = None

    async def run(self, call: Callable[[threading.Event], _Answer]) -> _Answer:
        """What a call gives; it runs in a thread and is told when nobody waits for it any more."""
        stop = self._stop = threading.Event()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, call, stop)
        except asyncio.CancelledError:
            stop.set()
            raise
        finally:
            self._stop = None

    def stop(self) -> None:
        """End the call that runs now, if one does."""
        if self._stop is not None:
            self._stop.set()


def formats_of(said: Sequence[int], n_columns: int) -> tuple[int, ...]:
    """The format of each column: none said is text, one said is for all."""
    if len(said) > 1 and len(said) != n_columns:
        raise Malformed
    return tuple(said) if len(said) == n_columns and said else tuple(said[:1] or (0,)) * n_columns


def fields_of(schema: pa.Schema, formats: Sequence[int]) -> list[Field]:
    """How the columns are described."""
    chosen = formats_of(formats, len(schema))
    columns = [column_of(each.type) for each in schema]
    return [
        Field(each.name, column.oid, column.length, column.modifier, form)
        for each, column, form in zip(schema, columns, chosen, strict=True)
    ]
