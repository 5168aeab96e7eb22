"""The entries of a bucket as columns."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from enclos.studies.model import DayWindow
from enclos.studies.plans.entries import from_day, to_day

_Ints: TypeAlias = npt.NDArray[np.int64]


class EntryColumns:
    """The entries of a bucket as columns; what is missing is not a number.

    In: table — see plan_entry_rows; first_person — the dense number of ordinal 0
    """

    def __init__(self, table: pa.Table, first_person: int) -> None:
        def whole(name: str) -> _Ints:
            numbers: _Ints = table[name].to_numpy().astype(np.int64)
            return numbers

        self.n = table.num_rows
        self.cohort, self.sex, self.first_day = whole("cohort"), whole("sex"), whole("first_day")
        self.last_day, self.ordinal = whole("last_day"), whole("ordinal")
        self.person = (self.ordinal + first_person).astype(np.uint32)
        self.prior = self.first_day - whole("observed_first")
        self.future = whole("observed_last") - self.first_day
        self.age = table["age"].to_numpy().astype(np.float64)
        self.to_next = table["next_day"].to_numpy().astype(np.float64) - self.last_day

    def observed(self, window: DayWindow) -> npt.NDArray[np.bool_]:
        """The entries for which some day of a window is observed."""
        return (-self.prior <= to_day(window)) & (self.future >= from_day(window))
