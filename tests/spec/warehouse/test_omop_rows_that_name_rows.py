"""OMOP deliveries: rows that name other rows lead to their new numbers."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from factories.pseudonymised import Snapshot, ben, built, concept, dispensing, prestation, vocabulary

MARCH_1, MARCH_2, JUNE_1 = date(2019, 3, 1), date(2019, 3, 2), date(2019, 6, 1)


def delivered(**said: Any) -> dict[str, Any]:
    return {"person_id": 1, "source": "hosp-c"} | said


DRUGS = [
    delivered(
        drug_exposure_id=number,
        drug_concept_id=number * 10,
        drug_exposure_start_date=day,
        drug_exposure_end_date=day,
        drug_type_concept_id=32838,
    )
    for number, day in ((7, JUNE_1), (8, MARCH_1))
]
CONDITION = delivered(
    condition_occurrence_id=7, condition_concept_id=71, condition_start_date=MARCH_1, condition_type_concept_id=32817
)


def number_of(snapshot: Snapshot, table: str, concept_id: int) -> int:
    """The new number of the row of that concept."""
    word = table.split("_", maxsplit=1)[0]
    rows = snapshot.rows(table, f"{table}_id", f"{word}_concept_id")
    return next(int(number) for number, found in rows if found == concept_id)


def test_costs_lead_to_the_drug_they_are_of_and_to_their_payer() -> None:
    """A drug and a condition of one number are told apart by the domain; care in town is numbered beside them."""
    cost = {"currency_concept_id": 44818568, "cost_type_concept_id": 32814}
    tables = {
        "ben": [ben(1)],
        "prs": [prestation(1, MARCH_1, PRS_PAI_MNT=25.0)],
        "pha": [dispensing(1, MARCH_1, 3400930000011)],
        "omop_drug_exposure": DRUGS,
        "omop_condition_occurrence": [CONDITION],
        "omop_payer_plan_period": [
            delivered(
                payer_plan_period_id=3,
                payer_plan_period_start_date=MARCH_1,
                payer_plan_period_end_date=JUNE_1,
                payer_source_value="scheme",
            )
        ],
        "omop_cost": [
            delivered(
                cost_id=1, cost_event_id=7, cost_domain_id="Drug", total_paid=10.0, payer_plan_period_id=3, **cost
            ),
            delivered(cost_id=2, cost_event_id=7, cost_domain_id="Condition", total_paid=20.0, **cost),
            delivered(cost_id=3, cost_event_id=9, cost_domain_id="Drug", total_paid=30.0, **cost),
        ],
    }
    with built(tables) as snapshot:
        payer = [
            number for number, value in snapshot.rows("payer_plan_period", "payer_plan_period_id", "payer_source_value")
        ]
        found = {
            paid: rest for paid, *rest in snapshot.rows("cost", "total_paid", "cost_event_id", "payer_plan_period_id")
        }
        assert found[10.0] == [number_of(snapshot, "drug_exposure", 70), *payer]
        assert found[20.0] == [number_of(snapshot, "condition_occurrence", 71), None]
        assert set(found) == {10.0, 20.0, 25.0}
        assert snapshot.account("omop_cost") == {"delivered": 3, "mapped": 2, "rejected": 1, "reasons": {"no_row": 1}}


@pytest.mark.parametrize("told", [True, False])
def test_an_episode_has_its_parent_and_its_events(told: bool) -> None:
    """The field's concept says which table an event is in; without it in the vocabulary, a few are known."""
    drugs = 2_000_000_999 if told else 1147094
    words = vocabulary()
    words["concept"] = [*words["concept"], concept(2_000_000_999, "CDM", "x", "Metadata")]
    words["concept"][-1]["concept_name"] = "drug_exposure.drug_exposure_id"
    episode = {"episode_start_date": MARCH_1, "episode_type_concept_id": 32817, "episode_object_concept_id": 0}
    tables = {
        "ben": [ben(1)],
        "omop_drug_exposure": DRUGS,
        "omop_condition_occurrence": [CONDITION],
        "omop_episode": [
            delivered(episode_id=40, episode_concept_id=4, episode_parent_id=50, **episode),
            delivered(episode_id=50, episode_concept_id=5, **episode),
            delivered(episode_id=60, episode_concept_id=6, episode_parent_id=99, **episode),
        ],
        "omop_episode_event": [
            delivered(episode_id=40, event_id=7, episode_event_field_concept_id=drugs),
            delivered(episode_id=40, event_id=7, episode_event_field_concept_id=1147127),
            delivered(episode_id=50, event_id=8, episode_event_field_concept_id=drugs),
            delivered(episode_id=50, event_id=99, episode_event_field_concept_id=drugs),
            delivered(episode_id=50, event_id=7, episode_event_field_concept_id=5),
        ],
    }
    with built(tables | words, n_buckets=4) as snapshot:
        numbers = {c: n for n, c in snapshot.rows("episode", "episode_id", "episode_concept_id")}
        parents = dict(snapshot.rows("episode", "episode_concept_id", "episode_parent_id"))
        assert parents == {4: numbers[5], 5: None, 6: None}
        assert set(snapshot.rows("episode_event", "episode_id", "event_id", "episode_event_field_concept_id")) == {
            (numbers[4], number_of(snapshot, "drug_exposure", 70), drugs),
            (numbers[4], number_of(snapshot, "condition_occurrence", 71), 1147127),
            (numbers[5], number_of(snapshot, "drug_exposure", 80), drugs),
        }
        assert snapshot.account("omop_episode") == {"delivered": 3, "mapped": 3}
        assert snapshot.account("omop_episode_event") == {
            "delivered": 5,
            "mapped": 3,
            "rejected": 2,
            "reasons": {"no_row": 2},
        }


def test_related_rows_of_one_person_stay_related() -> None:
    link = {"domain_concept_id_1": 13, "domain_concept_id_2": 19, "relationship_concept_id": 44818790}
    visit = delivered(
        visit_occurrence_id=7,
        visit_concept_id=9201,
        visit_start_date=MARCH_1,
        visit_end_date=MARCH_2,
        visit_type_concept_id=32817,
    )
    tables = {
        "ben": [ben(1)],
        "omop_visit_occurrence": [visit],
        "omop_drug_exposure": DRUGS,
        "omop_condition_occurrence": [CONDITION],
        "omop_fact_link": [
            delivered(fact_id_1=8, fact_id_2=7, **link),
            delivered(fact_id_1=8, fact_id_2=7, **link | {"domain_concept_id_2": 8}),
            delivered(fact_id_1=8, fact_id_2=99, **link),
        ],
    }
    with built(tables) as snapshot:
        drug, condition = number_of(snapshot, "drug_exposure", 80), number_of(snapshot, "condition_occurrence", 71)
        columns = ("domain_concept_id_1", "fact_id_1", "domain_concept_id_2", "fact_id_2", "relationship_concept_id")
        assert set(snapshot.rows("fact_relationship", *columns)) == {
            (13, drug, 8, number_of(snapshot, "visit_occurrence", 9201), 44818790),
            (13, drug, 19, condition, 44818790),
        }
        assert snapshot.account("omop_fact_link") == {
            "delivered": 3,
            "mapped": 2,
            "rejected": 1,
            "reasons": {"no_row": 1},
        }
