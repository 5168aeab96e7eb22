"""Yearly tables bear the names of their year, and the reader's own table of years agrees."""

import csv
import json
from pathlib import Path

import pytest

from enclos.contracts.delivered.document import Kind
from enclos.contracts.delivered.tables import delivered_table
from enclos.contracts.delivered.years import older_names, outside_years
from enclos.synthetic.france import make_france
from enclos.synthetic.years import layout_of_year

FAMILIES = ("B", "C", "A", "D", "UM")


def test_a_france_of_2008_writes_the_names_of_2008_and_counts_them(tmp_path: Path) -> None:
    make_france(tmp_path / "old", 40, (2008, 2010), 5)
    headers = {}
    for path in (tmp_path / "old" / "deliveries").glob("snds-pmsi-*/T_MCO*.csv"):
        with path.open(encoding="utf-8") as lines:
            headers[path.stem] = next(csv.reader(lines, delimiter=";"))
            assert all(len(row) == len(headers[path.stem]) for row in csv.reader(lines, delimiter=";"))
    assert "UM_TYP" in headers["T_MCO08UM"] and "AUT_TYP1_UM" not in headers["T_MCO08UM"]
    assert "AUT_TYP1_UM" in headers["T_MCO10UM"] and "UM_TYP" not in headers["T_MCO10UM"]
    stated = json.loads((tmp_path / "old" / "truth" / "traps.json").read_text(encoding="utf-8"))
    n_renamed = sum("UM_TYP" in header for header in headers.values())
    assert stated["pmsi_columns_of_other_names"] == n_renamed == 2


@pytest.mark.parametrize("letter", FAMILIES)
def test_every_column_of_every_year_is_known_to_that_year(letter: str) -> None:
    """From 2010 on no column is told as outside its years; before, exact dates and units were not there at all."""
    for year in range(2006, 2024):
        table = delivered_table(Kind.SNDS_PMSI, f"T_MCO{year % 100:02d}{letter}")
        assert table is not None
        for name in layout_of_year(f"T_MCOaa{letter}", year):
            official = table.official(name)
            assert official is not None, (year, name)
            if year >= 2010 and name.lower() not in older_names(table.family, year):
                assert not outside_years(table.family, year, official), (year, name)


def test_claims_to_2012_lie_in_tables_of_their_year_which_ends_in_february(tmp_path: Path) -> None:
    make_france(tmp_path / "old", 40, (2012, 2012), 5)
    deliveries = tmp_path / "old" / "deliveries"
    named = {
        folder.name: min(path.name for path in folder.glob("ER_PRS_F*")) for folder in deliveries.glob("snds-dcir-*")
    }
    assert named["snds-dcir-2012-03"] == named["snds-dcir-2013-02"] == "ER_PRS_F_2012.csv.gz"
    assert named["snds-dcir-2012-02"] == "ER_PRS_F_2011.csv.gz"
    assert named["snds-dcir-2013-03"] == "ER_PRS_F.csv.gz"
    for table in {path.name.split(".")[0] for path in deliveries.glob("snds-dcir-*/ER_*")}:
        known = delivered_table(Kind.SNDS_DCIR, table)
        assert known is not None and known.family == table.removesuffix("_2011").removesuffix("_2012")
    stated = json.loads((tmp_path / "old" / "truth" / "traps.json").read_text(encoding="utf-8"))
    assert stated["dcir_archived_tables"] == len(list(deliveries.glob("snds-dcir-*/ER_*_201?.csv.gz"))) > 0
    make_france(tmp_path / "plain", 40, (2012, 2012), 5, traps=False)
    assert not list((tmp_path / "plain").glob("deliveries/snds-dcir-*/ER_*_201?.csv.gz"))


def test_the_mother_of_a_birth_has_the_name_of_her_year() -> None:
    named = {
        year: [name for name in layout_of_year("T_MCOaaC", year) if "MAM" in name] for year in (2012, 2013, 2018, 2019)
    }
    assert named == {2012: [], 2013: ["NIR_ANO_MAM"], 2018: ["NIR_ANO_MAM"], 2019: ["ID_MAM_ENF"]}


def test_the_months_of_leaving_are_gone_from_c_after_2018() -> None:
    assert {"SOR_ANN", "SOR_MOI"} <= set(layout_of_year("T_MCOaaC", 2018))
    assert not {"SOR_ANN", "SOR_MOI"} & set(layout_of_year("T_MCOaaC", 2019))
