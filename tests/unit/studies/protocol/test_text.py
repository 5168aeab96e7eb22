"""The protocol says all that the study file says."""

import json
from dataclasses import replace
from typing import Any

import pytest

from enclos.studies.document import definition_texts, study_from_yaml, study_json_schema
from enclos.studies.model import Level, PeriodPrevalence, Population
from enclos.studies.protocol import protocol_text
from enclos.studies.protocol.analyses import WORDS, results_of
from factories.circe import concept_set, definition

COHORTS: dict[str, Any] = {
    "bleed": {"concepts": [192671], "domain": "condition"},
    "stroke": {"concepts": [381316], "domain": "condition"},
    "drug": {"concepts": [1125315], "domain": "drug"},
}
AGES = [[0, 17], [18, 64]]
RATE = {
    "outcome": ["bleed", "stroke"],
    "age_groups": AGES,
    "sex": ["male"],
    "days_prior_observation": [77],
    "interval": ["quarters"],
    "date_range": ["2011-01-01", "2012-12-31"],
    "strata": [["sex", "age_group"]],
    "strata_age_groups": [[1, 22]],
    "include_overall": False,
    "target": "stroke",
    "time_at_risk": [[0, 30]],
    "requirements_at_entry": False,
}
BASES: dict[str, dict[str, Any]] = {
    "incidence": {"outcome": ["bleed"]},
    "prevalence": {"outcome": ["bleed"], "type": "period"},
    "characterise": {"cohort": ["bleed", "drug"], "age_groups": [[0, 99]]},
    "survival": {"target": ["drug"], "outcome": ["bleed"], "competing_outcome": "stroke"},
    "pathways": {"target": ["bleed"], "treatments": ["drug"]},
    "utilisation": {"cohort": ["drug"], "exposures": ["drug"], "age_groups": [[0, 99]]},
    "diagnose": {"cohort": ["drug"]},
    "compare": {"target": "drug", "comparator": "stroke", "outcome": "bleed", "follow_up": "on_treatment"},
    "sccs": {"exposure": ["drug"], "outcome": ["bleed"]},
    "self_controlled_cohort": {"exposure": ["drug"], "outcome": ["bleed"]},
    "case_crossover": {"exposure": ["drug"], "outcome": ["bleed"]},
    "case_control": {"exposure": ["drug"], "outcome": ["bleed"]},
}
AGED = {"age_groups": AGES, "strata": ["age_group"]}
CHANGES: dict[str, dict[str, Any]] = {
    "incidence": {
        **RATE,
        "washout_days": 33,
        "repeated_events": True,
        "complete_intervals": False,
        "censor": "stroke",
        "standardise": [[0, 39, 2], [40, 150, 3]],
    },
    "prevalence": {
        **RATE,
        "type": "point",
        "time_point": None,
        "full_contribution": True,
        "complete_intervals": False,
        "level": "record",
    },
    "characterise": {
        "cohort": ["bleed", "stroke"],
        "age_groups": AGES,
        "strata": ["sex"],
        "intersect": [{"cohort": "stroke", "window": [None, -1], "label": "before"}],
        "large_scale": {"windows": [[0, 9]], "event_in_window": ["condition"], "minimum_frequency": 0.25},
        "overlap": True,
        "timing": "first",
        "standardised_differences": True,
    },
    "survival": {
        "target": ["drug", "other"],
        "outcome": ["bleed", "other"],
        "competing_outcome": "other",
        "outcome_date": "end",
        "outcome_washout": 44,
        "competing_outcome_washout": 45,
        "follow_up_days": 46,
        "censor_on_cohort_exit": True,
        "censor_on_date": "2015-05-05",
        "minimum_survival_days": 3,
        "estimate_gap": 7,
        "event_gap": 8,
        "restricted_mean_follow_up": 47,
        **AGED,
    },
    "pathways": {
        "target": ["stroke"],
        "treatments": ["drug", "bleed"],
        "follow_up_days": 51,
        "min_era_duration": 52,
        "era_collapse": 53,
        "combination_window": 54,
        "min_post_combination": 55,
        "filter_treatments": "all",
        "max_path_length": 9,
        **AGED,
    },
    "utilisation": {
        "cohort": ["bleed"],
        "exposures": ["drug"],
        "gap_era": 61,
        "ingredient": 1125315,
        "until": "observation_end",
        "incident": False,
        "indication": {"cohort": ["bleed"], "windows": [[-30, 0]], "unknown": ["condition"]},
        "treatment": {"cohort": ["drug"], "windows": [[0, 64]]},
        "dose_coverage": [1125316],
        "covered_days": 62,
        "adherence": {"days": 65, "threshold": 0.75},
        "restart": {"switch": ["stroke"], "days": [63]},
        "strata": ["sex"],
        "age_groups": AGES,
    },
    "diagnose": {"cohort": ["bleed"], "age_groups": AGES, "strata": ["sex"], "interval": "months"},
    "compare": {
        "target": "other",
        "comparator": "other",
        "outcome": ["bleed", "other"],
        "negative_controls": ["other"],
        "days_prior_observation": 71,
        "first_exposure": False,
        "duplicates": "remove_all",
        "common_period": True,
        "date_range": ["2011-01-01", "2012-12-31"],
        "age": [18, 72],
        "sex": "female",
        "outcome_washout": 73,
        "follow_up": "intention_to_treat",
        "grace_days": 74,
        "risk_from_day": 1,
        "follow_up_days": 75,
        "min_days_at_risk": 76,
        "censor_at_switch": True,
        "covariates": {"windows": "short_term"},
        "propensity": {"variance": 0.5},
        "trim_fraction": 0.05,
        "trim_preference": [0.3, 0.7],
        "match": {"ratio": 4},
        "stratify": {"strata": 7},
        "weight": {"estimand": "overlap"},
        "model": "poisson",
        "diagnostics": {"mdrr": 4.0},
        "positive_controls": {"effects": [1.25, 3]},
        "sensitivity": [{"name": "longer", "grace_days": 90}],
    },
    "sccs": {
        "exposure": ["drug", "other"],
        "outcome": ["stroke"],
        "windows": {"late": {"start": 1, "start_anchor": "end", "end": 71}},
        "pre_exposure_days": 72,
        "end_of_observation_days": 0,
        "first_outcome_only": True,
        "naive_days": 73,
        "ages": [18, 74],
        "date_range": ["2011-01-01", None],
        "age_spline": 7,
        "event_dependent_observation": True,
        "season_spline": True,
        "calendar_spline": 8,
        "negative_controls": ["stroke"],
        "positive_controls": {"effects": [1.25, 3]},
        "diagnostics": {"mdrr": 4.0},
        "show_failed": True,
        "sensitivity": [{"name": "other", "naive_days": 90}],
    },
    "self_controlled_cohort": {
        "exposure": ["drug", "other"],
        "outcome": ["stroke"],
        "risk_window": [0, 61],
        "control_window": [-62, -2],
        "add_exposure_days": False,
        "first_exposure_only": False,
        "first_outcome_only": False,
        "full_windows": True,
        "days_prior_observation": 63,
        "follow_up_days": 64,
        "negative_controls": ["stroke"],
        "positive_controls": {"effects": [1.25, 3]},
        "diagnostics": {"mdrr": 4.0},
        "show_failed": True,
        "sensitivity": [{"name": "other", "follow_up_days": 90}],
    },
    "case_crossover": {
        "exposure": ["drug", "other"],
        "outcome": ["stroke"],
        "risk_window": [-14, -1],
        "control_offsets": [-65, -365],
        "first_outcome_only": False,
        "days_prior_observation": 66,
        "negative_controls": ["stroke"],
        "positive_controls": {"effects": [1.25, 3]},
        "diagnostics": {"mdrr": 4.0},
        "show_failed": True,
        "sensitivity": [{"name": "other", "risk_window": [-9, 0]}],
    },
    "case_control": {
        "exposure": ["drug", "other"],
        "outcome": ["stroke"],
        "risk_window": [-67, 0],
        "within": "drug",
        "first_outcome_only": False,
        "days_prior_observation": 68,
        "controls": 9,
        "seed": 69,
        "match_sex": False,
        "age_caliper_years": None,
        "entry_caliper_days": 70,
        "negative_controls": ["stroke"],
        "positive_controls": {"effects": [1.25, 3]},
        "diagnostics": {"mdrr": 4.0},
        "show_failed": True,
        "sensitivity": [{"name": "other", "within": "drug"}],
    },
}


def told(*analyses: dict[str, Any], cohorts: dict[str, Any] = COHORTS) -> str:
    """The protocol of a study, without its hash."""
    text = json.dumps({"study": "s", "cohorts": cohorts, "analyses": list(analyses)})
    whole = protocol_text(study_from_yaml(text), text, definition_texts(text))
    return "\n".join(line for line in whole.splitlines() if not line.startswith("- Version"))


def options() -> dict[str, list[str]]:
    """The options of every kind of analysis that the schema has."""
    definitions = study_json_schema()["$defs"]
    kinds = definitions["Entry"]["properties"]
    return {kind: list(definitions[each["$ref"].split("/")[-1]]["properties"]) for kind, each in kinds.items()}


def test_every_kind_of_the_study_room_has_a_protocol() -> None:
    assert set(BASES) == set(options())
    for kind, base in BASES.items():
        assert "### Analysis 1: " in told({kind: base})


@pytest.mark.parametrize(("kind", "option"), [(kind, option) for kind, many in options().items() for option in many])
def test_every_option_changes_the_protocol(kind: str, option: str) -> None:
    base, changed = dict(BASES[kind]), dict(BASES[kind])
    changed[option] = CHANGES[kind].get(option, base.get(option))
    if option == "time_point":
        base["type"], changed["type"], changed[option] = "point", "point", "end"
    if option in AGED and AGED.items() <= CHANGES[kind].items():
        base.update(AGED)
        changed = {**base, option: {"age_groups": [[0, 33]], "strata": ["age_group", "sex"]}[option]}
    if kind in {"incidence", "prevalence"} and option in {"strata", "strata_age_groups", "include_overall"}:
        base |= {"strata": ["age_group"], "strata_age_groups": [[0, 9]]}
        changed = {**base, option: changed[option]}
    if option in {"time_at_risk", "requirements_at_entry"}:
        base["target"] = changed["target"] = "drug"
    if (kind, option) == ("utilisation", "exposures"):
        base[option], changed[option] = ["drug"], ["drug", "other"]
    if option == "event_dependent_observation":
        base["first_outcome_only"] = changed["first_outcome_only"] = True
    if option == "positive_controls":
        base["negative_controls"] = changed["negative_controls"] = ["stroke"]
    cohorts = {**COHORTS, "other": COHORTS["drug"]}
    assert told({kind: base}, cohorts=cohorts) != told({kind: changed}, cohorts=cohorts)


def test_the_sections_come_in_the_order_of_the_template() -> None:
    heads = [line for line in told({"incidence": BASES["incidence"]}).splitlines() if line.startswith("## ")]
    assert [head.split(". ", 1)[1] for head in heads] == [
        "Title and version",
        "Research question",
        "Study design",
        "Setting",
        "Study population",
        "Cohorts",
        "Outcomes",
        "Covariates",
        "Analyses",
        "Sensitivity analyses",
        "Data management and disclosure",
        "Limitations",
    ]


@pytest.mark.parametrize(
    ("kind", "other", "said"),
    [
        ("sccs", {"naive_days": 90}, "days left out at the start of observation 90 days"),
        ("self_controlled_cohort", {"exposure": "other"}, "exposures `other`"),
        ("case_crossover", {"risk_window": [-9, 0]}, "days from the outcome in which exposure counts"),
        ("case_control", {"within": "drug", "controls": 9}, "nested in `drug`; controls of each case, at most 9"),
    ],
)
def test_a_design_names_its_other_ways_of_asking_and_what_they_change(
    kind: str, other: dict[str, Any], said: str
) -> None:
    cohorts = {**COHORTS, "other": COHORTS["drug"]}
    asked = {**BASES[kind], "sensitivity": [{"name": "apart", **other}]}
    (line,) = (each for each in told({kind: asked}, cohorts=cohorts).splitlines() if "`apart`" in each)
    assert line.startswith(f"- Analysis 1, `apart`: {said}")
    alone, both = (told({kind: each}, cohorts=cohorts) for each in (BASES[kind], asked))
    options = [each for each in alone.splitlines() if each.startswith(("- Exposures", "- Outcomes", "- Days of prior"))]
    assert options and set(options) <= set(both.splitlines())  # what is asked first is told as ever


def test_cohorts_that_differ_by_their_duration_rule_are_a_sensitivity_analysis() -> None:
    cohorts = {**COHORTS, "packs": {**COHORTS["drug"], "duration": "pack-size"}}
    line = "- By duration rule: `drug` by the rule that the snapshot was built with; `packs` by rule pack-size"
    assert line in told({"utilisation": BASES["utilisation"]}, cohorts=cohorts)
    assert "the study file compares none" in told({"utilisation": BASES["utilisation"]})


def test_a_circe_definition_is_told_with_its_concept_sets_and_rules() -> None:
    window = {"Start": {"Days": 30, "Coeff": -1}, "End": {"Days": 0, "Coeff": 1}}
    drug = {"Criteria": {"DrugExposure": {"CodesetId": 1, "Age": {"Value": 18, "Op": "gte"}}}, "StartWindow": window}
    counted = {**drug, "Occurrence": {"Type": 2, "Count": 3}}
    rule = {"name": "had <it> before", "expression": {"Type": "ALL", "CriteriaList": [counted]}}
    document = definition("ConditionOccurrence", 0, InclusionRules=[rule])
    document["ConceptSets"] = [
        {**concept_set(0, 192671), "name": "bleeds"},
        {**concept_set(1, 1125315), "name": "pain"},
    ]
    document["EndStrategy"] = {"DateOffset": {"DateField": "StartDate", "Offset": 14}}
    cohorts = {"bleed": {"circe": json.dumps(document)}}
    found = told({"incidence": BASES["incidence"]}, cohorts=cohorts)
    wanted = ["Codeset Id: concept set “bleeds”", "Codeset Id: concept set “pain”", "Type: at least", "Count: 3"]
    wanted += ["Op: at least", "Days: 30", "Coeff: before", "had \\<it\\> before", "Offset: 14", "192671", "1125315"]
    assert [each for each in wanted if each not in found] == []
    assert "end of the observation period" not in found


def test_what_circe_leaves_unsaid_is_said() -> None:
    window = {"Start": {"Coeff": -1}, "End": {"Days": 0, "Coeff": 1}}
    criterion = {"Criteria": {"DrugExposure": {}}, "StartWindow": window, "Occurrence": {"Type": 0, "Count": 0}}
    group = {"Type": "ALL", "CriteriaList": [criterion]}
    plain = definition("ConditionOccurrence", 0, QualifiedLimit={"Type": "First"})
    plain["ConceptSets"] = [concept_set(0, 192671)]
    lone, further = (
        told({"incidence": BASES["incidence"]}, cohorts={"bleed": {"circe": json.dumps(each)}})
        for each in (plain, {**plain, "AdditionalCriteria": group})
    )
    assert "- Exit: the end of the observation period." in lone
    assert "Limit of qualifying events" not in lone
    assert "Limit of qualifying events" in further
    assert "- Days: without limit" in further


def test_every_analysis_says_which_results_it_can_have() -> None:
    assert all(words.results for words in WORDS.values())


def test_a_prevalence_of_records_says_that_its_result_is_one_of_its_own() -> None:
    by_person = PeriodPrevalence(("bleed",), Population())
    assert results_of(by_person) == ["prevalence"]
    assert results_of(replace(by_person, level=Level.RECORD)) == ["prevalence_of_records"]
