"""How a comparison is written, and what is said of one that is written wrongly."""

from __future__ import annotations

import pytest

from enclos.lexicon.refusals import Refusal
from enclos.studies.compare.model import (
    Comparison,
    Estimand,
    Following,
    Lookback,
    Match,
    Scale,
    Source,
    Stratify,
    TrimFraction,
    TrimPreference,
    Weight,
)
from enclos.studies.document import study_from_yaml
from enclos.studies.protocol import protocol_text
from factories.compare import study_text


def comparison(options: str = "", n_controls: int = 0) -> Comparison:
    (found,) = study_from_yaml(study_text(options, n_controls)).analyses
    assert isinstance(found, Comparison)
    return found


def refused(options: str) -> str:
    with pytest.raises(Refusal) as caught:
        comparison(options)
    return str(caught.value)


def test_what_is_not_given_is_as_in_the_peer() -> None:
    found = comparison()
    primary = found.primary
    assert (primary.target, primary.comparator, found.outcomes) == ("new", "old", ("harm",))
    assert primary.adjustment == Match(1, fixed=False, caliper=0.2, scale=Scale.STANDARDISED_LOGIT)
    assert primary.follow_up.kind is Following.INTENTION_TO_TREAT
    assert primary.eligibility.outcome_washout_days is None
    assert primary.covariates.sources == tuple(Source)
    assert primary.covariates.lookbacks == tuple(Lookback)
    assert primary.propensity.variance is None
    assert found.cohort_names == ("new", "old", "harm")


def test_options_are_read() -> None:
    found = comparison(
        """
      days_prior_observation: 180
      follow_up: on_treatment
      grace_days: 30
      outcome_washout: 90
      trim_preference: [0.25, 0.75]
      stratify: {strata: 10, base: target}
      covariates: {domains: [drug, demographics], windows: [short_term], exclude: [7, 8], min_fraction: 0.01}
      propensity: {prior: normal, variance: 0.5}
      diagnostics: {equipoise: null, max_smd: 0.2}
"""
    ).primary
    assert found.eligibility.days_prior_observation == 180
    assert found.follow_up.grace_days == 30
    assert found.trim == TrimPreference(0.25, 0.75)
    assert isinstance(found.adjustment, Stratify)
    assert found.covariates.sources == (Source.DEMOGRAPHICS, Source.DRUG)
    assert found.covariates.excluded == (7, 8)
    assert found.propensity.variance == 0.5
    assert (found.thresholds.equipoise, found.thresholds.max_smd) == (None, 0.2)


def test_a_sensitivity_analysis_says_what_differs() -> None:
    found = comparison(
        """
      days_prior_observation: 100
      match: {ratio: 4}
      trim_fraction: 0.05
      sensitivity:
        - {name: weighted, weight: {estimand: overlap}}
        - {name: trimmed, trim_preference: [0.3, 0.7]}
        - {name: swapped, target: old, comparator: new, days_prior_observation: 10}
"""
    )
    weighted, trimmed, swapped = found.sensitivity
    assert weighted.adjustment == Weight(Estimand.OVERLAP)
    assert weighted.trim == TrimFraction(0.05)
    assert weighted.eligibility.days_prior_observation == 100
    assert trimmed.trim == TrimPreference(0.3, 0.7)
    assert trimmed.adjustment == Match(4)
    assert (swapped.target, swapped.comparator) == ("old", "new")
    assert swapped.eligibility.days_prior_observation == 10


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("      match: {ratio: 1}\n      weight: {}\n", "weight: is given beside match"),
        ("      grace_days: 30\n", "grace_days: belongs to follow_up on_treatment"),
        ("      trim_preference: [0.7, 0.3]\n", "trim_preference: is [lowest, highest]"),
        ("      negative_controls: [harm]\n", "negative_controls.0: what is asked about is not a negative control"),
        ("      negative_controls: [nobody]\n", "negative_controls.0: there is no cohort of that name"),
        ("      sensitivity: [{name: again, target: old}]\n", "a cohort is not compared with itself"),
        ("      sensitivity: [{name: again}]\n", "nothing differs from the analysis"),
        ("      sensitivity: [{name: primary, age: [20, 30]}]\n", "a name is given twice"),
        ("      propensity: {variance: -1}\n", "propensity.variance: is positive"),
        ("      gap_days: 45\n", "gap_days: there is no such option"),
        ("      match: {caliber: 1}\n", "match.caliber: there is no such option"),
    ],
)
def test_a_fault_is_named_with_its_line(options: str, said: str) -> None:
    message = refused(options)
    assert said in message.replace("[0]", ".0"), message
    assert "line 1" in message


def test_the_protocol_tells_every_option_and_what_sensitivity_analyses_change() -> None:
    text = study_text("      sensitivity: [{name: longer, follow_up: on_treatment, grace_days: 60}]\n", 2)
    told = protocol_text(study_from_yaml(text), text, {})
    assert "Do new users of `new` have `harm` more often than new users of `old`?" in told
    assert "Negative controls: `control_0`, `control_1`" in told
    assert "- Analysis 1, `longer`: follow-up on treatment; days of grace 60 days." in told
    assert "matching 1 to up to 1 within 0.2 standardised logit" in told
