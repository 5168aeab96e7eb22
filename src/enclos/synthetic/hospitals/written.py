"""How values of a record are written, whatever the format."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from enclos.synthetic.hospitals.records import Entries, Record
from enclos.synthetic.people import NEVER
from enclos.synthetic.sheets import Deliveries

RANKS = ("DP", "DR", "DAS")
"""Rank of a diagnosis, in the order of the record's numbers."""
_PREFIX = {"hosp-a": "a", "hosp-b": "b", "hosp-c": "", "hosp-d": "D"}


def patient_ids(found: Record) -> list[str]:
    """Patient ids as the hospital writes them."""
    return [f"{_PREFIX[found.source]}{number}" for number in found.patients.number.tolist()]


def days(values: npt.NDArray[np.int64]) -> list[str]:
    """Dates; nothing for a day that never comes."""
    text = np.datetime_as_string(values.astype("datetime64[D]")).tolist()
    return ["" if value >= NEVER else str(each) for value, each in zip(values.tolist(), text, strict=True)]


def instants(minutes: npt.NDArray[np.int64], separator: str, zone: str = "") -> list[str]:
    """Times to the second, with a separator between day and hour."""
    text = np.datetime_as_string(minutes.astype("datetime64[m]").astype("datetime64[s]")).tolist()
    return [str(each).replace("T", separator) + zone for each in text]


def who(found: Record, entries: Entries) -> list[int]:
    """The patient of each entry."""
    people: list[int] = found.visits.patient[entries.visit].tolist()
    return people


def first_number(found: Record, per_visit: int) -> int:
    """A number from which rows can be numbered, when no visit has more than ``per_visit`` rows on average."""
    return int(found.visits.number[0]) * per_visit if len(found.visits) else per_visit


def put(deliveries: Deliveries, delivery: str, file: str, lines: Sequence[str]) -> None:
    """Add lines to a file that was begun."""
    deliveries.write(deliveries.begun(delivery, file), "".join(lines).encode(), len(lines))


def separated(rows: Iterable[Sequence[object]], separator: str) -> list[str]:
    """Lines of separated values; no value holds the separator."""
    return [separator.join(map(str, row)) + "\n" for row in rows]
