"""The PMSI's other fields through the vault: whose each stay is, what hangs on it, what leads to nobody."""

from __future__ import annotations

import pytest

from factories import small_france as france
from factories.deliveries import csv_text, open_vault, write_delivery

DATES = {"EXE_SOI_DTD": "2019-04-01 00:00:00", "EXE_SOI_DTF": "2019-04-20 00:00:00", "NIR_RET": "0"}
FINESS = "2A0000014"


def fields(folder):
    def stay(finess, key, number, psa):
        return {finess: FINESS, key: number, "NIR_ANO_17": psa, **DATES}

    mco = [stay("ETA_NUM", "RSA_NUM", "0000000001", france.IDA_PSA)]
    care = [stay("ETA_NUM", "SEQ_NUM", "00000001", france.IDA_PSA) | {"RNG_NAI": ""}]
    care.append(stay("ETA_NUM", "SEQ_NUM", "00000002", france.TWIN_PSA) | {"RNG_NAI": "2"})
    ssr = [stay("ETA_NUM", "RHA_NUM", "0000001", france.BOB_PSA), stay("ETA_NUM", "RHA_NUM", "0000002", "x" * 17)]
    had = [stay("ETA_NUM_EPMSI", "RHAD_NUM", "00001", france.IDA_PSA)]
    rip = [stay("ETA_NUM_EPMSI", "RIP_NUM", "000001", france.TWIN_PSA)]
    week = {"ETA_NUM": FINESS, "RHA_NUM": "0000001", "MOR_PRP": "I639"}
    part = {"ETA_NUM_EPMSI": FINESS, "RHAD_NUM": "00001", "SEQ_NUM": "01", "SSEQ_NUM": "01"}
    files = {
        "T_MCO19C": mco,
        "T_MCO19B": [{"ETA_NUM": FINESS, "RSA_NUM": "0000000001", "DGN_PAL": "I210"}],
        "T_MCO19MED": [{"ETA_NUM": FINESS, "RSA_NUM": "0000000001", "UCD_UCD_COD": "0000009261104", "DELAI": 2}],
        "T_MCO19FH": [{"ETA_NUM": FINESS, "RSA_NUM": "0000000009", "UCD_UCD_COD": "", "COD_UCD": "9261104"}],
        "T_MCO19CSTC": care,
        "T_MCO19FBSTC": [{"ETA_NUM": FINESS, "SEQ_NUM": f"0000000{n}", "ACT_COD": "ATU"} for n in (1, 2, 3)],
        "T_MCO19FASTC": [{"ETA_NUM": FINESS, "SEQ_NUM": "00000001", "NIR_ANO_17": france.IDA_PSA}],
        "T_SSR19C": ssr,
        "T_SSR19B": [week | {"RHS_NUM": "001"}, week | {"RHS_NUM": "002"}, week | {"RHS_NUM": "002"}],
        "T_SSR19D": [{"ETA_NUM": FINESS, "RHA_NUM": "0000001", "RHS_NUM": "001", "DGN_COD": "I10"}],
        "T_HAD19C": had,
        "T_HAD19B": [part | {"DGN_PAL": "Z515"}, part | {"DGN_PAL": "Z515", "SSEQ_NUM": "02"}],
        "T_HAD19GRP": [part | {"GHT_NUM": "99"}, part | {"GHT_NUM": "12", "SEQ_NUM": "07"}],
        "T_RIP19C": rip,
        "T_RIP19RSA": [{"ETA_NUM_EPMSI": FINESS, "RIP_NUM": "000001", "SEQ_SEQ_NUM": "001", "DGN_PAL": "F200"}],
        "T_RIP19R3A": [{"ETA_NUM_EPMSI": FINESS, "IPP_IRR_CRY": "0123456789ABCDEF", "DGN_PAL": "F329"}] * 4,
    }
    texts = {f"{name}.csv": csv_text(rows) for name, rows in files.items()}
    return write_delivery(folder / "fields", "snds-pmsi", "snds", texts)


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fields")
    with open_vault(folder / "enclosure") as opened:
        opened.accept(france.references(folder))
        opened.accept(fields(folder))
        opened.link()
        yield opened


@pytest.fixture(scope="module")
def account(bench):
    return bench.cross()


def test_every_row_crossed_or_stayed_for_a_reason(account):
    assert all(table.is_balanced for table in account.tables)
    assert {table.table: dict(table.left_behind) for table in account.tables if table.left_behind} == {
        "KI_CCI_R": {"no_person": 1},
        "T_MCOaaFBSTC": {"no_stay": 1},
        "T_MCOaaFH": {"no_stay": 1},
        "T_MCOaaFASTC": {"not_mapped": 1},
        "T_SSRaaB": {"duplicate_key": 1},
        "T_SSRaaC": {"no_stay": 1},
        "T_HADaaGRP": {"no_stay": 1},
        "T_RIPaaRSA": {"twins_untold": 1},
        "T_RIPaaR3A": {"never_chained": 4},
    }


def test_every_stay_is_its_persons_and_its_lines_follow_it(bench, account):
    persons = bench.persons()
    ida, bob = persons["snds", f"{france.IDA_PSA}/1"], persons["snds", f"{france.BOB_PSA}/1"]
    zoe = persons["snds", f"{france.TWIN_PSA}/2"]
    assert [row[0] for row in bench.crossed("ace", "person_id")] == sorted((ida, zoe))  # the rank tells the twin
    assert {row[0] for row in bench.crossed("ssr_b", "person_id")} == {bob}
    assert {row[0] for row in bench.crossed("had_b", "person_id")} == {ida}
    assert sorted(str(row[0]) for row in bench.crossed("had_b", "GHT_NUM")) == ["99", "None"]
    for lines, header in (("ace_b", "ace"), ("pmsi_diagnosis", "ssr_b"), ("pmsi_drug", "mco_b")):
        stays = set(bench.crossed(header, "person_id", "stay_key"))
        assert set(bench.crossed(lines, "person_id", "stay_key")) <= stays, lines
    keys = [bench.crossed(table, "stay_key") for table in ("mco_b", "ace", "ssr_b", "had_b")]
    assert len({row[0] for rows in keys for row in rows}) == 1 + 2 + 1 + 1  # no key serves two fields


def test_a_drug_keeps_its_list_its_day_and_its_code(bench, account):
    columns = ("list", "UCD_UCD_COD", "DAT_DELAI")
    assert bench.crossed("pmsi_drug", *columns) == [("MED", "0000009261104", 2)]
