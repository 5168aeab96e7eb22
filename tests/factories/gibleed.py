"""The study and the results of the R peers on GiBleed, compared place by place."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from enclos.contracts.result import StudyResult, result_from_csv

TOLERANCE = 1e-6
COHORTS = """
cohorts:
  acetaminophen: {concepts: [1127433, 1127078, 40231925], descendants: false, domain: drug, limit: all,
                  end: event_end, gap_era: 30}
  amoxicillin: {concepts: [1713671], descendants: false, domain: drug, limit: all, end: event_end, gap_era: 30}
  aspirin: {concepts: [192671], descendants: false, domain: drug, limit: all, end: event_end, gap_era: 30}
  celecoxib: {concepts: [1118084], descendants: false, domain: drug, limit: all, end: event_end, gap_era: 30}
  diclofenac: {concepts: [1124300], descendants: false, domain: drug, limit: all, end: event_end, gap_era: 30}
  gibleed: {concepts: [192671], domain: condition, limit: all, end: {days: 1}}
  bronchitis: {concepts: [260139], domain: condition, limit: all, end: {days: 1}}
  sinusitis: {concepts: [40481087], domain: condition, limit: all, end: {days: 1}}
  otitis: {concepts: [372328], domain: condition, limit: all, end: {days: 1}}
"""
"""Nobody takes aspirin in GiBleed, and its vocabulary lacks the concept: one that no drug has stands for it."""
_PLACE = (
    "group_name",
    "group_level",
    "strata_name",
    "strata_level",
    "variable_name",
    "variable_level",
    "estimate_name",
    "estimate_type",
    "additional_name",
    "additional_level",
)


def reference(folder: Path, name: str) -> pa.Table:
    """The estimates of a reference file."""
    with gzip.open(folder / f"{name}.csv.gz") as file:
        return result_from_csv(file.read())[0]


def by_place(rows: pa.Table) -> dict[tuple[Any, ...], str | None]:
    """The text of each estimate by its place."""
    found = {tuple(row[name] for name in _PLACE): row["estimate_value"] for row in rows.to_pylist()}
    assert len(found) == rows.num_rows
    return found


def assert_equals_reference(
    result: StudyResult, result_type: str, expected: pa.Table, same: Callable[[tuple[Any, ...]], bool] | None = None
) -> None:
    """Every place of the reference is there and no other; counts and days are the same, other numbers to 1e-6.

    In: same — the places to compare; all where not given
    """
    found, wanted = by_place(result.of_type(result_type)), by_place(expected)
    assert {key for key in found if same is None or same(key)} == {key for key in wanted if same is None or same(key)}
    for key, text in wanted.items():
        if same is not None and not same(key):
            continue
        own = found[key]
        if text is None or own is None or key[7] in {"integer", "date"}:
            assert own == text, (key, own, text)
        else:
            assert abs(float(own) - float(text)) <= TOLERANCE, (key, own, text)
