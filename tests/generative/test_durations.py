"""Random packs, strengths and daily doses: each rule gives a box the days that a slow reading gives."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factories.pseudonymised import ben, built, concept, maps_to
from oracle import durations as oracle

FEW = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
ALWAYS = {"valid_start_date": date(1970, 1, 1), "valid_end_date": date(2099, 12, 31)}
UNIT_IDS = {"mg": 8576, "g": 8504, "ug": 9655, "[IU]": 8718, "mL": 8587}
ATCS = {"A10BA02": 501, "C10AA01": 502}
INGREDIENTS = (601, 602)

strengths = st.lists(
    st.fixed_dictionaries(
        {
            "ingredient": st.sampled_from((601, 601, 601, 602)),
            "amount": st.sampled_from((20.0, 20.0, 500.0, 0.5, None)),
            "unit": st.sampled_from(("mg", "mg", "g", "ug", "[IU]", "mL")),
        }
    ),
    max_size=2,
    unique_by=lambda row: row["ingredient"],
)
packs = st.lists(
    st.fixed_dictionaries(
        {
            "units": st.sampled_from((None, 8, 28, 30, 56, 84, 90)),
            "own": strengths,
            "standard": strengths,
            "atcs": st.sets(st.sampled_from(sorted(ATCS)), max_size=2).map(sorted),
        }
    ),
    min_size=1,
    max_size=12,
)
doses = st.lists(
    st.fixed_dictionaries(
        {
            "atc": st.sampled_from((*sorted(ATCS), "N02BE01")),
            "value": st.sampled_from((30.0, 2.0, 0.03, 40.0)),
            "unit": st.sampled_from(("mg", "g", "mcg", "U", "TU", "tablet")),
            "route": st.sampled_from(("O", "P", None)),
        }
    ),
    max_size=5,
)


def delivered(packs: list[dict[str, Any]], doses: list[dict[str, Any]]) -> dict[str, list[Any]]:
    concepts = [concept(number, "UCUM", unit, "Unit", "S") for unit, number in UNIT_IDS.items()]
    concepts += [concept(number, "ATC", code, "Drug", "C") for code, number in ATCS.items()]
    concepts += [concept(number, "RxNorm", str(number), "Drug", "S") for number in INGREDIENTS]
    tables: dict[str, list[Any]] = {"ben": [ben(1)], "concept": concepts}
    tables |= {name: [] for name in ("concept_relationship", "concept_ancestor", "drug_strength")}
    for number, pack in enumerate(packs):
        source, standard = 1000 + number, 2000 + number
        concepts += [
            concept(source, "CIP13", str(3400930000000 + number), "Drug"),
            concept(standard, "RxNorm", f"drug {number}", "Drug", "S"),
        ]
        tables["concept_relationship"].append(maps_to(source, standard))
        tables["concept_ancestor"] += [
            {
                "ancestor_concept_id": ATCS[atc],
                "descendant_concept_id": standard,
                "min_levels_of_separation": 1,
                "max_levels_of_separation": 1,
            }
            for atc in pack["atcs"]
        ]
        for of, rows in ((source, pack["own"]), (standard, pack["standard"])):
            tables["drug_strength"] += [
                {
                    "drug_concept_id": of,
                    "ingredient_concept_id": row["ingredient"],
                    "amount_value": row["amount"],
                    "amount_unit_concept_id": UNIT_IDS[row["unit"]],
                    **ALWAYS,
                }
                for row in rows
            ]
        if pack["units"]:
            sized = {"drug_concept_id": source, "ingredient_concept_id": 601, "box_size": pack["units"], **ALWAYS}
            own = [row for row in tables["drug_strength"] if row["drug_concept_id"] == source]
            for row in own:
                row["box_size"] = pack["units"]
            if not own:
                tables["drug_strength"].append(sized)
    tables["atc_ddd"] = [
        {"atc_code": row["atc"], "ddd_value": row["value"], "ddd_unit": row["unit"], "adm_route": row["route"]}
        for row in doses
    ]
    return tables


@FEW
@given(packs, doses)
def test_the_days_of_a_box_are_what_a_slow_reading_says(
    packs: list[dict[str, Any]], doses: list[dict[str, Any]]
) -> None:
    for pack in packs:
        if pack["units"] and not pack["own"]:  # the size stands on a row without an amount
            pack["own"] = [{"ingredient": 601, "amount": None, "unit": "mg"}]
    expected = {
        (1000 + number, rule): oracle.days_of_a_box(pack, doses, rule)
        for number, pack in enumerate(packs)
        for rule in ("one-box-30", "pack-size", "ddd")
    }
    with built(delivered(packs, doses)) as snapshot:
        columns = ("drug_source_concept_id", "rule", "rule_id", "days_per_box")
        found = {(pack, rule): (used, days) for pack, rule, used, days in snapshot.rows("drug_duration", *columns)}
    assert found.keys() == expected.keys()
    for key, (used, days) in expected.items():
        assert found[key] == (used, pytest.approx(days))
