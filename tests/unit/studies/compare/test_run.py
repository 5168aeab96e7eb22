"""A comparison from a study file to its result, on a small CDM drawn with a known hazard ratio."""

from __future__ import annotations

import math

import numpy as np
import pytest

from enclos.contracts.omop import omop_tables
from enclos.contracts.result import StudyResult
from enclos.studies.calibration.model import PROFILE_POINTS
from enclos.studies.document import study_from_yaml
from enclos.studies.steps import columns_read, run_study
from enclos.studies.summary import Value, summary
from factories.compare import COMPARATOR, FIRST_CONDITION, TARGET, World, study_text, world_cdm, world_tables
from fakes.cdm import cdm_of_rows

FAST = "      propensity: {variance: 0.1}\n      covariates: {windows: long_term}\n"


def result_of(world: World, options: str = FAST, seed: int = 1, n_buckets: int = 2) -> StudyResult:
    return run_study(study_from_yaml(study_text(options, world.n_controls)), world_cdm(world, seed, n_buckets))


def effect(result: StudyResult, adjustment: str = "Adjusted", at: int = 0) -> dict[str, Value]:
    """The effect of one way of asking, by its place among them."""
    found = [
        each
        for each in summary(result)
        if each["analysis"] == "compare_estimates" and each["variable"] == "Effect" and each["adjustment"] == adjustment
    ]
    return found[at]


def numbers(row: dict[str, Value]) -> tuple[float, float, float]:
    values = [row[name] for name in ("hazard_ratio", "lower", "upper")]
    assert all(isinstance(value, float) for value in values)
    return tuple(map(float, values))  # type: ignore[arg-type]


@pytest.mark.parametrize("truth", [1.0, 2.0, 0.5])
def test_the_true_ratio_is_in_the_interval_and_the_crude_one_is_biased(truth: float) -> None:
    result = result_of(World(n_persons=3000, hazard_ratio=truth))
    assert summary(result)[0]["variable"] == "Effect"
    ratio, lower, upper = numbers(effect(result))
    assert lower < truth < upper
    assert lower < ratio < upper
    crude, crude_lower, _ = numbers(effect(result, "Crude"))
    assert crude > ratio
    assert crude_lower > truth


@pytest.mark.parametrize(
    "options",
    [
        "      match: {ratio: 4}\n",
        "      stratify: {strata: 10}\n",
        "      weight: {estimand: ate}\n",
        "      weight: {estimand: overlap}\n",
        "      follow_up: on_treatment\n      censor_at_switch: true\n",
    ],
)
def test_every_adjustment_finds_it(options: str) -> None:
    ratio, lower, upper = numbers(effect(result_of(World(n_persons=3000, hazard_ratio=2.0), FAST + options)))
    assert lower < 2.0 < upper
    assert 1.6 < ratio < 2.5


def test_rates_and_odds_have_their_own_names() -> None:
    world = World(n_persons=3000, hazard_ratio=2.0, base_hazard=0.02)
    for model, name in (("poisson", "rate_ratio"), ("logistic", "odds_ratio")):
        found = effect(result_of(world, f"{FAST}      model: {model}\n"))
        assert "hazard_ratio" not in found
        assert float(str(found["lower"])) < 2.0 < float(str(found["upper"]))
        assert name in found


def test_the_result_is_the_same_however_persons_are_bucketed() -> None:
    one, three = (result_of(World(n_controls=2), n_buckets=n) for n in (1, 3))
    assert one.table.equals(three.table)
    assert [each.values for each in one.settings] == [each.values for each in three.settings]
    persons = [[sorted(cell.denominator) for cell in result.cells] for result in (one, three)]
    assert persons[0] == persons[1]


def test_a_failed_diagnostic_withholds_the_estimate_and_says_why() -> None:
    result = result_of(World(n_persons=800), FAST + "      diagnostics: {equipoise: 0.999}\n")
    (settings,) = [each.values for each in result.settings if each.result_type == "compare_estimates"]
    assert settings["unblinded"] == "FALSE"
    assert "equipoise" in settings["withheld_for"]
    for adjustment in ("Adjusted", "Crude"):
        assert effect(result, adjustment)["hazard_ratio"] is None
    (judged,) = [each for each in summary(result) if each.get("variable") == "Diagnostics"]
    assert judged["equipoise_passed"] == 0
    assert not result.of_type("compare_survival").num_rows
    told = {name for each in summary(result) for name in each}
    assert not {"n_events", "person_days"} & told  # they would tell the ratio
    shown = result_of(World(n_persons=800), FAST + "      diagnostics: {equipoise: null}\n")
    assert effect(shown)["hazard_ratio"] is not None


def test_negative_controls_tell_the_error_of_a_design_and_calibrate_it() -> None:
    world = World(n_persons=2500, hidden=0.7, n_controls=12)
    result = result_of(world, FAST + "      diagnostics: {ease: null, max_smd: null}\n")
    ratio, lower, _ = numbers(effect(result))
    assert lower > 1
    calibrated, calibrated_lower, calibrated_upper = numbers(effect(result, "Calibrated"))
    assert calibrated < ratio
    assert calibrated_lower < 1 < calibrated_upper
    blinded = result_of(world, FAST + "      diagnostics: {ease: 0.1, max_smd: null}\n")
    assert effect(blinded)["hazard_ratio"] is None
    controls = [each for each in summary(result) if each["analysis"] == "compare_controls"]
    assert len(controls) == 14
    assert len([each for each in controls if each.get("left_out_p") is not None]) == 12
    assert float(str(controls[-1]["ease"])) > 0.25


def test_new_users_with_an_indication_are_cohorts_made_of_cohorts() -> None:
    world = World(n_persons=800)
    text = study_text(FAST).replace(
        "analyses:",
        f"""  ill: {{concepts: [{FIRST_CONDITION}], domain: condition, limit: all, end: event_end}}
  new_ill: {{within: {{cohort: new, other: ill, window: [-365, 0]}}}}
  old_ill: {{within: {{cohort: old, other: ill, window: [-365, 0]}}}}
analyses:""",
    )
    text = text.replace("target: new", "target: new_ill").replace("comparator: old", "comparator: old_ill")
    told = run_study(study_from_yaml(text), world_cdm(world, 1)).of_type("compare_attrition").to_pylist()
    first = {row["variable_level"]: int(row["estimate_value"]) for row in reversed(told)}
    tables = world_tables(world, 1)
    had, taken = (
        list(zip(tables[table]["person_id"].to_pylist(), tables[table][concept].to_pylist(), strict=True))
        for table, concept in (("condition_occurrence", "condition_concept_id"), ("drug_exposure", "drug_concept_id"))
    )
    ill = {person for person, concept in had if concept == FIRST_CONDITION}
    indicated = [drug for person, drug in taken if person in ill]
    assert first == {"Target": indicated.count(TARGET), "Comparator": indicated.count(COMPARATOR)}


def test_sensitivity_analyses_stand_beside_the_first() -> None:
    options = """      sensitivity:
        - {name: short, follow_up: on_treatment, grace_days: 30}
        - {name: weighted, weight: {estimand: att}}
"""
    result = result_of(World(hazard_ratio=2.0), FAST + options)
    settings = [each.values for each in result.settings if each.result_type == "compare_estimates"]
    assert [each["comparison"] for each in settings] == ["primary", "short", "weighted"]
    assert settings[1]["follow_up"] == "on_treatment"
    assert settings[2]["adjusted_by"] == "weighting att"
    ratios = [numbers(effect(result, at=at))[0] for at in range(3)]
    assert len(set(ratios)) == 3


def test_attrition_balance_score_and_curves_are_told() -> None:
    result = result_of(World(hazard_ratio=2.0), FAST + "      days_prior_observation: 500\n")
    told = result.of_type("compare_attrition").to_pylist()
    target = [int(row["estimate_value"]) for row in told if row["variable_level"] == "Target"]
    assert target == [each for n in target[::2] for each in (n, n)]  # records and persons are the same here
    assert target == sorted(target, reverse=True)
    reasons = list(dict.fromkeys(row["strata_level"] for row in told))
    assert reasons[0] == "Entries into the cohorts"
    assert "At least 500 days of prior observation" in reasons
    assert reasons[-1] == "Matched on the score"
    balance = result.of_type("compare_balance").to_pylist()
    smd = {
        (row["strata_level"], int(row["additional_level"])): float(row["estimate_value"])
        for row in balance
        if row["estimate_name"] == "smd" and row["estimate_value"] is not None
    }
    confounder = FIRST_CONDITION * 1000 + 210
    assert smd["Crude", confounder] > 0.15 > abs(smd["Adjusted", confounder])
    exposures = {TARGET, COMPARATOR}
    assert not exposures & {covariate // 1000 for _, covariate in smd}
    names = {row["variable_name"] for row in balance}
    assert f"condition day -365 through 0: concept {FIRST_CONDITION}" in names
    score = result.of_type("compare_score").to_pylist()
    (auc,) = [float(row["estimate_value"]) for row in score if row["estimate_name"] == "auc"]
    assert 0.55 < auc < 0.8
    curves = result.of_type("compare_survival").to_pylist()
    for arm in ("Target", "Comparator"):
        shares = [
            float(row["estimate_value"])
            for row in curves
            if row["variable_name"] == arm and row["estimate_name"] == "estimate"
        ]
        assert shares == sorted(shares, reverse=True)
        assert shares[0] > 0.9


def test_cells_hold_the_persons_of_each_cohort() -> None:
    result = result_of(World())
    first = min(each.result_id for each in result.settings if each.result_type == "compare_estimates")
    by_place = {(cell.strata_level, cell.variable_name): cell for cell in result.cells if cell.result_id == first}
    assert set(by_place) == {(how, arm) for how in ("Adjusted", "Crude") for arm in ("Target", "Comparator")}
    for (how, arm), cell in by_place.items():
        (row,) = [
            each
            for each in summary(result)
            if each.get("adjustment") == how and each.get("variable") == arm and "n_persons" in each
        ]
        assert (row["n_persons"], row["n_events"]) == (cell.n_denominator, cell.n_numerator)
    adjusted, crude = (by_place[how, "Target"].denominator for how in ("Adjusted", "Crude"))
    assert adjusted <= crude


def test_an_empty_cohort_gives_attrition_and_no_estimate() -> None:
    result = result_of(World(n_persons=40), FAST + "      age: [0, 5]\n")
    assert {each.result_type for each in result.settings} == {"compare_attrition"}
    assert result.n_rows > 0
    nobody = world_tables(World(n_persons=40), 1)
    nobody["drug_exposure"] = nobody["drug_exposure"].slice(0, 0)
    result = run_study(study_from_yaml(study_text(FAST)), cdm_of_rows(nobody))
    assert {row["estimate_value"] for row in result.table.to_pylist()} == {"0"}


def test_what_is_read_is_said_beforehand() -> None:
    told = columns_read(study_from_yaml(study_text("      covariates: {domains: [measurement, counts]}\n")))
    assert told["measurement"] == ("person_id", "measurement_concept_id", "measurement_date")
    assert "visit_occurrence" in told
    assert "device_exposure" not in told


def test_the_score_is_told_apart_by_its_covariates() -> None:
    result = result_of(World(n_persons=2500))
    coefficients = {
        int(row["additional_level"]): float(row["estimate_value"])
        for row in result.of_type("compare_score").to_pylist()
        if row["estimate_name"] == "coefficient"
    }
    highest = sorted(coefficients, key=lambda each: -coefficients[each])[:3]
    assert {each // 1000 for each in highest} == {FIRST_CONDITION, FIRST_CONDITION + 1, FIRST_CONDITION + 2}
    assert not math.isnan(np.mean(list(coefficients.values())))


def test_the_likelihood_of_the_effect_is_told_for_pooling() -> None:
    result = result_of(World(n_persons=1500, hazard_ratio=2.0), FAST + "      match: {ratio: 3}\n")
    rows = [row for row in result.table.to_pylist() if row["estimate_name"] == "log_likelihood"]
    points = np.array([float(row["additional_level"]) for row in rows])
    heights = np.array([float(row["estimate_value"]) for row in rows])
    assert points.tolist() == list(PROFILE_POINTS)
    assert heights.max() == 0
    ratio, lower, upper = numbers(effect(result))
    assert abs(points[heights.argmax()] - math.log(ratio)) < 0.08
    drop = np.interp([math.log(lower), math.log(upper)], points, heights - np.interp(math.log(ratio), points, heights))
    np.testing.assert_allclose(drop, -1.92, atol=0.5)
    assert not any("log_likelihood" in each for each in summary(result))
    weighted = result_of(World(n_persons=800), FAST + "      weight: {}\n")
    assert "log_likelihood" not in set(weighted.table["estimate_name"].to_pylist())


def test_what_is_read_is_in_the_data_model() -> None:
    told = columns_read(study_from_yaml(study_text()))
    assert {"condition_occurrence", "drug_exposure", "procedure_occurrence", "device_exposure", "measurement"} <= set(
        told
    )
    for table, columns in told.items():
        assert set(columns) <= set(omop_tables()[table].names), table


def test_positive_controls_have_the_effect_that_was_put_into_them() -> None:
    """No hidden confounder: what is added is found again, and all controls together hold by each other."""
    world = World(n_persons=3000, n_controls=8, base_hazard=0.02)
    asked = "      positive_controls: {effects: [2, 4], seed: 3}\n"
    result = result_of(world, FAST + asked + "      stratify: {strata: 10}\n", n_buckets=1)
    made = [each for each in summary(result) if each["variable"] == "Positive control"]
    assert len(made) == 16
    logs = np.array([math.log(numbers(each)[0]) for each in made])
    trues = np.array([math.log(float(str(each["level"]))) for each in made])
    assert 2 <= np.exp(trues[0]) < 2.2
    assert 4 <= np.exp(trues[1]) < 4.8
    held = [lower < math.exp(true) < upper for (_, lower, upper), true in zip(map(numbers, made), trues, strict=True)]
    assert sum(held) >= 13
    # Those of one negative control share its chance: the mean over eight of them is within three errors of the truth.
    by_control = (logs - trues).reshape(8, 2).mean(axis=1)
    assert abs(by_control.mean()) < 3 * by_control.std(ddof=1) / math.sqrt(8) + 0.02
    (error,) = [each for each in summary(result) if each["variable"] == "Systematic error"]
    assert float(str(error["mean_slope"])) == pytest.approx(1, abs=0.15)
    coverage = [each for each in summary(result) if each["variable"] == "Left-out coverage"]
    assert sum(int(str(each["n_controls"])) for each in coverage) == 24
    assert all(float(str(each["coverage"])) >= 0.5 for each in coverage)
    assert effect(result)["hazard_ratio"] is not None


def test_a_positive_control_is_made_of_enough_outcomes_only() -> None:
    world = World(n_persons=800, n_controls=3)
    result = result_of(world, FAST + "      positive_controls: {min_outcomes: 100000}\n")
    assert not [each for each in summary(result) if each["variable"] == "Positive control"]
    (error,) = [each for each in summary(result) if each["variable"] == "Systematic error"]
    assert error["mean_slope"] == 1.0


def test_controls_that_do_not_hold_by_the_others_withhold_the_estimate() -> None:
    world = World(n_persons=1500, n_controls=4)
    result = result_of(world, FAST + "      diagnostics: {ease: null, max_smd: null, left_out: 1.1}\n")
    assert effect(result)["hazard_ratio"] is None
    assert effect(result)["e_value"] is None
    (judged,) = [each for each in summary(result) if each.get("variable") == "Diagnostics"]
    assert judged["left_out_passed"] == 0


def test_the_e_value_stands_beside_the_ratio() -> None:
    """Of a rare outcome by the formula of VanderWeele and Ding, for the ratio and the end that is nearer to none."""
    found = effect(result_of(World(n_persons=3000, hazard_ratio=2.5, base_hazard=0.01)))
    ratio, lower, _ = numbers(found)
    assert lower > 1
    assert found["e_value"] == pytest.approx(ratio + math.sqrt(ratio * (ratio - 1)), rel=1e-6)
    assert found["e_value_limit"] == pytest.approx(lower + math.sqrt(lower * (lower - 1)), rel=1e-6)
