"""What counts as a value of each official type, as it is written in a file; anything else is rejected, never bent.

Each line: the text between two separators, and what is landed (``REJECTED``: the line is not).
"""

from __future__ import annotations

from datetime import date, datetime

import pytest

from enclos.contracts.delivered.document import Kind
from factories.deliveries import open_vault, write_delivery

REJECTED = object()

INTEGERS = [
    ("0", 0),
    ("-3", -3),
    ("+5", 5),
    ("007", 7),
    ("9223372036854775807", 2**63 - 1),
    ("", None),
    ("9223372036854775808", REJECTED),
    ("1.0", REJECTED),
    ("1.5", REJECTED),  # an engine would land 2
    ("1e3", REJECTED),
    ("1_000", REJECTED),
    ("0x1F", REJECTED),
    (" 1", REJECTED),
    ("--", REJECTED),
]
DATES = [
    ("2019-02-28", date(2019, 2, 28)),
    ("1600-01-01", date(1600, 1, 1)),  # how the SNDS writes a missing date: landed unchanged, understood later
    ("2099-12-31", date(2099, 12, 31)),
    ("2019-02-28 00:00:00", date(2019, 2, 28)),
    ("2019-02-28T00:00:00.000", date(2019, 2, 28)),
    ("", None),
    ("2019-02-28 10:00:00", REJECTED),  # an engine would drop the hour
    ("2019-02-30", REJECTED),
    ("2019-2-28", REJECTED),
    ("28/02/2019", REJECTED),
    ("20190228", REJECTED),
    ("infinity", REJECTED),
    ("epoch", REJECTED),
    ("2019-02-28 (BC)", REJECTED),
]
INSTANTS = [
    ("2019-02-28 10:20:30", datetime.fromisoformat("2019-02-28 10:20:30")),
    ("2019-02-28T10:20", datetime.fromisoformat("2019-02-28 10:20:00")),
    ("2019-02-28 10:20:30.25", datetime.fromisoformat("2019-02-28 10:20:30.250")),
    ("2019-02-28", datetime.fromisoformat("2019-02-28 00:00:00")),
    ("2019-02-28 10:20:30+02", REJECTED),  # an engine would drop the offset
    ("2019-02-28 25:00:00", REJECTED),
    ("10:20:30", REJECTED),
    ("infinity", REJECTED),
]
DECIMALS = [
    ("1.25", 1.25),
    ("-.5", -0.5),
    ("5.", 5.0),
    ("1e-3", 0.001),
    ("", None),
    ("1,25", REJECTED),
    ("<5", REJECTED),
    ("nan", REJECTED),
    ("inf", REJECTED),
    ("1_0.5", REJECTED),
    (" 1.5", REJECTED),
]


@pytest.mark.parametrize(
    ("kind", "table", "before", "column", "cases"),
    [
        (Kind.SNDS_REF, "IR_BEN_R", "BEN_NIR_PSA;BEN_RNG_GEM;BEN_IDT_ANO;BEN_SEX_COD", "BEN_NAI_ANN", INTEGERS),
        (Kind.SNDS_REF, "IR_IMB_R", "BEN_NIR_PSA;BEN_RNG_GEM", "IMB_ALD_DTD", DATES),
        (Kind.HOSPITAL_CSV, "SEJOUR", "sejour_id;patient_id;sortie", "entree", INSTANTS),
        (Kind.HOSPITAL_CSV, "BIOLOGIE", "patient_id;sejour_id;code_loinc;date_heure", "valeur", DECIMALS),
    ],
    ids=["integers", "dates", "instants", "decimals"],
)
def test_values_are_landed_as_written_or_not_at_all(tmp_path, kind, table, before, column, cases):
    blanks = {"date_heure", "sortie"}
    lead = ";".join("" if name in blanks else "1" for name in before.split(";"))
    lines = [f"{before};{column}", *(f"{lead};{text}" for text, _ in cases)]
    folder = write_delivery(tmp_path / "in", kind.value, "source", {f"{table}.csv": "\n".join(lines) + "\n"})
    with open_vault(tmp_path / "enclosure") as bench:
        account = bench.accept(folder)
        landed = {line: value for value, line in bench.landed(kind, table, (column,), hidden=("_line",))}
        rejected = bench.engine.rows("SELECT line_number, reason, column_name FROM vault.rejects")
    found = [(text, landed.get(line, REJECTED)) for line, (text, _) in enumerate(cases, start=2)]
    assert found == cases
    assert {reason for _, reason, _ in rejected} | {name for *_, name in rejected} == {"value", column}
    assert account.n_delivered == len(cases)


def test_a_month_is_a_number_and_a_code_is_text(tmp_path):
    """BEN_NAI_MOI is officially a date of two signs; '03' is March. Codes keep their zeros."""
    text = "BEN_NIR_PSA;BEN_RNG_GEM;BEN_IDT_ANO;BEN_SEX_COD;BEN_NAI_ANN;BEN_NAI_MOI;BEN_RES_DPT\nA;1;I;2;1950;03;02A\n"
    with open_vault(tmp_path / "enclosure") as bench:
        bench.accept(write_delivery(tmp_path / "in", "snds-ref", "snds", {"IR_BEN_R.csv": text}))
        assert bench.landed(Kind.SNDS_REF, "IR_BEN_R", ("BEN_NAI_MOI", "BEN_RES_DPT")) == [(3, "02A")]


def test_an_empty_key_is_rejected_and_an_empty_value_is_not(tmp_path):
    text = "patient_id;sex;birth_date\np1;;\n;F;1950-01-01\n"
    with open_vault(tmp_path / "enclosure") as bench:
        bench.accept(write_delivery(tmp_path / "in", "hospital-csv", "hosp-d", {"PATIENT.csv": text}))
        assert bench.landed(Kind.HOSPITAL_CSV, "PATIENT", ("patient_id", "sex")) == [("p1", None)]
        rejected = bench.engine.rows("SELECT line_number, reason, column_name FROM vault.rejects")
        assert rejected == [(3, "missing_key", "patient_id")]
