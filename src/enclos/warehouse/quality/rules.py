"""What counts mean: from counts to tallies, and from tallies to passed, failed or not applicable."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from enclos.warehouse.quality.model import (
    Catalogue,
    Check,
    CheckKey,
    CheckName,
    CheckResult,
    ConceptSpec,
    Drift,
    FieldSpec,
    Status,
    TableShape,
    TableSpec,
    Tally,
)

_JUDGED_WHEN_EMPTY = frozenset({CheckName.FILLED, CheckName.REQUIRED, CheckName.FIELD_EXISTS})
"""Asked even of a field without any value; the peer calls a required field that is wholly empty not applicable."""

Tallies = Mapping[CheckKey, Tally]


class ConceptCount(NamedTuple):
    """Rows of one concept field that share what the vocabulary says of their concepts."""

    field_number: int
    known: bool
    domain_id: str | None
    concept_class_id: str | None
    is_standard: bool
    n_rows: int


def tally_concepts(
    table: TableSpec, fields: Sequence[str], counts: Iterable[ConceptCount], n_rows: int
) -> dict[CheckKey, Tally]:
    """References, domains, classes and standardness of every concept field of a table.

    In: counts — concepts other than 0, and 0 where the vocabulary lacks it; fields — their names by number.
    Units: the denominator is every row of the table, as the peer counts it.
    """
    specs = [spec for name in fields if (spec := table.field(name)) is not None]
    violated: dict[CheckKey, int] = defaultdict(int)
    for count in counts:
        spec = specs[count.field_number]
        for name in _violations(spec, count):
            violated[CheckKey(name, table.name, spec.name)] += count.n_rows
    asked = [
        CheckKey(name, table.name, spec.name)
        for spec in specs
        for name, applies in (
            (CheckName.REFERENCE, bool(spec.foreign_table)),
            (CheckName.DOMAIN, bool(spec.domain)),
            (CheckName.CONCEPT_CLASS, bool(spec.concept_class)),
            (CheckName.STANDARD, spec.standard),
        )
        if applies
    ]
    return {key: Tally(violated[key], n_rows) for key in asked}


def _violations(spec: FieldSpec, count: ConceptCount) -> Iterable[CheckName]:
    if not count.known:
        yield CheckName.REFERENCE
        return
    if spec.domain and count.domain_id is not None and count.domain_id != spec.domain:
        yield CheckName.DOMAIN
    if spec.concept_class and count.concept_class_id is not None and count.concept_class_id != spec.concept_class:
        yield CheckName.CONCEPT_CLASS
    if spec.standard and not count.is_standard:
        yield CheckName.STANDARD


def tally_units(asked: Iterable[ConceptSpec], counts: Iterable[tuple[int, int, int]]) -> dict[CheckKey, Tally]:
    """Rows of a concept in units that it cannot have.

    In: counts — concept_id, unit_concept_id, n_rows.
    """
    by_concept: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for concept, unit, n_rows in counts:
        by_concept[concept].append((unit, n_rows))
    tallies = {}
    for spec in asked:
        rows = [row for concept in spec.concept_ids for row in by_concept[concept]]
        wrong = sum(n_rows for unit, n_rows in rows if unit not in spec.unit_concept_ids)
        tallies[spec.key] = Tally(wrong, sum(n_rows for _, n_rows in rows))
    return tallies


def tally_presence(catalogue: Catalogue, shapes: Mapping[str, TableShape]) -> dict[CheckKey, Tally]:
    """Whether each table and each field exists: one violation of one where it does not."""
    tallies = {}
    for table in catalogue.tables:
        shape = shapes.get(table.name)
        tallies[CheckKey(CheckName.TABLE_EXISTS, table.name)] = Tally(int(shape is None), 1)
        for field in table.fields:
            absent = shape is None or not shape.has(field.name)
            tallies[CheckKey(CheckName.FIELD_EXISTS, table.name, field.name)] = Tally(int(absent), 1)
    return tallies


def judge(check: Check, tallies: Tallies, shapes: Mapping[str, TableShape]) -> CheckResult:
    """Passed, failed or not applicable, with the reason when it is neither.

    Empty: a check that nothing was counted for, or whose denominator is 0, is not applicable; never passed.
    Source: OHDSI DataQualityDashboard, threshold and not-applicable rules; one deviation is noted above.
    """
    key = check.key
    tally = tallies.get(key, Tally(0, 0))
    reason = _not_applicable(key, tallies, shapes)
    if reason:
        return CheckResult(check, tally, Status.NOT_APPLICABLE, reason)
    limit = check.threshold_percent or 0
    failed = tally.n_violated > 0 if limit == 0 else tally.share_violated * 100 > limit
    return CheckResult(check, tally, Status.FAILED if failed else Status.PASSED)


def _not_applicable(key: CheckKey, tallies: Tallies, shapes: Mapping[str, TableShape]) -> str:
    """Why a check cannot be judged; "" when it can."""
    shape = shapes.get(key.table)
    if key.name is CheckName.TABLE_EXISTS:
        return ""
    if shape is None:
        return f"Table {key.table} does not exist."
    if key.name is CheckName.FIELD_EXISTS:
        return ""
    if key.field and not shape.has(key.field):
        return f"Field {key.table}.{key.field} does not exist."
    return _nothing_counted(key, tallies)


def _nothing_counted(key: CheckKey, tallies: Tallies) -> str:
    tally = tallies.get(key)
    if tally is None:
        return "What it compares with does not exist."
    filled = tallies.get(CheckKey(CheckName.FILLED, key.table, key.field))
    is_empty = filled is not None and 0 < filled.n_denominator == filled.n_violated
    if is_empty and key.name not in _JUDGED_WHEN_EMPTY:
        return f"Field {key.table}.{key.field} is not populated."
    return "" if tally.n_denominator else f"No row of {key.table} is concerned."


def drifts(
    before: Mapping[tuple[str, int | None], float],
    after: Mapping[tuple[str, int | None], float],
    *,
    least_count_change: float = 0.2,
    least_share_change: float = 0.02,
) -> tuple[Drift, ...]:
    """What moved between two snapshots, the largest change first.

    In: rows of each table under (table, None), a concept's share of its table's rows under (table, concept).
    Units: a count moves by a relative change of at least ``least_count_change``; a share by an absolute change.
    Empty: two equal snapshots have no drift; a table or concept that one snapshot lacks counts as 0.
    """
    moved = []
    for table, concept in sorted(before.keys() | after.keys(), key=lambda key: (key[0], key[1] or -1)):
        drift = Drift(table, concept, before.get((table, concept), 0), after.get((table, concept), 0))
        least = least_count_change if concept is None else least_share_change
        if abs(drift.change) >= least:
            moved.append(drift)
    return tuple(sorted(moved, key=lambda drift: -abs(drift.change)))
