"""The tables that conditions read, made in a bucket when they are first needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import pyarrow as pa

from enclos.studies.circe.domains import Joined
from enclos.studies.circe.model import Criterion
from enclos.studies.circe.outline import pick_of
from enclos.studies.circe.plans import entries, records
from enclos.studies.circe.plans.records import Reading
from enclos.studies.ports import CdmBucket


@dataclass(slots=True, repr=False)
class Tables:
    """The tables of one bucket."""

    bucket: CdmBucket
    reading: Reading
    _made: set[str] = field(default_factory=set)

    def make(self, criteria: Iterable[Criterion]) -> None:
        """Let what the criteria read be there; those that a criterion rests on come before it."""
        outline = self.reading.outline
        if outline.keeps_persons:
            self._once("circe_person", partial(records.plan_persons, outline.beside[Joined.PERSON]))
        for criterion in criteria:
            if pick_of(criterion) in outline.stored:
                domain = criterion.domain
                self._once(records.record_table(domain), partial(records.plan_records, domain, self.reading))
            if criterion in outline.kept:
                name = f"circe_kept_{outline.kept[criterion]}"
                self._once(name, partial(entries.plan_kept, criterion, self.reading))

    def _once(self, name: str, plan: Callable[[], str]) -> None:
        if name not in self._made:
            self._made.add(name)
            self.bucket.execute(plan())

    @contextmanager
    def lent(self, name: str, rows: pa.Table) -> Iterator[None]:
        """Let the engine read some rows under this name while the block runs."""
        self.bucket.load(name, rows)
        try:
            yield
        finally:
            self.bucket.execute(f"DROP TABLE IF EXISTS {name}")

    def drop(self) -> None:
        """Drop what was made, at once."""
        if self._made:
            self.bucket.execute("; ".join(f"DROP TABLE IF EXISTS {name}" for name in sorted(self._made)))
