"""Which events stay by filters that are tests of their days, their person or their visit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from enclos.studies.circe.domains import DOMAINS, END, PERSON_ATTRIBUTES, Domain
from enclos.studies.circe.model import ConceptSet, Criterion, Demographic, Filter, Limit
from enclos.studies.circe.outline import is_plain
from enclos.studies.circe.rules.columns import FAR, NEVER, Events, Integers, spread
from enclos.studies.circe.rules.demographics import Persons, passing, told
from enclos.studies.circe.rules.limits import staying

_OF_PERSON = frozenset(attribute.target for attribute in PERSON_ATTRIBUTES.values())
_OF_VISIT = DOMAINS[Domain.CONDITION_OCCURRENCE].attributes["VisitType"].target


@dataclass(frozen=True, slots=True, repr=False)
class Visits:
    """Visits in order of their numbers."""

    visit: Integers
    person: Integers
    concept: Integers


def columns_for(criterion: Criterion) -> tuple[str, ...] | None:
    """The columns of events that its filters look at; None where the engine has to filter.

    In: criterion — as it is read for others (``outline.read_for``)
    """
    if not is_plain(replace(criterion, filters=())):
        return None
    targets = {each.target for each in criterion.filters}
    if not targets <= _OF_PERSON | {_OF_VISIT}:
        return None
    asked = {
        "event_id": criterion.first and bool(targets),
        "end_date": END in targets,
        "visit_occurrence_id": _OF_VISIT in targets,
    }
    return tuple(name for name, is_asked in asked.items() if is_asked)


def filtered(
    criterion: Criterion,
    events: Events,
    persons: Callable[[], Persons],
    visits: Callable[[], Visits],
    concepts: Callable[[ConceptSet], Sequence[int]],
) -> Events:
    """The events of a criterion out of the records that it picks; a person's first is chosen before others fall.

    In: events — with ``columns_for`` the criterion; persons, visits — asked when a filter looks at them
    """
    if not criterion.filters:
        return events
    if criterion.first:
        dated = replace(events, sort=np.where(events.start == NEVER, FAR, events.start))
        events = events.at(staying(dated, Limit.FIRST, dated.sort))
    of_visit = [each for each in criterion.filters if each.target == _OF_VISIT]
    others = tuple(each for each in criterion.filters if each.target != _OF_VISIT)
    if others:
        events = events.at(told(Demographic(others), events, persons, concepts))
    return _in_visits(of_visit, events, visits(), concepts) if of_visit else events


def _in_visits(
    filters: Sequence[Filter], events: Events, visits: Visits, concepts: Callable[[ConceptSet], Sequence[int]]
) -> Events:
    """The events whose visit passes, once for each visit of their number."""
    first = np.searchsorted(visits.visit, events.visit)
    n = np.searchsorted(visits.visit, events.visit, side="right") - first
    n[events.visit == NEVER] = 0
    rows, places = spread(first, n)
    held = visits.person[places] == events.person[rows]
    for each in filters:
        held &= passing(visits.concept[places], each.test, concepts)
    return events.at(rows[held])
