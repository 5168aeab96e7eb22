"""How long dispensings last: three rules, which of them gave the days, and how studies choose another."""

from datetime import date
from typing import Any

from factories.pseudonymised import INGREDIENT, PACK, PACK_CODE, Row, ben, built, concept, dispensing, vocabulary

MARCH_1 = date(2019, 3, 1)
OF_A_BOX = ("rule", "rule_id", "units", "days_per_box")


def simvastatin(*, dose: float | None, box: int = 28, strength: float = 20.0, **ddd: Any) -> dict[str, Any]:
    """A pack of simvastatin, its ATC code, and a delivered daily dose where one is given."""
    words: dict[str, list[Row]] = vocabulary()
    words["concept"] += [
        concept(8576, "UCUM", "mg", "Unit", "S"),
        concept(501, "ATC", "C10AA01", "Drug", "C"),
    ]
    words["concept_ancestor"] = [
        {
            "ancestor_concept_id": 501,
            "descendant_concept_id": INGREDIENT,
            "min_levels_of_separation": 1,
            "max_levels_of_separation": 1,
        }
    ]
    words["drug_strength"] = [
        {**row, "amount_value": strength, "amount_unit_concept_id": 8576, "box_size": box}
        for row in words["drug_strength"]
    ]
    if dose is not None:
        words["atc_ddd"] = [{"atc_code": "C10AA01", "ddd_value": dose, "ddd_unit": "mg", **ddd}]
    return {"ben": [ben(1)], "pha": [dispensing(1, MARCH_1, PACK_CODE, 2)], **words}


def test_the_snapshot_keeps_the_days_of_a_box_under_every_rule() -> None:
    """28 units of 20 mg are 14 defined daily doses of 40 mg."""
    with built(simvastatin(dose=40.0)) as snapshot:
        one_box, pack_size = ("one-box-30", "one-box-30-1", 28, 30.0), ("pack-size", "pack-size-1", 28, 28.0)
        ddd = ("ddd", "ddd-1", 28, 14.0)
        assert snapshot.rows("drug_duration", *OF_A_BOX) == sorted([one_box, pack_size, ddd])
        assert snapshot.rows("drug_duration", "drug_source_concept_id") == [(PACK,)] * 3


def test_the_chosen_rule_gives_end_and_days_of_supply() -> None:
    """Two boxes of 14 days under the daily dose, though each has 28 units."""
    with built(simvastatin(dose=40.0), duration="ddd") as snapshot:
        assert snapshot.rows("drug_exposure", "drug_exposure_end_date", "days_supply", "quantity") == [
            (date(2019, 3, 28), 28, 56.0)
        ]
        assert ("enclos drug duration", "ddd-1") in snapshot.rows("metadata", "name", "value_as_string")


def test_without_a_daily_dose_the_size_of_the_pack_decides_and_says_so() -> None:
    with built(simvastatin(dose=None), duration="ddd") as snapshot:
        assert snapshot.rows("drug_exposure", "days_supply") == [(56,)]
        assert ("ddd", "pack-size-1", 28, 28.0) in snapshot.rows("drug_duration", *OF_A_BOX)


def test_without_a_size_that_tells_days_a_box_lasts_thirty() -> None:
    with built(simvastatin(dose=None, box=8), duration="ddd") as snapshot:
        assert snapshot.rows("drug_exposure", "days_supply") == [(60,)]
        used = snapshot.rows("drug_duration", "rule", "rule_id")
        assert used == [(rule, "one-box-30-1") for rule in ("ddd", "one-box-30", "pack-size")]


def test_of_several_routes_the_oral_dose_holds() -> None:
    tables = simvastatin(dose=40.0, adm_route="O")
    tables["atc_ddd"].append({"atc_code": "C10AA01", "ddd_value": 3.0, "ddd_unit": "mg", "adm_route": "P"})
    with built(tables) as snapshot:
        assert ("ddd", "ddd-1", 28, 14.0) in snapshot.rows("drug_duration", *OF_A_BOX)


def test_delivered_daily_doses_are_in_the_account_and_in_no_table() -> None:
    with built(simvastatin(dose=40.0)) as snapshot:
        assert snapshot.account("atc_ddd") == {"delivered": 1, "filtered": 1, "reasons": {"feeds_a_rule": 1}}


def test_days_are_whole_and_at_least_one() -> None:
    """Two boxes of 18.7 days are 37; two of a tenth of a day are one day."""
    with built(simvastatin(dose=30.0), duration="ddd") as snapshot:
        assert snapshot.rows("drug_exposure", "days_supply") == [(37,)]
    with built(simvastatin(dose=5600.0), duration="ddd") as snapshot:
        assert snapshot.rows("drug_exposure", "days_supply") == [(1,)]
