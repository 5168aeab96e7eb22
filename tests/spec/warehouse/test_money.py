"""What care costs, who insures whom, and who is whose mother."""

from __future__ import annotations

from datetime import date

import pytest

from factories.pseudonymised import PACK_CODE, ben, built, care, dispensing, prestation

MARCH_1, MARCH_2, JUNE_1 = date(2019, 3, 1), date(2019, 3, 2), date(2019, 6, 1)
AMOUNTS = ("total_charge", "total_paid", "paid_by_payer", "paid_by_primary")
LINE = {"PRS_PAI_MNT": 25.0, "BSE_REM_MNT": 16.5, "CPL_REM_MNT": 1.0}


def test_a_visit_costs_what_its_prestations_cost() -> None:
    """The base and the complement are the insurer's; who paid the rest, nobody says."""
    lines = [prestation(1, MARCH_1, **LINE), prestation(1, MARCH_1, 1112, PRS_PAI_MNT=0.1, BSE_REM_MNT=0.2)]
    with built({"ben": [ben(1)], "prs": lines}) as snapshot:
        columns = (*AMOUNTS, "paid_by_patient", "cost_domain_id", "cost_type_concept_id", "currency_concept_id")
        assert snapshot.rows("cost", *columns) == [(25.1, 25.1, 17.7, 16.7, None, "Visit", 32859, 44818568)]
        visit = snapshot.rows("visit_occurrence", "visit_occurrence_id")
        assert snapshot.rows("cost", "cost_event_id") == snapshot.rows("cost", "cost_id") == visit


def test_a_prestation_with_three_packs_is_paid_once() -> None:
    tables = {
        "ben": [ben(1)],
        "prs": [prestation(1, MARCH_1, 3313, **LINE)],
        "pha": [dispensing(1, MARCH_1, PACK_CODE + n, PRS_NAT_REF=3313) for n in range(3)],
    }
    with built(tables) as snapshot:
        assert snapshot.rows("cost", "total_charge", "cost_type_concept_id") == [(25.0, 32869)]
        assert snapshot.report.tables["drug_exposure"] == 3


def test_a_correction_is_summed_with_its_negative_amount() -> None:
    lines = [prestation(1, MARCH_1, quantity=q, PRS_PAI_MNT=paid) for q, paid in ((1, 25.0), (-1, -25.0), (1, 30.0))]
    with built({"ben": [ben(1)], "prs": lines}) as snapshot:
        assert snapshot.rows("cost", "total_charge") == [(30.0,)]


def test_a_cancelled_visit_costs_nothing() -> None:
    lines = [prestation(1, MARCH_1, quantity=q, PRS_PAI_MNT=25.0 * q) for q in (1, -1)]
    with built({"ben": [ben(1)], "prs": lines}) as snapshot:
        assert snapshot.rows("cost") == []


def test_a_charge_that_is_no_act_is_paid_for_with_its_visit() -> None:
    """A night's extra charge (majoration) makes no visit, but it is money; a line for information is none."""
    lines = [
        prestation(1, MARCH_1, **LINE),
        prestation(1, MARCH_1, CPL_MAJ_TOP=2, PRS_PAI_MNT=35.0, BSE_REM_MNT=20.0),
        prestation(1, MARCH_1, DPN_QLF=71, PRS_PAI_MNT=99.0),
        prestation(1, MARCH_1, ETE_IND_TAA=1, PRS_PAI_MNT=99.0),
        prestation(1, MARCH_2, CPL_AFF_COD=16, PRS_PAI_MNT=5.0),  # nothing else that day: no visit to pay for
    ]
    with built({"ben": [ben(1)], "prs": lines}) as snapshot:
        assert snapshot.rows("cost", *AMOUNTS) == [(60.0, 60.0, 37.5, 36.5)]
        assert snapshot.account("prs")["mapped"] == 1


def test_a_visit_without_amounts_has_no_cost() -> None:
    with built({"ben": [ben(1)], "prs": [prestation(1, MARCH_1)]}) as snapshot:
        assert snapshot.rows("cost") == []


def test_delivered_costs_are_copied_with_their_visit_beside_those_of_care_in_town() -> None:
    """Two costs of one delivered visit stay two; all have numbers of their own."""
    visit = {"person_id": 1, "source": "hosp-c", "visit_start_date": MARCH_1, "visit_end_date": MARCH_2}
    cost = {"person_id": 1, "source": "hosp-c", "cost_domain_id": "Visit", "currency_concept_id": 44818568}
    tables = {
        "ben": [ben(1)],
        "prs": [prestation(1, MARCH_1, **LINE)],
        "omop_visit_occurrence": [visit | {"visit_occurrence_id": n, "visit_concept_id": 9201} for n in (70, 80)],
        "omop_cost": [
            cost | {"cost_id": n, "cost_event_id": of, "total_paid": paid}
            for n, of, paid in ((1, 80, 10.0), (2, 80, 20.0), (3, 70, 30.0))
        ],
    }
    with built(tables) as snapshot:
        first, second = sorted(
            id_
            for id_, concept in snapshot.rows("visit_occurrence", "visit_occurrence_id", "visit_concept_id")
            if concept == 9201
        )
        paid = snapshot.rows("cost", "cost_event_id", "total_paid")
        by_visit = {of: sorted(p for id_, p in paid if id_ == of) for of in (first, second)}
        assert sorted(by_visit.values()) == [[10.0, 20.0], [30.0]]
        numbers = [id_ for (id_,) in snapshot.rows("cost", "cost_id")]
        assert len(numbers) == len(set(numbers)) == 4 and {n >> 20 for n in numbers} == {1}
        assert snapshot.account("omop_cost") == {"delivered": 3, "mapped": 3}


PERIOD = ("payer_plan_period_start_date", "payer_plan_period_end_date", "payer_source_value", "plan_source_value")
JANUARY_1, DECEMBER_31 = date(2019, 1, 1), date(2019, 12, 31)


def test_a_scheme_lasts_the_whole_observation_where_it_does_not_change() -> None:
    lines = [prestation(1, day, RGM_GRG_COD=1, RGM_COD=101) for day in (MARCH_1, JUNE_1)]
    with built({"ben": [ben(1)], "prs": lines}) as snapshot:
        assert snapshot.rows("payer_plan_period", *PERIOD) == [(JANUARY_1, DECEMBER_31, "1", None)]


def test_another_scheme_begins_with_the_first_care_that_it_pays() -> None:
    lines = [prestation(1, day, RGM_GRG_COD=scheme) for day, scheme in ((MARCH_1, 3), (MARCH_2, 3), (JUNE_1, 1))]
    with built({"ben": [ben(1)], "prs": lines}) as snapshot:
        assert snapshot.rows("payer_plan_period", *PERIOD) == [
            (JANUARY_1, date(2019, 5, 31), "3", None),
            (JUNE_1, DECEMBER_31, "1", None),
        ]


@pytest.mark.parametrize("regime", [95, 96])
def test_state_aid_for_foreigners_is_a_scheme_of_its_own(regime: int) -> None:
    with built({"ben": [ben(1)], "prs": [prestation(1, MARCH_1, RGM_GRG_COD=1, RGM_COD=regime)]}) as snapshot:
        assert snapshot.rows("payer_plan_period", "payer_source_value") == [("AME",)]


def test_complementary_cover_89_is_c2s_and_keeps_its_dates() -> None:
    cover = [
        {"person_id": 1, "BEN_CTA_TYP": 89, "MLL_CTA_DSD": MARCH_1, "MLL_CTA_DSF": JUNE_1},
        {"person_id": 1, "BEN_CTA_TYP": 89, "MLL_CTA_DSD": JUNE_1, "MLL_CTA_DSF": date(2099, 12, 31)},
        {"person_id": 1, "BEN_CTA_TYP": 87, "MLL_CTA_DSD": MARCH_1, "MLL_CTA_DSF": date(1600, 1, 1)},
        {"person_id": 1, "BEN_CTA_TYP": 89, "MLL_CTA_DSD": date(1600, 1, 1)},
        {"person_id": 9, "BEN_CTA_TYP": 89, "MLL_CTA_DSD": MARCH_1},
    ]
    with built({"ben": [ben(1)], "orc": cover}) as snapshot:
        assert snapshot.rows("payer_plan_period", *PERIOD) == [
            (MARCH_1, JUNE_1, None, "C2S"),
            (MARCH_1, DECEMBER_31, None, "87"),
            (JUNE_1, DECEMBER_31, None, "C2S"),
        ]
        assert snapshot.account("orc") == {
            "delivered": 5,
            "mapped": 3,
            "rejected": 2,
            "reasons": {"no_date": 1, "no_person": 1},
        }


def test_a_mother_and_her_child_are_told_from_each_side_once() -> None:
    stays = [{"person_id": 2, "mother_id": 1}, {"person_id": 2, "mother_id": 1}]
    with built({"ben": [ben(1), ben(2)], "kin": stays}, n_buckets=4) as snapshot:
        columns = ("domain_concept_id_1", "fact_id_1", "domain_concept_id_2", "fact_id_2", "relationship_concept_id")
        assert snapshot.rows("fact_relationship", *columns) == [(56, 1, 56, 2, 40485452), (56, 2, 56, 1, 40478925)]
        assert snapshot.account("kin") == {"delivered": 2, "mapped": 1, "filtered": 1, "reasons": {"same_row": 1}}


def test_delivered_relations_of_persons_are_copied_under_their_new_numbers() -> None:
    tables = {
        "ben": [ben(1), ben(2)],
        "omop_fact_relationship": [
            {"person_id": 1, "other_id": 2, "source": "hosp-c", "relationship_concept_id": 40478925}
        ],
    }
    with built(tables) as snapshot:
        columns = ("domain_concept_id_1", "fact_id_1", "domain_concept_id_2", "fact_id_2", "relationship_concept_id")
        assert snapshot.rows("fact_relationship", *columns) == [(56, 1, 56, 2, 40478925)]
        assert snapshot.account("omop_fact_relationship") == {"delivered": 1, "mapped": 1}


def test_causes_beside_the_initial_one_are_conditions_of_the_certificate() -> None:
    """The initial cause is the death's own; the others are dated by the death, which is no day of onset."""
    line = {"person_id": 1, "BEN_DCD_DTE": MARCH_1, "DCD_CIM_COD": "C349"}
    lines = [line | {"ECD_CIM_COD": code} for code in ("C34.9", "J960", "J960", None)]
    tables = {"ben": [ben(1)], "cci": [{"person_id": 1, "BEN_DCD_DTE": MARCH_1, "DCD_CIM_COD": "C349"}], "ecd": lines}
    with built(tables) as snapshot:
        columns = ("condition_source_value", "condition_start_date", "condition_type_concept_id")
        assert snapshot.rows("condition_occurrence", *columns, "condition_status_source_value") == [
            ("J960", MARCH_1, 32815, "ECD")
        ]
        assert snapshot.rows("death", "cause_source_value") == [("C349",)]
        assert snapshot.account("ecd") == {
            "delivered": 4,
            "mapped": 2,
            "filtered": 1,
            "rejected": 1,
            "reasons": {"initial_cause": 1, "no_code": 1},
        }


def test_a_declared_pregnancy_is_an_observation_that_starts_it() -> None:
    declared = [{"person_id": 1, "BEN_GRS_DTE": MARCH_1, "BEN_DRA_AME": "201911"}, {"person_id": 1}]
    with built({"ben": [ben(1)], "mat": declared}) as snapshot:
        columns = ("observation_source_value", "observation_date", "observation_type_concept_id")
        assert snapshot.rows("observation", *columns, "qualifier_source_value") == [
            ("IR_MAT_R", MARCH_1, 32813, "201911")
        ]
        assert snapshot.account("mat") == {"delivered": 2, "mapped": 1, "rejected": 1, "reasons": {"no_date": 1}}


def test_a_line_of_nature_zero_is_no_act() -> None:
    line = care(1, MARCH_1, 1111, BSE_PRS_NAT=0, PRS_ACT_QTE=1)
    with built({"ben": [ben(1)], "prs": [line]}) as snapshot:
        assert snapshot.account("prs") == {"delivered": 1, "filtered": 1, "reasons": {"no_nature": 1}}
