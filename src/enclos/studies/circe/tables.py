"""What is read of a bucket, made or asked when it is first needed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from enclos.studies.circe.domains import Joined
from enclos.studies.circe.model import Criterion
from enclos.studies.circe.outline import pick_of
from enclos.studies.circe.plans import entries, records
from enclos.studies.circe.plans.records import Reading
from enclos.studies.circe.rules.columns import Events, Periods, in_order, integers, order_of, periods_of
from enclos.studies.circe.rules.demographics import Persons
from enclos.studies.ports import CdmBucket

_FEW = 2_000
_FEW_OF = 20
"""Persons are few, so that only their records are asked for, when no more than this, and one in so many."""
_NEAR_OF = 4
"""Only the periods of persons with events are put in order when these are less than one in so many."""


@dataclass(slots=True, repr=False)
class Tables:
    """The tables of one bucket."""

    bucket: CdmBucket
    reading: Reading
    _made: set[str] = field(default_factory=set)
    _observed: Periods | None = None
    _periods: Periods | None = None
    _persons: Persons | None = None

    def make(self, criteria: Iterable[Criterion]) -> None:
        """Let what the criteria read be there."""
        outline = self.reading.outline
        for criterion in criteria:
            if outline.keeps_persons and any(each.target.joined is Joined.PERSON for each in criterion.filters):
                self._once("circe_person", partial(records.plan_persons, outline.beside[Joined.PERSON]))
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

    def periods_of(self, events: Events) -> Periods:
        """The observation periods of the persons of some events at least; of all persons when they are asked for
        again, or when they are many.
        """
        if self._periods is not None:
            return self._periods
        if (observed := self._observed) is None:
            observed = self._observed = periods_of(self.bucket.query(entries.plan_periods()))
            if len(events) * _NEAR_OF < len(observed) and not in_order(observed.person):
                near = observed.near(events.person)
                return near.at(order_of(near.person))
        if not in_order(observed.person):
            observed = observed.at(order_of(observed.person))
        self._periods = observed
        return observed

    def persons(self) -> Persons:
        """The persons, with what demographic criteria read of them."""
        if self._persons is None:
            names = self.reading.outline.told
            rows = self.bucket.query(entries.plan_told(names))
            person = integers(rows["person_id"])
            order = order_of(person)
            self._persons = Persons(person[order], {name: integers(rows[name])[order] for name in names})
        return self._persons

    def few(self, events: Events) -> Collection[int] | None:
        """The persons of some events, in order, where they are so few that only their records should be read."""
        if self._observed is None or len(events) > _FEW * _FEW_OF or len(self._observed) < _FEW * _FEW_OF:
            return None
        persons = np.unique(events.person)
        return persons.tolist() if len(persons) <= _FEW else None

    def drop(self) -> None:
        """Drop what was made, at once."""
        if self._made:
            self.bucket.execute("; ".join(f"DROP TABLE IF EXISTS {name}" for name in sorted(self._made)))
