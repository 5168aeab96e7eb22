"""What is read of a bucket, made or asked when it is first needed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from enclos.studies.circe.domains import DOMAINS, Domain, Joined
from enclos.studies.circe.kept import ByConcept, Columns, KeptHere, by_concept
from enclos.studies.circe.model import Criterion
from enclos.studies.circe.outline import pick_of
from enclos.studies.circe.plans import entries, records
from enclos.studies.circe.plans.records import Reading
from enclos.studies.circe.rules.columns import (
    Events,
    Periods,
    events_in,
    in_order,
    integers,
    narrow,
    order_of,
    periods_of,
)
from enclos.studies.circe.rules.demographics import Persons
from enclos.studies.circe.rules.filters import Visits, columns_for, filtered
from enclos.studies.ports import CdmBucket

_FEW = 2_000
_FEW_OF = 20
"""Persons are few, so that only their records are asked for, when no more than this, and one in so many."""
_NEAR_OF = 4
"""Only the periods of persons with events are put in order when these are less than one in so many."""
_USUAL = ("person_id", "start_date", "end_date", "event_id", "visit_occurrence_id")
"""What definitions read of records sooner or later: kept at once, so that a table is not read again for each."""


@dataclass(slots=True, repr=False)
class Tables:
    """The tables of one bucket."""

    bucket: CdmBucket
    reading: Reading
    kept: KeptHere
    _made: set[str] = field(default_factory=set)
    _observed: Periods | None = None
    _periods: Periods | None = None
    _persons: Persons | None = None

    def events(self, criterion: Criterion, names: Sequence[str]) -> Events | None:
        """The events of a criterion as they are kept, in order of persons and in no period yet; None where they have to
        be read.

        In: criterion — as it is read for others (``read_for``)
        """
        table, pick = DOMAINS[criterion.domain], pick_of(criterion)
        looked_at = columns_for(criterion)
        if not self.kept or looked_at is None or criterion.domain is Domain.LOCATION_REGION:
            return None
        if (pick.concept_set is None) == (pick.source_set is None):
            return None
        wanted = [name for name in dict.fromkeys((*names, *looked_at)) if name != "sort_date"]  # that is the start
        kept = self._by_concept(criterion.domain, table.concept if pick.concept_set else table.source_concept, wanted)
        if kept is None:
            return None
        found = events_in(kept.of(self.reading.concepts(pick.concept_set or pick.source_set), wanted))
        return filtered(criterion, found, self.persons, self._visits, self.reading.concepts)

    def _by_concept(self, domain: Domain, column: str | None, names: Sequence[str]) -> ByConcept | None:
        """The records of a domain in order of the concepts in one of its columns; None where they are not kept."""

        def read(wanted: Sequence[str]) -> Columns:
            rows = self.bucket.query(records.plan_by_concept(domain, column or "", wanted))
            return by_concept(narrow(rows["concept"]), {name: narrow(rows[name]) for name in wanted})

        table = DOMAINS[domain].table
        found = self.kept.keep(f"{table}.{column}", table, names, read, beside=_USUAL)
        return None if found is None else ByConcept(found)

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
        if self._periods is None:
            self._periods = self._kept_periods()
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

    def _visits(self) -> Visits:
        names = ("visit_occurrence_id", "person_id", "concept_id")

        def read(_: Sequence[str]) -> Columns:
            rows = self.bucket.query(entries.plan_visits())
            return {name: integers(rows[name]) for name in names}

        found = self.kept.keep("visit_occurrence", "visit_occurrence", names, read) or read(names)
        return Visits(*(found[name] for name in names))

    def _kept_periods(self) -> Periods | None:
        def read(_: Sequence[str]) -> Columns:
            observed = periods_of(self.bucket.query(entries.plan_periods()))
            observed = observed.at(order_of(observed.person))
            return dict(zip(names, (observed.person, observed.start, observed.end), strict=True))

        names = ("person_id", "start_date", "end_date")
        found = self.kept.keep("observation_period", "observation_period", names, read)
        return None if found is None else Periods(*(found[name] for name in names))

    def persons(self) -> Persons:
        """The persons, with what demographic criteria read of them."""
        if self._persons is None:
            outline = self.reading.outline
            beside = () if not self.kept else outline.beside.get(Joined.PERSON, ())
            names = tuple(dict.fromkeys((*outline.told, *beside)))
            columns = self.kept.keep("person", "person", ("person_id", *names), self._told) or self._told(names)
            self._persons = Persons(columns["person_id"], columns)
        return self._persons

    def _told(self, names: Sequence[str]) -> Columns:
        names = [name for name in names if name != "person_id"]
        rows = self.bucket.query(entries.plan_told(names))
        person = integers(rows["person_id"])
        order = order_of(person)
        return {"person_id": person[order], **{name: integers(rows[name])[order] for name in names}}

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
