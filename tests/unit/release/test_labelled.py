"""Names of concepts become labels where a result leaves, whatever type of result they stand in."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pytest
from pyroaring import BitMap

from enclos.contracts.result import OVERALL, RESULT_SCHEMA, Cell, ResultSettings, StudyResult
from enclos.lexicon.labels import is_label
from enclos.release.rules.labelled import labelled

PACK, SAID = "{28 (drug 1 MG) } Pack <new>", "(28 (drug 1 MG) ) Pack less than newmore than"
NUMBERED, SHORT = "NDA020800 0.3 ML drug", "NDA… 0.3 ML drug"
PERSONS = np.arange(10, dtype=np.int64)


def result_of(kind: str, *places: Mapping[str, str | None]) -> StudyResult:
    """A result of one type with a line and a cell at each place."""
    plain = dict.fromkeys(("group_level", "strata_name", "strata_level", "additional_level"), OVERALL)
    lines = [{"result_id": 1, "variable_name": "x", **plain, **place} for place in places]
    settings = ResultSettings(1, {"result_type": kind, "package_name": "enclos", "package_version": "1"})
    cells = tuple(
        Cell(
            1,
            *(str(line[name]) for name in ("group_level", "strata_name", "strata_level", "additional_level")),
            BitMap([1]),
            BitMap([1, 2]),
            PERSONS,
            str(line["variable_name"]),
            str(line.get("variable_level") or ""),
        )
        for line in lines
    )
    return StudyResult(pa.Table.from_pylist(lines, RESULT_SCHEMA), (settings,), cells)


def names_of(result: StudyResult, column: str = "variable_name") -> list[str]:
    """What a column says, the same in lines and cells."""
    lines: list[str] = result.table[column].to_pylist()
    assert lines == [getattr(cell, column) for cell in result.cells]
    return lines


@pytest.mark.parametrize(
    ("kind", "column"),
    [
        ("summarise_large_scale_characteristics", "additional_level"),
        ("summarise_standardised_differences", "additional_level"),
        ("code_use", "variable_level"),
        ("cohort_code_use", "variable_level"),
        ("orphan_code_use", "variable_level"),
    ],
)
def test_a_name_beside_its_concept_is_said_as_a_label_or_by_the_number(kind: str, column: str) -> None:
    names = [PACK, NUMBERED, "drug", "../drug"]
    places = [{"variable_name": name, column: str(40000000 + at)} for at, name in enumerate(names)]
    result = labelled(result_of(kind, *places, {"variable_name": "Number records"}))
    assert names_of(result) == [SAID, SHORT, "drug", "40000003", "Number records"]
    assert labelled(result).table.equals(result.table)


@pytest.mark.parametrize("kind", ["compare_balance", "compare_score"])
def test_a_covariate_keeps_when_it_was_looked_for_and_its_parts(kind: str) -> None:
    when = "drug exposure day -365 through 0"
    names = [f"{when}: {PACK}", f"{when}: ../drug", "gender: male"]
    places = [{"variable_name": name, "additional_level": f"4000000{at}412"} for at, name in enumerate(names)]
    result = result_of(kind, *places)
    assert names_of(labelled(result)) == [f"{when}: {SAID}", f"{when}: unnamed concept", "gender: male"]
    parts = result_of(kind, *({**place, "variable_name": f"{place['variable_name']} &&& 2"} for place in places))
    assert labelled(parts).cells[0].variable_name == f"{when}: {SAID} &&& 2"


def test_ingredients_and_routes_are_said_as_labels_and_stay_apart() -> None:
    names = ["drug", "NDA02080012 drug", "NDA02080013 drug", "../drug"]
    routes = ["oral &&& milligram", "by <mouth> &&& milligram", OVERALL, "../ &&& milligram"]
    places = [{"group_level": name, "strata_level": route} for name, route in zip(names, routes, strict=True)]
    result = labelled(result_of("summarise_dose_coverage", *places))
    assert names_of(result, "group_level") == ["drug", "ingredient 2", "ingredient 3", "ingredient 4"]
    strata = names_of(result, "strata_level")
    assert strata[1:3] == ["by less than mouthmore than &&& milligram", OVERALL]
    assert all(is_label(level) for strata_level in strata for level in strata_level.split(" &&& "))


def test_other_types_are_left_as_they_are() -> None:
    result = result_of("incidence", {"variable_name": PACK, "additional_level": "7"})
    assert labelled(result) is result
