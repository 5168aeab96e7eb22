"""The same comparison on two sites, pooled from their tables."""

from __future__ import annotations

import math
from typing import Any

import pytest

from enclos.contracts.result import result_csv, result_from_csv
from enclos.studies.calibration.rules.sites import Answer, Question, answers
from enclos.studies.calibration.rules.together import pool
from enclos.studies.document import study_from_yaml
from enclos.studies.steps import run_study
from factories.compare import World, study_text, world_cdm

OPTIONS = "      propensity: {variance: 0.1}\n      covariates: {windows: long_term}\n"


def told(world: World, seed: int, options: str = OPTIONS) -> dict[Question, Answer]:
    """What a site says, as it stands in its table."""
    result = run_study(study_from_yaml(study_text(options, world.n_controls)), world_cdm(world, seed, 2))
    return answers(*result_from_csv(result_csv(result.table, result.settings)))


@pytest.fixture(scope="module")
def sites() -> dict[str, Any]:
    world = World(n_persons=2000, hazard_ratio=2.0)
    return {name: told(world, seed) for name, seed in (("north", 1), ("south", 2))}


def test_the_effect_of_two_sites_is_surer_than_that_of_either(sites: dict[str, Any]) -> None:
    forests = {each.question.strata[1]: each for each in pool(sites) if each.measure == "hazard_ratio"}
    lines = {(line.site, line.method): line for line in forests["Adjusted"].lines}
    together = lines["pooled", "likelihood profiles"]
    assert together.value is not None and together.lower is not None and together.upper is not None
    assert together.lower < 2.0 < together.upper
    width = math.log(together.upper / together.lower)
    for site in sites:
        alone = lines[site, "site"]
        assert alone.lower is not None and alone.upper is not None
        assert width < math.log(alone.upper / alone.lower)
    # Profiles say nearly what the mean weighted by the sites' errors says, where there are many outcomes.
    both = [(math.log(line.value or 0), line.numbers["standard_error"]) for line in (lines[s, "site"] for s in sites)]
    weights = [1 / error**2 for _, error in both]
    mean = sum(w * log for w, (log, _) in zip(weights, both, strict=True)) / sum(weights)
    assert math.log(together.value) == pytest.approx(mean, abs=0.01)


def test_a_site_whose_diagnostics_withhold_its_estimate_is_not_pooled(sites: dict[str, Any]) -> None:
    blinded = told(World(n_persons=800), 3, OPTIONS + "      diagnostics: {equipoise: 0.999}\n")
    assert blinded == {}
    assert pool({"north": sites["north"], "blinded": blinded}) == []
