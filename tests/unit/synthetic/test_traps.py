"""Every trap that the truth counts is in the files, as often as it says, and none is there without traps."""

import json
from pathlib import Path

import pytest

from enclos.synthetic import make_france
from enclos.synthetic.pmsi import RETURN_CODES
from enclos.synthetic.pmsi_fields import ACE_RETURN_CODES
from unit.synthetic.conftest import Ask

DOUBLED = "('750100018', '130780521', '690783154')"


def bad(names: tuple[str, ...]) -> str:
    return " OR ".join(f"{name} <> '0'" for name in names)


ANY_BAD = bad(RETURN_CODES)
KEYS = "FLX_DIS_DTD, FLX_TRT_DTD, FLX_EMT_TYP, FLX_EMT_NUM, FLX_EMT_ORD, ORG_CLE_NUM, DCT_ORD_NUM, PRS_ORD_NUM"

COUNTS = {
    "dcir_negative_lines": "SELECT count(*) FROM ER_PRS_F WHERE PRS_ACT_QTE::INT < 0 AND PRS_PAI_MNT::DOUBLE <= 0",
    "dcir_negative_pharmacy_lines": "SELECT count(*) FROM ER_PHA_F WHERE PHA_ACT_QSN::INT < 0",
    "dcir_information_lines_71": "SELECT count(*) FROM ER_PRS_F WHERE DPN_QLF = '71'",
    "dcir_information_lines_72": "SELECT count(*) FROM ER_PRS_F WHERE DPN_QLF = '72'",
    "dcir_supplement_lines": "SELECT count(*) FROM ER_PRS_F WHERE CPL_MAJ_TOP::INT >= 2",
    "dcir_affined_16_lines": "SELECT count(*) FROM ER_PRS_F WHERE CPL_AFF_COD = '16'",
    "dcir_no_qualifier_lines": "SELECT count(*) FROM ER_PRS_F WHERE DPN_QLF IS NULL",
    "dcir_t2a_direct_lines": "SELECT count(*) FROM ER_ETE_F WHERE ETE_IND_TAA = '1'",
    "dcir_dates_1600": "SELECT count(*) FILTER (WHERE EXE_SOI_DTF = '1600-01-01') + "
    "count(*) FILTER (WHERE PRE_PRE_DTD = '1600-01-01') FROM ER_PRS_F",
    "dcir_fictitious_identities": "SELECT count(*) FROM ER_PRS_F WHERE BEN_CDI_NIR NOT IN ('00', '03', '04')",
    "dcir_rank_0_lines": "SELECT count(*) FROM ER_PRS_F WHERE BEN_RNG_GEM = '0'",
    "dcir_nature_0_lines": "SELECT count(*) FROM ER_PRS_F WHERE BSE_PRS_NAT = '0'",
    "dcir_private_stay_lines": "SELECT count(*) FROM ER_ETE_F WHERE ETE_MCO_DDP NOT IN ('Z', 'X')",
    "dcir_packs_without_cip13": "SELECT count(*) FROM ER_PHA_F WHERE PHA_PRS_C13 = '0' AND PHA_PRS_IDE <> '0'",
    "dcir_loose_units": "SELECT count(*) FROM ER_PHA_F WHERE PHA_DEC_TOP = 'D'",
    "dcir_devices_without_code": "SELECT count(*) FROM ER_TIP_F WHERE TIP_PRS_IDE = '9999999999999'",
    "ben_communes_missing": "SELECT count(*) FROM IR_BEN_R WHERE BEN_RES_COM = '000'",
    "ben_archived": "SELECT count(*) FROM IR_BEN_R_ARC",
    "imb_numbers_missing": "SELECT count(*) FROM IR_IMB_R WHERE IMB_ALD_NUM IS NULL AND IMB_ETM_NAT IN ('41', '43')",
    "imb_not_long_term_illness": "SELECT count(*) FROM IR_IMB_R WHERE IMB_ETM_NAT IN ('11', '12', '13')",
    "orc_c2s": "SELECT count(*) FROM IR_ORC_R WHERE BEN_CTA_TYP = '89'",
    "orc_end_1600": "SELECT count(*) FROM IR_ORC_R WHERE MLL_CTA_DSF = '1600-01-01'",
    "ben_dates_1600": "SELECT count(DISTINCT BEN_IDT_ANO) FROM IR_BEN_R WHERE BEN_DCD_DTE = '1600-01-01'",
    "ben_death_dates_missing": "SELECT count(*) FROM truth_persons WHERE death_on IS NOT NULL AND ben_idt_ano IN "
    "(SELECT BEN_IDT_ANO FROM IR_BEN_R WHERE BEN_DCD_DTE IS NULL OR BEN_DCD_DTE = '1600-01-01')",
    "ben_twin_ranks": "SELECT count(*) FROM IR_BEN_R WHERE BEN_RNG_GEM = '2'",
    "ben_second_psa": "SELECT count(*) FROM (SELECT BEN_IDT_ANO FROM IR_BEN_R GROUP BY ALL HAVING count(*) = 2)",
    "ben_nir_ano_missing": "SELECT count(*) FROM IR_BEN_R WHERE BEN_NIR_ANO IS NULL",
    "ben_provisional": "SELECT count(DISTINCT BEN_IDT_ANO) FROM IR_BEN_R WHERE BEN_CDI_NIR = '03'",
    "imb_end_2099": "SELECT count(*) FROM IR_IMB_R WHERE IMB_ALD_DTF = '2099-12-31'",
    "imb_end_1600": "SELECT count(*) FROM IR_IMB_R WHERE IMB_ALD_DTF = '1600-01-01'",
    "pmsi_return_codes_not_0": f"SELECT count(*) FROM T_MCOC WHERE {ANY_BAD}",
    "pmsi_fictitious_nir": "SELECT count(*) FROM T_MCOC WHERE NIR_ANO_17 = 'xxxxxxxxxxxxxxxxx'",
    "pmsi_cmd_90": "SELECT count(*) FROM T_MCOB WHERE GRG_GHM LIKE '90%'",
    "pmsi_inter_hospital_rows": "SELECT count(*) FROM T_MCOB WHERE SEJ_TYP = 'B' AND NBR_SEA = '0'",
    "pmsi_sessions_for_others": "SELECT count(*) FROM T_MCOB WHERE SEJ_TYP = 'B' AND NBR_SEA <> '0'",
    "pmsi_doubled_finess": f"SELECT count(*) FROM T_MCOB WHERE ETA_NUM IN {DOUBLED}",
    "ace_doubled_finess": f"SELECT count(*) FROM T_MCOCSTC WHERE ETA_NUM IN {DOUBLED}",
    "ssr_doubled_finess": f"SELECT count(*) FROM T_SSRC WHERE ETA_NUM IN {DOUBLED}",
    "had_doubled_finess": f"SELECT count(*) FROM T_HADC WHERE ETA_NUM_EPMSI IN {DOUBLED}",
    "ace_return_codes_not_0": f"SELECT count(*) FROM T_MCOCSTC WHERE {bad(ACE_RETURN_CODES)}",
    "ssr_return_codes_not_0": f"SELECT count(*) FROM T_SSRC WHERE {ANY_BAD}",
    "had_return_codes_not_0": f"SELECT count(*) FROM T_HADC WHERE {ANY_BAD}",
    "rip_return_codes_not_0": f"SELECT count(*) FROM T_RIPC WHERE {ANY_BAD}",
    "ace_emergencies": "SELECT count(*) FROM T_MCOFBSTC WHERE ACT_COD = 'ATU'",
    "ssr_gme_90": "SELECT count(DISTINCT (ETA_NUM, RHA_NUM, filename)) FROM T_SSRB WHERE GRG_GME LIKE '90%'",
    "had_ght_99": "SELECT count(*) FROM T_HADGRP WHERE GHT_NUM = '99'",
    "rip_ambulatory_rows": "SELECT count(*) FROM T_RIPR3A",
    "pmsi_principal_codes_with_plus": "SELECT count(*) FROM T_MCOB WHERE contains(DGN_PAL, '+')",
    "pmsi_session_rows": "SELECT count(*) FROM T_MCOB WHERE NBR_SEA::INT > 0",
    "pmsi_grouped_session_rows": "SELECT count(*) FROM T_MCOB WHERE NBR_SEA::INT > 1",
    "hospital_no_nir": "SELECT (SELECT count(*) FROM truth_identities WHERE source LIKE 'hosp-%') - "
    "(SELECT count(*) FROM LINK_HOSPITAL)",
    "hospital_mistyped_nir": "SELECT (SELECT count(*) FROM LINK_HOSPITAL) - (SELECT count(*) FROM LINK_SNDS)",
    "hospital_second_numbers": "SELECT count(*) - count(DISTINCT (source, true_person)) FROM truth_identities "
    "WHERE source LIKE 'hosp-%'",
}
ALWAYS_THERE = {
    "pmsi_session_rows",
    "hospital_no_nir",
    "hospital_mistyped_nir",
    "ace_emergencies",
    "rip_ambulatory_rows",
    "imb_not_long_term_illness",
    "orc_c2s",
}
"""Not traps of the generator's choice: sessions, emergencies, missing NIR, accidents at work and C2S are everywhere."""
UNTIL_2017 = {name for name in COUNTS if name.endswith("_doubled_finess")}
COUNTED_ELSEWHERE = {
    "dcir_regularisations_corrected",
    "dcir_regularisations_cancelled",
    "hospital_shifted_dates",
    "hospital_mistyped_births",
    "hospital_mistyped_diagnoses",
}


def test_every_trap_that_is_counted_has_a_test(france: Path) -> None:
    assert set(json.loads((france / "truth" / "traps.json").read_text())) == set(COUNTS) | COUNTED_ELSEWHERE


@pytest.mark.parametrize("trap", sorted(COUNTS))
def test_a_trap_is_in_the_files_as_often_as_the_truth_says(france: Path, ask: Ask, trap: str) -> None:
    stated = json.loads((france / "truth" / "traps.json").read_text())[trap]
    assert ask(COUNTS[trap]) == [(stated,)]
    rare = {"pmsi_grouped_session_rows", "hospital_second_numbers", "hospital_mistyped_nir", "ben_death_dates_missing"}
    rare |= {"had_return_codes_not_0", "had_ght_99", "rip_return_codes_not_0", "ssr_gme_90", *UNTIL_2017}
    assert stated > 0 or trap in rare


@pytest.mark.parametrize("trap", sorted(UNTIL_2017))
def test_until_2017_some_hospitals_are_sent_twice(old_france: Path, ask_old: Ask, trap: str) -> None:
    stated = json.loads((old_france / "truth" / "traps.json").read_text())[trap]
    assert ask_old(COUNTS[trap]) == [(stated,)]
    assert stated > 0 or trap == "had_doubled_finess"


def test_a_stay_sent_twice_says_the_same_under_both_numbers(ask_old: Ask) -> None:
    same = "NIR_ANO_17, EXE_SOI_DTD, EXE_SOI_DTF"
    assert ask_old(
        f"SELECT count(*) FROM T_MCOC AS d WHERE ETA_NUM IN {DOUBLED} AND NOT EXISTS (SELECT 1 FROM T_MCOC AS o "
        f"WHERE o.ETA_NUM NOT IN {DOUBLED} AND ({', '.join(f'o.{n}' for n in same.split(', '))}) = "
        f"({', '.join(f'd.{n}' for n in same.split(', '))}))"
    ) == [(0,)]
    assert ask_old("SELECT count(*) FROM T_MCOCSTC WHERE ETA_NUM = '690783154'") == [(0,)]  # not by Lyons


@pytest.mark.parametrize("trap", sorted(set(COUNTS) - ALWAYS_THERE))
def test_without_traps_there_is_none(ask_plain: Ask, trap: str) -> None:
    assert ask_plain(COUNTS[trap]) == [(0,)]


def test_without_traps_nothing_is_counted(plain_france: Path) -> None:
    assert json.loads((plain_france / "truth" / "traps.json").read_text()) == {}


def test_a_cancellation_undoes_one_line_and_a_correction_writes_it_again(france: Path, ask: Ask) -> None:
    """Lines of one person, day, kind and executant: what is cancelled sums to nothing, what is corrected to itself."""
    traps = json.loads((france / "truth" / "traps.json").read_text())
    assert (
        traps["dcir_regularisations_corrected"] + traps["dcir_regularisations_cancelled"]
        == traps["dcir_negative_lines"]
    )
    care = "BEN_NIR_PSA, BEN_RNG_GEM, EXE_SOI_DTD, PRS_NAT_REF, PFS_EXE_NUM"
    groups = ask(
        f"SELECT sum(PRS_ACT_QTE::INT) AS total, sum(PRS_PAI_MNT::DECIMAL(12, 2)) AS paid, count(*) AS n "
        f"FROM ER_PRS_F WHERE coalesce(DPN_QLF, '0') NOT IN ('71', '72') AND CPL_MAJ_TOP = '0' AND CPL_AFF_COD = '0' "
        f"GROUP BY {care} HAVING bool_or(PRS_ACT_QTE::INT < 0)"
    )
    assert len(groups) > 100
    assert all(int(str(total)) >= 0 and float(str(paid)) >= 0 for total, paid, _ in groups)
    n_undone = sum(int(str(total)) == 0 for total, _, _ in groups)
    # two visits of one day to one doctor may lie in one group, then a cancelled one leaves the other
    assert 0.9 * traps["dcir_regularisations_cancelled"] <= n_undone <= traps["dcir_regularisations_cancelled"]


def test_a_cancelled_line_comes_with_a_later_flux_and_names_what_it_cancels(ask: Ask) -> None:
    assert ask(
        "SELECT count(*) FROM (SELECT * FROM ER_PRS_F WHERE PRS_ACT_QTE::INT < 0) AS c WHERE NOT EXISTS ("
        "SELECT 1 FROM ER_PRS_F AS o WHERE o.BEN_NIR_PSA = c.BEN_NIR_PSA AND o.BEN_RNG_GEM = c.BEN_RNG_GEM "
        "AND o.EXE_SOI_DTD = c.EXE_SOI_DTD AND o.PRS_NAT_REF = c.PRS_NAT_REF AND o.PFS_EXE_NUM = c.PFS_EXE_NUM "
        "AND o.PRS_ACT_QTE::INT = -c.PRS_ACT_QTE::INT AND o.FLX_DIS_DTD <= c.FLX_DIS_DTD)"
    ) == [(0,)]
    assert ask(
        f"SELECT count(*) FROM ER_PHA_F JOIN ER_PRS_F USING ({KEYS}, REM_TYP_AFF) "
        "WHERE sign(PHA_ACT_QSN::INT) <> sign(PRS_ACT_QTE::INT)"
    ) == [(0,)]


def test_no_trap_hides_a_stay_of_the_studied_outcomes(ask: Ask) -> None:
    assert ask(
        f"SELECT count(*) FROM T_MCOB AS b JOIN T_MCOC AS c USING (ETA_NUM, RSA_NUM, SOR_ANN) "
        f"WHERE (left(DGN_PAL, 3) = 'I21' OR DGN_PAL IN ('K920', 'K921', 'K922')) "
        f"AND ({ANY_BAD} OR GRG_GHM LIKE '90%' OR SEJ_TYP = 'B' OR NIR_ANO_17 LIKE 'xxx%')"
    ) == [(0,)]


def test_certificates_are_matched_as_rarely_as_in_their_year(tmp_path: Path) -> None:
    """34.3 % of the deaths of 2006, 90.1 % of those of 2015. Source: CépiDc."""
    shares = []
    for year in (2006, 2015):
        make_france(tmp_path / str(year), 8000, (year, year), 5)
        counts = json.loads((tmp_path / str(year) / "truth" / "population.json").read_text())
        shares.append(counts["certificates_matched"] / counts["deaths"])
    assert 0.15 < shares[0] < 0.55
    assert shares[1] > 0.8
