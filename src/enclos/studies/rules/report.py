"""The rows of a result, in order, and the persons behind them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from pyroaring import BitMap

from enclos.contracts.result import (
    OVERALL,
    RESULT_COLUMNS,
    RESULT_SCHEMA,
    SEPARATOR,
    Cell,
    EstimateType,
    PersonNumbers,
    ResultSettings,
    StudyResult,
    Values,
)
from enclos.studies.rules.attrition import AttritionRow
from enclos.studies.rules.estimated import IncidenceEstimates, Label, PrevalenceEstimates, StandardisedEstimates
from enclos.studies.rules.estimates import printed
from enclos.studies.sensitivity.model import WAY

GROUP_NAME = SEPARATOR.join(("denominator_cohort_name", "outcome_cohort_name"))
_OUTCOME, _DENOMINATOR = "Outcome", "Denominator"
_INCIDENCE_ESTIMATES: tuple[tuple[str, str, EstimateType], ...] = (
    (_DENOMINATOR, "denominator_count", EstimateType.INTEGER),
    (_OUTCOME, "outcome_count", EstimateType.INTEGER),
    (_DENOMINATOR, "person_days", EstimateType.NUMERIC),
    (_DENOMINATOR, "person_years", EstimateType.NUMERIC),
    (_OUTCOME, "incidence_100000_pys", EstimateType.NUMERIC),
    (_OUTCOME, "incidence_100000_pys_95CI_lower", EstimateType.NUMERIC),
    (_OUTCOME, "incidence_100000_pys_95CI_upper", EstimateType.NUMERIC),
)
_STANDARDISED_ESTIMATES: tuple[tuple[str, str, EstimateType], ...] = (
    (_OUTCOME, "standardised_100000_pys", EstimateType.NUMERIC),
    (_OUTCOME, "standardised_100000_pys_95CI_lower", EstimateType.NUMERIC),
    (_OUTCOME, "standardised_100000_pys_95CI_upper", EstimateType.NUMERIC),
)
_PREVALENCE_ESTIMATES: tuple[tuple[str, str, EstimateType], ...] = (
    (_DENOMINATOR, "denominator_count", EstimateType.INTEGER),
    (_OUTCOME, "outcome_count", EstimateType.INTEGER),
    (_OUTCOME, "prevalence", EstimateType.NUMERIC),
    (_OUTCOME, "prevalence_95CI_lower", EstimateType.NUMERIC),
    (_OUTCOME, "prevalence_95CI_upper", EstimateType.NUMERIC),
)
_ATTRITION_COUNTS = ("number_records", "number_subjects", "excluded_records", "excluded_subjects")


Part: TypeAlias = tuple[BitMap, BitMap]
"""Persons who have something, among those who could."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an estimate stands in a result: its group, stratum, variable and what is added; names and levels."""

    group_name: str
    group_level: str
    variable: str | None = None
    variable_level: str | None = None
    strata: tuple[str, str] = (OVERALL, OVERALL)
    additional: tuple[str, str] = (OVERALL, OVERALL)


@dataclass(frozen=True, slots=True)
class Estimate:
    """One number as it is printed; None where there is none."""

    name: str
    type: EstimateType
    value: str | None


_DIGITS = 10


def number(name: str, value: float, digits: int = _DIGITS) -> Estimate:
    """A number to so many significant digits, since what lies beyond depends on the order of sums.

    Empty: no value for what is not finite
    """
    return Estimate(name, EstimateType.NUMERIC, text_of(value, digits))


def text_of(value: float, digits: int = _DIGITS) -> str | None:
    """The text of such a number."""
    return printed(float(f"{value:.{digits}g}")) if math.isfinite(value) else None


class Report:
    """Collects the rows of a result in order."""

    def __init__(self, cdm_name: str, package_version: str) -> None:
        self._cdm_name = cdm_name
        self._version = package_version
        self._columns: dict[str, list[object]] = {name: [] for name in RESULT_COLUMNS}
        self._tables: list[pa.Table] = []
        """Rows before those in ``_columns``."""
        self._settings: list[ResultSettings] = []
        self._cells: list[tuple[int, Place, BitMap, BitMap, Values | None]] = []
        self._way: Mapping[str, str] = {}

    @contextmanager
    def asked_as(self, name: str) -> Iterator[None]:
        """Meanwhile every result id that is started says in its settings by which way of asking it was found."""
        self._way = {WAY: name}
        try:
            yield
        finally:
            self._way = {}

    def start(self, result_type: str, group: str, strata: str, additional: str, values: Mapping[str, str]) -> int:
        """Start a result id with its settings."""
        shared = {
            "result_type": result_type,
            "package_name": "enclos",
            "package_version": self._version,
            "group": group,
            "strata": strata,
            "additional": additional,
            "min_cell_count": "0",
        }
        self._settings.append(ResultSettings(len(self._settings) + 1, {**shared, **self._way, **values}))
        return len(self._settings)

    def add_incidence(
        self, result_id: int, group_level: str, found: IncidenceEstimates, strata: tuple[str, str]
    ) -> None:
        """Add the estimates of one pair."""
        texts = found.columns()
        self._add_estimates(result_id, (group_level, strata), "incidence", found.labels, _INCIDENCE_ESTIMATES, texts)
        self._add_cells(result_id, (group_level, strata), "incidence", found.labels, found.cases, found.at_risk)

    def add_standardised(
        self, result_id: int, group_level: str, found: StandardisedEstimates, strata: tuple[str, str]
    ) -> None:
        """Add the standardised rates of one outcome."""
        texts = found.columns()
        self._add_estimates(result_id, (group_level, strata), "incidence", found.labels, _STANDARDISED_ESTIMATES, texts)
        self._add_cells(result_id, (group_level, strata), "incidence", found.labels, found.cases, found.at_risk)

    def add_prevalence(
        self, result_id: int, group_level: str, found: PrevalenceEstimates, strata: tuple[str, str]
    ) -> None:
        """Add the estimates of one pair."""
        texts = found.columns()
        self._add_estimates(result_id, (group_level, strata), "prevalence", found.labels, _PREVALENCE_ESTIMATES, texts)
        self._add_cells(result_id, (group_level, strata), "prevalence", found.labels, found.cases, found.present)

    def _add_estimates(
        self,
        result_id: int,
        where: tuple[str, tuple[str, str]],
        prefix: str,
        labels: Sequence[Label],
        kinds: Sequence[tuple[str, str, EstimateType]],
        texts: Sequence[Sequence[str | None]],
    ) -> None:
        n_kinds, n = len(kinds), len(labels)
        additional = [label.additional(prefix) for label in labels]
        add = self._columns
        add["variable_name"] += [variable for variable, _, _ in kinds] * n
        add["estimate_name"] += [name for _, name, _ in kinds] * n
        add["estimate_type"] += [kind.value for _, _, kind in kinds] * n
        add["estimate_value"] += [text[row] for row in range(n) for text in texts]
        add["additional_name"] += [name for name, _ in additional for _ in range(n_kinds)]
        add["additional_level"] += [level for _, level in additional for _ in range(n_kinds)]
        self._fill(n * n_kinds, result_id, *where)

    def _fill(self, n: int, result_id: int, group_level: str, strata: tuple[str, str]) -> None:
        add = self._columns
        add["result_id"] += [result_id] * n
        add["cdm_name"] += [self._cdm_name] * n
        add["group_name"] += [GROUP_NAME] * n
        add["group_level"] += [group_level] * n
        add["strata_name"] += [strata[0]] * n
        add["strata_level"] += [strata[1]] * n
        add["variable_level"] += [None] * n

    def _add_cells(
        self,
        result_id: int,
        where: tuple[str, tuple[str, str]],
        prefix: str,
        labels: Sequence[Label],
        numerators: Sequence[BitMap],
        denominators: Sequence[BitMap],
    ) -> None:
        for label, numerator, denominator in zip(labels, numerators, denominators, strict=True):
            place = Place(GROUP_NAME, where[0], strata=where[1], additional=label.additional(prefix))
            self._cells.append((result_id, place, numerator, denominator, None))

    def add(self, result_id: int, place: Place, found: Sequence[Estimate]) -> None:
        """Add the estimates of one place.

        In: place — with a variable
        """
        rows: dict[str, object] = {
            "result_id": result_id,
            "cdm_name": self._cdm_name,
            "group_name": place.group_name,
            "group_level": place.group_level,
            "strata_name": place.strata[0],
            "strata_level": place.strata[1],
            "variable_name": place.variable,
            "variable_level": place.variable_level,
            "additional_name": place.additional[0],
            "additional_level": place.additional[1],
        }
        for name, value in rows.items():
            self._columns[name] += [value] * len(found)
        self._columns["estimate_name"] += [each.name for each in found]
        self._columns["estimate_type"] += [each.type.value for each in found]
        self._columns["estimate_value"] += [each.value for each in found]

    def add_series(
        self, result_id: int, place: Place, levels: pa.Array, kinds: Sequence[tuple[str, EstimateType]], texts: pa.Array
    ) -> None:
        """Add the same estimates for many levels of the additional column.

        In: place — with a variable; its additional level is left aside
            kinds — name and type of each estimate
            texts — for each of them in turn, one text per level
        """
        n, n_kinds = len(levels), len(kinds)
        by_level = pa.array(np.arange(n * n_kinds).reshape(n_kinds, n).T.ravel())
        names, types = ([name for name, _ in kinds], [kind.value for _, kind in kinds])
        columns: dict[str, pa.Array] = {
            "result_id": pa.array(np.full(n * n_kinds, result_id)),
            "cdm_name": _repeated([self._cdm_name] * n_kinds, n),
            "group_name": _repeated([place.group_name] * n_kinds, n),
            "group_level": _repeated([place.group_level] * n_kinds, n),
            "strata_name": _repeated([place.strata[0]] * n_kinds, n),
            "strata_level": _repeated([place.strata[1]] * n_kinds, n),
            "variable_name": _repeated([place.variable] * n_kinds, n),
            "variable_level": _repeated([place.variable_level] * n_kinds, n),
            "estimate_name": _repeated(names, n),
            "estimate_type": _repeated(types, n),
            "estimate_value": texts.take(by_level),
            "additional_name": _repeated([place.additional[0]] * n_kinds, n),
            "additional_level": levels.take(pa.array(np.repeat(np.arange(n), n_kinds))),
        }
        self._tables += [self._taken(), pa.table(columns, schema=RESULT_SCHEMA)]

    def _taken(self) -> pa.Table:
        """The rows gathered one by one so far, which are then forgotten."""
        rows = pa.table(self._columns, schema=RESULT_SCHEMA)
        self._columns = {name: [] for name in RESULT_COLUMNS}
        return rows

    def add_cell(
        self, result_id: int, place: Place, numerator: BitMap, denominator: BitMap, values: Values | None = None
    ) -> None:
        """Say who is behind the estimates of one place: persons by dense number, the numerator's among the others'.

        In: values — what means and quantiles of the place owe to few
        """
        self._cells.append((result_id, place, numerator, denominator, values))

    def add_parts(self, result_id: int, place: Place, parts: Iterable[Part]) -> None:
        """Say who is behind an estimate that rests on several counts at once, each with its own persons."""
        for number, (numerator, denominator) in enumerate(parts, start=1):
            part = replace(place, variable=f"{place.variable}{SEPARATOR}{number}")
            self._cells.append((result_id, part, numerator, denominator, None))

    def add_attrition(self, result_id: int, group_level: str, rows: Sequence[AttritionRow]) -> None:
        """Add the attrition of one pair."""
        add = self._columns
        n = len(_ATTRITION_COUNTS)
        for row in rows:
            counts = (row.left.n_records, row.left.n_subjects, row.excluded_records, row.excluded_subjects)
            add["variable_name"] += _ATTRITION_COUNTS
            add["estimate_name"] += ["count"] * n
            add["estimate_type"] += [EstimateType.INTEGER.value] * n
            add["estimate_value"] += [None if count is None else str(count) for count in counts]
            add["additional_name"] += ["reason_id"] * n
            add["additional_level"] += [str(row.left.reason_id)] * n
            self._fill(n, result_id, group_level, ("reason", row.left.reason))

    def result(self, person_numbers: PersonNumbers) -> StudyResult:
        """The result, its cells holding the persons' numbers."""
        cells = tuple(
            Cell(
                result_id,
                place.group_level,
                *place.strata,
                place.additional[1],
                numerator,
                denominator,
                person_numbers,
                place.variable or "",
                place.variable_level or "",
                values,
            )
            for result_id, place, numerator, denominator, values in self._cells
        )
        table = pa.concat_tables([*self._tables, self._taken()])
        return StudyResult(table, tuple(self._settings), cells)


def _repeated(values: Sequence[str | None], n_times: int) -> pa.Array:
    """The values one after the other, again and again."""
    return pa.array(values, pa.string()).take(pa.array(np.tile(np.arange(len(values)), n_times)))
