"""The PMSI beside medicine: external care, rehabilitation, home, psychiatry; and the drugs and devices of stays."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from factories.pseudonymised import Row, ben, built, of_stay, on_stay, sequence, stay

MAY_1, MAY_4, MAY_6, MAY_12, MAY_20 = (date(2019, 5, day) for day in (1, 4, 6, 12, 20))
IN_2017 = {"EXE_SOI_DTD": date(2017, 5, 1), "EXE_SOI_DTF": date(2017, 5, 1)}
VISIT = ("visit_concept_id", "visit_start_date", "visit_end_date", "visit_type_concept_id", "visit_source_value")
DETAIL = ("visit_detail_start_date", "visit_detail_end_date", "visit_detail_source_value")
CONDITION = ("condition_source_value", "condition_status_concept_id", "condition_status_source_value")
AP_HP, AP_HM, HCL, HCL_OF_HYERES = "750100018", "130780521", "690783154", "830100558"


def care(key: int = 1, **changes: Any) -> Row:
    return sequence(1, key, MAY_1, MAY_1, **changes)


def week(number: str, **changes: Any) -> Row:
    return sequence(1, 1, MAY_1, MAY_20, RHS_NUM=number, HOS_TYP_UM="1", **changes)


def subsequence(number: str, sub: str, days: int, **changes: Any) -> Row:
    return sequence(1, 1, MAY_1, MAY_20, SEQ_NUM=number, SSEQ_NUM=sub, SSEQ_NBJ=days, **changes)


def test_external_care_is_an_emergency_where_an_atu_was_billed() -> None:
    """The acts billed are in the visit that they make: its kind and its source value."""
    billed = [on_stay(1, 1, ACT_COD=code) for code in ("ATU", "CS")] + [on_stay(1, 2, ACT_COD="CS")]
    with built({"ben": [ben(1)], "ace": [care(1), care(2)], "ace_b": billed}) as snapshot:
        assert snapshot.rows("visit_occurrence", *VISIT) == [
            (9202, MAY_1, MAY_1, 32859, "CS"),
            (9203, MAY_1, MAY_1, 32859, "ATU"),
        ]
        assert snapshot.account("ace_b") == {"delivered": 3, "mapped": 3}
        assert snapshot.rows("visit_detail") == []


def test_what_external_care_did_is_an_act_an_analysis_without_value_and_a_drug() -> None:
    tables = {
        "ben": [ben(1)],
        "ace": [care()],
        "pmsi_act": [on_stay(1, 1, vocabulary="CCAM", CDC_ACT="HHQE005", PHA_ACT="0", ACV_ACT="1", ENT_DAT_DEL=0)],
        "pmsi_analysis": [on_stay(1, 1, NABM_COD="00001104", ACT_NBR=1, DEL_DAT_ENT=0)],
        "pmsi_drug": [on_stay(1, 1, list="FHSTC", UCD_UCD_COD="0000009231824", ADM_NBR=2.0)],
    }
    with built(tables) as snapshot:
        acts = ("procedure_source_value", "procedure_date", "modifier_source_value", "procedure_type_concept_id")
        assert snapshot.rows("procedure_occurrence", *acts) == [("HHQE005", MAY_1, "1", 32860)]
        analyses = ("measurement_source_value", "value_as_number", "measurement_type_concept_id")
        assert snapshot.rows("measurement", *analyses) == [("1104", None, 32860)]
        drugs = ("drug_source_value", "quantity", "drug_exposure_end_date", "drug_type_concept_id")
        assert snapshot.rows("drug_exposure", *drugs) == [("9231824", 2.0, MAY_1, 32860)]


@pytest.mark.parametrize(
    ("trap", "changes"),
    [
        ("return_code", {"NIR_RET": "1"}),
        ("return_code", {"IAS_RET": "1"}),
        ("return_code", {"ENT_DAT_RET": "1"}),
        ("doubled_finess", IN_2017 | {"ETA_NUM": AP_HP}),
        ("doubled_finess", IN_2017 | {"ETA_NUM": AP_HM}),
        (None, IN_2017 | {"ETA_NUM": HCL}),
        (None, IN_2017 | {"ETA_NUM": HCL_OF_HYERES}),
        (None, {"ETA_NUM": AP_HP}),
    ],
)
def test_external_care_of_paris_and_marseilles_was_sent_twice_and_that_of_lyons_was_not(
    trap: str | None, changes: Row
) -> None:
    with built({"ben": [ben(1)], "ace": [care(**changes)]}) as snapshot:
        expected = {"filtered": 1, "reasons": {trap: 1}} if trap else {"mapped": 1}
        assert snapshot.account("ace") == {"delivered": 1} | expected


def test_a_rehabilitation_stay_is_one_visit_with_its_weeks_as_details() -> None:
    """May 1, 2019 is a Wednesday: weeks begin on Mondays, the first and the last are cut by the stay."""
    weeks = [
        week("002", MOR_PRP="I639", SOR_MOD="9", GRG_GME="0147A1"),
        week("001", MOR_PRP="I639", FP_PEC="Z501", ETL_AFF="I10", ENT_MOD="7", ENT_PRV="1", GRG_GME="0147A1"),
    ]
    with built({"ben": [ben(1)], "ssr_b": weeks}) as snapshot:
        assert snapshot.rows("visit_occurrence", *VISIT) == [(9201, MAY_1, MAY_20, 32855, "0147A1")]
        assert snapshot.rows("visit_detail", *DETAIL) == [(MAY_1, date(2019, 5, 5), None), (MAY_6, MAY_12, None)]
        assert snapshot.rows("condition_occurrence", *CONDITION) == [
            ("I10", 32902, "AE"),
            ("I639", 32902, "MMP"),
            ("Z501", 32902, "FPP"),
        ]
        places = ("admitted_from_concept_id", "admitted_from_source_value", "discharged_to_source_value")
        assert snapshot.rows("visit_occurrence", *places) == [(8717, "71", "9")]
        assert snapshot.rows("death", "death_date", "death_type_concept_id") == [(MAY_20, 32812)]
        assert snapshot.account("ssr_b") == {"delivered": 2, "mapped": 2}
        assert snapshot.rows("care_site", "care_site_source_value") == [("690781810",)]


def test_rehabilitation_by_day_is_outpatient() -> None:
    """HOS_TYP_UM: 1 full, 2 by day, 3 by night, 4 sessions; unknown is taken as full."""
    kinds = {1: "1", 2: "2", 3: "3", 4: "4", 5: None}
    rows = [sequence(1, key, MAY_1, MAY_4, RHS_NUM="001", HOS_TYP_UM=kind, GRG_GME=kind) for key, kind in kinds.items()]
    with built({"ben": [ben(1)], "ssr_b": rows}) as snapshot:
        found = snapshot.rows("visit_occurrence", "visit_source_value", "visit_concept_id")
        assert dict(found) == {"1": 9201, "2": 9202, "3": 9201, "4": 9202, None: 9201}


def test_rehabilitation_acts_are_on_their_day_or_in_their_week() -> None:
    acts = [
        on_stay(1, 1, vocabulary="CSARR", CDC_ACT="ALQ+183", sequence="002", NBR_EXE_ACT=3),
        on_stay(1, 1, vocabulary="CSARR", CDC_ACT="ALQ+183", sequence="002", ENT_DAT_DEL=3),
        on_stay(1, 1, vocabulary="CCAM", CDC_ACT="HHQE005", PHA_ACT="2", ENT_DAT_DEL=3),
    ]
    with built({"ben": [ben(1)], "ssr_b": [week("001"), week("002")], "pmsi_act": acts}) as snapshot:
        columns = ("procedure_source_value", "procedure_date", "quantity")
        assert snapshot.rows("procedure_occurrence", *columns) == [("ALQ+183", MAY_4, 1), ("ALQ+183", MAY_6, 3)]
        assert snapshot.account("pmsi_act")["reasons"] == {"later_phase": 1}


def test_a_stay_at_home_is_at_home_and_its_care_keeps_its_place() -> None:
    """Sub-sequences follow each other; the one that could not be grouped (GHT 99) is left out."""
    tables = {
        "ben": [ben(1)],
        "had_b": [
            subsequence("01", "01", 3, DGN_PAL="C509", PEC_PAL="04"),
            subsequence("01", "02", 2, DGN_PAL="C509", PEC_PAL="04", GHT_NUM="99"),
            subsequence("02", "01", 6, DGN_PAL="Z515", PEC_PAL="04"),
        ],
        "pmsi_diagnosis": [
            on_stay(1, 1, place=place, ASS_DGN=code)
            for place, code in (("DAS", "I10"), ("DMPP", "R52"), ("DMPA", "E11"))
        ],
        "pmsi_act": [
            on_stay(1, 1, vocabulary="CCAM", CDC_ACT="HHQE005", sequence="02/01", ENT_DAT_DEL=1, delay_from="sequence")
        ],
    }
    with built(tables) as snapshot:
        assert snapshot.rows("visit_occurrence", *VISIT) == [(581476, MAY_1, MAY_20, 32855, "04")]
        assert snapshot.rows("visit_detail", *DETAIL) == [
            (MAY_1, date(2019, 5, 3), "04"),
            (MAY_6, date(2019, 5, 11), "04"),
        ]
        assert snapshot.rows("condition_occurrence", *CONDITION) == [
            ("C509", 32902, "DP"),
            ("E11", 32908, "DMPA"),
            ("I10", 32908, "DAS"),
            ("R52", 32902, "DMPP"),
            ("Z515", 32902, "DP"),
        ]
        assert snapshot.rows("procedure_occurrence", "procedure_date") == [(date(2019, 5, 7),)]
        assert snapshot.account("had_b") == {"delivered": 3, "mapped": 2, "filtered": 1, "reasons": {"ungroupable": 1}}


def test_a_stay_in_psychiatry_without_exit_ends_with_its_last_sequence() -> None:
    rows = [
        sequence(1, 1, MAY_1, None, SEQ_SEQ_NUM="001", DEL_DAT=0, SEQ_COU_NBJ=3, DGN_PAL="F200", FOR_ACT="01"),
        sequence(1, 1, MAY_1, None, SEQ_SEQ_NUM="002", DEL_DAT=5, SEQ_COU_NBJ=7, DGN_PAL="F200", FOR_ACT="01"),
    ]
    with built({"ben": [ben(1)], "rip_rsa": rows}) as snapshot:
        assert snapshot.rows("visit_occurrence", *VISIT) == [(9201, MAY_1, MAY_12, 32855, "01")]
        assert snapshot.rows("visit_detail", *DETAIL) == [(MAY_1, date(2019, 5, 3), "01"), (MAY_6, MAY_12, "01")]
        assert snapshot.rows("condition_occurrence", *CONDITION) == [("F200", 32902, "DP")]


@pytest.mark.parametrize(
    ("table", "trap", "changes"),
    [
        ("ssr_b", "return_code", {"SEJ_RET": "1"}),
        ("ssr_b", "ungroupable", {"GRG_GME": "9001Z0"}),
        ("ssr_b", "generated", {"TYP_GEN_RHA": "1"}),
        ("ssr_b", "inter_hospital", {"ENT_MOD": "0", "SOR_MOD": "0"}),
        ("ssr_b", "doubled_finess", IN_2017 | {"ETA_NUM": HCL}),
        ("had_b", "return_code", {"COH_NAI_RET": "1"}),
        ("had_b", "doubled_finess", IN_2017 | {"ETA_NUM": AP_HP}),
        ("rip_rsa", "return_code", {"PMS_RET": "1"}),
        ("rip_rsa", "generated", {"TYP_GEN_RSA": "2"}),
        ("rip_rsa", "no_person", {"person_id": 2}),
        ("rip_rsa", None, {"PMS_RET": "1", "EXE_SOI_DTD": date(2006, 5, 1), "EXE_SOI_DTF": date(2006, 5, 4)}),
        ("rip_rsa", None, IN_2017 | {"ETA_NUM": AP_HP}),
        ("ssr_b", None, {"GRG_GME": "0190A0", "TYP_GEN_RHA": "0", "ENT_MOD": "0", "SOR_MOD": "8"}),
        ("had_b", "no_date", {"EXE_SOI_DTD": date(1600, 1, 1)}),
    ],
)
def test_the_traps_of_a_stay_hold_in_every_field_and_for_all_its_lines(
    table: str, trap: str | None, changes: dict[str, Any]
) -> None:
    line = on_stay(changes.get("person_id", 1), 1, place="DAS", ASS_DGN="I10")
    tables = {"ben": [ben(1)], table: [sequence(1, 1, MAY_1, MAY_4) | changes], "pmsi_diagnosis": [line]}
    with built(tables) as snapshot:
        if trap is None:
            expected: dict[str, Any] = {"mapped": 1}
        else:
            fate = "rejected" if trap.startswith("no_") else "filtered"
            expected = {fate: 1, "reasons": {trap: 1}}
        assert snapshot.account(table) == {"delivered": 1} | expected
        assert snapshot.account("pmsi_diagnosis") == {"delivered": 1} | expected


def test_a_return_code_counts_from_the_year_that_it_exists() -> None:
    """DAT_RET from 2006, COH_NAI_RET and COH_SEX_RET from 2013, the others always."""
    cases = [(2005, "NIR_RET"), (2005, "DAT_RET"), (2006, "DAT_RET"), (2012, "COH_SEX_RET"), (2013, "COH_SEX_RET")]
    rows = [stay(1, key, date(year, 5, 1), date(year, 5, 4)) | {code: "3"} for key, (year, code) in enumerate(cases)]
    with built({"ben": [ben(1)], "mco_b": rows}) as snapshot:
        kept = [day.year for (day,) in snapshot.rows("visit_occurrence", "visit_start_date")]
        assert kept == [2005, 2012]
        assert snapshot.account("mco_b")["reasons"] == {"return_code": 3}


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({"SEJ_TYP": "B", "GRG_GHM": "28Z04Z"}, True),
        ({"SEJ_TYP": "B", "GRG_GHM": "28Z14Z"}, False),
        ({"SEJ_TYP": "B", "GRG_GHM": "28Z16Z"}, False),
        ({"SEJ_TYP": None, "ENT_MOD": "0", "SOR_MOD": "0"}, False),
        ({"SEJ_TYP": "A", "ENT_MOD": "0", "SOR_MOD": "0"}, True),
        ({"SEJ_TYP": None, "ENT_MOD": "0", "SOR_MOD": "8"}, True),
    ],
)
def test_a_service_to_another_hospital_is_left_out_but_for_seances(changes: dict[str, Any], kept: bool) -> None:
    """The hospital that asked sends the stay; a séance is sent by the one that gave it, but for 28Z14Z to 28Z16Z."""
    with built({"ben": [ben(1)], "mco_b": [stay(1, 1, MAY_1, MAY_4, **changes)]}) as snapshot:
        expected = {"mapped": 1} if kept else {"filtered": 1, "reasons": {"inter_hospital": 1}}
        assert snapshot.account("mco_b") == {"delivered": 1} | expected


def test_a_short_stay_unit_of_an_emergency_department_is_an_emergency_detail() -> None:
    units = [
        of_stay(1, 1, UM_ORD_NUM=1, AUT_TYP1_UM="07B", PAR_DUR_SEJ=1),
        of_stay(1, 1, UM_ORD_NUM=2, AUT_TYP1_UM="53", PAR_DUR_SEJ=2),
    ]
    with built({"ben": [ben(1)], "mco_b": [stay(1, 1, MAY_1, MAY_4)], "mco_um": units}) as snapshot:
        columns = ("visit_detail_concept_id", "visit_detail_source_value")
        assert snapshot.rows("visit_detail", *columns) == [(9201, "53"), (9203, "07B")]


@pytest.mark.parametrize(
    ("changes", "concepts"),
    [
        ({"ENT_MOD": "8", "ENT_PRV": "5", "SOR_MOD": "8", "SOR_DES": "7"}, (8870, 8676)),
        ({"ENT_MOD": "7", "ENT_PRV": "4", "SOR_MOD": "7", "SOR_DES": "2"}, (8971, 8920)),
        ({"ENT_MOD": "6", "ENT_PRV": "1", "SOR_MOD": "6", "SOR_DES": "6"}, (8717, 581476)),
        ({"ENT_MOD": "8", "ENT_PRV": None, "SOR_MOD": "8", "SOR_DES": None}, (8536, 8536)),
        ({"ENT_MOD": "7", "ENT_PRV": None, "SOR_MOD": "9", "SOR_DES": None}, (0, 0)),
        ({"ENT_MOD": None, "ENT_PRV": None, "SOR_MOD": None, "SOR_DES": None}, (0, 0)),
    ],
)
def test_a_stay_comes_from_and_goes_to_a_kind_of_place(changes: Row, concepts: tuple[int, int]) -> None:
    with built({"ben": [ben(1)], "mco_b": [stay(1, 1, MAY_1, MAY_4, **changes)]}) as snapshot:
        assert snapshot.rows("visit_occurrence", "admitted_from_concept_id", "discharged_to_concept_id") == [concepts]


def test_drugs_outside_the_tariff_are_on_their_day_or_last_as_the_stay() -> None:
    """Public lists (MED, MEDATU, MEDTHROMBO) and private bills (FH)."""
    lines = [
        on_stay(1, 1, list="MED", UCD_UCD_COD="0000009231824", ADM_NBR=2.5, DAT_DELAI=3),
        on_stay(1, 1, list="FH", UCD_UCD_COD="9231824", ADM_NBR=1.0),
        on_stay(1, 1, list="MEDATU", UCD_UCD_COD="9231824", ADM_NBR=1.0, DAT_DELAI=99),
        on_stay(1, 1, list="MEDTHROMBO", ADM_NBR=1.0),
        on_stay(1, 9, list="MED", UCD_UCD_COD="9231824"),
    ]
    with built({"ben": [ben(1)], "mco_b": [stay(1, 1, MAY_1, MAY_6)], "pmsi_drug": lines}) as snapshot:
        columns = ("drug_source_value", "drug_exposure_start_date", "drug_exposure_end_date", "quantity")
        assert snapshot.rows("drug_exposure", *columns) == [
            ("9231824", MAY_1, MAY_6, 1.0),
            ("9231824", MAY_4, MAY_4, 2.5),
            ("9231824", MAY_6, MAY_6, 1.0),
        ]
        (visit,) = snapshot.rows("visit_occurrence", "visit_occurrence_id")
        assert set(snapshot.rows("drug_exposure", "visit_occurrence_id")) == {visit}
        assert snapshot.account("pmsi_drug") == {
            "delivered": 5,
            "mapped": 3,
            "rejected": 2,
            "reasons": {"no_code": 1, "no_stay": 1},
        }


def test_a_stay_costs_what_it_was_valued_at() -> None:
    """The share of the sickness insurance is paid, the tariff is charged; a stay without value is rejected."""
    stays = [stay(1, 1, MAY_1, MAY_4), stay(1, 2, MAY_6, MAY_12), stay(1, 3, MAY_20, MAY_20, SEJ_TYP="B")]
    lines = [
        on_stay(1, 1, MNT_TOT_AM=2400.0, MNT_TOT_BR=3000.0),
        on_stay(1, 2),
        on_stay(1, 3, MNT_TOT_AM=10.0),
    ]
    with built({"ben": [ben(1)], "mco_b": stays, "mco_valo": lines}) as snapshot:
        columns = ("total_charge", "paid_by_payer", "currency_concept_id", "cost_domain_id")
        assert snapshot.rows("cost", *columns) == [(3000, 2400, 44818568, "Visit")]
        assert snapshot.account("mco_valo") == {
            "delivered": 3,
            "mapped": 1,
            "filtered": 1,
            "rejected": 1,
            "reasons": {"inter_hospital": 1, "no_amount": 1},
        }


def test_an_implanted_device_is_on_the_day_of_its_delay() -> None:
    lines = [on_stay(1, 1, TIP_PRS_IDE="0000003183980", NBR_POS=2.0, DELAI=3)]
    with built({"ben": [ben(1)], "mco_b": [stay(1, 1, MAY_1, MAY_6)], "pmsi_device": lines}) as snapshot:
        columns = ("device_source_value", "device_exposure_start_date", "quantity", "device_type_concept_id")
        assert snapshot.rows("device_exposure", *columns) == [("3183980", MAY_4, 2, 32853)]


def test_each_delivered_table_has_its_own_account() -> None:
    """Drugs of several tables cross as one; what became of each is told by the name under which it was delivered."""
    drugs = [
        on_stay(1, key, came_as=came, UCD_UCD_COD=code, ADM_NBR=1.0)
        for came, key, code in (
            ("T_MCOaaMED", 1, "9231824"),
            ("T_MCOaaMED", 1, None),
            ("T_MCOaaMEDATU", 1, "9231824"),
            ("T_SSRaaMED", 9, "9231824"),
        )
    ]
    with built({"ben": [ben(1)], "mco_b": [stay(1, 1, MAY_1, MAY_4)], "pmsi_drug": drugs}) as snapshot:
        assert {line.table for line in snapshot.report.account} >= {"T_MCOaaMED", "T_MCOaaMEDATU", "T_SSRaaMED"}
        assert "pmsi_drug" not in {line.table for line in snapshot.report.account}
        assert snapshot.account("T_MCOaaMED") == {"delivered": 2, "mapped": 1, "rejected": 1, "reasons": {"no_code": 1}}
        assert snapshot.account("T_MCOaaMEDATU") == {"delivered": 1, "mapped": 1}
        assert snapshot.account("T_SSRaaMED") == {"delivered": 1, "rejected": 1, "reasons": {"no_stay": 1}}
        assert len(snapshot.rows("drug_exposure")) == 2
