"""What is read of a snapshot, on tables small enough to count by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from enclos.contracts.omop import omop_tables
from enclos.holdings.model import Figures
from enclos.holdings.steps import Part, read_figures
from enclos.lexicon.refusals import Refusal
from enclos.stores.engine import Engine, open_engine


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """120 persons born in 2000 and 3 in 1915; 12 have diagnoses, 105 drugs of one vocabulary, 4 of another."""
    spill: Path = tmp_path_factory.mktemp("spill")
    with open_engine(spill) as opened:
        numbers = range(123)
        tables = {
            "person": {"person_id": numbers, "year_of_birth": [2000] * 120 + [1915] * 3},
            "observation_period": {
                "person_id": numbers,
                "observation_period_start_date": [date(2018, 12, 31)] * 3 + [date(2019, 5, 1)] * 120,
                "observation_period_end_date": [date(2020, 3, 1)] * 123,
            },
            "condition_occurrence": {
                "person_id": [n % 12 for n in range(500)],
                "condition_concept_id": [1] * 500,
                "condition_source_concept_id": [0] * 500,
            },
            "drug_exposure": {
                "person_id": [*range(105), *range(4)],
                "drug_concept_id": [2] * 105 + [3] * 4,
                "drug_source_concept_id": [0] * 109,
            },
            "concept": {"concept_id": [0, 1, 2, 3], "vocabulary_id": ["None", "SNOMED", "RxNorm", "ATC"]},
            "cdm_source": {"source_release_date": [date(2020, 2, 29)]},
        }
        for name, columns in tables.items():
            given = {key: list(values) for key, values in columns.items()}
            n_rows = len(next(iter(given.values())))
            empty = {key: [None] * n_rows for key in omop_tables()[name].names}
            opened.register(name, pa.table(empty | given))
        yield opened


def read(engine: Engine, floor: int, n_buckets: int = 0, rows_at_once: int = 10**9) -> Figures:
    held = {"person", "observation_period", "condition_occurrence", "drug_exposure", "concept", "cdm_source"}

    def place(table: str, part: Part) -> str | None:
        if table not in held or not part:
            return table if table in held else None
        listed = ", ".join(str(bucket) for bucket in part)
        return f"(SELECT * FROM {table} WHERE person_id % {n_buckets} IN ({listed}))"

    return read_figures(
        engine,
        place,
        snapshot=1,
        built_on=date(2026, 1, 1),
        floor=floor,
        buckets=range(n_buckets),
        rows_at_once=rows_at_once,
    )


def filled(figures: Figures, table: str) -> dict[str, int | None]:
    return next(dict(told.filled) for told in figures.tables if told.table == table)


@pytest.mark.parametrize("rows_at_once", [1, 300, 10**9])
def test_however_persons_are_bucketed_the_same_is_told(engine: Engine, rows_at_once: int) -> None:
    assert read(engine, 11, 7, rows_at_once) == read(engine, 11)
    assert read(engine, 1, 3, rows_at_once) == read(engine, 1)


def test_numbers_are_told_down_to_the_unit_and_small_ones_not(engine: Engine) -> None:
    figures = read(engine, 11)
    assert (figures.unit, figures.n_persons) == (100, 100)
    assert [(told.table, told.n_records, told.n_persons) for told in figures.tables] == [
        ("person", 100, 100),
        ("observation_period", 100, 100),
        ("condition_occurrence", None, None),  # 500 rows of 12 persons
        ("drug_exposure", 100, 100),
    ]
    assert filled(figures, "condition_occurrence") == {}
    drugs = filled(figures, "drug_exposure")
    assert (drugs["person_id"], drugs["drug_concept_id"]) == (100, 100)
    assert drugs["drug_source_concept_id"] is None  # concept 0 says nothing
    assert drugs["quantity"] is None
    assert figures.n_records == 300
    assert (figures.min_age, figures.max_age) == (20, 24)
    assert (figures.starts_on, figures.ends_on) == (date(2019, 1, 1), date(2020, 2, 29))
    assert figures.vocabularies == ("RxNorm",)


def test_a_lower_floor_tells_more_and_never_less_than_ten(engine: Engine) -> None:
    figures = read(engine, 1)
    assert (figures.unit, figures.n_persons) == (10, 120)
    told = next(table for table in figures.tables if table.table == "condition_occurrence")
    assert (told.n_records, told.n_persons) == (500, 10)
    assert filled(figures, "condition_occurrence")["condition_concept_id"] == 10
    assert figures.vocabularies == ("RxNorm", "SNOMED")


def test_too_few_persons_are_not_described(engine: Engine) -> None:
    with pytest.raises(Refusal) as caught:
        read(engine, 101)
    assert caught.value.code.name == "CATALOGUE_TOO_FEW"
    assert "123" not in str(caught.value)
