"""A comparison is told as a chain, and every number that is told or drawn is one of the result."""

from __future__ import annotations

import pytest

from enclos.contracts.result import HIDDEN, StudyResult
from enclos.studies.document import study_from_yaml
from enclos.studies.figures.model import Analysis, Figure, Table
from enclos.studies.figures.parts import figures_of, parts_of, tables_of
from enclos.studies.figures.reading import analyses_of
from enclos.studies.figures.style import svg
from enclos.studies.steps import run_study
from factories.compare import World, study_text, world_cdm
from factories.places import At, result_of_places

OPTIONS = "      propensity: {variance: 0.1}\n      covariates: {windows: long_term}\n"
OTHER = "      sensitivity: [{name: weighted, weight: {estimand: overlap}}]\n"


def run(more: str, world: World) -> StudyResult:
    return run_study(study_from_yaml(study_text(OPTIONS + more, world.n_controls)), world_cdm(world, 1, 2))


def only(result: StudyResult) -> Analysis:
    (analysis,) = analyses_of(result.table, result.settings)
    return analysis


def titled(analysis: Analysis, title: str) -> Table:
    return next(table for table in tables_of(analysis) if table.title == title)


@pytest.fixture(scope="module")
def shown() -> Analysis:
    world = World(n_persons=1200, n_controls=6)
    return only(run("      diagnostics: {ease: null, max_smd: null}\n" + OTHER, world))


@pytest.fixture(scope="module")
def withheld() -> Analysis:
    return only(run("      diagnostics: {equipoise: 0.999}\n", World(n_persons=800, n_controls=1)))


def test_all_ways_of_asking_are_one_analysis_in_the_order_of_a_chain(shown: Analysis) -> None:
    titles = [part.title.partition(":")[0] for part in parts_of(shown)]
    assert titles == [
        "Diagnostics, judged before any estimate",
        "Diagnostics of the other ways of asking",
        "Estimates",
        "All estimates",
        "Negative controls and systematic error",
        "Controls",
        "Attrition",
        "Attrition",
        "Balance before and after adjustment",
        "Covariates that differ most after adjustment",
        "Distribution of the preference score",
        "Propensity score",
        "What the score is made of",
        "Time to harm, after adjustment",
    ]


def test_each_estimate_is_a_line_of_the_forest_plot_and_a_row_of_the_table(shown: Analysis) -> None:
    kind = shown.of("compare_estimates")
    assert kind is not None
    forest = next(figure for figure in figures_of(shown) if figure.title == "All estimates: harm")
    drawn = {row["who"]: (row["value"], row["lower"], row["upper"]) for row in forest.data["estimates"]}
    assert set(drawn) == {"primary", "primary, crude", "primary, calibrated", "weighted", "weighted, calibrated"}
    for point in kind.points:
        way, adjustment = kind.by_id[point.result_id]["comparison"], point.strata["adjustment"].lower()
        who = way if adjustment == "adjusted" else f"{way}, {adjustment}"
        if point.variable == "Effect" and not point.additional and who in drawn:
            assert drawn[who] == tuple(point.number(name) for name in ("hazard_ratio", "lower", "upper"))
    rows = titled(shown, "Estimates").rows
    assert [(row[0], row[2]) for row in rows] == [
        (way, adjustment) for way in ("primary", "weighted") for adjustment in ("adjusted", "crude", "calibrated")
    ]
    assert all("–" in row[3] and " / " in row[6] for row in rows if row[2] != "calibrated")


def test_diagnostics_have_value_threshold_and_verdict(shown: Analysis, withheld: Analysis) -> None:
    rows = {row[1]: row[2:] for row in titled(shown, "Diagnostics, judged before any estimate").rows}
    assert rows["score fitted"] == ("yes", "yes", "holds")
    assert rows["equipoise"][1:] == ("at least 0.2", "holds")
    assert rows["expected systematic error"][2] == "not judged"
    failed = {row[1]: row[2:] for row in titled(withheld, "Diagnostics, judged before any estimate").rows}
    assert failed["equipoise"][1:] == ("at least 0.999", "fails")


def test_a_withheld_estimate_says_why_and_nothing_of_it_is_drawn(withheld: Analysis) -> None:
    table = titled(withheld, "Estimates")
    assert "equipoise" in table.lead
    assert {row[3] for row in table.rows} == {"withheld"}
    titles = {figure.title for figure in figures_of(withheld)}
    assert not {title for title in titles if title.startswith(("All estimates", "Time to"))}
    assert "Distribution of the preference score" in titles


def test_balance_and_controls_are_drawn_as_they_are_told(shown: Analysis) -> None:
    figures = {figure.title: figure for figure in figures_of(shown)}
    balance, kind = figures["Balance before and after adjustment: harm"], shown.of("compare_balance")
    assert kind is not None
    largest = max(
        abs(point.number("smd") or 0)
        for point in kind.points
        if point.strata["adjustment"] == "Crude" and kind.by_id[point.result_id]["comparison"] == "primary"
    )
    assert f"largest before {largest:.2f}" in balance.description
    controls = figures["Negative controls and systematic error"].data["controls"]
    assert [row["kind"] for row in controls] == ["negative control"] * 6 + ["outcome"]
    for figure in figures.values():
        for width in (860, 290):
            assert svg(figure, width).startswith("<svg")


def test_a_design_without_a_ratio_says_why() -> None:
    group = {"outcome_cohort_name": "bleed"}
    counts = {"n_cases": "9", "n_cases_exposed": "0", "n_controls": "18", "n_controls_exposed": "2"}
    ratio = {"odds_ratio": "2", "lower": "1", "upper": "4", "log_odds_ratio": "0.7", "standard_error": "0.35"}
    places = [At(group, "exposed", "a", counts), At(group, "exposed", "b", {**counts, "n_cases_exposed": "3", **ratio})]
    analysis = only(result_of_places(("case_crossover", {}, places)))
    table, forest = parts_of(analysis)
    assert isinstance(table, Table) and isinstance(forest, Figure)
    assert [row[2] for row in table.rows] == ["none", "2 (1 – 4)"]
    assert "a: exposed, bleed: no case is exposed when the outcome comes" in table.lead
    assert [row["who"] for row in forest.data["estimates"]] == ["b: exposed"]


def test_a_case_series_says_which_diagnostic_withholds_its_ratios() -> None:
    group = {"outcome_cohort_name": "bleed"}
    diagnostics = [
        At(group, "rare_outcome", None, {"estimate": "0.2", "verdict": "fail", "most": "0.1"}),
        At(group, "time_stability", None, {"estimate": "1.01", "p_value": "0.3", "verdict": "pass"}),
    ]
    estimates = [
        At(group, "exposed", "a", {"n_persons": HIDDEN}),
        At(group, "model", None, {"n_cases": "40", "n_events": "50", "blinded": "TRUE"}),
    ]
    analysis = only(result_of_places(("sccs_diagnostics", {}, diagnostics), ("sccs", {}, estimates)))
    judged, table = parts_of(analysis)
    assert isinstance(judged, Table) and isinstance(table, Table)
    assert [row[-2:] for row in judged.rows] == [("at most 0.1", "fails"), ("", "holds")]
    assert table.rows[0][2:] == ("withheld", "–")
    assert "bleed: rare outcome" in table.lead
