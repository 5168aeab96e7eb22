"""What a study file may say of the designs around cases, and what it is told when it says something else."""

from __future__ import annotations

import pytest

from enclos.lexicon.refusals import Refusal
from enclos.studies.calibration.model import PositiveControls
from enclos.studies.cases.model import CaseControl, CaseCrossover, Matching, SelfControlledCohort
from enclos.studies.document import study_from_yaml
from enclos.studies.model import DayWindow

HEAD = """
study: s
cohorts:
  drug: {concepts: [1], domain: drug, limit: all, end: event_end}
  diabetes: {concepts: [2], domain: condition}
  bleed: {concepts: [3], domain: condition, limit: all}
  fall: {concepts: [4], domain: condition, limit: all}
analyses:
  - """


def asked(options: str) -> object:
    return study_from_yaml(HEAD + options).analyses[0]


def test_the_peers_defaults() -> None:
    named = "{exposure: drug, outcome: bleed}"
    assert asked(f"self_controlled_cohort: {named}") == SelfControlledCohort(("drug",), ("bleed",))
    assert asked(f"case_crossover: {named}") == CaseCrossover(("drug",), ("bleed",))
    assert asked(f"case_control: {named}") == CaseControl(("drug",), ("bleed",))


def test_every_option_is_read() -> None:
    assert asked("""self_controlled_cohort: {exposure: drug, outcome: bleed, risk_window: [0, 60],
      control_window: [-60, -1], add_exposure_days: false, first_exposure_only: false, first_outcome_only: false,
      full_windows: true, days_prior_observation: 90, follow_up_days: 30}""") == SelfControlledCohort(
        ("drug",),
        ("bleed",),
        DayWindow(0, 60),
        DayWindow(-60, -1),
        add_exposure_days=False,
        first_exposure_only=False,
        first_outcome_only=False,
        full_windows=True,
        days_prior_observation=90,
        follow_up_days=30,
    )
    assert asked("""case_crossover: {exposure: [drug, diabetes], outcome: bleed, risk_window: [-7, -1],
      control_offsets: [-28, -56], first_outcome_only: false, days_prior_observation: 0}""") == CaseCrossover(
        ("drug", "diabetes"),
        ("bleed",),
        DayWindow(-7, -1),
        (-28, -56),
        first_outcome_only=False,
        days_prior_observation=0,
    )
    assert asked("""case_control: {exposure: drug, outcome: bleed, within: diabetes, risk_window: [-30, 0],
      controls: 10, seed: 7, match_sex: false, age_caliper_years: null, entry_caliper_days: 90,
      first_outcome_only: false, negative_controls: fall, positive_controls: {effects: 2, seed: 3, min_outcomes: 9},
      days_prior_observation: 365}""") == CaseControl(
        ("drug",),
        ("bleed",),
        "diabetes",
        DayWindow(-30, 0),
        False,
        365,
        Matching(10, 7, False, None, 90),
        ("fall",),
        PositiveControls((2.0,), 3, 9),
    )


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ("self_controlled_cohort: {exposure: nobody, outcome: bleed}", "there is no cohort of that name"),
        ("self_controlled_cohort: {exposure: drug, outcome: drug}", "an exposure is not its own outcome"),
        ("self_controlled_cohort: {exposure: drug, outcome: bleed, risk_window: [9, 1]}", "a range is [first, last]"),
        (
            "self_controlled_cohort: {exposure: drug, outcome: bleed, control_window: [-9, 1]}",
            "ends before the risk window",
        ),
        ("case_crossover: {exposure: drug, outcome: bleed, risk_window: [-3, 1]}", "ends with the outcome"),
        ("case_crossover: {exposure: drug, outcome: bleed, control_offsets: 0}", "control_offsets"),
        ("case_crossover: {exposure: drug, outcome: bleed, control_offsets: -30}", "overlaps the risk window"),
        ("case_crossover: {exposure: drug, outcome: bleed, control_offsets: [-60, -60]}", "a value is given twice"),
        ("case_control: {exposure: drug, outcome: bleed, within: nobody}", "within: there is no cohort of that name"),
        ("case_control: {exposure: drug, outcome: bleed, within: bleed}", "cases are not nested in their own outcome"),
        ("case_control: {exposure: drug, outcome: bleed, controls: 0}", "controls"),
        ("case_control: {exposure: drug, outcome: bleed, positive_controls: {seed: 1}}", "made of negative controls"),
        ("case_control: {exposure: drug, outcome: bleed, sex: true}", "there is no such option"),
    ],
)
def test_what_cannot_be_meant_is_refused(options: str, what: str) -> None:
    with pytest.raises(Refusal) as refused:
        asked(options)
    assert what in str(refused.value)
