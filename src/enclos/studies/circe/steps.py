"""Make the cohorts of Circe definitions, bucket by bucket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pyarrow import compute

from enclos.studies.circe.document import read_circe
from enclos.studies.circe.model import Definition, DrugEraEnd, Limit
from enclos.studies.circe.outline import Outline, criteria_below, criteria_in, is_plain, outline_of
from enclos.studies.circe.plans import concepts, entries
from enclos.studies.circe.plans.records import Reading
from enclos.studies.circe.rules import exits, limits
from enclos.studies.circe.rules.columns import Events, Integers, Truth, events_of, integers
from enclos.studies.circe.rules.sets import Vocabulary
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
_LEFT = pa.schema([("cohort", pa.int32()), ("person_id", pa.int64()), ("n_rules", pa.int32())])


def circe_rows(definitions: Mapping[str, str], cdm: Cdm, *, check: Check | None = None) -> pa.Table:
    """The rows of the cohorts that Circe definitions describe.

    In: definitions — the JSON text of each cohort, by its name
    Out: one row per stretch, in order: cohort_name, subject_id, cohort_start_date, cohort_end_date
    Refuses: CIRCE_UNREADABLE, CIRCE_INVALID.
    """
    return definition_rows({name: read_circe(text) for name, text in definitions.items()}, cdm, check=check)


def definition_rows(definitions: Mapping[str, Definition], cdm: Cdm, *, check: Check | None = None) -> pa.Table:
    """The rows of cohorts whose definitions are read; as ``circe_rows``."""
    found = [each.rows for each in made(list(definitions.values()), cdm, check=check)]
    rows = pa.concat_tables([_SCHEMA.empty_table(), *found])
    if len(found) > 1:
        rows = rows.sort_by([(name, "ascending") for name in _SCHEMA.names])
    labels = pa.DictionaryArray.from_arrays(rows["cohort"].combine_chunks(), pa.array(list(definitions), pa.string()))
    return rows.drop_columns(["cohort"]).add_column(0, "cohort_name", labels.cast(pa.string()))


@dataclass(frozen=True, slots=True, repr=False)
class Made:
    """The cohorts of one bucket."""

    rows: pa.Table
    """One row per stretch, in order: cohort (its place among the definitions), subject_id, cohort_start_date,
    cohort_end_date"""
    left: pa.Table | None
    """Where attrition is asked for, one row per event that the rules look at: cohort, person_id, n_rules (fulfilled
    together, from the first on)"""


def made(
    definitions: Sequence[Definition],
    cdm: Cdm,
    *,
    attrition: bool = False,
    check: Check | None = None,
    progress: Progress | None = None,
) -> Iterator[Made]:
    """The cohorts, bucket by bucket; all tables that they needed are gone when the next bucket opens."""
    if not definitions:
        return
    outline = outline_of(definitions)
    reading: Reading | None = None
    for n_done, number in enumerate(cdm.buckets, start=1):
        if check is not None:
            check()
        with cdm.bucket(number) as bucket:
            reading = reading or Reading(outline, resolve(outline, bucket))
            found = made_in(bucket, reading, attrition=attrition)
        yield found
        if progress is not None:
            progress(n_done, len(cdm.buckets))


def resolve(outline: Outline, bucket: CdmBucket) -> Mapping[int, Sequence[int]]:
    """The concepts of every concept set, in order; the vocabulary is the same in every bucket."""
    items = {item for concept_set in outline.concept_sets for item in concept_set.items}
    if not items:
        return {}
    named = sorted({item.concept_id for item in items})
    ancestors = sorted({item.concept_id for item in items if item.descendants})
    below: dict[int, set[int]] = {}
    if ancestors:
        for ancestor, concept in _pairs(bucket.query(concepts.plan_descendants(ancestors))):
            below.setdefault(ancestor, set()).add(concept)
    wanted = sorted({*named, *(concept for found in below.values() for concept in found)})
    judged = dict(_pairs(bucket.query(concepts.plan_known(wanted))))
    valid = {concept for concept, is_valid in judged.items() if is_valid}
    vocabulary = Vocabulary(set(judged), {ancestor: found & valid for ancestor, found in below.items()})
    if targets := sorted({concept for item in items if item.mapped for concept in vocabulary.reached(item)}):
        mapped: dict[int, list[int]] = {}
        for concept, target in _pairs(bucket.query(concepts.plan_mapped(targets))):
            mapped.setdefault(target, []).append(concept)
        vocabulary.mapped = mapped
    return {number: vocabulary.concepts(concept_set) for concept_set, number in outline.concept_sets.items()}


def _pairs(rows: pa.Table) -> Iterator[tuple[int, int]]:
    return zip(*(column.to_pylist() for column in rows.columns), strict=True)


def made_in(bucket: CdmBucket, reading: Reading, *, attrition: bool = False) -> Made:
    """The cohorts of a bucket; nothing of their making stays."""
    definitions = reading.outline.definitions
    tables = Tables(bucket, reading)
    entered = [
        number
        for number, each in enumerate(definitions)
        if any(reading.may_have_events(criterion) for criterion in each.criteria)
    ]
    direct = [number for number in entered if _is_direct(definitions[number])]
    others = [number for number in entered if number not in set(direct)]
    included: dict[int, Events] = {}
    left: list[pa.Table] = []
    try:
        for numbers, ordered in ((direct, False), (others, True)):
            if numbers:
                for number, events, n_rules in _qualified(tables, numbers, ordered=ordered):
                    if attrition:
                        left.append(_left_of(number, events, n_rules))
                    included[number] = _included(definitions[number], events, n_rules)
        found = [
            _stretches_of(number, definitions[number], included[number], end)
            for number, end in _ends(tables, {n: included[n] for n in sorted(included) if len(included[n])})
        ]
    finally:
        tables.drop()
    return Made(
        pa.concat_tables([_SCHEMA.empty_table(), *found]),
        pa.concat_tables([_LEFT.empty_table(), *left]) if attrition else None,
    )


def _is_direct(definition: Definition) -> bool:
    """Whether all its entry events stay, so that nothing orders them or is asked of them."""
    return (
        definition.primary_limit is Limit.ALL
        and definition.expression_limit is Limit.ALL
        and definition.additional is None
        and not definition.rules
    )


def _qualified(tables: Tables, numbers: Sequence[int], *, ordered: bool) -> Iterator[tuple[int, Events, Integers]]:
    """For each cohort the events that its rules look at, and how many rules each fulfils together, from the first on.

    In: ordered — whether something orders the events or is asked of them
    """
    definitions = tables.reading.outline.definitions
    entering = [entry for number in numbers for entry in definitions[number].criteria if not is_plain(entry)]
    tables.make(criterion for entry in entering for criterion, _ in criteria_in(entry, None))
    rows = tables.bucket.query(entries.plan_entries(tables.reading, numbers, ordered=ordered))
    for number, entry_events in _apart(rows, numbers, ordered=ordered):
        definition = definitions[number]
        events = limits.primary(definition, entry_events)
        if not len(events) or not (definition.rules or definition.additional):
            yield number, events, np.zeros(len(events), dtype=np.int64)
            continue
        held = _held(tables, definition, events, rows)
        n_rules = limits.rules_in_turn(held[:, :-1])
        if definition.additional is not None:
            events, n_rules = events.at(held[:, -1]), n_rules[held[:, -1]]
        places = limits.staying(events, definition.qualified_limit, events.start)
        yield number, events.at(places), n_rules[places]


def _apart(rows: pa.Table, numbers: Sequence[int], *, ordered: bool) -> Iterator[tuple[int, Events]]:
    """The events of each cohort."""
    whole = events_of(rows, ordered=ordered)
    if len(numbers) == 1:
        yield numbers[0], whole
        return
    cohort = rows["cohort"].to_numpy()
    order = np.argsort(cohort, kind="stable")
    bounds = np.searchsorted(cohort[order], [*numbers, numbers[-1] + 1])
    for number, begin, end in zip(numbers, bounds[:-1], bounds[1:], strict=True):
        yield number, whole.at(order[begin:end])


def _held(tables: Tables, definition: Definition, events: Events, rows: pa.Table) -> Truth:
    """Which event fulfils which rule, and in the last column the additional criteria."""
    groups = [rule.group for rule in definition.rules]
    groups += [definition.additional] if definition.additional is not None else []
    tables.make(criterion for group in groups for criterion, _ in criteria_below(group))
    names = ["person_id", "start_date", "end_date", "visit_occurrence_id", "op_start_date", "op_end_date"]
    asked = rows.select(names).take(pa.array(events.row))
    with tables.lent(entries.EVENTS, asked.append_column("event_id", pa.array(np.arange(len(events))))):
        found = tables.bucket.query(entries.plan_conditions(definition, tables.reading))
    return limits.fulfilling(
        len(events), len(definition.rules) + 1, integers(found["condition"]), integers(found["event_id"])
    )


def _included(definition: Definition, events: Events, n_rules: Integers) -> Events:
    if definition.rules:
        events = events.at(n_rules == len(definition.rules))
    return limits.limited(events, definition.expression_limit, events.start)


def _left_of(number: int, events: Events, n_rules: Integers) -> pa.Table:
    numbers = pa.array(np.full(len(events), number, np.int32))
    return pa.table([numbers, events.person, n_rules.astype(np.int32)], schema=_LEFT)


def _ends(tables: Tables, included: Mapping[int, Events]) -> Iterator[tuple[int, Integers]]:
    """When the events of each cohort end."""
    definitions = tables.reading.outline.definitions
    eras = {number: each for number in included if isinstance(each := definitions[number].end, DrugEraEnd)}
    exposures = tables.bucket.query(entries.plan_exposures(eras, tables.reading)) if eras else None
    for number, events in included.items():
        definition = definitions[number]
        possible = [exits.own_ends(definition, events)]
        if number in eras and exposures is not None:
            of_cohort = exposures.filter(compute.equal(exposures["cohort"], number))
            columns = (integers(of_cohort[name]) for name in ("person_id", "start_date", "end_date"))
            possible.append(exits.era_ends(eras[number], events, *columns))
        for criterion in definition.censoring:
            tables.make(each for each, _ in criteria_in(criterion, None))
            censors = tables.bucket.query(entries.plan_censors(criterion, tables.reading))
            columns = (integers(censors[name]) for name in ("person_id", "start_date"))
            possible.append(exits.censor_ends(events, *columns))
        yield number, possible[0] if len(possible) == 1 else exits.earliest(events.start, possible)


def _stretches_of(number: int, definition: Definition, events: Events, end: Integers) -> pa.Table:
    persons, start, until = exits.stretches(definition, events, end)
    days = (pa.array(each.astype(np.int32)).view(pa.date32()) for each in (start, until))
    return pa.table([pa.array(np.full(len(persons), number, np.int32)), persons, *days], schema=_SCHEMA)
