"""Count a table from rows of persons.

In:     rows with the columns of contracts/tables; equal rows may stand as one with their number
Out:    one line per group and measure; groups and measures without rows are not there, so that absent and small look
        the same once small ones are left out
Units:  what a person adds up to is the sum over all of its rows, so that many small entries of one person count as one
Check:  tests/oracle/tables.py counts the same in plain Python.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyroaring import BitMap

from enclos.contracts.result import OVERALL, SEPARATOR, EstimateType, StudyResult, Values
from enclos.contracts.tables import (
    ABSENT,
    COUNTS,
    MEASURE,
    PERSON,
    QUANTILES,
    STAY,
    WEIGHT,
    Key,
    KeyKind,
    Measure,
    TableForm,
    condition_column,
    key_column,
    value_column,
)
from enclos.studies.rules.report import Estimate, Place, Report

Floats: TypeAlias = npt.NDArray[Any]
Whole: TypeAlias = npt.NDArray[Any]
_MONTHS = 7
"""Signs of a year and a month."""


@dataclass(frozen=True, slots=True, repr=False)
class _Rows:
    """The rows as arrays; persons by dense number."""

    persons: Whole
    stays: Whole
    """Below zero where a row is of none: the numbers of rows are too long for floats."""
    weights: Floats
    values: tuple[Floats, ...]
    conditions: tuple[npt.NDArray[np.bool_], ...]

    def __repr__(self) -> str:
        return "_Rows()"


@dataclass(frozen=True, slots=True)
class _Found:
    """One number with its persons."""

    text: str
    persons: Whole
    values: Values | None


def counted(
    rows: pa.Table,
    form: TableForm,
    *,
    result_type: str,
    name: str,
    version: str,
    settings: Mapping[str, str] | None = None,
    min_persons: int = 0,
    n_digits: int = 12,
) -> StudyResult:
    """The table of a form over rows, with the persons behind each number.

    In:  name — of the data, which results carry; settings — what is told of the table beside its form; min_persons —
         groups and numbers of fewer are not even kept; n_digits — of numbers that are no counts
    """
    numbers, dense = np.unique(rows[PERSON].to_numpy(), return_inverse=True)
    columns = _Rows(
        dense.astype(np.int64),
        _stays(rows),
        _floats(rows, WEIGHT) if WEIGHT in rows.column_names else np.ones(rows.num_rows),
        tuple(_floats(rows, value_column(number)) for number in range(len(form.values))),
        tuple(_flags(rows, condition_column(number)) for number in range(1, form.n_conditions + 1)),
    )
    report = Report(name, version)
    result_id = report.start(result_type, OVERALL, _names(form.keys), MEASURE, {**_said(form), **(settings or {})})
    for margin in form.margins:
        for levels, at in _groups(rows, [form.keys[number] for number in margin], margin):
            strata = (_names([form.keys[number] for number in margin]), SEPARATOR.join(levels) or OVERALL)
            everybody = BitMap(np.unique(columns.persons[at]))
            for measure in form.measures:
                found = _number(measure, columns, at)
                if found is None or len(found.persons) < min_persons:
                    continue
                place = Place(OVERALL, OVERALL, measure.of, _fits(measure), strata, (MEASURE, measure.estimate))
                kind = EstimateType.INTEGER if measure.estimate in COUNTS else EstimateType.NUMERIC
                report.add(result_id, place, [Estimate(measure.estimate, kind, _digits(found.text, n_digits, kind))])
                having = BitMap(found.persons)
                report.add_cell(result_id, place, having, everybody if measure.condition else having, found.values)
    return report.result(numbers.astype(np.int64))


def _digits(text: str, n_digits: int, kind: EstimateType) -> str:
    return text if kind is EstimateType.INTEGER else _text(float(f"{float(text):.{n_digits}g}"))


def _names(keys: Sequence[Key]) -> str:
    return SEPARATOR.join(key.name for key in keys) or OVERALL


def _fits(measure: Measure) -> str | None:
    return f"condition {measure.condition}" if measure.condition else None


def _said(form: TableForm) -> dict[str, str]:
    """What release has to know of the keys."""
    return {
        "keys": _names(form.keys),
        "kinds": SEPARATOR.join(key.kind.value for key in form.keys) or OVERALL,
        "axes": SEPARATOR.join(str(key.axis) for key in form.keys) or OVERALL,
    }


def _floats(rows: pa.Table, name: str) -> Floats:
    found: Floats = rows[name].cast(pa.float64()).to_numpy()
    return found.astype(np.float64)


def _stays(rows: pa.Table) -> Whole:
    if STAY not in rows.column_names:
        return np.full(rows.num_rows, -1)
    found: Whole = rows[STAY].cast(pa.int64()).fill_null(-1).to_numpy()
    return found


def _flags(rows: pa.Table, name: str) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = rows[name].fill_null(False).to_numpy().astype(np.bool_)
    return found


def _groups(rows: pa.Table, keys: Sequence[Key], margin: Sequence[int]) -> Iterator[tuple[list[str], Whole]]:
    """Each combination of levels that occurs, in the order of its levels, with its rows."""
    if not rows.num_rows:
        return
    if not keys:
        yield [], np.arange(rows.num_rows)
        return
    texts = []
    for key, number in zip(keys, margin, strict=True):
        column = rows[key_column(number)].combine_chunks().dictionary_encode()
        if isinstance(column, pa.ChunkedArray):
            column = column.combine_chunks()
        said = np.array([*(_level(key, value) for value in column.dictionary.to_pylist()), ABSENT], dtype=object)
        texts.append(said[column.indices.fill_null(len(said) - 1).to_numpy(zero_copy_only=False)])
    codes = [np.unique(text.astype(str), return_inverse=True) for text in texts]
    places, group_of = np.unique(np.stack([inverse for _, inverse in codes]), axis=1, return_inverse=True)
    order = np.argsort(group_of.ravel(), kind="stable")
    starts = np.searchsorted(group_of.ravel()[order], np.arange(places.shape[1] + 1))
    for number in range(places.shape[1]):
        levels = [str(names[code]) for (names, _), code in zip(codes, places[:, number], strict=True)]
        yield levels, order[starts[number] : starts[number + 1]]


def _level(key: Key, value: Any) -> str:
    """A level as it is written; what does not fit its kind is refused when the table is asked for."""
    if value is None:
        return ABSENT
    match key.kind:
        case KeyKind.FLAG:
            return "yes" if value else "no"
        case KeyKind.MONTH:
            return str(value)[:_MONTHS]
        case KeyKind.BAND:
            low = int(value) * key.width
            return f"{low} to {low + key.width - 1}"
        case KeyKind.NAME:
            return str(value).replace(SEPARATOR, " ")
        case _:
            return str(value)


def _number(measure: Measure, rows: _Rows, at: Whole) -> _Found | None:
    """One measure of a group; None where no row has it."""
    if measure.condition:
        at = at[rows.conditions[measure.condition - 1][at]]
    if measure.value is not None:
        at = at[~np.isnan(rows.values[measure.value][at])]
    if measure.estimate == "stay_count":
        at = at[rows.stays[at] >= 0]
    if not len(at):
        return None
    persons, own = np.unique(rows.persons[at], return_inverse=True)
    weights = rows.weights[at]
    if measure.estimate == "person_count":
        return _Found(str(len(persons)), persons, None)
    if measure.estimate == "record_count":
        return _Found(str(int(weights.sum())), persons, _owed(np.bincount(own, weights)))
    if measure.estimate == "stay_count":
        pairs = np.unique(np.stack([own, rows.stays[at]]), axis=1)
        return _Found(str(pairs.shape[1]), persons, _owed(np.bincount(pairs[0])))
    return _of_values(measure, persons, own, weights, rows.values[measure.value or 0][at])


def _of_values(measure: Measure, persons: Whole, own: Whole, weights: Floats, values: Floats) -> _Found | None:
    n = weights.sum()
    totals = np.bincount(own, weights * values)
    means = totals / np.bincount(own, weights)
    mean = float((weights * values).sum() / n)
    squares = np.bincount(own, weights * (values - mean) ** 2)
    if measure.estimate in QUANTILES:
        value = _quantile(values, weights, QUANTILES[measure.estimate])
        sides = [len(np.unique(own[side])) for side in (values <= value, values >= value)]
        return _Found(_text(value), persons, _owed(totals, squares, unlike=means, n_beside=min(sides)))
    if measure.estimate == "sum":
        return _Found(_text(float((weights * values).sum())), persons, _owed(totals, squares))
    if measure.estimate == "sd":
        if n <= 1:
            return None
        deviation = float(np.sqrt((weights * (values - mean) ** 2).sum() / (n - 1)))
        return _Found(_text(deviation), persons, _owed(totals, squares, unlike=means))
    return _Found(_text(mean), persons, _owed(totals, squares, unlike=means))


def _quantile(values: Floats, weights: Floats, share: float) -> float:
    """Between the two values around a share of the rows, as the engine's quantile_cont does."""
    order = np.argsort(values, kind="stable")
    ends = np.cumsum(weights[order])
    place = share * (ends[-1] - 1)
    low, high = np.floor(place), np.ceil(place)
    first, second = (float(values[order[np.searchsorted(ends, each, side="right")]]) for each in (low, high))
    return first + (second - first) * float(place - low)


def _owed(
    totals: npt.NDArray[Any],
    squares: Floats | None = None,
    *,
    unlike: Floats | None = None,
    n_beside: int | None = None,
) -> Values:
    """What a number owes to its persons; what each of them adds up to."""
    sizes = np.abs(totals.astype(np.float64))
    far = (sizes - sizes.mean()) ** 2 if squares is None else squares
    _, times = np.unique(np.round(totals if unlike is None else unlike, 9), return_counts=True)
    return Values(
        _two(sizes), float(sizes.sum()), _two(far), float(far.sum()), len(totals) - int(times.max()), n_beside
    )


def _two(sizes: Floats) -> tuple[float, float]:
    largest = np.sort(sizes)[::-1][:2].tolist()
    return largest[0], largest[1] if len(largest) > 1 else 0.0


def _text(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.12g}"
