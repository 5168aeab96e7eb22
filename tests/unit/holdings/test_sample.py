"""The sample is made of nobody: of the schema, of published shares and of a seed."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

from enclos.app.catalogue import sample_digest, sample_files
from enclos.contracts.omop import omop_tables
from enclos.holdings.rules.sample import N_PERSONS

DOCS = Path(__file__).parents[3] / "docs" / "catalogue.md"


def test_its_digest_is_the_one_on_record() -> None:
    (recorded,) = re.findall(r"Digest of the sample: `([0-9a-f]{64})`", DOCS.read_text(encoding="utf-8"))
    assert sample_digest(sample_files()) == recorded


def test_it_looks_like_the_tables_and_holds_what_is_required() -> None:
    files = sample_files()
    assert set(files) == {"person.csv", "observation_period.csv", "condition_occurrence.csv"}
    for name, text in files.items():
        table = omop_tables()[name.removesuffix(".csv")]
        rows = list(csv.DictReader(io.StringIO(text.decode())))
        assert tuple(rows[0]) == table.names
        for column in table:
            assert not column.required or all(row[column.name] for row in rows), column.name


def test_its_persons_are_of_the_published_shares_and_ill_by_them() -> None:
    files = sample_files()
    persons = list(csv.DictReader(io.StringIO(files["person.csv"].decode())))
    assert len(persons) == N_PERSONS
    assert 85 <= sum(row["gender_concept_id"] == "8532" for row in persons) <= 120
    assert 25 <= sum(int(row["year_of_birth"]) <= 1959 for row in persons) <= 65  # Insee: 22 % are 65 or more
    ill = list(csv.DictReader(io.StringIO(files["condition_occurrence.csv"].decode())))
    born = {row["person_id"]: row["year_of_birth"] for row in persons}
    assert 40 < len(ill) < 400
    assert all(row["condition_start_date"][:4] >= born[row["person_id"]] for row in ill)
