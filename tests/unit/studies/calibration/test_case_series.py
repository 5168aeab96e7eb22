"""A case series on two sites: persons are their own controls, so the pooled ratio is that of all in one place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pytest

from enclos.studies.calibration.rules.sites import Answer, Question, answers
from enclos.studies.calibration.rules.together import pool
from enclos.studies.model import ConceptCohort, Domain, Limit, OpenEnd, Study
from enclos.studies.sccs.model import Sccs
from enclos.studies.steps import run_study
from factories.studies import tables_of
from fakes.cdm import cdm_of_rows
from oracle.histories import MALE, History, Record

DRUG, BLEED = (
    ConceptCohort(name, (concept,), False, Domain.CONDITION, Limit.ALL, OpenEnd.EVENT_END)
    for name, concept in (("drug", 1), ("bleed", 2))
)
ASKED = Sccs(("drug",), ("bleed",), pre_exposure_days=0, end_of_observation_days=0, show_failed=True)
FIRST, N_DAYS, EXPOSED_DAYS, RATIO = date(2019, 1, 1), 360, 90, 2.5


def persons(seed: int, n: int, first_id: int) -> list[History]:
    """Each is exposed once and bleeds at times, more often while exposed."""
    chance = np.random.default_rng(seed)
    found = []
    for person in range(first_id, first_id + n):
        start = int(chance.integers(20, N_DAYS - EXPOSED_DAYS - 20))
        exposed = np.arange(N_DAYS) - start
        rates = np.where((exposed >= 0) & (exposed < EXPOSED_DAYS), RATIO, 1.0) * 0.004
        days = np.flatnonzero(chance.random(N_DAYS) < rates).tolist()
        records = [Record(1, on(start), on(start + EXPOSED_DAYS - 1)), *(Record(2, on(day), on(day)) for day in days)]
        found.append(History(person, MALE, (1960, 1, 1), ((FIRST, on(N_DAYS - 1)),), tuple(records)))
    return found


def on(day: int) -> date:
    return FIRST + timedelta(days=day)


def told(histories: Sequence[History]) -> dict[Question, Answer]:
    result = run_study(Study("series", (DRUG, BLEED), (ASKED,)), cdm_of_rows(tables_of(histories), n_buckets=2))
    return answers(result.table, result.settings)


def test_two_sites_give_the_ratio_of_all_persons() -> None:
    """Stated tolerance without profiles: 0.02 on the log scale."""
    north, south = persons(1, 120, 1), persons(2, 200, 1001)
    (forest,) = pool({"north": told(north), "south": told(south)})
    (central,) = (each for each in told([*north, *south]).values() if each.measure == "rate_ratio")
    assert forest.measure == "rate_ratio" and central.estimate is not None
    together = next(line for line in forest.lines if line.method == "likelihood profiles")
    assert together.value is not None and together.lower is not None and together.upper is not None
    assert math.log(together.value) == pytest.approx(central.estimate.log, abs=0.02)
    width = (math.log(together.upper) - math.log(together.lower)) / 3.919927969080109
    assert width == pytest.approx(central.estimate.standard_error, rel=0.05)
    assert together.lower < RATIO < together.upper
