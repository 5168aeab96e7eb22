"""Which deliveries cross together, and when a unit that crossed has to cross again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from enclos.contracts.delivered.document import Kind
from enclos.lexicon.canonical import canonical_bytes, sha256_hex
from enclos.pseudonyms.model import CrossedTable, LandedDelivery, Unit

CROSSING_VERSION = 6
"""Raised when the same landed rows would cross differently; every unit then crosses again."""

ROWS_PER_UNIT = 4_000_000
"""Landed rows that claims and stays deliveries may add up to in one unit; larger ones cross alone."""

_WHOLE_SOURCE = frozenset({Kind.SNDS_REF.value, Kind.FHIR_BULK.value, Kind.OMOP.value, Kind.HOSPITAL_CSV.value})
"""Kinds in which a later delivery supersedes rows of an earlier one: all deliveries of a source cross together."""


def units_of(deliveries: Sequence[LandedDelivery], crossed: Iterable[tuple[str, ...]]) -> tuple[Unit, ...]:
    """The units that cover all deliveries once; deliveries that crossed together before stay together.

    In: deliveries — in the order of their acceptance; crossed — delivery ids of each unit that crossed
    """
    by_id = {delivery.delivery_id: delivery for delivery in deliveries}
    units: list[Unit] = []
    settled: set[str] = set()
    for ids in crossed:
        known = [by_id[i] for i in ids if i in by_id]
        if len(known) == len(ids) and known and not settled.intersection(ids) and _may_stay(known):
            units.append(Unit(known[0].source, known[0].kind, tuple(known)))
            settled.update(ids)
    open_units: dict[tuple[str, str], list[LandedDelivery]] = {}
    for delivery in deliveries:
        if delivery.delivery_id in settled or delivery.kind == Kind.LINK.value:
            continue
        key = ("", delivery.kind) if delivery.kind == Kind.VOCABULARY.value else (delivery.source, delivery.kind)
        waiting = open_units.setdefault(key, [])
        if _may_stay([delivery]) and waiting and sum(d.n_rows for d in waiting) + delivery.n_rows > ROWS_PER_UNIT:
            units.append(Unit(*key, tuple(waiting)))
            waiting = open_units[key] = []
        waiting.append(delivery)
    units += [Unit(*key, tuple(waiting)) for key, waiting in open_units.items() if waiting]
    return tuple(sorted(units, key=lambda unit: unit.ordinals))


def _may_stay(deliveries: Sequence[LandedDelivery]) -> bool:
    kind = deliveries[0].kind
    return kind not in _WHOLE_SOURCE and kind != Kind.VOCABULARY.value


def vocabulary_bringer(units: Sequence[Unit]) -> Unit | None:
    """The OMOP unit whose vocabulary tables cross: the first one, where no vocabulary was delivered by itself."""
    if any(unit.kind == Kind.VOCABULARY.value for unit in units):
        return None
    return next((unit for unit in units if unit.kind == Kind.OMOP.value), None)


def unit_id(unit: Unit, n_buckets: int, *, brings_vocabulary: bool = False) -> str:
    """What makes a unit the same: its deliveries, the buckets and the version of the crossing."""
    return sha256_hex(
        canonical_bytes(
            {
                "source": unit.source,
                "kind": unit.kind,
                "deliveries": [delivery.delivery_id for delivery in unit.deliveries],
                "buckets": n_buckets,
                "vocabulary": brings_vocabulary,
                "version": CROSSING_VERSION,
            }
        )
    )


def unit_name(identifier: str, revision: int) -> str:
    """The folder of a unit made with a revision of the person map."""
    return f"{identifier[:16]}-{revision}"


def sum_tables(tables: Iterable[CrossedTable]) -> tuple[CrossedTable, ...]:
    """One account per source and table, over all units, in the order of their first unit."""
    sums: dict[tuple[str, str, str], CrossedTable] = {}
    for table in tables:
        key = (table.source, table.table, table.into)
        before = sums.get(key)
        if before is None:
            sums[key] = table
            continue
        reasons = dict(before.left_behind)
        for reason, n in table.left_behind.items():
            reasons[reason] = reasons.get(reason, 0) + n
        n_landed, n_crossed = before.n_landed + table.n_landed, before.n_crossed + table.n_crossed
        sums[key] = CrossedTable(*key, n_landed, n_crossed, reasons)
    return tuple(sums.values())
