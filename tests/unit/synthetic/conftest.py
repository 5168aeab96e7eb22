"""A France of two years with traps and one without, made once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from enclos.synthetic import make_france
from enclos.synthetic.pmsi import TABLES
from enclos.synthetic.pmsi_fields import FIELD_TABLES

PERSONS, YEARS, SEED = 4000, (2019, 2020), 5


@pytest.fixture(scope="session")
def france(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """4 000 persons over two years, with traps."""
    folder = tmp_path_factory.mktemp("synthetic") / "france"
    make_france(folder, PERSONS, YEARS, SEED)
    return folder


@pytest.fixture(scope="session")
def plain_france(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same without traps."""
    folder = tmp_path_factory.mktemp("synthetic") / "plain"
    make_france(folder, PERSONS, YEARS, SEED, traps=False)
    return folder


@pytest.fixture(scope="session")
def old_france(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A smaller one of 2016 and 2017, when hospitals were sent twice."""
    folder = tmp_path_factory.mktemp("synthetic") / "old"
    make_france(folder, 3000, (2016, 2017), SEED)
    return folder


Ask = Callable[[str], list[tuple[object, ...]]]


def asker(folder: Path) -> Ask:
    """Ask SQL of a France: delivered tables by family, all columns as text, and truth_persons, truth_identities."""
    connection = duckdb.connect()
    deliveries = folder / "deliveries"
    for table in ("ER_PRS_F", "ER_PHA_F", "ER_CAM_F", "ER_ETE_F", "ER_BIO_F", "ER_TIP_F", "ER_UCD_F", "ER_LOT_F"):
        _load(connection, table, f"{deliveries}/snds-dcir-*/{table}.csv.gz")
    for letter in TABLES:
        _load(connection, f"T_MCO{letter}", f"{deliveries}/snds-pmsi-*/T_MCO??{letter}.csv")
    for field, table in FIELD_TABLES:
        _load(connection, f"T_{field}{table}", f"{deliveries}/snds-pmsi-*/T_{field}??{table}.csv")
    # C no longer says the year of leaving after 2018; the tests join and count by it.
    connection.execute("CREATE OR REPLACE TABLE T_MCOC AS SELECT *, left(EXE_SOI_DTF, 4) AS SOR_ANN FROM T_MCOC")
    _load(connection, "IR_BEN_R", f"{deliveries}/snds-ref/IR_BEN_R*.csv")  # with its archive
    for table in ("IR_IMB_R", "KI_CCI_R", "IR_BEN_R_ARC", "IR_ORC_R", "IR_MAT_R", "KI_ECD_R"):
        _load(connection, table, f"{deliveries}/snds-ref/{table}.csv")
    for table in ("PATIENT", "SEJOUR", "DIAGNOSTIC", "ACTE", "ADMINISTRATION", "BIOLOGIE"):
        _load(connection, table, f"{deliveries}/hosp-d/{table}.csv")
    for table in ("LINK_HOSPITAL", "LINK_SNDS"):
        _load(connection, table, f"{deliveries}/link-*/{table}.csv")
    for path in (deliveries / "hosp-c").glob("*.csv"):
        _load(connection, path.stem, str(path), ",")
    for path in (deliveries / "vocabulary").glob("*.csv"):
        _load(connection, path.stem, str(path), "\\t")
    for name in ("persons", "identities", "incidence"):
        connection.execute(f"CREATE VIEW truth_{name} AS SELECT * FROM '{folder}/truth/{name}.parquet'")
    return lambda sql: connection.execute(sql).fetchall()


def _load(connection: duckdb.DuckDBPyConnection, name: str, files: str, separator: str = ";") -> None:
    connection.execute(
        f"CREATE TABLE \"{name}\" AS SELECT * FROM read_csv('{files}', delim = '{separator}', header = true, "
        "all_varchar = true, quote = '', filename = true)"
    )


@pytest.fixture(scope="session")
def ask(france: Path) -> Ask:
    return asker(france)


@pytest.fixture(scope="session")
def ask_plain(plain_france: Path) -> Ask:
    return asker(plain_france)


@pytest.fixture(scope="session")
def ask_old(old_france: Path) -> Ask:
    return asker(old_france)
