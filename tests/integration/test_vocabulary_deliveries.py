"""Vocabularies as Athena hands them out, and Parquet as people export it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from enclos.app.deliveries import make_delivery
from enclos.contracts.delivered.document import Kind
from factories.deliveries import open_vault, write_delivery

HEAD = (
    "concept_id\tconcept_name\tdomain_id\tvocabulary_id\tconcept_class_id\tstandard_concept\tconcept_code\t"
    "valid_start_date\tvalid_end_date\tinvalid_reason"
)
REST = "Drug\tBDPM\tDrug Product\t\t3548247\t20100101\t20991231\t"
ATHENA = {
    "CONCEPT.csv": f'{HEAD}\n21\tA "5 mg tablet\t{REST}\n22\tB\t{REST}\n',
    "CONCEPT_CPT4.csv": f"{HEAD}\n31\t\tObservation\tCPT4\tCPT4\tS\t99213\t19700101\t20991231\t\n",
    "readme.txt": "how to fetch the names of CPT4",
    "cpt4.jar": "not read",
}


@pytest.mark.parametrize("form", ["folder", "zip in a folder", "zip"])
def test_an_athena_download_is_declared_and_landed_as_it_comes(tmp_path: Path, form: str) -> None:
    folder = tmp_path / "vocabulary"
    folder.mkdir()
    given = folder
    if form == "folder":
        for name, content in ATHENA.items():
            (folder / name).write_text(content, encoding="utf-8")
    else:
        given = tmp_path / "athena.zip" if form == "zip" else folder
        archive = tmp_path / "athena.zip" if form == "zip" else folder / "vocabulary_download_v5.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
            for name, content in ATHENA.items():
                opened.writestr(name, content)
    made = make_delivery(given, kind="vocabulary", source="athena")
    assert {(file["table"], file["n_rows"]) for file in made["files"]} == {("concept", 2), ("concept", 1)}
    with open_vault(tmp_path / "e") as bench:
        account = bench.accept(Path(made["folder"]))
        rows = bench.landed(Kind.VOCABULARY, "concept", ["concept_id", "concept_name", "valid_start_date"])
    assert (account.n_landed, account.n_rejected) == (3, 0)
    assert [(number, name, f"{day}"[:10]) for number, name, day in sorted(rows)] == [
        (21, 'A "5 mg tablet', "2010-01-01"),
        (22, "B", "2010-01-01"),
        (31, None, "1970-01-01"),
    ]


def test_parquet_of_several_files_a_table_lands_with_declared_writing_and_row_numbers(tmp_path: Path) -> None:
    """Text columns as exported, numbers as integers, days as instants; a folder names the table of its parts."""
    folder = tmp_path / "d"
    (folder / "IR_BEN_R").mkdir(parents=True)
    person = {"ben_nir_psa": "P", "BEN_RNG_GEM": 1, "BEN_IDT_ANO": "I", "BEN_SEX_COD": "1", "BEN_NAI_ANN": 1950.0}
    for part, days in enumerate((["05/01/2019", "2019-01-05"], ["", "31/12/2020"])):
        rows = [person | {"BEN_DCD_DTE": day} for day in days]
        pq.write_table(pa.Table.from_pylist(rows), folder / "IR_BEN_R" / f"part-{part}.parquet")
    make_delivery(folder, kind="snds-ref", source="snds", dates="DD/MM/YYYY")
    with open_vault(tmp_path / "e") as bench:
        account = bench.accept(folder)
        landed = bench.landed(Kind.SNDS_REF, "IR_BEN_R", ["BEN_DCD_DTE", "BEN_SEX_COD", "BEN_NAI_ANN"])
        rejected = bench.engine.rows("SELECT delivered_path, line_number, reason, column_name FROM vault.rejects")
    assert account.n_delivered == 4
    assert sorted((f"{day}", sex, born) for day, sex, born in landed) == [
        ("2019-01-05", 1, 1950),
        ("2020-12-31", 1, 1950),
        ("None", 1, 1950),
    ]
    assert rejected == [("IR_BEN_R/part-0.parquet", 2, "value", "BEN_DCD_DTE")]


def test_a_packed_file_says_the_line_of_what_it_rejects(tmp_path: Path) -> None:
    content = "patient_id;sex;birth_date\nA;F;1950-01-01\nB;F;1950-13-01\n\nC;F\nD;F;1950-01-01\n"
    delivery = write_delivery(tmp_path / "d", "hospital-csv", "hosp-d", {"PATIENT.csv.gz": content})
    with open_vault(tmp_path / "e") as bench:
        bench.accept(delivery)
        rejected = bench.engine.rows("SELECT line_number, reason FROM vault.rejects ORDER BY ALL")
        assert bench.landed(Kind.HOSPITAL_CSV, "PATIENT", ["patient_id"], hidden=["_line"]) == [("A", 2), ("D", 6)]
    assert rejected == [(3, "value"), (5, "field_count")]
