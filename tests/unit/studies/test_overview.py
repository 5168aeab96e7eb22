"""What a terminal shows of a study tells the ways of asking apart and says what is missing."""

from __future__ import annotations

from enclos.contracts.result import HIDDEN
from enclos.studies.overview import overview
from enclos.studies.summary import summary
from factories.places import At, result_of_places

ARMS = {"target_cohort_name": "new", "comparator_cohort_name": "old", "outcome_cohort_name": "bleed"}
ADJUSTED = {"adjustment": "Adjusted"}


def of_a_way(name: str, ratio: str | None, withheld_for: str = "") -> tuple[str, dict[str, str], list[At]]:
    places = [
        At(ARMS, "Effect", None, {"hazard_ratio": ratio, "lower": ratio, "upper": ratio}, ADJUSTED),
        At(ARMS, "Target", None, {"n_persons": "40", "n_events": "12"}, ADJUSTED),
        At(ARMS, "Comparator", None, {"n_persons": HIDDEN, "n_events": HIDDEN}, ADJUSTED),
        At(ARMS, "Diagnostics", None, {"equipoise": "0.1"}, ADJUSTED),
    ]
    return "compare_estimates", {"comparison": name, "withheld_for": withheld_for}, places


def test_a_comparison_has_a_row_a_way_of_asking_and_its_diagnostics() -> None:
    behind = ("compare_balance", {}, [At(ARMS, "age", None, {"smd": "0.1"}, ADJUSTED)])
    ways = of_a_way("primary", "1.5"), of_a_way("intention_to_treat", None, "equipoise &&& max_smd")
    found = overview(summary(result_of_places(*ways, behind)))
    assert list(found) == ["diagnostics", "estimates"]
    one, other = found["estimates"]
    assert (one["asked as"], one["hazard_ratio"], one["target persons"]) == ("primary", 1.5, 40)
    assert (other["asked as"], other["hazard_ratio"]) == ("intention_to_treat", None)
    assert other["withheld for"] == "equipoise, largest standardised difference"
    assert "comparator persons" not in one  # withheld in all rows
    assert [row["verdict"] for row in found["diagnostics"]] == [
        "holds",
        "fails: equipoise, largest standardised difference",
    ]


def test_a_design_without_a_ratio_says_why_and_other_kinds_have_their_own_columns() -> None:
    crossover = At({"outcome_cohort_name": "bleed"}, "exposed", "a", {"n_cases": "0", "n_controls": "0"})
    share = At({"cohort_name": "new"}, "Sex", "Female", {"count": "20", "percentage": "50"})
    found = overview(summary(result_of_places(("case_crossover", {}, [crossover]), ("summarise_trend", {}, [share]))))
    assert found["case crossover"][0]["no ratio because"] == "nobody has the outcome with a window to compare"
    assert found["summarise trend"][0]["count"] == 20
