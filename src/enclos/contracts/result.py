"""Results: DARWIN EU's summarised_result, and who is in each of its cells.

A result is a table of estimates as text, each under a result id, with the settings of each result id; as CSV it is
read by omopgenerics. Beside it, and never in the CSV, stand the cells: for every group of estimates the distinct
persons that they count, so that release can compute exact differences.

Source: omopgenerics 1.2, summarised_result: columns, estimate types, settings as rows of the exported CSV.
"""

from __future__ import annotations

import array
import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from hashlib import sha256
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as pacsv
from pyroaring import BitMap, BitMap64

SEPARATOR = " &&& "
"""Joins the names and the levels of one column that carries several."""
OVERALL = "overall"
"""The name and level of a column that carries nothing."""
SETTINGS_VARIABLE = "settings"
MISSING = "NA"
"""How the CSV writes what is not there, as R does."""
HIDDEN = "-"
"""How a released table writes a number that is not shown. Source: omopgenerics, suppress."""

RESULT_COLUMNS: tuple[str, ...] = (
    "result_id",
    "cdm_name",
    "group_name",
    "group_level",
    "strata_name",
    "strata_level",
    "variable_name",
    "variable_level",
    "estimate_name",
    "estimate_type",
    "estimate_value",
    "additional_name",
    "additional_level",
)

RESULT_SCHEMA = pa.schema(
    [pa.field("result_id", pa.int64(), nullable=False), *(pa.field(name, pa.string()) for name in RESULT_COLUMNS[1:])]
)

_MOST_HEADER = 1000
"""Bytes in which the names of the columns stand."""
_BLOCK_BYTES = 1 << 26
"""A line is shorter than a block, whatever a sentence in it holds."""

PersonNumbers: TypeAlias = npt.NDArray[np.int64]
CellKey: TypeAlias = tuple[int, str, str, str, str, str, str]


class EstimateType(Enum):
    """What the text of an estimate stands for."""

    NUMERIC = "numeric"
    INTEGER = "integer"
    PERCENTAGE = "percentage"
    PROPORTION = "proportion"
    CHARACTER = "character"
    LOGICAL = "logical"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class ResultSettings:
    """How the estimates of one result id came about; ``values`` always names the result type and the package."""

    result_id: int
    values: Mapping[str, str]

    def __post_init__(self) -> None:
        missing = [name for name in ("result_type", "package_name", "package_version") if name not in self.values]
        if self.result_id < 1 or missing:
            raise ValueError("settings have a positive result id, a result type and a package with its version")
        object.__setattr__(self, "values", MappingProxyType(dict(self.values)))

    @property
    def result_type(self) -> str:
        """What kind of estimates: incidence, incidence_attrition, prevalence…"""
        return self.values["result_type"]


@dataclass(frozen=True, slots=True)
class Values:
    """What the values behind a mean or a quantile owe to few of them; stays inside.

    Shapes: largest and furthest hold two numbers, the first the greater: magnitudes, and squares of distances to the
    mean; total and square are the sums of all of these.
    """

    largest: tuple[float, float]
    total: float
    furthest: tuple[float, float]
    square: float
    n_unlike: int
    """Values that are not the most frequent one."""
    n_beside: int | None = None
    """Of a quantile: persons on the side of it with fewer, itself included; None where that is not known."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Cell:
    """The persons behind one group of estimates: those who have the outcome, among those who could.

    ``numerator`` and ``denominator`` are person numbers of the permit; they are built when asked for, since random
    numbers make large sets, while the dense sets behind them are small.
    """

    result_id: int
    group_level: str
    strata_name: str
    strata_level: str
    additional_level: str
    dense_numerator: BitMap
    dense_denominator: BitMap
    person_numbers: PersonNumbers
    variable_name: str = ""
    variable_level: str = ""
    """Empty where the estimates of several variables rest on the same persons."""
    values: Values | None = None
    """Of what means and quantiles are told; None where none are."""

    @property
    def n_numerator(self) -> int:
        """Number of distinct persons who have the outcome."""
        return len(self.dense_numerator)

    @property
    def n_denominator(self) -> int:
        """Number of distinct persons who could have it."""
        return len(self.dense_denominator)

    @property
    def numerator(self) -> BitMap64:
        """The persons who have the outcome."""
        return _numbers_of(self.dense_numerator, self.person_numbers)

    @property
    def denominator(self) -> BitMap64:
        """The persons who could have the outcome."""
        return _numbers_of(self.dense_denominator, self.person_numbers)

    @property
    def key(self) -> CellKey:
        """What identifies the cell's estimates in the result."""
        variable = (self.variable_name, self.variable_level)
        return (self.result_id, self.group_level, self.strata_name, self.strata_level, *variable, self.additional_level)

    def __repr__(self) -> str:
        return f"Cell(result_id={self.result_id}, {self.group_level!r}, {self.additional_level!r})"


def _numbers_of(dense: BitMap, person_numbers: PersonNumbers) -> BitMap64:
    return BitMap64(array.array("Q", _ascending(dense, person_numbers)))


def _ascending(dense: BitMap, person_numbers: PersonNumbers) -> bytes:
    """Eight bytes a person, ascending."""
    numbers = person_numbers[np.frombuffer(dense.to_array(), dtype=np.uint32)]
    return np.sort(numbers).astype(np.uint64).tobytes()


def digests_of_persons(cells: Sequence[Cell]) -> dict[CellKey, tuple[bytes, bytes]]:
    """By the key of each cell, SHA-256 of who is in its numerator and in its denominator.

    A country's cells hold more persons in all than memory would: one set after another is looked at, and one that
    stands in several cells once.
    """
    known: dict[tuple[int, bytes], bytes] = {}

    def digest(dense: BitMap, person_numbers: PersonNumbers) -> bytes:
        members = (id(person_numbers), sha256(dense.serialize()).digest())
        if members not in known:
            known[members] = sha256(_ascending(dense, person_numbers)).digest()
        return known[members]

    return {
        cell.key: (
            digest(cell.dense_numerator, cell.person_numbers),
            digest(cell.dense_denominator, cell.person_numbers),
        )
        for cell in cells
    }


@dataclass(frozen=True, slots=True, repr=False)
class StudyResult:
    """What a study found: estimates and attrition as text, their settings, and the persons behind each estimate.

    ``table`` has the columns of RESULT_SCHEMA; nothing in it is rounded or hidden yet.
    """

    table: pa.Table
    settings: tuple[ResultSettings, ...]
    cells: tuple[Cell, ...] = field(default=())

    def __post_init__(self) -> None:
        if not self.table.schema.equals(RESULT_SCHEMA):
            raise ValueError("a result's table has the columns of the contract")

    @property
    def n_rows(self) -> int:
        """Number of estimates and attrition counts."""
        return int(self.table.num_rows)

    def of_type(self, result_type: str) -> pa.Table:
        """The rows whose result id has that result type."""
        ids = [each.result_id for each in self.settings if each.result_type == result_type]
        return self.table.filter(pa.array(np.isin(self.table["result_id"].to_numpy(), ids)))

    def __repr__(self) -> str:
        return f"StudyResult({self.n_rows} rows, {len(self.settings)} settings, {len(self.cells)} cells)"


def result_csv(table: pa.Table, settings: Sequence[ResultSettings]) -> bytes:
    """The result as one CSV file, settings as its last rows, readable by omopgenerics' importSummarisedResult."""
    out = io.StringIO()
    out.write(",".join(f'"{name}"' for name in RESULT_COLUMNS) + "\n")
    columns = [table[name].to_pylist() for name in RESULT_COLUMNS]
    for row in zip(*columns, strict=True):
        out.write(_csv_line(row))
    for each in settings:
        for name, value in each.values.items():
            group = (MISSING, OVERALL, OVERALL, OVERALL, OVERALL, SETTINGS_VARIABLE, MISSING)
            estimate = (name, EstimateType.CHARACTER.value, value)
            out.write(_csv_line((each.result_id, *group, *estimate, OVERALL, OVERALL)))
    return out.getvalue().encode("utf-8")


def _csv_line(values: Iterable[object]) -> str:
    fields = (MISSING if value is None or value == MISSING else str(value).replace('"', '""') for value in values)
    return ",".join(value if value == MISSING else f'"{value}"' for value in fields) + "\n"


def result_from_csv(data: bytes) -> tuple[pa.Table, tuple[ResultSettings, ...]]:
    """The table and the settings of a result's CSV.

    Refuses: ValueError when the columns or a line are not those of the contract.
    """
    header = next(csv.reader(io.StringIO(data[:_MOST_HEADER].decode("utf-8", "replace"), newline="")), [])
    if tuple(header) != RESULT_COLUMNS:
        raise ValueError("the columns are not those of a summarised result")
    try:
        whole = pacsv.read_csv(
            pa.BufferReader(data),
            read_options=pacsv.ReadOptions(block_size=_BLOCK_BYTES),
            parse_options=pacsv.ParseOptions(newlines_in_values=True),
            convert_options=pacsv.ConvertOptions(
                column_types=RESULT_SCHEMA,
                null_values=[MISSING],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid:  # its words hold the line
        raise ValueError("a line of the CSV is not one of a summarised result") from None
    is_setting = pc.equal(whole["variable_name"], SETTINGS_VARIABLE).fill_null(False)
    said: dict[int, dict[str, str]] = {}
    for row in whole.filter(is_setting).select(["result_id", "estimate_name", "estimate_value"]).to_pylist():
        said.setdefault(row["result_id"], {})[row["estimate_name"]] = row["estimate_value"] or ""
    table = whole.filter(pc.invert(is_setting)).cast(RESULT_SCHEMA).combine_chunks()
    return table, tuple(ResultSettings(result_id, values) for result_id, values in sorted(said.items()))


CELL_SCHEMA = pa.schema(
    [
        pa.field("result_id", pa.int64(), nullable=False),
        *(pa.field(name, pa.string()) for name in ("group_level", "strata_name", "strata_level")),
        *(pa.field(name, pa.string()) for name in ("variable_name", "variable_level", "additional_level")),
        pa.field("n_numerator", pa.int64(), nullable=False),
        pa.field("n_denominator", pa.int64(), nullable=False),
        pa.field("numerator", pa.binary(), nullable=False),
        pa.field("denominator", pa.binary(), nullable=False),
        pa.field("values", pa.list_(pa.float64())),
    ]
)
"""Cells as stored: the sets are portable roaring bitmaps of dense person numbers."""

PERSONS_SCHEMA = pa.schema([pa.field("person_id", pa.int64(), nullable=False)])
"""The permit's person number of each dense number, in order of the dense number."""


def cells_to_tables(cells: Sequence[Cell]) -> tuple[pa.Table, pa.Table]:
    """The cells of one result and their persons, as two tables to be stored under the permit's key."""
    numbers = cells[0].person_numbers if cells else np.zeros(0, dtype=np.int64)
    if any(cell.person_numbers is not numbers for cell in cells):
        raise ValueError("the cells of one result share their person numbers")
    columns = {
        "result_id": [cell.result_id for cell in cells],
        "group_level": [cell.group_level for cell in cells],
        "strata_name": [cell.strata_name for cell in cells],
        "strata_level": [cell.strata_level for cell in cells],
        "variable_name": [cell.variable_name for cell in cells],
        "variable_level": [cell.variable_level for cell in cells],
        "additional_level": [cell.additional_level for cell in cells],
        "n_numerator": [cell.n_numerator for cell in cells],
        "n_denominator": [cell.n_denominator for cell in cells],
        "numerator": [cell.dense_numerator.serialize() for cell in cells],
        "denominator": [cell.dense_denominator.serialize() for cell in cells],
        "values": [None if cell.values is None else _flat(cell.values) for cell in cells],
    }
    return pa.table(columns, schema=CELL_SCHEMA), pa.table({"person_id": pa.array(numbers)}, schema=PERSONS_SCHEMA)


def _flat(values: Values) -> list[float]:
    flat = [*values.largest, values.total, *values.furthest, values.square, float(values.n_unlike)]
    return flat if values.n_beside is None else [*flat, float(values.n_beside)]


def _values(flat: Sequence[float] | None) -> Values | None:
    if flat is None:
        return None
    first, second, total, far, next_far, square, n_unlike, *beside = flat
    return Values((first, second), total, (far, next_far), square, int(n_unlike), int(beside[0]) if beside else None)


def cells_from_tables(cells: pa.Table, persons: pa.Table) -> tuple[Cell, ...]:
    """The cells of two stored tables."""
    numbers = persons["person_id"].to_numpy()
    return tuple(
        Cell(
            row["result_id"],
            row["group_level"],
            row["strata_name"],
            row["strata_level"],
            row["additional_level"],
            BitMap.deserialize(row["numerator"]),
            BitMap.deserialize(row["denominator"]),
            numbers,
            row["variable_name"],
            row["variable_level"],
            _values(row.get("values")),  # runs of earlier versions do not have them
        )
        for row in cells.to_pylist()
    )
