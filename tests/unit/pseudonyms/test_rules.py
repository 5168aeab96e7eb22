"""Which deliveries cross together, and when again."""

from __future__ import annotations

from enclos.pseudonyms import rules
from enclos.pseudonyms.model import CrossedTable, LandedDelivery, UnitNote, unit_note_from_json


def delivery(ordinal: int, kind: str = "snds-dcir", source: str = "snds", n_rows: int = 10) -> LandedDelivery:
    return LandedDelivery(ordinal, f"id-{ordinal}", source, kind, n_rows)


def ordinals(units):
    return [unit.ordinals for unit in units]


def note(*, revision=1, left=None, deliveries=("id-1",)) -> UnitNote:
    reasons = left or {}
    table = CrossedTable("snds", "ER_PRS_F", "prs", 10, 10 - sum(reasons.values()), reasons)
    return UnitNote("unit-1", "x", deliveries, revision, (table,))


def test_claims_are_batched_by_rows_and_a_large_one_crosses_alone():
    half = rules.ROWS_PER_UNIT // 2
    deliveries = [
        delivery(1, n_rows=half),
        delivery(2, n_rows=half),
        delivery(3),
        delivery(4, n_rows=9 * half),
        delivery(5),
    ]
    assert ordinals(rules.units_of(deliveries, [])) == [(1, 2), (3,), (4,), (5,)]


def test_what_crossed_together_stays_together_and_new_claims_follow():
    deliveries = [delivery(1), delivery(2), delivery(3)]
    assert ordinals(rules.units_of(deliveries, [("id-1", "id-2")])) == [(1, 2), (3,)]
    assert ordinals(rules.units_of(deliveries, [("id-1", "gone")])) == [(1, 2, 3)]


def test_references_and_hospitals_cross_as_a_whole_source():
    deliveries = [
        delivery(1, "snds-ref"),
        delivery(2, "fhir-bulk", "hosp-a"),
        delivery(3, "fhir-bulk", "hosp-b"),
        delivery(4, "snds-ref"),
        delivery(5, "fhir-bulk", "hosp-a", n_rows=10**9),
    ]
    assert ordinals(rules.units_of(deliveries, [("id-1",), ("id-2",)])) == [(1, 4), (2, 5), (3,)]


def test_vocabularies_are_one_whoever_sends_them_and_links_never_cross():
    deliveries = [
        delivery(1, "vocabulary", "athena"),
        delivery(2, "link", "hosp-a"),
        delivery(3, "vocabulary", "local"),
    ]
    assert ordinals(rules.units_of(deliveries, [])) == [(1, 3)]


def test_an_omop_source_brings_its_vocabulary_only_when_there_is_no_other():
    hospital, other = delivery(1, "omop", "hosp-c"), delivery(2, "omop", "hosp-e")
    units = rules.units_of([hospital, other], [])
    assert rules.vocabulary_bringer(units) == units[0]
    assert rules.vocabulary_bringer(rules.units_of([hospital, delivery(3, "vocabulary", "athena")], [])) is None


def test_a_unit_is_another_one_with_other_deliveries_buckets_or_vocabulary():
    one, two = rules.units_of([delivery(1)], [])[0], rules.units_of([delivery(1), delivery(2)], [])[0]
    ids = {
        rules.unit_id(one, 16),
        rules.unit_id(one, 8),
        rules.unit_id(two, 16),
        rules.unit_id(one, 16, brings_vocabulary=True),
    }
    assert len(ids) == 4


def test_accounts_of_units_add_up_and_a_note_is_read_as_it_was_written():
    tables = [*note(left={"no_person": 2}).tables, *note(left={"no_person": 1, "no_code": 1}).tables]
    total = rules.sum_tables(tables)[0]
    assert (total.n_landed, total.n_crossed, dict(total.left_behind)) == (20, 16, {"no_person": 3, "no_code": 1})
    assert total.is_balanced
    written = note(left={"no_person": 2})
    assert unit_note_from_json("unit-1", written.as_json()) == written
