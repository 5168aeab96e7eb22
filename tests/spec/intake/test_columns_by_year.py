"""Columns that were renamed, begun or ended by year, and the names that project extracts give to identities."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from enclos.contracts.delivered.document import Kind
from enclos.intake.model import DeliveryAccount
from enclos.intake.steps import make_delivery_manifest, read_accounts
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAsPromised
from enclos.stores.delivered import DeliveredFolder
from factories.deliveries import VaultBench, csv_text, open_vault, write_delivery

STAY = {"ETA_NUM": "690000001", "RSA_NUM": "000001"}


def accept_year(bench: VaultBench, folder: Path, year: int, table: str, **columns: Any) -> DeliveryAccount:
    """A delivery of one stay: its C and one row of a table."""
    stay = STAY | {"NIR_ANO_17": "N"}
    rows = {f"T_MCO{year % 100:02d}C.csv": stay}
    name = f"T_MCO{year % 100:02d}{table}.csv"
    rows[name] = rows.get(name, STAY) | columns
    files = {path: csv_text([row]) for path, row in rows.items()}
    return bench.accept(write_delivery(folder / f"{year}", "snds-pmsi", "snds", files))


def told(account: DeliveryAccount, table: str) -> dict[str, Any]:
    [found] = [row for row in account.as_json()["tables"] if row["table"] == table]
    return {name: value for name, value in found.items() if name in ("renamed", "outside_years")}


@pytest.mark.parametrize(
    ("year", "table", "delivered", "lands_as", "says"),
    [
        (2009, "UM", "UM_TYP", "AUT_TYP1_UM", {"renamed": {"UM_TYP": "AUT_TYP1_UM"}}),
        (2010, "UM", "AUT_TYP1_UM", "AUT_TYP1_UM", {}),
        (2019, "UM", "UM_TYP", "UM_TYP", {"outside_years": ["UM_TYP"]}),
        (2012, "UM", "ETA_NUM_GEO", "ETA_NUM_GEO", {"outside_years": ["ETA_NUM_GEO"]}),
        (2013, "UM", "ETA_NUM_GEO", "ETA_NUM_GEO", {}),
        (2018, "C", "NIR_ANO_MAM", "ID_MAM_ENF", {"renamed": {"NIR_ANO_MAM": "ID_MAM_ENF"}}),
        (2019, "C", "ID_MAM_ENF", "ID_MAM_ENF", {}),
        (2018, "C", "SOR_ANN", "SOR_ANN", {}),
        (2019, "C", "SOR_ANN", "SOR_ANN", {"outside_years": ["SOR_ANN"]}),
    ],
)
def test_a_column_lands_under_its_name_of_today_and_the_account_says_so(
    tmp_path: Path, year: int, table: str, delivered: str, lands_as: str, says: dict[str, Any]
) -> None:
    with open_vault(tmp_path / "e") as bench:
        account = accept_year(bench, tmp_path, year, table, **{delivered: "7"})
        assert told(account, f"T_MCO{year % 100:02d}{table}") == says
        [(value,)] = bench.landed(Kind.SNDS_PMSI, f"T_MCOaa{table}", [lands_as])
        assert str(value) == "7"
        assert read_accounts(bench.engine)[0].tables == account.tables  # it stays recorded


def test_both_names_of_one_column_are_refused(tmp_path: Path) -> None:
    with open_vault(tmp_path / "e") as bench, pytest.raises(NotAsPromised) as refused:
        accept_year(bench, tmp_path, 2008, "UM", UM_TYP="07", AUT_TYP1_UM="07A")
    assert refused.value.code is Code.COLUMNS_WRONG


def test_a_name_that_no_year_knows_is_refused(tmp_path: Path) -> None:
    with open_vault(tmp_path / "e") as bench, pytest.raises(NotAsPromised) as refused:
        accept_year(bench, tmp_path, 2009, "UM", UM_TYPE="07")
    assert refused.value.code is Code.COLUMNS_WRONG


BENEFICIARY = {"NUM_ENQ": "P", "BEN_RNG_GEM": 1, "NUM_ENQ_IDT": "I", "BEN_SEX_COD": 1, "BEN_NAI_ANN": 1950}


@pytest.mark.parametrize("stored", ["csv", "parquet"])
def test_a_project_extract_s_names_are_declared_and_land_as_official(tmp_path: Path, stored: str) -> None:
    """`enclos delivery make` finds NUM_ENQ and its sisters and declares them; the sender signs for it."""
    folder = tmp_path / "d"
    folder.mkdir()
    if stored == "csv":
        (folder / "IR_BEN_R.csv").write_text(csv_text([BENEFICIARY]), encoding="utf-8")
    else:
        pq.write_table(pa.Table.from_pylist([BENEFICIARY]), folder / "IR_BEN_R.parquet")
    made = make_delivery_manifest(DeliveredFolder(folder), kind="snds-ref", source="snds")
    assert dict(made.files[0].aliases) == {"NUM_ENQ": "BEN_NIR_PSA", "NUM_ENQ_IDT": "BEN_IDT_ANO"}
    (folder / "delivery.json").write_bytes(made.canonical())
    with open_vault(tmp_path / "e") as bench:
        account = bench.accept(folder)
        assert bench.landed(Kind.SNDS_REF, "IR_BEN_R", ["BEN_NIR_PSA", "BEN_IDT_ANO"]) == [("P", "I")]
    assert told(account, "IR_BEN_R") == {"renamed": {"NUM_ENQ": "BEN_NIR_PSA", "NUM_ENQ_IDT": "BEN_IDT_ANO"}}


def test_names_that_nobody_declared_are_refused(tmp_path: Path) -> None:
    folder = write_delivery(tmp_path / "d", "snds-ref", "snds", {"IR_BEN_R.csv": csv_text([BENEFICIARY])})
    with open_vault(tmp_path / "e") as bench:
        with pytest.raises(NotAsPromised) as refused:
            bench.accept(folder)
        assert refused.value.code is Code.COLUMNS_WRONG
        document = json.loads((folder / "delivery.json").read_text(encoding="utf-8"))
        document["files"][0]["aliases"] = {"NUM_ENQ": "BEN_NIR_PSA", "NUM_ENQ_IDT": "BEN_IDT_ANO"}
        (folder / "delivery.json").write_text(json.dumps(document), encoding="utf-8")
        assert bench.accept(folder).n_landed == 1
