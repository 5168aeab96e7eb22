"""From counts to verdicts."""

import pytest

from enclos.warehouse.quality.catalogue import catalogue
from enclos.warehouse.quality.model import Check, CheckKey, CheckName, Status, TableShape, Tally
from enclos.warehouse.quality.rules import ConceptCount, drifts, judge, tally_concepts, tally_units

CATALOGUE = catalogue("5.4")
DRUG_ERA = next(table for table in CATALOGUE.tables if table.name == "drug_era")
SHAPES = {
    "drug_era": TableShape("drug_era", {"drug_concept_id": "BIGINT", "person_id": "BIGINT", "gap_days": "BIGINT"})
}


def check(name: CheckName, field: str = "", table: str = "drug_era") -> Check:
    return next(one for one in CATALOGUE.checks if one.key == CheckKey(name, table, field))


def status(one: Check, *tallies: tuple[CheckName, Tally]) -> Status:
    counted = {CheckKey(name, one.key.table, one.key.field): tally for name, tally in tallies}
    return judge(one, counted, SHAPES).status


@pytest.mark.parametrize(
    ("n_violated", "n_rows", "expected"),
    [(0, 100, Status.PASSED), (1, 100, Status.PASSED), (2, 100, Status.FAILED), (0, 0, Status.NOT_APPLICABLE)],
)
def test_a_threshold_is_a_percentage_that_may_be_reached(n_violated: int, n_rows: int, expected: Status) -> None:
    assert status(check(CheckName.LOW, "gap_days"), (CheckName.LOW, Tally(n_violated, n_rows))) is expected


def test_without_threshold_one_row_fails() -> None:
    one = check(CheckName.REFERENCE, "person_id")
    assert status(one, (CheckName.REFERENCE, Tally(1, 10**6))) is Status.FAILED
    assert status(one, (CheckName.REFERENCE, Tally(0, 10**6))) is Status.PASSED


def test_an_absent_table_fails_its_existence_and_nothing_else() -> None:
    exists = judge(check(CheckName.TABLE_EXISTS), {CheckKey(CheckName.TABLE_EXISTS, "drug_era"): Tally(1, 1)}, {})
    assert exists.status is Status.FAILED
    field = check(CheckName.FIELD_EXISTS, "gap_days")
    assert judge(field, {field.key: Tally(1, 1)}, {}).status is Status.NOT_APPLICABLE


def test_a_field_without_values_is_judged_only_for_being_filled() -> None:
    filled = (CheckName.FILLED, Tally(5, 5))
    assert status(check(CheckName.LOW, "gap_days"), filled, (CheckName.LOW, Tally(0, 5))) is Status.NOT_APPLICABLE
    required = check(CheckName.REQUIRED, "person_id")
    assert status(required, filled, (CheckName.REQUIRED, Tally(5, 5))) is Status.FAILED


def test_what_was_not_counted_is_not_applicable() -> None:
    result = judge(check(CheckName.LOW, "gap_days"), {}, SHAPES)
    assert result.status is Status.NOT_APPLICABLE
    assert result.reason


def test_concepts_are_known_of_their_domain_class_and_standard() -> None:
    counts = [
        ConceptCount(0, True, "Drug", "Ingredient", True, 10),
        ConceptCount(0, True, "Condition", "Clinical Finding", False, 3),
        ConceptCount(0, False, None, None, False, 2),
    ]
    tallies = tally_concepts(DRUG_ERA, ("drug_concept_id",), counts, 20)
    found = {key.name: tally for key, tally in tallies.items()}
    assert found == {
        CheckName.REFERENCE: Tally(2, 20),
        CheckName.DOMAIN: Tally(3, 20),
        CheckName.CONCEPT_CLASS: Tally(3, 20),
        CheckName.STANDARD: Tally(3, 20),
    }


def test_units_outside_the_list_are_violations() -> None:
    asked = [spec for spec in CATALOGUE.concepts if spec.concept_ids == (3027018,)]
    counts = [(3027018, 8541, 7), (3027018, -1, 2), (3027018, 8840, 3), (1, 1, 100)]
    assert list(tally_units(asked, counts).values()) == [Tally(3, 12)]


def test_drift_tells_counts_and_shares_apart() -> None:
    before = {("visit_occurrence", None): 100, ("visit_occurrence", 9201): 0.10, ("death", None): 10}
    after = {("visit_occurrence", None): 130, ("visit_occurrence", 9201): 0.15, ("death", None): 11, ("note", None): 1}
    moved = {(drift.table, drift.concept_id): round(drift.change, 3) for drift in drifts(before, after)}
    assert moved == {("note", None): 1.0, ("visit_occurrence", None): 0.3, ("visit_occurrence", 9201): 0.05}
    assert drifts(before, before) == ()
