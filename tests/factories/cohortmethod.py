"""What CohortMethod 6.0.2 found on its simulation, read from beside the checkout."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.csv as pc

from enclos.studies.compare.rules.population import Entries, Events, no_switch
from shared_data import shared

FOLDER = shared("oracle", "estimation")


@cache
def peer(name: str) -> dict[str, npt.NDArray[Any]]:
    """The columns of one of its tables."""
    if FOLDER is None:
        raise FileNotFoundError(name)
    empty = pc.ConvertOptions(null_values=["NA", ""], strings_can_be_null=True)
    table = pc.read_csv(FOLDER / f"cm_{name}.csv.gz", convert_options=empty)
    return {column: table[column].to_numpy() for column in table.column_names}


def entries() -> Entries:
    """Its cohorts: 10 000 persons; the row of number r stands at r - 1."""
    cohorts = peer("cohorts")
    n = len(cohorts["rowId"])
    zeros = np.zeros(n, dtype=np.int64)
    return Entries(
        cohorts["rowId"] - 1,
        cohorts["treatment"] == 1,
        zeros,
        zeros,
        zeros,
        cohorts["daysFromObsStart"],
        cohorts["daysToCohortEnd"],
        cohorts["daysToObsEnd"],
        no_switch(n),
    )


def events() -> Events:
    """Its outcomes."""
    outcomes = peer("outcomes")
    return Events(outcomes["rowId"] - 1, outcomes["daysToEvent"].astype(np.int64))
