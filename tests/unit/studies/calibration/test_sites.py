"""From tables of sites to what they say together."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

from enclos.contracts.result import RESULT_COLUMNS, RESULT_SCHEMA, ResultSettings, result_csv, result_from_csv
from enclos.studies.calibration.model import PROFILE_POINTS
from enclos.studies.calibration.rules.profiles import pooled_profile
from enclos.studies.calibration.rules.sites import Answer, Question, answers
from enclos.studies.calibration.rules.together import pool, pooled_result
from enclos.studies.figures.pooled import pooled_figures
from enclos.studies.figures.style import svg_beneath
from oracle.calibration import highest, stratified_poisson

SITES = (
    ((9, 300.0, True), (12, 900.0, False)),
    ((0, 40.0, True), (6, 500.0, False)),
    ((25, 700.0, True), (61, 4000.0, False)),
)


def table_of(site: str, rows: list[tuple[int, str, str, str, str, str]], **settings: str) -> dict[Question, Answer]:
    """Rows of (result id, strata level, estimate name, value, additional name, additional level)."""
    whole = [
        (
            id_,
            site,
            "target &&& outcome",
            "a &&& b",
            "adjustment",
            strata,
            "Effect",
            None,
            name,
            "numeric",
            value,
            *more,
        )
        for id_, strata, name, value, *more in rows
    ]
    columns = dict(zip(RESULT_COLUMNS, map(list, zip(*whole, strict=True)), strict=True))
    table = pa.table(columns, schema=RESULT_SCHEMA)
    ids = sorted({row[0] for row in rows})
    every = {"result_type": "compare_estimates", "package_name": "enclos", "package_version": "1"}
    own = {"min_cell_count": site, "prior_variance": site}
    told = [ResultSettings(id_, {**every, **own, **settings, "grace_days": str(30 * id_)}) for id_ in ids]
    return answers(*result_from_csv(result_csv(table, told)))


def effect(id_: int, strata: str, log: float, error: float) -> list[tuple[int, str, str, str, str, str]]:
    values = {"hazard_ratio": math.exp(log), "log_ratio": log, "standard_error": error}
    return [(id_, strata, name, repr(value), "overall", "overall") for name, value in values.items()]


def profile(rows: tuple[tuple[int, float, bool], ...]) -> list[tuple[int, str, str, str, str, str]]:
    at = stratified_poisson([rows])
    return [(1, "Adjusted", "log_likelihood", repr(at(x)), "log_ratio", repr(x)) for x in PROFILE_POINTS]


def test_profiles_in_tables_pool_to_the_central_estimate() -> None:
    sites = {f"site {number}": table_of(f"site {number}", profile(rows)) for number, rows in enumerate(SITES)}
    (forest,) = pool(sites)
    central = stratified_poisson(SITES)
    together = next(line for line in forest.lines if line.method == "likelihood profiles")
    assert together.value is not None
    assert math.log(together.value) == pytest.approx(highest(central, -3, 3), abs=5e-4)
    assert [line.site for line in forest.lines if line.method == "site"] == list(sites)


def test_estimates_in_tables_pool_by_question() -> None:
    one = table_of("n", [*effect(1, "Adjusted", 0.3, 0.1), *effect(1, "Crude", 0.5, 0.1)], unblinded="TRUE")
    two = table_of("s", effect(1, "Adjusted", 0.1, 0.1), unblinded="FALSE")
    (forest,) = pool({"n": one, "s": two})
    assert forest.measure == "hazard_ratio"
    by_method = {line.method: line for line in forest.lines if line.site == "pooled"}
    for method in ("likelihood profiles", "random effects", "posterior"):
        value = by_method[method].value
        assert value is not None
        assert math.log(value) == pytest.approx(0.2, abs=1e-2)
    result = pooled_result([forest])
    assert result.settings[0].values["grace_days"] == "30"
    assert result_from_csv(result_csv(result.table, result.settings))[0].equals(result.table)


WINDOWS = ((9, 300.0, 12, 900.0), (0, 40.0, 6, 500.0), (25, 700.0, 61, 4000.0))
"""A site's events and days in the windows of risk and of control."""
WINDOW_COUNTS = ("n_events", "person_days", "n_events_unexposed", "person_days_unexposed")


def window_counts(site: tuple[float, ...]) -> list[tuple[int, str, str, str, str, str]]:
    named = zip(WINDOW_COUNTS, site, strict=True)
    return [(1, "overall", name, repr(value), "overall", "overall") for name, value in named]


def test_self_controlled_cohorts_pool_by_their_counts_to_the_central_estimate() -> None:
    """Given all its events, a stratum's likelihood of two rates is that of a Poisson with an effect per stratum."""
    kind = {"result_type": "self_controlled_cohort"}
    (forest,) = pool({f"{at}": table_of(f"{at}", window_counts(site), **kind) for at, site in enumerate(WINDOWS)})
    by_method = {line.method: line.value for line in forest.lines if line.site == "pooled"}
    central = stratified_poisson([((a, days, True), (b, other, False)) for a, days, b, other in WINDOWS])
    assert by_method["likelihood profiles"] == pytest.approx(math.exp(highest(central, -3, 3)), rel=5e-4)
    assert by_method["random effects"] is not None
    assert forest.measure == "rate_ratio"
    alone = [line.value for line in forest.lines if line.method == "site"]
    assert alone[0] == pytest.approx(9 / 300 / (12 / 900)) and alone[1] is None


@pytest.mark.parametrize("withheld", WINDOW_COUNTS)
def test_a_site_that_withholds_one_of_the_counts_pools_nothing(withheld: str) -> None:
    rows = [(*row[:3], "-" if row[2] == withheld else row[3], *row[4:]) for row in window_counts(WINDOWS[0])]
    assert table_of("n", rows, result_type="self_controlled_cohort") == {}


def test_what_is_withheld_is_not_pooled() -> None:
    hidden = [(1, "Adjusted", name, "-", "overall", "overall") for name in ("hazard_ratio", "log_ratio")]
    assert table_of("n", hidden) == {}
    assert pool({"n": table_of("n", hidden), "s": table_of("s", effect(1, "Adjusted", 0.1, 0.1))}) == []
    assert pooled_result([]).n_rows == 0


def test_another_way_of_asking_is_another_question() -> None:
    one, two = (table_of(name, effect(1, "Adjusted", 0.1, 0.1), outcome_model=name) for name in ("cox", "poisson"))
    assert pool({"n": one, "s": two}) == []


def test_an_interval_that_is_open_is_drawn_to_the_edge() -> None:
    open_ended = table_of("n", [*profile(SITES[0])]), table_of("s", profile(SITES[1]))
    forests = pool(dict(zip("ns", open_ended, strict=True)))
    alone = next(line for line in forests[0].lines if line.site == "s")
    assert (alone.value, alone.lower) == (None, None) and alone.upper is not None
    assert svg_beneath(pooled_figures(forests)).startswith("<svg")
    assert np.isfinite(pooled_profile([]).level)
