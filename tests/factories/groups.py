"""Descriptions of small groups, as ``characterise`` would hand them over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pyroaring import BitMap

from enclos.contracts.result import OVERALL, RESULT_SCHEMA, Cell, ResultSettings, StudyResult, Values
from enclos.studies.rules.spread import Spread

KIND = "summarise_characteristics"
NUMBERS = np.arange(10_000, 20_000, dtype=np.int64)


@dataclass(frozen=True)
class Subject:
    """Somebody in a cohort."""

    cohort: str
    sex: str
    age_group: str
    flags: frozenset[str] = frozenset()
    value: int | None = None


Line = tuple[str, str, str]
"""Estimate, type, value."""


def description_of(subjects: Sequence[Subject], flags: Iterable[str] = (), kind: str = KIND) -> StudyResult:
    """Counts, shares and a measure of each cohort, in all and by sex."""
    rows: list[dict[str, object]] = []
    cells: list[Cell] = []

    def add(
        place: tuple[str, str, str],
        name: str,
        level: str | None,
        lines: Iterable[Line],
        sets: Sequence[BitMap],
        values: Values | None = None,
    ) -> None:
        cohort, strata, of = place
        for estimate, kind_of, value in lines:
            labels = ("cdm", "cohort_name", cohort, strata, of, name, level, estimate, kind_of, value, OVERALL, OVERALL)
            rows.append(dict(zip(RESULT_SCHEMA.names, (1, *labels), strict=True)))
        cells.append(Cell(1, cohort, strata, of, OVERALL, sets[0], sets[1], NUMBERS, name, level or "", values))

    def having(among: BitMap, test: Callable[[Subject], bool]) -> BitMap:
        return BitMap(number for number in among if test(subjects[number]))

    for cohort in sorted({each.cohort for each in subjects}):
        whole = BitMap(number for number, each in enumerate(subjects) if each.cohort == cohort)
        for strata, of in ((OVERALL, OVERALL), ("sex", "Female"), ("sex", "Male")):
            among = whole if of == OVERALL else having(whole, lambda each, of=of: each.sex == of)
            if not among:
                continue
            place = (cohort, strata, of)
            add(place, "Number subjects", None, [("count", "integer", str(len(among)))], (among, among))
            tests = {("Age group", each.age_group): each.age_group for each in subjects}
            for (name, level), group in sorted(tests.items()):
                found = having(among, lambda each, group=group: each.age_group == group)
                add(place, name, level, _count_and_share(found, among), (found, among))
            for flag in sorted(flags):
                found = having(among, lambda each, flag=flag: flag in each.flags)
                add(place, "Conditions", flag, _count_and_share(found, among), (found, among))
            known = having(among, lambda each: each.value is not None)
            if known:
                values = [subjects[number].value or 0 for number in known]
                spread = Spread()
                spread.add(np.array(values))
                add(place, "Days", None, _spread(values), (known, among), spread.values)
    settings = {"result_type": kind, "package_name": "enclos", "package_version": "0.1.0"}
    return StudyResult(pa.Table.from_pylist(rows, RESULT_SCHEMA), (ResultSettings(1, settings),), tuple(cells))


def _count_and_share(found: BitMap, among: BitMap) -> list[Line]:
    share = 100 * len(found) / len(among)
    return [("count", "integer", str(len(found))), ("percentage", "percentage", f"{share:.4f}")]


def _spread(values: list[int]) -> list[Line]:
    found = {
        "mean": np.mean(values),
        "sd": np.std(values, ddof=1) if len(values) > 1 else 0,
        "min": min(values),
        "q25": np.quantile(values, 0.25),
        "median": np.median(values),
        "q75": np.quantile(values, 0.75),
        "max": max(values),
    }
    return [(name, "numeric", f"{float(value):.3f}") for name, value in found.items()]
