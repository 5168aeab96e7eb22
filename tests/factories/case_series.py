"""Cases of whom the truth is known, and the cases of the R peer's simulation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np

from enclos.studies.sccs.intervals import Ints, People, Stretches

_START = 17_000
_N_DAYS = 500
_EXPOSED_DAYS = 60


@dataclass(frozen=True)
class Series:
    """Cases with exposures, and how many of the persons behind them there are."""

    people: People
    eras: Stretches
    persons: Ints


def simulated(seed: int, rate_ratio: float, n_cases: int = 400) -> Series:
    """Cases exposed to a drug of known effect, and to another that doubles the rate and often comes with it.

    Each case has one outcome, on a day drawn by the rates; without the other drug in the model the first is blamed.
    """
    random = np.random.default_rng(seed)
    case = np.arange(n_cases)
    first = random.integers(0, _N_DAYS - _EXPOSED_DAYS, n_cases)
    other = np.where(random.random(n_cases) < 0.6, first + random.integers(-20, 20, n_cases), first + 200) % _N_DAYS
    days = np.arange(_N_DAYS)
    rates = np.where((days >= first[:, None]) & (days < first[:, None] + _EXPOSED_DAYS), rate_ratio, 1.0)
    rates *= np.where((days >= other[:, None]) & (days < other[:, None] + _EXPOSED_DAYS), 2.0, 1.0)
    reach = rates.cumsum(axis=1)
    outcome = (reach < (random.random(n_cases) * reach[:, -1])[:, None]).sum(axis=1)
    start = _START + random.integers(0, 1000, n_cases)
    people = People(start, start + _N_DAYS - 1, start - 15_000, case, start + outcome)
    kinds = np.repeat([0, 1], n_cases)
    starts = np.concatenate((start + first, start + other))
    eras = Stretches(np.concatenate((case, case)), kinds, starts, starts + _EXPOSED_DAYS - 1)
    return Series(people, eras, case)


def of_the_peer(folder: Path) -> tuple[Series, Ints]:
    """The 5 000 cases that SelfControlledCaseSeries simulates, with their numbers there."""
    connection = duckdb.connect()
    cases = connection.execute(
        f"SELECT caseId, observationPeriodStartDate AS started, ageAtObsStart AS age, startDay, endDay "
        f"FROM '{folder}/sccs_cases.csv.gz' ORDER BY caseId"
    ).fetchnumpy()
    eras = connection.execute(
        f"SELECT eraType, caseId, eraId, eraStartDay, eraEndDay FROM '{folder}/sccs_eras.csv.gz'"
    ).fetchnumpy()
    numbers = cases["caseId"].astype(np.int64)
    start = cases["started"].astype("datetime64[D]").astype(np.int64)
    case = np.searchsorted(numbers, eras["caseId"]).astype(np.int64)
    first, last = (start[case] + eras[name].astype(np.int64) for name in ("eraStartDay", "eraEndDay"))
    outcome = eras["eraType"] == "hoi"
    people = People(
        start + cases["startDay"].astype(np.int64),
        start + cases["endDay"].astype(np.int64),
        start - cases["age"].astype(np.int64),
        case[outcome],
        first[outcome],
    )
    drug = ~outcome
    found = Stretches(case[drug], eras["eraId"][drug].astype(np.int64) - 1, first[drug], last[drug])
    return Series(people, found, np.arange(len(numbers))), numbers
