"""Yearly tables bear the names of their year, and the reader's own table of years agrees."""

import csv
import json
from pathlib import Path

import pytest

from enclos.contracts.delivered.document import Kind
from enclos.contracts.delivered.tables import delivered_table
from enclos.contracts.delivered.years import outside_years
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
            assert year < 2010 or not outside_years(table.family, year, official), (year, name)


def test_the_months_of_leaving_are_gone_from_c_after_2018() -> None:
    assert {"SOR_ANN", "SOR_MOI"} <= set(layout_of_year("T_MCOaaC", 2018))
    assert not {"SOR_ANN", "SOR_MOI"} & set(layout_of_year("T_MCOaaC", 2019))
