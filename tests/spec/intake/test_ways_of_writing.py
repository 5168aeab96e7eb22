"""How dates and decimals may be written when the sender declares it; nothing else is a value then.

Each line: what the sender declares, the text between two separators, what is landed (``REJECTED``: the line is not).
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from enclos.contracts.delivered.document import Kind
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAsPromised
from factories.deliveries import VaultBench, open_vault, write_delivery

REJECTED = object()

DAYS = [
    ("DD/MM/YYYY", "28/02/2019", date(2019, 2, 28)),
    ("DD/MM/YYYY", "28/02/2019 00:00:00", date(2019, 2, 28)),
    ("DD/MM/YYYY", "28/02/2019 10:00:00", REJECTED),
    ("DD/MM/YYYY", "02/28/2019", REJECTED),  # the American order is never guessed
    ("DD/MM/YYYY", "2019-02-28", REJECTED),  # one way a file
    ("DD/MM/YYYY", "8/2/2019", REJECTED),
    ("YYYYMMDD", "20190228", date(2019, 2, 28)),
    ("YYYYMMDD", "20190230", REJECTED),
    ("YYYYMMDD", "201902", REJECTED),
    ("DDMMYYYY", "28022019", date(2019, 2, 28)),
    ("DDMMYYYY", "20190228", REJECTED),
    ("DDMONYYYY", "28FEB2019", date(2019, 2, 28)),
    ("DDMONYYYY", "28FEB2019:00:00:00", date(2019, 2, 28)),
    ("DDMONYYYY", "01JAN1600:00:00:00", date(1600, 1, 1)),  # a missing date, landed as it is
    ("DDMONYYYY", "28FEV2019", REJECTED),
    ("DDMONYYYY", "30FEB2019", REJECTED),
    ("official", "28FEB2019:00:00:00", date(2019, 2, 28)),
    ("DD/MM/YYYY", "", None),
]
INSTANTS = [
    ("DD/MM/YYYY", "28/02/2019 10:20:30", datetime.fromisoformat("2019-02-28 10:20:30")),
    ("DD/MM/YYYY", "28/02/2019 10:20", datetime.fromisoformat("2019-02-28 10:20:00")),
    ("DD/MM/YYYY", "28/02/2019 25:20", REJECTED),
    ("DDMONYYYY", "28FEB2019:10:20:30", datetime.fromisoformat("2019-02-28 10:20:30")),
    ("DDMONYYYY", "28FEB2019", datetime.fromisoformat("2019-02-28 00:00:00")),
    ("YYYYMMDD", "20190228", datetime.fromisoformat("2019-02-28 00:00:00")),
    ("YYYYMMDD", "20190228 10:20", REJECTED),
]
DECIMALS = [
    (",", "1,25", 1.25),
    (",", "-1,5e3", -1500.0),
    (",", ",5", 0.5),
    (",", "7", 7.0),
    (",", "1.25", REJECTED),
    (",", "1 250,5", REJECTED),
    (".", "1,25", REJECTED),
]


def landed(bench: VaultBench, folder: Path, kind: Kind, table: str, column: str, text: str, **declared: Any) -> Any:
    """What lands of one line: ``text`` in one column, and what the other columns need."""
    head = {
        "IR_BEN_R": "BEN_NIR_PSA;BEN_RNG_GEM;BEN_IDT_ANO;BEN_SEX_COD;BEN_NAI_ANN",
        "BIOLOGIE": "patient_id;sejour_id;code_loinc"
        + "".join(f";{name}" for name in ("date_heure", "valeur") if name != column),
    }[table]
    line = "A;1;I;1;1950" if table == "IR_BEN_R" else "A;1;718-7;"
    delivery = write_delivery(
        folder, kind.value, "sender", {f"{table}.csv": f"{head};{column}\n{line};{text}\n"}, **declared
    )
    account = bench.accept(delivery)
    rows = bench.landed(kind, table, [column])
    assert account.n_rejected == 1 - len(rows)
    return rows[0][0] if rows else REJECTED


@pytest.mark.parametrize(("dates", "text", "value"), DAYS)
def test_a_day_is_written_as_declared(tmp_path: Path, dates: str, text: str, value: object) -> None:
    with open_vault(tmp_path / "e") as bench:
        assert landed(bench, tmp_path / "d", Kind.SNDS_REF, "IR_BEN_R", "BEN_DCD_DTE", text, dates=dates) == value


@pytest.mark.parametrize(("dates", "text", "value"), INSTANTS)
def test_an_instant_is_written_as_declared(tmp_path: Path, dates: str, text: str, value: object) -> None:
    with open_vault(tmp_path / "e") as bench:
        assert landed(bench, tmp_path / "d", Kind.HOSPITAL_CSV, "BIOLOGIE", "date_heure", text, dates=dates) == value


@pytest.mark.parametrize(("decimal", "text", "value"), DECIMALS)
def test_a_decimal_is_written_as_declared(tmp_path: Path, decimal: str, text: str, value: object) -> None:
    with open_vault(tmp_path / "e") as bench:
        assert landed(bench, tmp_path / "d", Kind.HOSPITAL_CSV, "BIOLOGIE", "valeur", text, decimal=decimal) == value


PERSON_HEAD = "BEN_NIR_PSA;BEN_RNG_GEM;BEN_IDT_ANO;BEN_SEX_COD;BEN_NAI_ANN;BEN_DCD_DTE"
STAY_HEAD = "ETA_NUM;RSA_NUM;NIR_ANO_17;EXE_SOI_DTD;EXE_SOI_DTF;ENT_DAT"


def test_official_dates_differ_by_column(tmp_path: Path) -> None:
    """T_MCOaaC writes EXE_SOI_DTD as Oracle does and ENT_DAT as eight digits."""
    content = f"{STAY_HEAD}\n690000001;000001;N;05JAN2019:00:00:00;07JAN2019:00:00:00;05012019\n"
    delivery = write_delivery(tmp_path / "d", "snds-pmsi", "snds", {"T_MCO19C.csv": content}, dates="official")
    with open_vault(tmp_path / "e") as bench:
        bench.accept(delivery)
        [(start, entry)] = bench.landed(Kind.SNDS_PMSI, "T_MCOaaC", ["EXE_SOI_DTD", "ENT_DAT"])
    assert (str(start)[:10], str(entry)[:10]) == ("2019-01-05", "2019-01-05")


@pytest.mark.parametrize(
    ("table", "content"),
    [
        ("T_MCO19C", f"{STAY_HEAD}\n690000001;000001;N;2019-01-04 23:00:00;2019-01-06 23:00:00;\n"),  # winter
        ("T_MCO19C", f"{STAY_HEAD}\n690000001;000001;N;2019-07-04 22:00:00;2019-07-06 22:00:00;\n"),  # summer
        (
            "IR_BEN_R",
            f"{PERSON_HEAD}\nA;1;I;1;1950;2019-01-04 23:00:00\n",
        ),
    ],
)
def test_an_oracle_export_through_utc_is_refused_since_its_days_are_those_before(
    tmp_path: Path, table: str, content: str
) -> None:
    kind = "snds-ref" if table == "IR_BEN_R" else "snds-pmsi"
    delivery = write_delivery(tmp_path / "d", kind, "snds", {f"{table}.csv": content})
    with open_vault(tmp_path / "e") as bench, pytest.raises(NotAsPromised) as refused:
        bench.accept(delivery)
    assert refused.value.code is Code.DAYS_SHIFTED


def test_one_evening_among_many_days_is_no_shift_and_rejected_alone(tmp_path: Path) -> None:
    lines = [f"A{i};1;I;1;1950;2019-01-05" for i in range(200)] + ["B;1;I;1;1950;2019-01-04 23:00:00"]
    content = "\n".join([PERSON_HEAD, *lines]) + "\n"
    delivery = write_delivery(tmp_path / "d", "snds-ref", "snds", {"IR_BEN_R.csv": content})
    with open_vault(tmp_path / "e") as bench:
        account = bench.accept(delivery)
    assert (account.n_landed, account.n_rejected) == (200, 1)


def test_a_file_that_is_not_written_as_declared_at_all_is_refused(tmp_path: Path) -> None:
    content = "\n".join([PERSON_HEAD, *(f"A{i};1;I;1;1950;05/01/2019" for i in range(100))]) + "\n"
    delivery = write_delivery(tmp_path / "d", "snds-ref", "snds", {"IR_BEN_R.csv": content})
    with open_vault(tmp_path / "e") as bench, pytest.raises(NotAsPromised) as refused:
        bench.accept(delivery)
    assert refused.value.code is Code.WRITING_WRONG
    assert "--dates" in str(refused.value)
