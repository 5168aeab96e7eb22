"""Builds whose passes are made apart from them, by another engine, told and answered in bytes, in any order."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from enclos.app.building import BuildSpread
from enclos.app.pass_worker import making
from enclos.stores.engine import open_engine
from enclos.stores.lake import attach_lake
from enclos.stores.lake_draft import LakeDraft
from enclos.studies.work import of_bytes
from enclos.warehouse.steps import build_snapshot
from factories.pseudonymised import CATALOG_KEY, RELEASED, YEAR_2019, HandCrossing, Row, Snapshot


class Apart:
    """A lake, and another engine that makes the passes of its builds."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder
        self._draw = random.Random(seed)  # noqa: S311 - an order for a test
        self._stack = ExitStack()
        self.n_made = 0

    def __enter__(self) -> Self:
        self._here, self._there = (
            self._stack.enter_context(open_engine(memory_limit_mb=512, threads=1)) for _ in range(2)
        )
        attach_lake(self._here, self._folder / "catalog.ducklake", self._folder / "lake", CATALOG_KEY)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def build(self, tables: Mapping[str, Sequence[Row]], n_buckets: int, **options: Any) -> Snapshot:
        """The next snapshot."""
        here, there = (HandCrossing(engine, tables, n_buckets) for engine in (self._here, self._there))
        draft = LakeDraft(
            self._here, self._folder / "catalog.ducklake", self._folder / "draft.ducklake", self._attached
        )
        self._crossing = there
        spread = BuildSpread(lambda _n_passes: self, draft)
        try:
            report = build_snapshot(
                self._here, here, draft, n_buckets, periods=YEAR_2019, released_on=RELEASED, spread=spread, **options
            )
        finally:
            here.forget()
            there.forget()
        return Snapshot(self._here, draft, report)

    def answers(self, order: bytes, questions: Iterable[bytes]) -> Iterator[bytes]:
        """As a crew answers; who is asked last may be ready first."""
        asked = list(enumerate(questions))
        self._draw.shuffle(asked)
        answer = making(self._there, self._crossing, self._folder / "lake", of_bytes(order))
        made = {number: answer(question) for number, question in asked}
        self.n_made += len(made)
        return iter([made[number] for number in sorted(made)])

    def interrupt(self) -> None:
        """Nothing: it answers at once."""

    def _attached(self, catalog: Path) -> Any:
        return attach_lake(self._here, catalog, self._folder / "lake", CATALOG_KEY)
