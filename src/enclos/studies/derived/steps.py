"""Drawing persons from all buckets: each bucket is looked at, then the cohort's entries are known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from enclos.studies.derived import plans
from enclos.studies.derived.model import Match, Sample, Trait
from enclos.studies.derived.rules import Spans, matched, sampled
from enclos.studies.model import DerivedCohort
from enclos.studies.ports import CdmBucket

ENTRY_SCHEMA = pa.schema([(plans.PERSON, pa.int64()), (plans.FIRST_DAY, pa.int32()), (plans.LAST_DAY, pa.int32())])
"""The entries of a cohort that is known before its buckets are opened."""


class Drawing:
    """Gathers what one drawn cohort needs of every bucket."""

    def __init__(self, cohort: DerivedCohort) -> None:
        if not isinstance(cohort.operation, Match | Sample):
            raise TypeError("the operation draws nobody")
        self.name = cohort.name
        self._operation = cohort.operation
        self._groups: dict[str, int] = {}
        self._entries: list[Spans] = []
        self._others: list[Spans] = []

    def take(self, bucket: CdmBucket, numbers: Mapping[str, int]) -> None:
        """Look at a bucket in which the cohort that is drawn from is made.

        In: numbers — of the cohorts by name
        """
        asked = self._operation
        source = numbers[asked.cohort]
        if isinstance(asked, Sample):
            self._entries.append(self._spans(bucket.query(plans.plan_drawn_entries(source, asked.seed))))
            return
        traits = asked.traits
        self._entries.append(self._spans(bucket.query(plans.plan_drawn_entries(source, asked.seed, traits))))
        self._others.append(self._spans(bucket.query(plans.plan_others(source, asked.seed, traits))))

    def _spans(self, rows: pa.Table) -> Spans:
        """The rows with one number for each group over all buckets."""
        encoded = rows["alike"].combine_chunks().dictionary_encode()
        numbers = [self._groups.setdefault(word, len(self._groups)) for word in encoded.dictionary.to_pylist()]
        group = np.array(numbers, dtype=np.int64)[encoded.indices.to_numpy()]
        names = ("rank", plans.PERSON, plans.FIRST_DAY, plans.LAST_DAY)
        return Spans(group, *(rows[name].to_numpy().astype(np.int64) for name in names))

    def entries(self) -> pa.Table:
        """The entries of the cohort, all buckets looked at.

        Out: ENTRY_SCHEMA
        """
        asked = self._operation
        entries = _together(self._entries)
        if isinstance(asked, Match):
            drawn = matched(entries, _together(self._others), asked.ratio, asked.keep)
        else:
            drawn = sampled(entries, asked.n_persons or 0)
        return pa.table([drawn.person, drawn.first_day.astype(np.int32), drawn.last_day.astype(np.int32)], ENTRY_SCHEMA)


def _together(parts: list[Spans]) -> Spans:
    columns = [[part.group, part.rank, part.person, part.first_day, part.last_day] for part in parts]
    return Spans(*(np.concatenate([np.zeros(0, dtype=np.int64), *column]) for column in zip(*columns, strict=True)))


def traits_read(operation: object) -> dict[str, tuple[str, ...]]:
    """The further columns that a matching on where persons live reads."""
    if not isinstance(operation, Match) or Trait.DEPARTMENT not in operation.traits:
        return {}
    return {"person": ("location_id",), "location": ("location_id", "county")}
