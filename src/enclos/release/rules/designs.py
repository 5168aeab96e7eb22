"""Designs around cases: counts that a ratio rests on, and the ratio with them.

A ratio leaves when every count that it rests on does: cases and others, exposed and not, in a window and in the
reference time, each of at least the minimum. The cells of one exposure and outcome are shown together or not at all.
Of the windows of a case series one alone is never hidden, since the outcomes of all less those shown would tell it:
two or more are, with the minimum of persons in them; no ratio is shown without the reference time. What diagnostics
measured is shown where all windows are; whether they hold, always.

Units: distinct persons; k is the permit's minimum count.
Check: tests/unit/release/test_designs.py.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Protocol

from pyroaring import BitMap

from enclos.contracts.result import Cell, ResultSettings

WORDS = frozenset(
    {
        *("pass", "fail", "not evaluated", "TRUE", "FALSE"),
        *("converged", "separated", "not identified", "no events", "iterations"),
        *(f"exponential and {kind} by {what}" for kind in ("Weibull", "gamma") for what in ("age", "interval")),
    }
)
"""What may be written where a number is not: verdicts, yes and no, how a fit ended, how observation ends."""
ATTRITION, PROFILE = "_attrition", "log_ratio"
"""What types of attrition end in; the additional column of a likelihood's points, which rest on their ratio's cell."""
_SERIES, _DIAGNOSTICS, _REFERENCE = "sccs", "sccs_diagnostics", "reference"
_KNOTS = ("age_knots", "season_knots", "calendar_knots")
_TIED = frozenset({"self_controlled_cohort", "case_crossover", "case_control"})
_OTHERS = {
    "n_events_unexposed": "unexposed",
    "person_days_unexposed": "unexposed",
    "n_controls": "controls",
    "n_controls_exposed": "controls",
}
"""Whose count an estimate is that is not of its own place: the variable of the cell with those persons."""
_OF_AMONG = frozenset({"n_persons", "n_cases", "n_controls"})
LIMITS = frozenset({"least", "most"})
"""Thresholds that a study or its author chose."""
PARTS = frozenset({"n_cases_exposed", "n_controls_exposed"})
"""Counts that are shares of another, so that everybody is not shown."""
REPEATED = frozenset({"n_events", "n_events_unexposed", "n_cases_exposed"})
"""Counts of outcomes: beside their persons they tell how many more than one a person has."""


class Backed(Protocol):
    """A cell with the lines that rest on it, as ``groups`` reads them."""

    cell: Cell
    result_type: str
    rows: list[tuple[int, str]]
    is_primary: bool
    is_hidden: bool

    @property
    def having(self) -> BitMap: ...
    @property
    def among(self) -> BitMap: ...


@cache
def _supports() -> Mapping[tuple[str, str], str]:
    text = resources.files("enclos.release").joinpath("designs.csv").read_text(encoding="utf-8")
    return {(row["result_type"], row["estimate_name"]): row["support"] for row in csv.DictReader(text.splitlines())}


DESIGNS = frozenset(kind for kind, _ in _supports())
"""Result types of designs around cases, what stands behind comparisons, and attrition with its persons."""


def backing(kind: str, estimate: str, variable: str) -> str:
    """The variable of the cell that an estimate rests on."""
    return _OTHERS.get(estimate, variable) if kind in _TIED else variable


def agrees(kind: str, variable: str, estimate: str, value: str | None, cell: Cell) -> bool:
    """Whether a count can be that of the persons behind it: outcomes and rows are as many as their persons or more."""
    support = _supports().get((kind, estimate), "")
    if support != "told" or value is None or estimate.startswith("person_days"):
        return support != "word" or value in WORDS
    own = len(counted(estimate, cell, is_model=variable == "model"))
    if not value.isdigit() or (int(value) > 0) != (own > 0):
        return False
    return int(value) == own if estimate == "n_persons" or variable == "number_subjects" else int(value) >= own


def counted(estimate: str, cell: Cell, *, is_model: bool | None = None) -> BitMap:
    """The persons whose number an estimate is, or whose outcomes or rows it counts."""
    is_model = cell.variable_name == "model" if is_model is None else is_model
    return cell.dense_denominator if estimate in _OF_AMONG and not is_model else cell.dense_numerator


def _n_of_splines(settings: ResultSettings) -> int:
    """The most coefficients that the splines of a model have: a cubic one has two more than knots."""
    knots = [int(said) for name in _KNOTS if (said := settings.values.get(name, "")).isdigit()]
    return sum(each + 2 for each in knots if each)


class Designs:
    """The cells of designs around cases, and which of them stand or fall together."""

    def __init__(
        self, groups: Sequence[Backed], settings: Sequence[ResultSettings], min_count: int, least_degrees: int = 0
    ) -> None:
        self._k, self._least_degrees = min_count, max(min_count, least_degrees)
        self._n_of_splines = {each.result_id: _n_of_splines(each) for each in settings}
        self._ties: dict[tuple[object, ...], list[Backed]] = defaultdict(list)
        self._windows: dict[tuple[int, str], list[Backed]] = defaultdict(list)
        for group in groups:
            cell = group.cell
            if group.result_type in _TIED:
                self._ties[cell.result_id, cell.group_level, cell.variable_level].append(group)
            elif group.result_type == _SERIES and any(name == "n_persons" for _, name in group.rows):
                self._windows[cell.result_id, cell.group_level].append(group)
        asked = {
            each.result_id: frozenset((name, value) for name, value in each.values.items() if name != "result_type")
            for each in settings
            if each.result_type in {_SERIES, _DIAGNOSTICS}
        }
        types = {each.result_id: each.result_type for each in settings}
        series = {values: id_ for id_, values in asked.items() if types[id_] == _SERIES}
        self._series_of = {id_: series.get(values) for id_, values in asked.items()}

    def telling(self) -> Iterator[Backed]:
        """What must be hidden because something else is."""
        for tied in self._ties.values():
            if any(each.is_hidden for each in tied):
                yield from (each for each in tied if not each.is_hidden)
        for windows in self._windows.values():
            hidden = [each for each in windows if each.is_hidden and each.having]
            told = hidden and len(BitMap.union(*(each.having for each in hidden))) < self._k
            shown = [each for each in windows if not each.is_hidden and each.having]
            if shown and (told or len(hidden) == 1):
                yield min(shown, key=lambda each: (len(each.having), each.cell.key))

    def shows(self, group: Backed, estimate: str) -> bool:
        """Whether an estimate leaves, where the cell that it rests on is shown."""
        support = _supports().get((group.result_type, estimate))
        if support in {"told", "word", "limit"}:
            return True
        cell = group.cell
        if support == "of_all":
            series = self._series_of.get(cell.result_id)
            windows = self._windows.get((series, cell.group_level), []) if series is not None else []
            return self._enough(group) and bool(windows) and not any(each.is_hidden for each in windows)
        if support != "ratio" or not self._enough(group) or not self._leaves_degrees(cell):
            return False
        if group.result_type != _SERIES:
            tied = self._ties[cell.result_id, cell.group_level, cell.variable_level]
            return all(self._enough(each) for each in tied)
        windows = self._windows.get((cell.result_id, cell.group_level), [])
        if group not in windows:  # of the whole model
            return bool(windows) and not any(each.is_hidden for each in windows)
        return any(self._enough(each) for each in windows if each.cell.variable_name == _REFERENCE)

    def _leaves_degrees(self, cell: Cell) -> bool:
        """Whether a series with splines has enough cases beyond its coefficients: one a window and those of splines.

        Source: residual degrees of freedom, as ACRO asks ten of.
        """
        n_of_splines = self._n_of_splines.get(cell.result_id, 0)
        windows = self._windows.get((cell.result_id, cell.group_level), [])
        if not n_of_splines or self._k <= 1:
            return True
        cases = BitMap.union(BitMap(), *(each.having for each in windows))
        return len(cases) - (len(windows) - 1) - n_of_splines >= self._least_degrees

    def _enough(self, group: Backed) -> bool:
        return not group.is_hidden and len(group.having) >= self._k
