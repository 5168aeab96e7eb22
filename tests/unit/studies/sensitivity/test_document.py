"""What a study file may say of other ways of asking, and what it is told when it says something else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from enclos.lexicon.refusals import Refusal
from enclos.studies.cases.model import CaseControl, CaseCrossover, Matching, Thresholds
from enclos.studies.document import study_from_yaml
from enclos.studies.model import DayWindow
from enclos.studies.sensitivity.model import Ways

HEAD = """
study: s
cohorts:
  drug: {concepts: [1], domain: drug, limit: all, end: event_end}
  diabetes: {concepts: [2], domain: condition}
  bleed: {concepts: [3], domain: condition, limit: all}
  fall: {concepts: [4], domain: condition, limit: all}
analyses:
  - """
CHANGES = {
    "sccs": "naive_days: 90",
    "self_controlled_cohort": "follow_up_days: 90",
    "case_crossover": "days_prior_observation: 90",
    "case_control": "days_prior_observation: 90",
}


def asked(options: str) -> object:
    return study_from_yaml(HEAD + options).analyses[0]


@pytest.mark.parametrize(
    ("way", "what"),
    [
        ("{name: other}", "sensitivity[0].name: nothing differs from the analysis"),
        ("{name: primary, %s}", "sensitivity[0].name: a name is given twice"),
        ("{name: a, %s}, {name: a, exposure: diabetes}", "sensitivity[1].name: a name is given twice"),
        ("{name: Not So, %s}", "sensitivity[0].name: is snake case"),
        ("{name: a, gap_days: 30}", "sensitivity[0].gap_days: there is no such option"),
        ("{name: a, outcome: fall}", "sensitivity[0].outcome: there is no such option"),
        ("{name: a, exposure: nobody}", "sensitivity[0].exposure[0]: there is no cohort of that name"),
        ("{name: a, exposure: bleed}", "sensitivity[0].outcome: an exposure is not its own outcome"),
        ("{%s}", "sensitivity[0].name: is missing"),
    ],
)
@pytest.mark.parametrize(("design", "change"), CHANGES.items())
def test_another_way_that_cannot_be_meant_is_refused(design: str, change: str, way: str, what: str) -> None:
    with pytest.raises(Refusal) as refused:
        asked(f"{design}: {{exposure: drug, outcome: bleed, sensitivity: [{way.replace('%s', change)}]}}")
    assert what in str(refused.value)


def test_another_way_is_refused_where_only_both_together_cannot_be_meant() -> None:
    options = "exposure: drug, outcome: bleed, risk_window: [-30, 0], control_offsets: -40"
    with pytest.raises(Refusal) as refused:
        asked(f"case_crossover: {{{options}, sensitivity: [{{name: long, risk_window: [-60, 0]}}]}}")
    assert "sensitivity[0].control_offsets: a control window overlaps the risk window" in str(refused.value)


def test_another_way_is_the_analysis_with_what_it_gives() -> None:
    found = asked("""case_control: {exposure: drug, outcome: bleed, within: diabetes, controls: 7,
      negative_controls: fall, sensitivity: [{name: all_observed, within: null, exposure: null},
      {name: lagged, risk_window: [-60, -30], diagnostics: {mdrr: null}}]}""")
    assert isinstance(found, Ways)
    own = CaseControl(("drug",), ("bleed",), "diabetes", matching=Matching(7), negative_controls=("fall",))
    assert found.every == (
        ("primary", own),
        ("all_observed", replace(own, within=None)),
        ("lagged", replace(own, risk_window=DayWindow(-60, -30), thresholds=Thresholds(mdrr=None))),
    )
    assert found.cohort_names == ("drug", "bleed", "fall", "diabetes")


def test_ways_of_asking_are_of_one_kind_each_with_its_name() -> None:
    own = CaseControl(("drug",), ("bleed",))
    for others in ((), (("primary", own),), (("a", own), ("a", own)), (("a", CaseCrossover(("drug",), ("bleed",))),)):
        with pytest.raises(ValueError, match="way"):
            Ways(own, others)
