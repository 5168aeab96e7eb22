"""Self-controlled case series give what SelfControlledCaseSeries 6.1.4 gives on its own simulated cases.

The cases and the peer's results lie beside the checkout. Where they are absent, cases made here take their place, and a
search of the plain likelihood says what is right.
"""

from __future__ import annotations

import csv
import gzip
import math
from pathlib import Path

import duckdb
import numpy as np
import pytest

from enclos.studies.sccs.diagnostics import rare_outcome
from enclos.studies.sccs.findings import Found, windows_in_order
from enclos.studies.sccs.intervals import only_cases, study_population
from enclos.studies.sccs.model import Cases, Sccs, Time
from enclos.studies.sccs.steps import analyse
from factories.case_series import Series, of_the_peer, simulated
from oracle.sccs import log_likelihood
from shared_data import shared

ORACLE = shared("oracle", "estimation")
NAMES = {
    99: ("end_of_observation", None),
    1000: ("exposed", "first"),
    1001: ("exposed", "second"),
    1002: ("pre_exposure", "first"),
    1003: ("pre_exposure", "second"),
}
PRE_EXPOSURE = {1000: 1.9919804774, 1001: 1.0169617736, 1002: 1.0299701423, 1003: 1.0436015787, 99: 0.7847447036}
SEASON = {1000: 2.00490651764, 1001: 0.98986105327, 1002: 1.02443681053, 1003: 1.00316388105, 99: 0.77700648403}
SEASON_SPLINE = (3.438776999174, 1.062545457036, -2.423848790292, -1.161802049592)


def asked(pre_exposure_days: int, time: Time) -> Sccs:
    cases = Cases(naive_days=90)
    return Sccs(("first", "second"), ("outcome",), cases=cases, time=time, pre_exposure_days=pre_exposure_days)


def found_in(series: Series, analysis: Sccs) -> Found:
    rare = rare_outcome(1, 100, 0.1, first_only=False)
    return analyse(analysis, series.people, series.eras, series.persons, rare)


def ratios(found: Found, analysis: Sccs) -> dict[tuple[str, str | None], tuple[float, float, float]]:
    effects = zip(windows_in_order(analysis), found.model.effects, strict=True)
    return {place: (math.exp(each.log_ratio), each.lower, each.upper) for place, each in effects}


def model_of_the_peer(folder: Path, name: str) -> list[dict[str, str]]:
    with gzip.open(folder / f"sccs_{name}_model.csv.gz", "rt") as lines:
        return list(csv.DictReader(lines))


def check_like_the_peer(folder: Path, name: str, found: Found, analysis: Sccs) -> None:
    """Ratios to 1e-6; ends of intervals to 2e-3 of their logarithm: the peer seeks them to no more than 1e-3."""
    ours = ratios(found, analysis)
    splines = []
    for row in model_of_the_peer(folder, name):
        if int(row["id"]) not in NAMES:
            splines.append(float(row["logRr"]))
            continue
        ratio, lower, upper = ours[NAMES[int(row["id"])]]
        assert ratio == pytest.approx(float(row["estimate"]), rel=1e-6)
        assert lower == pytest.approx(math.log(float(row["lb95Ci"])), abs=2e-3)
        assert upper == pytest.approx(math.log(float(row["ub95Ci"])), abs=2e-3)
    assert found.model.splines.tolist() == pytest.approx(splines, abs=1e-5)


def check_rows_are_the_peers(folder: Path, series: Series, numbers: np.ndarray, found: Found, analysis: Sccs) -> None:
    """Cases and their days, then every row with what it lies in, its days and its outcomes."""
    read = duckdb.connect().execute
    people, kept, steps = study_population(series.people, analysis.cases)
    left = only_cases(people, kept)
    theirs = read(
        f"SELECT caseId, startDay, endDay, epoch_ms(observationPeriodStartDate) // 86400000 AS started "
        f"FROM '{folder}/sccs_pop_cases.csv.gz' ORDER BY caseId"
    ).fetchnumpy()
    assert (len(kept), steps[-1][1].n_outcomes) == (4932, 1_464_611)
    assert np.array_equal(numbers[kept], theirs["caseId"])
    assert np.array_equal(left.first_day, theirs["started"] + theirs["startDay"])
    assert np.array_equal(left.last_day, theirs["started"] + theirs["endDay"])
    columns = [NAMES[code] for code in (99, 1000, 1001)]
    places = [list(windows_in_order(analysis)).index(each) for each in columns]
    rows = found.rows
    ours = np.column_stack((numbers[kept][rows.case], rows.n_days, rows.n_outcomes, rows.within[:, places]))
    lies_in = ", ".join(f"coalesce(bool_or(covariateId = {code}), FALSE)" for code in (99, 1000, 1001))
    outcomes = read(
        f"SELECT stratumId, time, y, {lies_in} "
        f"FROM '{folder}/sccs_simple_interval_outcomes.csv.gz' LEFT JOIN "
        f"(SELECT rowId, covariateId FROM '{folder}/sccs_simple_interval_covariates.csv.gz') USING (rowId) "
        "GROUP BY rowId, stratumId, time, y"
    ).fetchall()
    assert len(rows) == 14_283
    assert int(rows.within.sum()) == 11_054
    assert sorted(map(tuple, ours.tolist())) == sorted(tuple(map(int, each)) for each in outcomes)


def check_most_likely(series: Series, analysis: Sccs) -> None:
    """No small step from the estimate makes the outcomes more likely."""
    found = found_in(series, analysis)
    rows = found.rows
    strata: dict[int, list[tuple[int, int, list[float]]]] = {}
    for at in range(len(rows)):
        row = (int(rows.n_days[at]), int(rows.n_outcomes[at]), rows.within[at].astype(float).tolist())
        strata.setdefault(int(rows.case[at]), []).append(row)
    best = [each.log_ratio for each in found.model.effects]
    top = log_likelihood(strata.values(), best)
    for place in range(len(best)):
        for step in (-1e-3, 1e-3):
            beta = [value + step * (at == place) for at, value in enumerate(best)]
            assert log_likelihood(strata.values(), beta) < top
    (wide,) = (
        each for name, each in zip(windows_in_order(analysis), found.model.effects, strict=True) if name == NAMES[1000]
    )
    for end in (wide.lower, wide.upper):
        # With the others as they are, the end of an interval is at least as unlikely as with them at their best.
        beta = [end if at == 0 else value for at, value in enumerate(best)]
        assert top - log_likelihood(strata.values(), beta) >= 1.9207 - 1e-4


def test_rows_and_ratios_are_those_of_the_peer() -> None:
    simple, before = asked(0, Time()), asked(30, Time())
    if ORACLE is None:
        series = simulated(1, 2.0)
        check_most_likely(series, simple)
        check_most_likely(series, before)
        return
    series, numbers = of_the_peer(ORACLE)
    found = found_in(series, simple)
    check_rows_are_the_peers(ORACLE, series, numbers, found, simple)
    check_like_the_peer(ORACLE, "simple", found, simple)
    ours = ratios(found_in(series, before), before)
    assert {code: ours[NAMES[code]][0] for code in NAMES} == pytest.approx(PRE_EXPOSURE, rel=1e-6)


def test_the_estimate_is_the_most_likely_one() -> None:
    check_most_likely(simulated(2, 0.5), asked(30, Time()))


@pytest.mark.slow
def test_splines_are_those_of_the_peer() -> None:
    if ORACLE is None:
        check_most_likely(simulated(3, 1.0), asked(30, Time()))
        return
    series, _ = of_the_peer(ORACLE)
    for name, time in (("age", Time(5)), ("calendar", Time(calendar_knots=5))):
        analysis = asked(30, time)
        check_like_the_peer(ORACLE, name, found_in(series, analysis), analysis)
    analysis = asked(30, Time(season_knots=5))
    found = found_in(series, analysis)
    ours = ratios(found, analysis)
    assert {code: ours[NAMES[code]][0] for code in NAMES} == pytest.approx(SEASON, rel=1e-6)
    # The peer keeps a component that says no more than the others: only differences between them mean something.
    assert found.model.splines.tolist() == pytest.approx(
        [each - SEASON_SPLINE[-1] for each in SEASON_SPLINE[:-1]], abs=1e-5
    )
    together = found_in(series, asked(30, Time(5, 5, 5)))
    assert together.model.status == "converged", "the peer runs out of iterations here"
