"""Stays of the PMSI: which are kept, what visit they make, where each diagnosis stands."""

from __future__ import annotations

from datetime import date

import pytest

from factories.pseudonymised import ben, built, of_stay, stay, vocabulary

MAY_1, MAY_2, MAY_4 = date(2019, 5, 1), date(2019, 5, 2), date(2019, 5, 4)
VISIT = ("visit_concept_id", "visit_start_date", "visit_end_date")
CONDITION = ("condition_source_value", "condition_status_concept_id", "condition_status_source_value")
DOUBLED = "130780521"


@pytest.mark.parametrize(
    ("changes", "visit"),
    [
        ({}, 9201),
        ({"ENT_PRV": "5"}, 262),
        ({"ENT_PRV": "U"}, 262),
        ({"ENT_MOD": "7", "ENT_PRV": "5"}, 9201),
        ({"GRG_GHM": "28Z04Z", "NBR_SEA": 13}, 9202),
        ({"EXE_SOI_DTF": MAY_1}, 9202),
        ({"EXE_SOI_DTF": MAY_1, "SOR_MOD": "9"}, 9201),
        ({"EXE_SOI_DTF": MAY_1, "SOR_MOD": "7"}, 9201),
        ({"EXE_SOI_DTF": MAY_1, "ENT_PRV": "5"}, 262),
    ],
)
def test_a_stay_is_the_visit_that_its_modes_say(changes: dict[str, object], visit: int) -> None:
    """Inpatient; emergency then inpatient; outpatient for a séance and for a day case from home to home."""
    with built({"ben": [ben(1)], "mco_b": [stay(1, 1, MAY_1, MAY_4, **changes)]}) as snapshot:
        assert snapshot.rows("visit_occurrence", *VISIT) == [(visit, MAY_1, changes.get("EXE_SOI_DTF", MAY_4))]


def test_a_stay_says_where_it_came_from_went_to_and_was() -> None:
    one = stay(1, 1, MAY_1, MAY_4, ENT_MOD="7", ENT_PRV="1", SOR_MOD="6", SOR_DES="2")
    with built({"ben": [ben(1)], "mco_b": [one]}) as snapshot:
        columns = ("visit_source_value", "admitted_from_source_value", "discharged_to_source_value", "care_site_id")
        ((place, finess),) = snapshot.rows("care_site", "care_site_id", "care_site_source_value")
        assert finess == "690781810"
        assert snapshot.rows("visit_occurrence", *columns) == [("06K04J", "71", "62", place)]


@pytest.mark.parametrize(
    ("trap", "changes"),
    [
        ("return_code", {"NIR_RET": "1"}),
        ("return_code", {"COH_SEX_RET": "8"}),
        ("ungroupable", {"GRG_GHM": "90Z00Z"}),
        ("inter_hospital", {"SEJ_TYP": "B"}),
        ("generated", {"TYP_GEN_RSA": 1}),
        ("doubled_finess", {"ETA_NUM": DOUBLED, "EXE_SOI_DTD": date(2017, 12, 1), "EXE_SOI_DTF": date(2017, 12, 4)}),
    ],
)
def test_a_trap_filters_a_stay_and_all_its_lines(trap: str, changes: dict[str, object]) -> None:
    tables = {
        "ben": [ben(1)],
        "mco_b": [stay(1, 1, MAY_1, MAY_4, DGN_PAL="K922", **changes)],
        "mco_d": [of_stay(1, 1, ASS_DGN="I10")],
        "mco_um": [of_stay(1, 1, UM_ORD_NUM=1, DGN_PAL="K922")],
        "mco_a": [of_stay(1, 1, CDC_ACT="HHQE005", PHA_ACT="0")],
    }
    with built(tables) as snapshot:
        for table in ("mco_b", "mco_d", "mco_um", "mco_a"):
            assert snapshot.account(table) == {"delivered": 1, "filtered": 1, "reasons": {trap: 1}}, table
        assert [snapshot.report.tables[name] for name in ("visit_occurrence", "condition_occurrence")] == [0, 0]


@pytest.mark.parametrize(
    "changes",
    [
        {"SEJ_TYP": None, "TYP_GEN_RSA": None, "GRG_GHM": None, "COH_NAI_RET": None},
        {"SEJ_TYP": "A", "TYP_GEN_RSA": 0, "GRG_GHM": "09090Z"},
        {"ETA_NUM": DOUBLED, "EXE_SOI_DTD": date(2018, 1, 2), "EXE_SOI_DTF": date(2018, 1, 4)},
        {"ETA_NUM": DOUBLED, "EXE_SOI_DTD": date(2017, 12, 30), "EXE_SOI_DTF": date(2018, 1, 4)},
    ],
)
def test_an_empty_or_harmless_field_keeps_the_stay(changes: dict[str, object]) -> None:
    with built({"ben": [ben(1)], "mco_b": [stay(1, 1, MAY_1, MAY_4, **changes)]}) as snapshot:
        assert snapshot.account("mco_b") == {"delivered": 1, "mapped": 1}


def test_the_same_stay_sent_twice_is_one_visit() -> None:
    twice = [stay(1, 1, MAY_1, MAY_4), stay(1, 1, MAY_1, MAY_4)]
    with built({"ben": [ben(1)], "mco_b": twice, "mco_d": [of_stay(1, 1, ASS_DGN="I10")]}) as snapshot:
        assert snapshot.account("mco_b") == {
            "delivered": 2,
            "mapped": 1,
            "filtered": 1,
            "reasons": {"repeated_key": 1},
        }
        assert snapshot.account("mco_d") == {"delivered": 1, "mapped": 1}


def test_diagnoses_keep_their_place_and_last_as_long_as_the_stay() -> None:
    tables = {
        "ben": [ben(1)],
        "mco_b": [stay(1, 1, MAY_1, MAY_4, DGN_PAL="K922", DGN_REL="I10")],
        "mco_d": [of_stay(1, 1, ASS_DGN="I10")],
        "mco_um": [of_stay(1, 1, UM_ORD_NUM=1, DGN_PAL="K922"), of_stay(1, 1, UM_ORD_NUM=2, DGN_PAL="J189")],
    }
    with built(tables) as snapshot:
        assert snapshot.rows("condition_occurrence", *CONDITION) == [
            ("I10", 32908, "DAS"),
            ("I10", 32908, "DR"),
            ("J189", 32902, "DP_UM"),
            ("K922", 32902, "DP"),
        ]
        dates = ("condition_start_date", "condition_end_date")
        assert set(snapshot.rows("condition_occurrence", *dates)) == {(MAY_1, MAY_4)}
        (visit,) = snapshot.rows("visit_occurrence", "visit_occurrence_id")
        assert set(snapshot.rows("condition_occurrence", "visit_occurrence_id")) == {visit}


def test_a_diagnosis_that_several_units_bear_is_one_row_and_both_lines_are_mapped() -> None:
    lines = [of_stay(1, 1, ASS_DGN="I10"), of_stay(1, 1, ASS_DGN="I10")]
    with built({"ben": [ben(1)], "mco_b": [stay(1, 1, MAY_1, MAY_4)], "mco_d": lines}) as snapshot:
        assert snapshot.rows("condition_occurrence", *CONDITION) == [("I10", 32908, "DAS")]
        assert snapshot.account("mco_d") == {"delivered": 2, "mapped": 2}


def test_a_line_without_its_stay_is_rejected() -> None:
    with built({"ben": [ben(1)], "mco_d": [of_stay(1, 1, ASS_DGN="I10")]}) as snapshot:
        assert snapshot.account("mco_d") == {"delivered": 1, "rejected": 1, "reasons": {"no_stay": 1}}


def test_an_empty_associated_diagnosis_is_rejected() -> None:
    tables = {"ben": [ben(1)], "mco_b": [stay(1, 1, MAY_1, MAY_4)], "mco_d": [of_stay(1, 1, ASS_DGN="")]}
    with built(tables) as snapshot:
        assert snapshot.account("mco_d") == {"delivered": 1, "rejected": 1, "reasons": {"no_code": 1}}


def test_an_act_happens_its_delay_after_the_entry_and_not_after_the_exit() -> None:
    acts = [
        of_stay(1, 1, CDC_ACT="HHQE005", PHA_ACT="0", ACV_ACT="1", ENT_DAT_DEL=1, NBR_EXE_ACT=2),
        of_stay(1, 1, CDC_ACT="HHQE005", PHA_ACT="1", ACV_ACT="4", ENT_DAT_DEL=30),
        of_stay(1, 1, CDC_ACT="HHQE005", PHA_ACT="2", ACV_ACT="1", ENT_DAT_DEL=0),
    ]
    with built({"ben": [ben(1)], "mco_b": [stay(1, 1, MAY_1, MAY_4)], "mco_a": acts}) as snapshot:
        columns = ("procedure_date", "modifier_source_value", "quantity", "procedure_type_concept_id")
        assert snapshot.rows("procedure_occurrence", *columns) == [(MAY_2, "1", 2, 32853), (MAY_4, "4", 1, 32853)]
        assert snapshot.account("mco_a")["reasons"] == {"later_phase": 1}


def test_units_of_a_stay_follow_each_other() -> None:
    units = [
        of_stay(1, 1, UM_ORD_NUM=2, AUT_TYP1_UM="53", PAR_DUR_SEJ=2),
        of_stay(1, 1, UM_ORD_NUM=1, AUT_TYP1_UM="07A", PAR_DUR_SEJ=1),
    ]
    with built({"ben": [ben(1)], "mco_b": [stay(1, 1, MAY_1, MAY_4)], "mco_um": units}) as snapshot:
        columns = ("visit_detail_start_date", "visit_detail_end_date", "visit_detail_source_value")
        assert snapshot.rows("visit_detail", *columns) == [(MAY_1, MAY_2, "07A"), (MAY_2, MAY_4, "53")]
        (visit,) = snapshot.rows("visit_occurrence", "visit_occurrence_id")
        assert set(snapshot.rows("visit_detail", "visit_occurrence_id")) == {visit}
        assert snapshot.account("mco_um") == {"delivered": 2, "mapped": 2}


def test_a_history_goes_to_observation_with_its_place() -> None:
    """The standard concept's domain decides the table."""
    one = stay(1, 1, MAY_1, MAY_4, DGN_PAL="Z850")
    with built({"ben": [ben(1)], "mco_b": [one]} | vocabulary()) as snapshot:
        assert snapshot.rows("condition_occurrence") == []
        columns = ("observation_source_value", "observation_date", "qualifier_source_value")
        assert snapshot.rows("observation", *columns) == [("Z850", MAY_1, "DP")]
