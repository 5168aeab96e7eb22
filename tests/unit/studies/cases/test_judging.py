"""What is judged of designs around cases: strength and systematic error, and what is shown where one fails."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from enclos.studies.calibration.model import PositiveControls
from enclos.studies.calibration.rules.strength import minimum_detectable_in_sets
from enclos.studies.cases.model import CaseControl, CaseCrossover, SelfControlledCohort, Thresholds
from enclos.studies.model import ConceptCohort, DayWindow, Domain, Limit, OpenEnd, Study
from enclos.studies.steps import run_study
from enclos.studies.summary import Value, summary
from factories.studies import tables_of
from factories.study_tables import people
from fakes.cdm import cdm_of_rows
from oracle.histories import Record

DRUG, BLEED = (
    ConceptCohort(name, (concept,), False, Domain.CONDITION, Limit.ALL, OpenEnd.EVENT_END)
    for name, concept in (("drug", 1), ("bleed", 2))
)
CONTROL = replace(BLEED, name="control")
PERSONS = "person | sex | born | observed | events\n" + "\n".join(
    f"{n} | F | 1950-01-01 | 2018-01-01..2019-12-31 | 2019-0{1 + n // 3 % 6}-05..2019-0{1 + n // 3 % 6}-25"
    for n in range(1, 61)
)
NAMES = (("drug",), ("bleed",))
DESIGNS: dict[str, SelfControlledCohort | CaseCrossover | CaseControl] = {
    "self_controlled_cohort": SelfControlledCohort(*NAMES, negative_controls=("control",)),
    "case_crossover": CaseCrossover(*NAMES, DayWindow(-30, 0), negative_controls=("control",)),
    "case_control": CaseControl(*NAMES, risk_window=DayWindow(-30, 0), negative_controls=("control",)),
}
TELLING = {"rate_ratio", "odds_ratio", "n_events", "n_events_unexposed", "n_cases_exposed", "n_controls_exposed"}


def shown(asked: SelfControlledCohort | CaseCrossover | CaseControl) -> list[dict[str, Value]]:
    """Sixty persons exposed for three weeks; of three one bleeds meanwhile, one before, and one two months later."""
    found = []
    for each in people(PERSONS):
        (drug,) = each.records
        day = drug.start_on
        bled = (day.replace(day=12), day.replace(day=1), day + timedelta(days=65))[each.person_id % 3]
        found.append(replace(each, records=(drug, Record(2, bled, bled))))
    return summary(run_study(Study("s", (DRUG, BLEED, CONTROL), (asked,)), cdm_of_rows(tables_of(found), n_buckets=2)))


@pytest.mark.parametrize("design", DESIGNS)
def test_a_ratio_that_fails_is_withheld_with_what_would_tell_it(design: str) -> None:
    lenient = replace(DESIGNS[design], thresholds=Thresholds(mdrr=50.0, ease=None))
    rows = shown(lenient)
    (told,) = (each for each in rows if each["analysis"] == design)
    name = "rate_ratio" if design == "self_controlled_cohort" else "odds_ratio"
    ratio = float(str(told[name]))
    away = max(ratio, 1 / ratio)
    assert told["e_value"] == pytest.approx(away + math.sqrt(away * (away - 1)), rel=1e-6)
    # The outcome itself as its control: nothing is left.
    assert told[f"calibrated_{name}"] == pytest.approx(1, abs=0.05)
    verdicts = {each["variable"]: each for each in rows if each["analysis"] == f"{design}_diagnostics"}
    assert {variable: each["verdict"] for variable, each in verdicts.items()} == {
        "mdrr": "pass",
        "ease": "not evaluated",
        "left_out": "not evaluated",
    }
    assert verdicts["mdrr"]["most"] == 50.0
    (control,) = (each for each in rows if each["analysis"] == f"{design}_controls" and name in each)
    assert (control["outcome_cohort_name"], control[name]) == ("control", told[name])
    strict = replace(lenient, thresholds=Thresholds(mdrr=1.0001, ease=None))
    (blinded,) = (each for each in shown(strict) if each["analysis"] == design)
    assert not TELLING & set(blinded)
    (again,) = (each for each in shown(replace(strict, show_failed=True)) if each["analysis"] == design)
    assert again == told


@pytest.mark.parametrize("design", DESIGNS)
def test_positive_controls_stand_beside_the_negative_one_they_are_made_of(design: str) -> None:
    asked = replace(
        DESIGNS[design], thresholds=Thresholds(None, None), positive_controls=PositiveControls((2.0,), 1, 5)
    )
    rows = [each for each in shown(asked) if each["analysis"] == f"{design}_controls"]
    name = "rate_ratio" if design == "self_controlled_cohort" else "odds_ratio"
    negative, positive = (each for each in rows if name in each)
    assert (negative["true_ratio"], positive["true_ratio"]) == ("1", "2")
    assert positive["outcome_cohort_name"] == "control"
    assert float(str(positive[name])) == pytest.approx(2 * float(str(negative[name])), rel=0.2)
    assert [each["true_ratio"] for each in rows if "coverage" in each] == ["1", "2"]


@pytest.mark.parametrize(("n_sets", "n_controls", "share"), [(200, 4, 0.2), (500, 1, 0.3)])
def test_the_detectable_ratio_is_found_eight_times_in_ten(n_sets: int, n_controls: int, share: float) -> None:
    """Sets drawn with that odds ratio: the score test of no effect, at 5 %, finds it in about 80 %."""
    random = np.random.default_rng(3)
    n = np.full(n_sets, n_controls + 1)
    typical = random.binomial(n_controls + 1, share, n_sets)
    ratio = minimum_detectable_in_sets(typical, n)
    assert ratio is not None
    odds = ratio * share / (1 - share)
    n_found = 0
    for _ in range(2000):
        case = random.random(n_sets) < odds / (1 + odds)
        together = (case + random.binomial(n_controls, share, n_sets)) / n
        score = (case - together).sum()
        n_found += abs(score) > 1.96 * math.sqrt((together * (1 - together)).sum())
    assert n_found / 2000 == pytest.approx(0.8, abs=0.07)


def test_sets_alike_in_exposure_detect_nothing() -> None:
    assert minimum_detectable_in_sets(np.array([0, 2]), np.array([2, 2])) is None
