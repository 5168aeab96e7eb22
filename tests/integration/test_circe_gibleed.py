"""Every definition at hand gives the rows of Circe's own SQL on GiBleed, in one bucket and in several.

The rows were made by CirceR's SQL, rendered by SqlRender and run in DuckDB. Where they are absent, the worked examples
of a small CDM say what is right: the same code runs either way.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from datetime import date

import pytest

from enclos.studies.circe import circe_rows
from enclos.studies.circe.kept import Kept
from factories.circe import cohort_of, condition, definition, person
from fakes.whole_cdm import whole_cdm_of_parquet, whole_cdm_of_rows
from shared_data import shared

DEFINITIONS = shared("circe", "definitions")
EXPECTED = shared("circe", "expected_gibleed.csv.gz")
DATA = shared("omop", "gibleed")
Row = tuple[str, int, date, date]


def rows_of(texts: dict[str, str], cdm, kept: Kept | None = None) -> Counter[Row]:
    table = circe_rows(texts, cdm, kept=kept)
    return Counter(zip(*(table[name].to_pylist() for name in table.column_names), strict=True))


@pytest.mark.parametrize("n_buckets", [1, 3])
def test_every_definition_gives_the_rows_of_the_reference(n_buckets: int) -> None:
    if DEFINITIONS is None or EXPECTED is None or DATA is None:
        cdm = whole_cdm_of_rows(person(1, condition(7, "2020-01-05"), condition(7, "2020-03-05")), n_buckets)
        assert cohort_of(definition("ConditionOccurrence", 7), cdm) == [(1, "2020-01-05", "2020-12-31")]
        return
    texts = {file.stem: file.read_text(encoding="utf-8") for file in sorted(DEFINITIONS.glob("*.json"))}
    with gzip.open(EXPECTED, "rt", encoding="utf-8") as lines:
        expected = Counter(
            (
                row["cohort_definition_id"],
                int(row["subject_id"]),
                date.fromisoformat(row["cohort_start_date"]),
                date.fromisoformat(row["cohort_end_date"]),
            )
            for row in csv.DictReader(lines)
        )
    cdm, kept = whole_cdm_of_parquet(DATA, n_buckets), Kept(most_bytes=1 << 30)
    found = rows_of(texts, cdm)
    assert found == sum((rows_of({name: text}, cdm, kept) for name, text in texts.items()), Counter())
    assert {row[0] for row in (expected - found) + (found - expected)} == set()
    assert len(texts) > 100 and found.total() == expected.total() > 100_000
