"""When records of one drug or condition make one era, and whose eras are made here."""

from datetime import date, timedelta
from typing import Any

import duckdb
import pytest

from enclos.warehouse.plans import eras
from factories.pseudonymised import INGREDIENT, PACK_CODE, ben, built, dispensing, vocabulary

JANUARY_1 = date(2019, 1, 1)
ERA = ("drug_concept_id", "drug_era_start_date", "drug_era_end_date", "drug_exposure_count", "gap_days")


def words() -> dict[str, Any]:
    known: dict[str, Any] = vocabulary()
    for row in known["concept"]:
        if row["concept_id"] == INGREDIENT:
            row["concept_class_id"] = "Ingredient"
    return known


def statin(day: date) -> dict[str, Any]:
    """A box of 28 days."""
    return dispensing(1, day, PACK_CODE)


@pytest.mark.parametrize(
    ("n_days_between", "eras"),
    [
        (0, [(date(2019, 1, 1), date(2019, 2, 25), 2, 0)]),
        (29, [(date(2019, 1, 1), date(2019, 3, 26), 2, 29)]),
        (30, [(date(2019, 1, 1), date(2019, 1, 28), 1, 0), (date(2019, 2, 28), date(2019, 3, 27), 1, 0)]),
    ],
)
def test_a_box_starting_within_thirty_days_of_the_last_day_goes_on_with_the_era(
    n_days_between: int, eras: list[tuple[Any, ...]]
) -> None:
    """The last day of the first box is 28 January."""
    second = date(2019, 1, 29) + timedelta(days=n_days_between)
    with built({"ben": [ben(1)], "pha": [statin(JANUARY_1), statin(second)]} | words()) as snapshot:
        assert snapshot.rows("drug_era", *ERA) == [(INGREDIENT, *era) for era in eras]
        assert ("enclos eras", "gap-30-1") in snapshot.rows("metadata", "name", "value_as_string")


def test_overlapping_boxes_count_each_and_leave_no_gap() -> None:
    boxes = [statin(JANUARY_1), statin(date(2019, 1, 10))]
    with built({"ben": [ben(1)], "pha": boxes} | words()) as snapshot:
        assert snapshot.rows("drug_era", *ERA) == [(INGREDIENT, JANUARY_1, date(2019, 2, 6), 2, 0)]


def test_a_drug_without_a_known_ingredient_makes_no_era() -> None:
    with built({"ben": [ben(1)], "pha": [dispensing(1, JANUARY_1, 3400999999999)]} | words()) as snapshot:
        assert snapshot.rows("drug_era") == []


def delivered_era(person: int) -> dict[str, Any]:
    return {
        "person_id": person,
        "source": "hosp-c",
        "drug_era_id": 7,
        "drug_concept_id": INGREDIENT,
        "drug_era_start_date": date(2018, 5, 1),
        "drug_era_end_date": date(2018, 5, 2),
        "drug_exposure_count": 9,
        "gap_days": 1,
    }


def exposure(person: int) -> dict[str, Any]:
    return {
        "person_id": person,
        "source": "hosp-c",
        "drug_exposure_id": person,
        "drug_concept_id": INGREDIENT,
        "drug_exposure_start_date": JANUARY_1,
        "drug_exposure_end_date": JANUARY_1,
        "drug_type_concept_id": 32838,
    }


def omop_person(person: int) -> dict[str, Any]:
    return {"person_id": person, "source": "hosp-c", "gender_concept_id": 8507, "year_of_birth": 1950}


def test_delivered_eras_are_kept_for_whom_one_omop_delivery_alone_knows() -> None:
    """1 is known to the SNDS too, so the records of both sources make the era; 3 came without any era."""
    tables = {
        "ben": [ben(1)],
        "omop_person": [omop_person(person) for person in (1, 2, 3)],
        "omop_drug_exposure": [exposure(person) for person in (1, 2, 3)],
        "omop_drug_era": [delivered_era(1), delivered_era(2)],
    }
    with built(tables | words()) as snapshot:
        found = snapshot.rows("drug_era", "person_id", "drug_era_start_date", "drug_exposure_count")
        assert found == [(1, JANUARY_1, 1), (2, date(2018, 5, 1), 9), (3, JANUARY_1, 1)]
        assert snapshot.account("omop_drug_era") == {
            "delivered": 2,
            "mapped": 1,
            "filtered": 1,
            "reasons": {"eras_rebuilt": 1},
        }


def eras_of(spans: list[str]) -> list[tuple[str, str, int, int]]:
    """First and last day, records and gap of the eras of one person's records of a condition."""
    connection = duckdb.connect()
    connection.execute(
        "CREATE TABLE given (person_id BIGINT, condition_concept_id BIGINT, condition_start_date DATE, "
        "condition_end_date DATE, condition_occurrence_id BIGINT)"
    )
    for number, (first, _, last) in enumerate(each.partition("..") for each in spans):
        connection.execute("INSERT INTO given VALUES (1, 201826, ?, ?, ?)", [first, last or None, number])
    made = connection.execute(eras.eras_sql(eras.records_sql("condition_era", "given"))).fetchall()
    return sorted((str(first), str(last), n, gap) for _, _, first, last, n, gap in made)


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        (
            ["2021-01-01..2021-01-10", "2021-01-15..2021-01-25", "2021-06-01..2021-06-10"],
            [("2021-01-01", "2021-01-25", 2), ("2021-06-01", "2021-06-10", 1)],
        ),
        (["2021-03-01..2021-03-15"], [("2021-03-01", "2021-03-15", 1)]),
        (["2021-05-01"], [("2021-05-01", "2021-05-02", 1)]),
        ([], []),
        (
            ["2021-01-05..2021-01-20", "2021-02-01..2021-02-15", "2021-08-01..2021-08-15"],
            [("2021-01-05", "2021-02-15", 2), ("2021-08-01", "2021-08-15", 1)],
        ),
        (["2021-01-01..2021-01-10", "2021-01-20..2021-01-30"], [("2021-01-01", "2021-01-30", 2)]),
    ],
)
def test_eras_of_the_examples_of_cdmconnector(spans: list[str], expected: list[tuple[str, str, int]]) -> None:
    """Source: darwin-eu/CDMConnector, ``tests/testthat/test-buildEraTables.R``; the last two are of drugs there."""
    assert [(first, last, n) for first, last, n, _ in eras_of(spans)] == expected


def test_a_gap_is_of_days_that_no_record_covers_where_cdmconnector_counts_nights() -> None:
    """There the gap from the 10th to the 20th is 10: an era's days and a record's are counted without the last."""
    ((_, _, _, gap),) = eras_of(["2021-01-01..2021-01-10", "2021-01-20..2021-01-30"])
    assert gap == 9
