"""Random records: eras are what counting days says, in any order and any buckets."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factories.pseudonymised import (
    INGREDIENT,
    PACK_CODE,
    STANDARD_CONDITION,
    STANDARD_CONDITION_2,
    ben,
    built,
    dispensing,
    hospital,
    vocabulary,
)
from oracle import eras as oracle

FEW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
DAYS = st.integers(0, 250).map(lambda n: date(2019, 1, 1) + timedelta(days=n))
PERSONS = st.sampled_from((1, 2, 18))
CONDITIONS = {"K922": STANDARD_CONDITION, "I10": STANDARD_CONDITION_2}

dispensings = st.lists(st.builds(dispensing, PERSONS, DAYS, st.just(PACK_CODE), st.integers(1, 2)), max_size=25)
diagnoses = st.lists(
    st.tuples(PERSONS, DAYS, st.integers(0, 40) | st.none(), st.sampled_from(("K922", "I10", "Z999"))), max_size=25
)


def words() -> dict[str, Any]:
    """The vocabulary of the tests, with simvastatin as an ingredient."""
    known: dict[str, Any] = vocabulary()
    known["concept"] = [
        {**row, "concept_class_id": "Ingredient"} if row["concept_id"] == INGREDIENT else row
        for row in known["concept"]
    ]
    return known


@FEW
@given(dispensings, diagnoses, st.sampled_from((1, 4)), st.randoms(use_true_random=False))
def test_eras_are_what_counting_days_says(
    drugs: list[dict[str, Any]], conditions: list[tuple[int, date, int | None, str]], n_buckets: int, order: Any
) -> None:
    drug_days: dict[tuple[int, date], int] = {}
    for row in drugs:  # boxes of one day are one dispensing
        key = (row["person_id"], row["EXE_SOI_DTD"])
        drug_days[key] = drug_days.get(key, 0) + row["PHA_ACT_QSN"] * 28
    exposures = [(p, INGREDIENT, day, day + timedelta(days=n - 1)) for (p, day), n in drug_days.items()]
    records = [
        (person, CONDITIONS[code], day, day + timedelta(days=1 if lasts is None else lasts))
        for person, day, lasts, code in conditions
        if code in CONDITIONS
    ]
    h_condition = [
        hospital(
            person,
            vocabulary="CIM10",
            code=code,
            start_on=day,
            end_on=None if lasts is None else day + timedelta(days=lasts),
        )
        for person, day, lasts, code in conditions
    ]
    order.shuffle(drugs)
    order.shuffle(h_condition)
    tables = {"ben": [ben(person) for person in (1, 2, 18)], "pha": drugs, "h_condition": h_condition}
    with built(tables | words(), n_buckets=n_buckets) as snapshot:
        drug = ("person_id", "drug_concept_id", "drug_era_start_date", "drug_era_end_date", "drug_exposure_count")
        assert snapshot.rows("drug_era", *drug, "gap_days") == oracle.eras(exposures)
        condition = ("person_id", "condition_concept_id", "condition_era_start_date", "condition_era_end_date")
        assert snapshot.rows("condition_era", *condition, "condition_occurrence_count") == [
            era[:5] for era in oracle.eras(records)
        ]
        for table in ("drug_era", "condition_era"):
            ids = snapshot.rows(table, f"{table}_id", "person_id")
            assert len({each for each, _ in ids}) == len(ids)
            assert all(each >> 20 == person for each, person in ids)
