"""A standardised rate is shown where every cell that it is made of is, and nowhere else."""

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from enclos.contracts.result import HIDDEN, RESULT_SCHEMA, ResultSettings, StudyResult
from enclos.lexicon.verdicts import Verdict
from enclos.release.rules.disclosure import assess
from enclos.studies.model import AgeGroup, Incidence, Interval, Population, Study
from enclos.studies.standard.model import Standard
from enclos.studies.steps import run_study
from factories.study_tables import EVENTS, cdm

OWN = Standard("own", (((0, 39), 3), ((40, 150), 1)))
AGES = (AgeGroup(0, 39), AgeGroup(40, 150))
ANALYSIS = Incidence(("events",), Population(AGES), (Interval.OVERALL,), standard=OWN)


def result(n_young_cases: int) -> StudyResult:
    """60 young and 60 old persons, 20 of the old with the outcome."""
    lines = ["person | sex | born | observed | events"]
    for number in range(120):
        born = "2000-01-01" if number < 60 else "1950-01-01"
        is_case = number < n_young_cases or 60 <= number < 80
        lines.append(f"{number + 1} | F | {born} | 2019-01-01..2020-12-31 | {'2019-07-02' if is_case else ''}")
    return run_study(Study("spec", (EVENTS,), (ANALYSIS,)), cdm("\n".join(lines)))


def standardised_values(found: StudyResult) -> list[str]:
    return [row["estimate_value"] for row in found.of_type("incidence_standardised").to_pylist()]


def test_it_is_shown_where_every_cell_is() -> None:
    found = assess(result(20), 5)
    assert found.verdict is Verdict.PASS
    assert found.safe is not None
    assert standardised_values(found.safe) == standardised_values(result(20))


def test_it_is_withheld_where_a_cell_is_hidden() -> None:
    """With the weights and the rate of the old, it would tell that three of the young had the outcome."""
    found = assess(result(3), 5)
    assert found.safe is not None
    assert standardised_values(found.safe) == [HIDDEN] * 3


MORE = 30
"""Young cases whose rate is not that of the old."""


def with_value(found: StudyResult, value: str) -> StudyResult:
    rows: list[dict[str, Any]] = found.table.to_pylist()
    place = next(at for at, row in enumerate(rows) if row["estimate_name"] == "standardised_100000_pys")
    rows[place]["estimate_value"] = value
    return replace(found, table=pa.Table.from_pylist(rows, schema=RESULT_SCHEMA))


def with_setting(found: StudyResult, name: str, value: str) -> StudyResult:
    settings = tuple(
        ResultSettings(each.result_id, {**each.values, name: value}) if name in each.values else each
        for each in found.settings
    )
    return replace(found, settings=settings)


@pytest.mark.parametrize(
    "wrong",
    [
        with_value(result(MORE), "12345.678"),
        with_setting(result(MORE), "standard_weights", "1 1"),
        with_setting(result(MORE), "standard_weights", "3"),
        with_setting(result(MORE), "standard_ages", "0-39 40-99"),
        replace(result(MORE), cells=result(MORE).cells[:-1]),
    ],
)
def test_one_that_does_not_follow_from_its_cells_is_refused(wrong: StudyResult) -> None:
    found = assess(wrong, 5)
    assert found.safe is None
    assert found.verdict is Verdict.REFUSE
