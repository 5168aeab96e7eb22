"""Tables counted from rows of persons: what their keys and measures may be, whoever states them.

A statement of SQL and a code job both end here: in rows that each belong to one person, and a form that says which
columns are keys and what is counted of the others. The platform counts; nobody hands it a number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

SQL_TABLE, JOB_TABLE = "sql_table", "job_table"
"""Result types: keys and values are the warehouse's own, or what a job wrote."""
TABLES = frozenset({SQL_TABLE, JOB_TABLE})
MEASURE = "measure"
"""The additional name of every estimate of a table; the level is the estimate's own name."""
ABSENT = "missing"
"""The level of a key that a row does not have."""
PERSON, STAY, WEIGHT = "person", "stay", "n"
"""Columns of the rows: whose they are, of which stay, and how many equal rows one stands for."""


class KeyKind(Enum):
    """What the levels of a key are; each is a code, a stretch or a yes or no, never somebody's text."""

    CONCEPT = "concept"
    """The number of a concept, or of a saved cohort."""
    NAME = "name"
    """What a vocabulary table says of a concept."""
    YEAR = "year"
    MONTH = "month"
    """A month, or the first of a quarter."""
    PART = "part"
    """A month or a quarter of whatever year."""
    BAND = "band"
    """Whole numbers from one to another."""
    FLAG = "flag"
    CHOICE = "choice"
    """The number of a branch."""


KEY_FORMS: Mapping[KeyKind, re.Pattern[str]] = MappingProxyType(
    {
        KeyKind.CONCEPT: re.compile(r"0|[1-9][0-9]{0,9}"),
        KeyKind.NAME: re.compile(r"[^\s].{0,254}"),
        KeyKind.YEAR: re.compile(r"[12][0-9]{3}"),
        KeyKind.MONTH: re.compile(r"[12][0-9]{3}-(0[1-9]|1[0-2])"),
        KeyKind.PART: re.compile(r"[1-9]|1[0-2]"),
        KeyKind.BAND: re.compile(r"-?[0-9]{1,9} to -?[0-9]{1,9}"),
        KeyKind.FLAG: re.compile(r"yes|no"),
        KeyKind.CHOICE: re.compile(r"[1-9]|[1-4][0-9]|50"),
    }
)
"""The form of the levels of each kind; names are judged as labels are."""

COUNTS = frozenset({"person_count", "record_count", "stay_count"})
SUMS = frozenset({"sum", "mean", "sd"})
QUANTILES: Mapping[str, float] = MappingProxyType(
    {"q05": 0.05, "q10": 0.1, "q25": 0.25, "median": 0.5, "q75": 0.75, "q90": 0.9, "q95": 0.95}
)
MOST_KEYS, MOST_MEASURES = 6, 20


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a table.

    ``axis`` is the same for keys that come from the same column: a code and its name, a year and its month.
    Units: width — whole numbers in a band
    """

    name: str
    kind: KeyKind
    axis: int = 0
    width: int = 0


@dataclass(frozen=True, slots=True)
class Measure:
    """What is told of each group: an estimate, of a column where it has values, of the rows that fit a condition."""

    estimate: str
    of: str
    value: int | None = None
    """Which column of values, by number."""
    condition: int = 0
    """Which condition, from one; none where it is zero."""

    def __post_init__(self) -> None:
        if self.estimate not in COUNTS | SUMS | QUANTILES.keys() or (self.value is None) != (self.estimate in COUNTS):
            raise ValueError("a measure is a count, or a sum, mean, deviation or quantile of a column")


@dataclass(frozen=True, slots=True)
class TableForm:
    """Keys, measures, and which keys each part of the table has; a table without margins has one part."""

    keys: tuple[Key, ...]
    measures: tuple[Measure, ...]
    margins: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        names = [key.name for key in self.keys]
        told = [(each.estimate, each.of, each.condition) for each in self.measures]
        if not self.measures or len(set(names)) != len(names) or len(set(told)) != len(told):
            raise ValueError("a table has measures, and names each key and each measure once")
        if len(names) > MOST_KEYS or len(told) > MOST_MEASURES or not self.margins:
            raise ValueError("a table has few keys and few measures")

    @property
    def values(self) -> tuple[str, ...]:
        """The columns of values in the order of their numbers."""
        named = {each.value: each.of for each in self.measures if each.value is not None}
        return tuple(named[number] for number in sorted(named))

    @property
    def n_conditions(self) -> int:
        """How many conditions the rows carry."""
        return max(each.condition for each in self.measures)


def key_column(number: int) -> str:
    """The rows' column of a key."""
    return f"key_{number}"


def value_column(number: int) -> str:
    """The rows' column of values."""
    return f"value_{number}"


def condition_column(number: int) -> str:
    """The rows' column of whether a condition fits."""
    return f"condition_{number}"
