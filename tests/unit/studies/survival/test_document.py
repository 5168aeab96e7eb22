"""What a study file may say of a survival analysis, and what it is told when it says something else."""

from __future__ import annotations

from datetime import date

import pytest

from enclos.lexicon.refusals import Refusal
from enclos.studies.document import study_from_yaml
from enclos.studies.model import AgeGroup, Stratum
from enclos.studies.survival.model import FollowUp, Shown, Survival, Washout

HEAD = """
study: s
cohorts:
  treated: {concepts: [1], domain: drug}
  bleed: {concepts: [2], domain: condition}
  death: {concepts: [3], domain: condition}
analyses:
  - survival: """


def asked(options: str) -> object:
    return study_from_yaml(HEAD + options).analyses[0]


def test_an_analysis_has_the_peers_defaults() -> None:
    assert asked("{target: treated, outcome: bleed}") == Survival(
        ("treated",), ("bleed",), None, Washout(None), Washout(None), FollowUp(None, False, None, 1), Shown(1, 30, None)
    )


def test_every_option_is_read() -> None:
    options = """{target: [treated, bleed], outcome: [bleed], outcome_date: end, competing_outcome: death,
    outcome_washout: 365,
    competing_outcome_washout: 30, censor_on_cohort_exit: true, censor_on_date: 2020-06-30, follow_up_days: 730,
    minimum_survival_days: 0, event_gap: 90, estimate_gap: 7, restricted_mean_follow_up: 365,
    age_groups: [[0, 64], [65, 150]], strata: [sex, [age_group, sex]]}"""
    assert asked(options) == Survival(
        ("treated", "bleed"),
        ("bleed",),
        "death",
        Washout(365),
        Washout(30),
        FollowUp(730, True, date(2020, 6, 30), 0),
        Shown(7, 90, 365),
        (AgeGroup(0, 64), AgeGroup(65, 150)),
        ((Stratum.SEX,), (Stratum.AGE_GROUP, Stratum.SEX)),
        True,
    )


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ("{target: nobody, outcome: bleed}", "target[0]: there is no cohort of that name"),
        ("{target: treated, outcome: bleed, competing_outcome: nobody}", "competing_outcome: there is no cohort"),
        ("{target: treated, outcome: bleed, competing_outcome: bleed}", "an outcome does not compete with itself"),
        (
            "{target: [bleed, treated], outcome: death, competing_outcome: treated}",
            "survival.competing_outcome: who enters a target has it that day, so that nobody would be followed",
        ),
        ("{target: treated, outcome: bleed, competing_outcome_washout: 3}", "there is no competing outcome"),
        ("{target: treated, outcome: [bleed, bleed]}", "outcome: a value is given twice"),
        (
            "{target: treated, outcome: [bleed, treated]}",
            "survival.outcome[1]: who enters a target has it as outcome that day; name another cohort, or give",
        ),
        ("{target: treated, outcome: bleed, strata: [age_group]}", "age_group needs age_groups"),
        ("{target: treated, outcome: bleed, age_groups: [[0, 9]]}", "strata does not name age_group"),
        (
            "{target: treated, outcome: bleed, strata: [age_group], age_groups: [[0, 9], [9, 20]]}",
            "an age is in two groups",
        ),
        ("{target: treated, outcome: bleed, strata: [[sex, age_group], [age_group, sex]]}", "a value is given twice"),
        ("{target: treated, outcome: bleed, follow_up_days: 0}", "follow_up_days"),
        (
            "{target: treated, outcome: bleed, follow_up_days: 30, minimum_survival_days: 31}",
            "survival.minimum_survival_days: nobody is followed that long; follow_up_days is less",
        ),
        ("{target: treated, outcome: bleed, estimate_gap: 0}", "estimate_gap"),
    ],
)
def test_a_fault_names_its_place(options: str, what: str) -> None:
    with pytest.raises(Refusal) as refused:
        asked(options)
    assert what in str(refused.value)
    assert "line 8" in str(refused.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"targets": ()},
        {"outcomes": ("bleed", "bleed")},
        {"competing_outcome": "bleed"},
        {"competing_outcome": "treated"},
        {"competing_outcome": "treated", "outcome_at_end": True},
        {"age_groups": (AgeGroup(0, 9), AgeGroup(9, 20)), "strata": ((Stratum.AGE_GROUP,),)},
        {"strata": ((),)},
        {"strata": ((Stratum.SEX,), (Stratum.SEX,))},
        {"strata": ((Stratum.AGE_GROUP,),)},
    ],
)
def test_nonsense_is_no_survival(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        Survival(**{"targets": ("treated",), "outcomes": ("bleed",), **wrong})  # type: ignore[arg-type]
