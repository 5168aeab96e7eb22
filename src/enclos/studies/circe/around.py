"""What lies around the events of one cohort: its groups of conditions are held against it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from enclos.studies.circe.domains import CountColumn
from enclos.studies.circe.model import Criterion, Demographic, Group, Limit
from enclos.studies.circe.outline import is_plain, read_for
from enclos.studies.circe.plans import entries
from enclos.studies.circe.plans.criteria import counted_name
from enclos.studies.circe.rules import limits
from enclos.studies.circe.rules.columns import Events, Integers, Truth, events_of, keys, observed, order_of
from enclos.studies.circe.rules.demographics import told
from enclos.studies.circe.rules.groups import Known, Occurrences, fulfilled
from enclos.studies.circe.tables import Tables

_NONE: Integers = np.zeros(0, dtype=np.int64)
_NO_OCCURRENCES = Occurrences(Events(*[_NONE] * 9), dict.fromkeys(CountColumn, _NONE))


@dataclass(slots=True, repr=False)
class Around:
    """What is looked for around the events of a cohort, read at once."""

    tables: Tables
    _read: Mapping[Criterion, Occurrences]
    _judged: dict[Criterion, Occurrences] = field(default_factory=dict)

    def holds(self, group: Group, events: Events) -> Truth:
        """Which events a group holds for."""
        return fulfilled(group, events, Known(self.occurrences, self._told))

    def _told(self, demographic: Demographic, events: Events) -> Truth:
        return told(demographic, events, self.tables.persons, self.tables.reading.concepts)

    def occurrences(self, criterion: Criterion) -> Occurrences:
        """The events of a criterion, in order of person and start; the first, and those for which what correlates
        holds, where it asks so.
        """
        if criterion not in self._judged:
            found = self._read[criterion]
            if criterion.first and is_plain(criterion):
                found = found.at(limits.staying(found.events, Limit.FIRST, found.events.sort))
            if criterion.correlated is not None and len(found.events):
                numbered = replace(found.events, place=np.arange(len(found.events)))
                events = observed(numbered, self.tables.periods_of(numbered))
                held = np.zeros(len(numbered), dtype=np.bool_)
                held[events.place[self.holds(criterion.correlated, events)]] = True
                found = found.at(held)
            (key,) = keys((found.events.person, found.events.start))
            self._judged[criterion] = found.at(order_of(key))
        return self._judged[criterion]


def around(
    tables: Tables,
    looked_for: Iterable[tuple[Criterion, CountColumn | None]],
    events: Events,
    entered: Mapping[Criterion, Events],
) -> Around:
    """Read what is looked for around some events.

    In: looked_for — criteria, with the column that is counted in it; entered — events that are read already, by what
        they were read for
    """
    wanted: dict[Criterion, dict[CountColumn, None]] = {}
    for criterion, column in looked_for:
        wanted.setdefault(criterion, {}).update({} if column is None else {column: None})
    asked: dict[Criterion, dict[CountColumn, None]] = {}
    if len(events):
        for criterion, columns in wanted.items():
            may_be = tables.reading.may_have_events(criterion)
            if may_be and (columns or read_for(criterion) not in entered):
                asked.setdefault(read_for(criterion), {}).update(columns)
    found = {criterion: Occurrences(of, {}) for criterion, of in entered.items()}
    numbered = any(each.first and is_plain(each) for each in wanted)
    names = entries.asked(tables.reading, numbered=numbered)
    for criterion in [each for each, columns in asked.items() if not columns]:
        if (kept := tables.events(criterion, names)) is not None:
            found[criterion] = Occurrences(kept, {})
            del asked[criterion]
    if asked:
        tables.make(asked)
        sql = entries.plan_occurrences(asked, tables.reading, tables.few(events), numbered=numbered)
        rows = tables.bucket.query(sql)
        whole = events_of(rows)
        places = _apart(rows, len(asked))
        for (criterion, columns), place in zip(asked.items(), places, strict=True):
            occurrences = Occurrences(whole, {column: _values(rows[counted_name(column)]) for column in columns})
            found[criterion] = occurrences if place is None else occurrences.at(place)
    return Around(tables, {each: found.get(read_for(each), _NO_OCCURRENCES) for each in wanted})


def _apart(rows: pa.Table, n_parts: int) -> Sequence[Integers | None]:
    """Where the rows of each part are; None for all of them."""
    if n_parts == 1:
        return [None]
    part = rows["part"].to_numpy()
    order = np.argsort(part, kind="stable")
    return np.split(order, np.searchsorted(part[order], np.arange(1, n_parts)))


def _values(column: pa.ChunkedArray) -> Integers:
    """One number for each different value."""
    indices = column.combine_chunks().dictionary_encode().indices
    found: Integers = indices.cast(pa.int64()).fill_null(-1).to_numpy()
    return found
