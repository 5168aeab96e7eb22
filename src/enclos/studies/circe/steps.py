"""Make the cohorts of Circe definitions, bucket by bucket."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from enclos.studies.circe.around import Around, around
from enclos.studies.circe.document import read_circe
from enclos.studies.circe.domains import CountColumn
from enclos.studies.circe.ending import exposures, exposures_by_concept
from enclos.studies.circe.entering import entry_events
from enclos.studies.circe.kept import Kept, KeptHere
from enclos.studies.circe.model import Criterion, Definition, DrugEraEnd, Group, Limit
from enclos.studies.circe.outline import criteria_below, criteria_in, is_plain, outline_of, read_for
from enclos.studies.circe.plans.entries import place_of
from enclos.studies.circe.plans.records import Reading
from enclos.studies.circe.resolving import resolve
from enclos.studies.circe.rules import exits, limits
from enclos.studies.circe.rules.columns import Events, Integers, Truth, observed
from enclos.studies.circe.rules.inclusion import best_events, patterns
from enclos.studies.circe.tables import Tables
from enclos.studies.ports import Cdm, CdmBucket, Check, Progress

_SCHEMA = pa.schema(
    [
        ("cohort", pa.int32()),
        ("subject_id", pa.int64()),
        ("cohort_start_date", pa.date32()),
        ("cohort_end_date", pa.date32()),
    ]
)
_LEFT = pa.schema(
    [
        ("cohort", pa.int32()),
        ("person_id", pa.int64()),
        ("n_rules", pa.int32()),
        ("passed", pa.binary()),
        ("is_best", pa.bool_()),
    ]
)


def circe_rows(
    definitions: Mapping[str, str], cdm: Cdm, *, check: Check | None = None, kept: Kept | None = None
) -> pa.Table:
    """The rows of the cohorts that Circe definitions describe.

    In: definitions — the JSON text of each cohort, by its name; kept — what was read of the same buckets before
    Out: one row per stretch, in order: cohort_name, subject_id, cohort_start_date, cohort_end_date
    Refuses: CIRCE_UNREADABLE, CIRCE_INVALID.
    """
    return definition_rows({name: read_circe(text) for name, text in definitions.items()}, cdm, check=check, kept=kept)


def definition_rows(
    definitions: Mapping[str, Definition], cdm: Cdm, *, check: Check | None = None, kept: Kept | None = None
) -> pa.Table:
    """The rows of cohorts whose definitions are read; as ``circe_rows``."""
    found = [each.rows for each in made(list(definitions.values()), cdm, check=check, kept=kept)]
    rows = _together(_SCHEMA, found)
    if len(found) > 1:
        rows = rows.sort_by([(name, "ascending") for name in _SCHEMA.names])
    names = pa.array(list(definitions), pa.string())
    labels = pa.repeat(names[0], len(rows)) if len(names) == 1 else pc.take(names, rows["cohort"])
    return pa.table([labels, *rows.columns[1:]], names=["cohort_name", *_SCHEMA.names[1:]])


def _together(schema: pa.Schema, tables: Sequence[pa.Table]) -> pa.Table:
    return tables[0] if len(tables) == 1 else pa.concat_tables([schema.empty_table(), *tables])


@dataclass(frozen=True, slots=True, repr=False)
class Made:
    """The cohorts of one bucket."""

    rows: pa.Table
    """One row per stretch, in order: cohort (its place among the definitions), subject_id, cohort_start_date,
    cohort_end_date"""
    left: pa.Table | None
    """Where attrition is asked for, one row per event that the rules look at: cohort, person_id, n_rules (fulfilled
    together, from the first on), passed (a letter for each rule, 1 where it is fulfilled), is_best (of the person's)"""

    def tables(self) -> list[pa.Table]:
        """All of it; ``Made.of`` makes it again."""
        return [self.rows] if self.left is None else [self.rows, self.left]

    @classmethod
    def of(cls, tables: Sequence[pa.Table]) -> Made:
        """What the tables are of."""
        return cls(tables[0], tables[1] if len(tables) > 1 else None)


class Maker:
    """The bucket function of cohorts: what a bucket has of each; the vocabulary is remembered, and what is kept."""

    def __init__(self, definitions: Sequence[Definition], *, attrition: bool = False, kept: Kept | None = None) -> None:
        self._outline = outline_of(definitions)
        self._attrition = attrition
        self._kept = kept
        self._reading: Reading | None = None

    def look(self, bucket: CdmBucket) -> Made:
        """The cohorts of a bucket."""
        self._reading = self._reading or Reading(self._outline, resolve(self._outline, bucket, self._kept))
        return made_in(bucket, self._reading, attrition=self._attrition, kept=self._kept)


def made(
    definitions: Sequence[Definition],
    cdm: Cdm,
    *,
    attrition: bool = False,
    check: Check | None = None,
    progress: Progress | None = None,
    spread: Iterable[Made] | None = None,
    kept: Kept | None = None,
) -> Iterator[Made]:
    """The cohorts, bucket by bucket; all tables that they needed are gone when the next bucket opens.

    In: spread — what ``Maker.look`` says of each bucket, in order, where they are looked at elsewhere; kept — what was
        read of the same buckets before, for the definitions that come next
    """
    if not definitions:
        return
    here = _made_here(Maker(definitions, attrition=attrition, kept=kept), cdm, check)
    for n_done, found in enumerate(here if spread is None else spread, start=1):
        yield found
        if progress is not None:
            progress(n_done, len(cdm.buckets))


def _made_here(maker: Maker, cdm: Cdm, check: Check | None) -> Iterator[Made]:
    for number in cdm.buckets:
        if check is not None:
            check()
        with cdm.bucket(number) as bucket:
            found = maker.look(bucket)
        yield found


def made_in(bucket: CdmBucket, reading: Reading, *, attrition: bool = False, kept: Kept | None = None) -> Made:
    """The cohorts of a bucket; nothing of their making stays but what is kept."""
    definitions = reading.outline.definitions
    tables = Tables(bucket, reading, KeptHere(kept, bucket))
    entered = [number for number, each in enumerate(definitions) if _may_have_rows(each, reading, attrition=attrition)]
    direct = [number for number in entered if _is_direct(definitions[number])]
    others = [number for number in entered if number not in set(direct)]
    included: dict[int, _Included] = {}
    left: list[pa.Table] = []
    try:
        for numbers in (direct, others):
            if numbers:
                for number, read, events, held in _qualified(tables, numbers, attrition=attrition):
                    if attrition:
                        left.append(_left_of(number, events, held))
                    if len(events := _included(definitions[number], events, held)):
                        included[number] = _Included(events, read if _asks_ends(definitions[number]) else {})
        found = [
            _stretches_of(number, definitions[number], included[number].events, end)
            for number, end in _ends(tables, dict(sorted(included.items())))
        ]
    finally:
        tables.drop()
    return Made(
        _together(_SCHEMA, found),
        _together(_LEFT, left) if attrition else None,
    )


def _may_have_rows(definition: Definition, reading: Reading, *, attrition: bool) -> bool:
    """Whether the vocabulary knows what the cohort, or its attrition, needs."""
    groups = [] if attrition else [rule.group for rule in definition.rules]
    groups += [definition.additional] if definition.additional is not None else []
    return any(map(reading.may_have_events, definition.criteria)) and all(map(reading.may_hold, groups))


def _asks_ends(definition: Definition) -> bool:
    """Whether the ends of its events rest on other records."""
    return bool(definition.censoring) or isinstance(definition.end, DrugEraEnd)


def _is_direct(definition: Definition) -> bool:
    """Whether all its entry events stay, so that nothing orders them or is asked of them."""
    return (
        definition.primary_limit is definition.qualified_limit is definition.expression_limit is Limit.ALL
        and definition.additional is None
        and not definition.rules
        and not definition.censoring
        and not any(criterion.first or criterion.correlated for criterion in definition.criteria)
    )


_Entered: TypeAlias = Mapping[Criterion, Events]
"""The entry events of a cohort in no period yet, by what they were read for."""


@dataclass(frozen=True, slots=True, repr=False)
class _Included:
    """The events of a cohort, and what was read for them."""

    events: Events
    entered: _Entered


def _qualified(
    tables: Tables, numbers: Sequence[int], *, attrition: bool
) -> Iterator[tuple[int, _Entered, Events, list[Truth]]]:
    """For each cohort its entry events, those that its rules look at, and which of these fulfil each rule."""
    definitions = tables.reading.outline.definitions
    numbered = attrition or any(_orders(definitions[number]) for number in numbers)
    placed = numbered or any(_asks_criteria(definitions[number]) for number in numbers)
    for number, events in entry_events(tables, numbers, numbered=numbered, placed=placed):
        entered = _entered(definitions[number], events, tables.reading)
        yield number, entered, *_qualifying(tables, definitions[number], events, entered)


def _orders(definition: Definition) -> bool:
    """Whether only some of a person's events stay, by their order."""
    limited = (definition.primary_limit, definition.qualified_limit, definition.expression_limit) != (Limit.ALL,) * 3
    return limited or any(criterion.first for criterion in definition.criteria)


def _asks_criteria(definition: Definition) -> bool:
    """Whether something of the cohort rests on which criterion its entry events are of, beside their order."""
    correlates = any(criterion.correlated for criterion in definition.criteria)
    return bool(definition.rules or definition.additional or correlates or _asks_ends(definition))


def _entered(definition: Definition, events: Events, reading: Reading) -> _Entered:
    """The events by criterion, where they are told apart and something asks for them; of those that were read."""
    if len(definition.criteria) == 1:
        return {read_for(definition.criteria[0]): events}
    if not _asks_criteria(definition):
        return {}
    return {
        read_for(criterion): events.at(_own(definition, events, position))
        for position, criterion in enumerate(definition.criteria)
        if reading.may_have_events(criterion)
    }


def _qualifying(
    tables: Tables, definition: Definition, events: Events, entered: _Entered
) -> tuple[Events, list[Truth]]:
    groups = [rule.group for rule in definition.rules]
    groups += [definition.additional] if definition.additional is not None else []
    correlated = [each.correlated for each in definition.criteria if each.correlated is not None]
    events = observed(_first(definition, events), tables.periods_of(events))
    found: Around | None = None
    if correlated:
        found = around(tables, _below([*correlated, *groups]), events, entered)
        events = events.at(_correlating(definition, events, found))
    events = limits.primary(definition, events)
    if len(events) and groups:
        found = found or around(tables, _below(groups), events, entered)
    if found is not None and definition.additional is not None:
        events = events.at(found.holds(definition.additional, events))
    events = limits.limited(events, definition.qualified_limit, events.start)
    if found is None:
        return events, [np.zeros(len(events), dtype=np.bool_) for _ in definition.rules]
    return events, [found.holds(rule.group, events) for rule in definition.rules]


def _first(definition: Definition, events: Events) -> Events:
    """The entry events, of criteria that ask for nothing else only a person's first."""
    stays = np.ones(len(events), dtype=np.bool_)
    for position, criterion in enumerate(definition.criteria):
        if criterion.first and is_plain(criterion):
            own = _own(definition, events, position)
            of_criterion = events.at(own)
            stays[own] = False
            stays[own[limits.staying(of_criterion, Limit.FIRST, of_criterion.sort)]] = True
    return events if stays.all() else events.at(stays)


def _correlating(definition: Definition, events: Events, found: Around) -> Truth:
    """Which entry events stay by what correlates with them."""
    stays = np.ones(len(events), dtype=np.bool_)
    for position, criterion in enumerate(definition.criteria):
        if criterion.correlated is not None:
            own = _own(definition, events, position)
            stays[own] = found.holds(criterion.correlated, events.at(own))
    return stays


def _own(definition: Definition, events: Events, position: int) -> Integers:
    """Where the entry events of one criterion of a definition are; of an only one all are."""
    if len(definition.criteria) == 1:
        return np.arange(len(events))
    return np.flatnonzero(events.place == place_of(definition.criteria[position].domain, position))


def _below(groups: Sequence[Group]) -> Iterator[tuple[Criterion, CountColumn | None]]:
    return (pair for group in groups for pair in criteria_below(group))


def _included(definition: Definition, events: Events, held: Sequence[Truth]) -> Events:
    if held:
        events = events.at(np.logical_and.reduce(held))
    return limits.limited(events, definition.expression_limit, events.start)


def _left_of(number: int, events: Events, held: Sequence[Truth]) -> pa.Table:
    numbers = pa.array(np.full(len(events), number, np.int32))
    n_rules = limits.rules_in_turn(held, len(events)).astype(np.int32)
    passed = pa.array(patterns(held, len(events)), pa.binary())
    return pa.table([numbers, events.person, n_rules, passed, best_events(events, held)], schema=_LEFT)


def _ends(tables: Tables, included: Mapping[int, _Included]) -> Iterator[tuple[int, Integers]]:
    """When the events of each cohort end."""
    definitions = tables.reading.outline.definitions
    of_eras = _exposures(tables, included)
    for number, of_cohort in included.items():
        definition, events = definitions[number], of_cohort.events
        possible = [exits.own_ends(definition, events)]
        if isinstance(definition.end, DrugEraEnd):
            possible.append(exits.era_ends(definition.end, events, *of_eras[number]))
        if definition.censoring:
            censors = [pair for criterion in definition.censoring for pair in criteria_in(criterion, None)]
            found = around(tables, censors, events, of_cohort.entered)
            possible += [exits.censor_ends(events, found.occurrences(each).events) for each in definition.censoring]
        yield number, possible[0] if len(possible) == 1 else exits.earliest(events.start, possible)


def _exposures(tables: Tables, included: Mapping[int, _Included]) -> Mapping[int, Sequence[Integers]]:
    definitions = tables.reading.outline.definitions
    ends = {number: end for number in included if isinstance(end := definitions[number].end, DrugEraEnd)}
    if not ends:
        return {}
    entered = {
        number: events
        for number, end in ends.items()
        if (events := included[number].entered.get(exposures_by_concept(end))) is not None
    }
    few = tables.few(included[next(iter(ends))].events) if len(ends) == 1 else None
    return exposures(tables, ends, entered, few)


def _stretches_of(number: int, definition: Definition, events: Events, end: Integers) -> pa.Table:
    persons, start, until = exits.stretches(definition, events, end)
    days = (pa.array(each.astype(np.int32)).view(pa.date32()) for each in (start, until))
    return pa.table([pa.array(np.full(len(persons), number, np.int32)), persons, *days], schema=_SCHEMA)
