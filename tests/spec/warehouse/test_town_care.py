"""Care in town (DCIR): which lines are care, which cancel, which visits they make."""

from __future__ import annotations

from datetime import date

import pytest

from factories.pseudonymised import PACK_CODE, ben, built, dispensing, prestation, town_act, vocabulary

MARCH_1, MARCH_2 = date(2019, 3, 1), date(2019, 3, 2)
DRUG = ("drug_exposure_start_date", "drug_source_value", "quantity")


def test_a_cancelled_dispensing_leaves_nothing() -> None:
    lines = [dispensing(1, MARCH_1, PACK_CODE, 2), dispensing(1, MARCH_1, PACK_CODE, -2)]
    with built({"ben": [ben(1)], "pha": lines}) as snapshot:
        assert snapshot.rows("drug_exposure") == []
        assert snapshot.account("pha") == {"delivered": 2, "cancelled": 2}


def test_a_corrected_dispensing_counts_what_remains() -> None:
    """Three boxes, cancelled, then two: the negative line cancels, the two others make one row of two boxes."""
    lines = [dispensing(1, MARCH_1, PACK_CODE, n) for n in (3, -3, 2)]
    with built({"ben": [ben(1)], "pha": lines} | vocabulary()) as snapshot:
        assert snapshot.rows("drug_exposure", *DRUG) == [(MARCH_1, str(PACK_CODE), 2 * 28.0)]
        assert snapshot.account("pha") == {"delivered": 3, "mapped": 2, "cancelled": 1}


@pytest.mark.parametrize(
    "other", [{"executant_key": 78}, {"EXE_SOI_DTD": MARCH_2}, {"PHA_PRS_C13": 3400930000028}, {"person_id": 2}]
)
def test_only_the_same_person_day_pack_and_pharmacy_cancel(other: dict[str, object]) -> None:
    lines = [dispensing(1, MARCH_1, PACK_CODE, 1), dispensing(1, MARCH_1, PACK_CODE, -1) | other]
    with built({"ben": [ben(1), ben(2)], "pha": lines}) as snapshot:
        assert len(snapshot.rows("drug_exposure")) == 1
        assert snapshot.account("pha") == {"delivered": 2, "mapped": 1, "cancelled": 1}


def test_twins_under_one_pseudonym_do_not_cancel_each_other() -> None:
    """They are two persons here: the vault told them apart by BEN_RNG_GEM."""
    lines = [dispensing(1, MARCH_1, PACK_CODE), dispensing(2, MARCH_1, PACK_CODE)]
    with built({"ben": [ben(1), ben(2)], "pha": lines}) as snapshot:
        assert snapshot.rows("drug_exposure", "person_id") == [(1,), (2,)]


@pytest.mark.parametrize(
    ("trap", "line"),
    [
        ("information_line", {"DPN_QLF": 71}),
        ("information_line", {"DPN_QLF": 72}),
        ("information_line", {"PRS_DPN_QLP": 71}),
        ("public_hospital", {"ETE_IND_TAA": 1}),
        ("private_stay", {"ETE_MCO_DDP": "A"}),
        ("majoration", {"CPL_MAJ_TOP": 2}),
        ("complement", {"CPL_AFF_COD": 16}),
    ],
)
@pytest.mark.parametrize("table", ["prs", "pha", "cam"])
def test_a_trap_filters_a_line_by_its_name(table: str, trap: str, line: dict[str, object]) -> None:
    whole = {
        "prs": prestation(1, MARCH_1),
        "pha": dispensing(1, MARCH_1, PACK_CODE),
        "cam": town_act(1, MARCH_1, "HHQE005"),
    }[table]
    with built({"ben": [ben(1)], table: [whole | line]}) as snapshot:
        assert snapshot.account(table) == {"delivered": 1, "filtered": 1, "reasons": {trap: 1}}


@pytest.mark.parametrize(
    "line",
    [
        {"DPN_QLF": None, "PRS_DPN_QLP": None, "CPL_MAJ_TOP": None, "ETE_IND_TAA": None, "ETE_MCO_DDP": None},
        {"DPN_QLF": 0, "PRS_DPN_QLP": 0, "CPL_MAJ_TOP": 1, "ETE_IND_TAA": 0, "ETE_MCO_DDP": "Z", "CPL_AFF_COD": 0},
        {"PRS_DPN_QLP": 72, "ETE_MCO_DDP": "X"},
    ],
)
def test_an_empty_or_harmless_field_keeps_the_line(line: dict[str, object]) -> None:
    """A plain `<> 71` would drop the lines whose field is empty."""
    with built({"ben": [ben(1)], "prs": [prestation(1, MARCH_1, **line)]}) as snapshot:
        assert snapshot.account("prs") == {"delivered": 1, "mapped": 1}


def test_sick_pay_is_not_care() -> None:
    with built({"ben": [ben(1)], "prs": [prestation(1, MARCH_1, nature=6110)]}) as snapshot:
        assert snapshot.account("prs") == {"delivered": 1, "filtered": 1, "reasons": {"cash_benefit": 1}}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"EXE_SOI_DTD": date(1600, 1, 1)}, "no_date"),
        ({"EXE_SOI_DTD": None}, "no_date"),
        ({"PHA_PRS_C13": 0}, "no_code"),
        ({"PHA_PRS_C13": None}, "no_code"),
        ({"person_id": 9}, "no_person"),
    ],
)
def test_a_line_that_omop_cannot_hold_is_rejected_with_its_reason(line: dict[str, object], reason: str) -> None:
    with built({"ben": [ben(1)], "pha": [dispensing(1, MARCH_1, PACK_CODE) | line]}) as snapshot:
        assert snapshot.account("pha") == {"delivered": 1, "rejected": 1, "reasons": {reason: 1}}


@pytest.mark.parametrize(
    ("nature", "visit", "type_"),
    [
        (1111, 9202, 32859),  # consultation
        (1112, 9202, 32859),  # specialist
        (1191, 5083, 32859),  # telehealth
        (1211, 581476, 32859),  # home visit
        (3211, 32036, 32859),  # laboratory
        (3313, 581458, 32869),  # pharmacy
        (4213, 581478, 32859),  # ambulance
    ],
)
def test_the_nature_of_a_prestation_gives_its_visit(nature: int, visit: int, type_: int) -> None:
    with built({"ben": [ben(1)], "prs": [prestation(1, MARCH_1, nature=nature)]}) as snapshot:
        columns = ("visit_concept_id", "visit_type_concept_id", "visit_source_value", "visit_end_date")
        assert snapshot.rows("visit_occurrence", *columns) == [(visit, type_, str(nature), MARCH_1)]


def test_prestations_of_one_day_and_executant_are_one_visit_per_kind() -> None:
    lines = [
        prestation(1, MARCH_1, nature=1111),
        prestation(1, MARCH_1, nature=1112),
        prestation(1, MARCH_1, nature=3313),
        prestation(1, MARCH_1, nature=1111, executant_key=78),
        prestation(1, MARCH_2, nature=1111),
    ]
    with built({"ben": [ben(1)], "prs": lines}) as snapshot:
        visits = snapshot.rows("visit_occurrence", "visit_start_date", "visit_concept_id", "visit_source_value")
        assert visits == [
            (MARCH_1, 9202, "1111"),
            (MARCH_1, 9202, "1111"),
            (MARCH_1, 581458, "3313"),
            (MARCH_2, 9202, "1111"),
        ]
        assert snapshot.account("prs") == {"delivered": 5, "mapped": 5}


def test_a_cancelled_prestation_makes_no_visit() -> None:
    lines = [prestation(1, MARCH_1), prestation(1, MARCH_1, quantity=-1), prestation(1, MARCH_1, nature=1112)]
    with built({"ben": [ben(1)], "prs": lines}) as snapshot:
        assert snapshot.rows("visit_occurrence", "visit_source_value") == [("1112",)]
        assert snapshot.account("prs") == {"delivered": 3, "mapped": 1, "cancelled": 2}


def test_a_dispensing_and_an_act_know_their_visit() -> None:
    tables = {
        "ben": [ben(1)],
        "prs": [prestation(1, MARCH_1, nature=3313), prestation(1, MARCH_2, nature=1352)],
        "pha": [dispensing(1, MARCH_1, PACK_CODE), dispensing(1, MARCH_2, PACK_CODE, executant_key=99)],
        "cam": [town_act(1, MARCH_2, "HHQE005")],
    }
    with built(tables) as snapshot:
        pharmacy, act = snapshot.rows("visit_occurrence", "visit_occurrence_id", order="visit_start_date")
        drugs = snapshot.rows("drug_exposure", "drug_exposure_start_date", "visit_occurrence_id")
        assert drugs == [(MARCH_1, *pharmacy), (MARCH_2, None)]
        assert snapshot.rows("procedure_occurrence", "visit_occurrence_id") == [act]


def test_a_dispensing_is_dated_by_care_and_lasts_by_the_pack_rule() -> None:
    """Two boxes of 28 units: 56 units, 56 days, the last of them included."""
    with built({"ben": [ben(1)], "pha": [dispensing(1, MARCH_1, PACK_CODE, 2)]} | vocabulary()) as snapshot:
        columns = ("drug_exposure_start_date", "drug_exposure_end_date", "days_supply", "quantity")
        assert snapshot.rows("drug_exposure", *columns) == [(MARCH_1, date(2019, 4, 25), 56, 56.0)]
        assert ("enclos drug duration", "pack-size-1") in snapshot.rows("metadata", "name", "value_as_string")


def test_an_unknown_pack_lasts_thirty_days_a_box_and_counts_boxes() -> None:
    with built({"ben": [ben(1)], "pha": [dispensing(1, MARCH_1, 3400999999999, 2)]} | vocabulary()) as snapshot:
        columns = ("drug_concept_id", "drug_source_concept_id", "days_supply", "quantity")
        assert snapshot.rows("drug_exposure", *columns) == [(0, 0, 60, 2.0)]
        assert [(code.vocabulary, code.code, code.n_rows) for code in snapshot.report.unmapped] == [
            ("CIP13", "3400999999999", 1)
        ]


def test_one_box_thirty_days_is_a_rule_one_can_choose() -> None:
    tables = {"ben": [ben(1)], "pha": [dispensing(1, MARCH_1, PACK_CODE, 2)]} | vocabulary()
    with built(tables, duration="one-box-30") as snapshot:
        assert snapshot.rows("drug_exposure", "days_supply") == [(60,)]
        assert ("enclos drug duration", "one-box-30-1") in snapshot.rows("metadata", "name", "value_as_string")


def test_an_act_counts_in_its_first_phase_and_keeps_its_activity() -> None:
    acts = [
        town_act(1, MARCH_1, "HHQE005"),
        town_act(1, MARCH_1, "HHQE005", CAM_ACT_COD="4"),
        town_act(1, MARCH_1, "HHQE005", CAM_TRT_PHA=2),
    ]
    with built({"ben": [ben(1)], "cam": acts}) as snapshot:
        rows = snapshot.rows("procedure_occurrence", "procedure_source_value", "modifier_source_value", "quantity")
        assert rows == [("HHQE005", "1", 1), ("HHQE005", "4", 1)]
        assert snapshot.account("cam") == {
            "delivered": 3,
            "mapped": 2,
            "filtered": 1,
            "reasons": {"later_phase": 1},
        }
