"""What is drawn is what the result says: each picture's data against the text of its table."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from enclos.contracts.result import HIDDEN, StudyResult
from enclos.studies.figures.model import Figure
from enclos.studies.figures.parts import figures_of
from enclos.studies.figures.pathways import sankey
from enclos.studies.figures.reading import analyses_of
from enclos.studies.figures.style import COLOURS, NARROW, WIDE, png, specification, svg, svg_beneath
from factories.places import At, curve, rates, result_of_places

SINGLE = {"analysis_type": "single_event", "outcome": "bleed"}
ESTIMATES = ("estimate", "estimate_95CI_lower", "estimate_95CI_upper")


def drawn(result: StudyResult) -> list[Figure]:
    return [figure for each in analyses_of(result.table, result.settings) for figure in figures_of(each)]


def only(result: StudyResult) -> Figure:
    (figure,) = drawn(result)
    return figure


def datasets(figure: Figure, width: int = WIDE) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = specification(figure, width)["datasets"]
    return found


def names_read(part: Any) -> set[str]:
    """Names of the data that any part of a drawing reads."""
    if isinstance(part, list):
        return {name for each in part for name in names_read(each)}
    if not isinstance(part, dict):
        return set()
    own = {part["data"]["name"]} if isinstance(part.get("data"), dict) and "name" in part["data"] else set()
    return own.union(*(names_read(each) for key, each in part.items() if key != "datasets"))


def test_incidence_over_time_has_the_tables_numbers_and_a_gap_where_one_is_withheld() -> None:
    rows = [
        ("2019-01-01", "100", "12.5", "10", "15.25"),
        ("2020-01-01", "90", HIDDEN, HIDDEN, HIDDEN),
        ("2021-01-01", "80", "7", "6", "8"),
    ]
    figure = only(result_of_places(("incidence", {}, rates("incidence", rows))))
    found = datasets(figure)["rates_0"]
    assert [(row["start"], row["value"], row["lower"], row["upper"]) for row in found] == [
        ("2019-01-01", 12.5, 10.0, 15.25),
        ("2020-01-01", None, None, None),
        ("2021-01-01", 7.0, 6.0, 8.0),
    ]
    assert "bleed" in figure.title
    assert figure.description.startswith("2 estimates")
    assert HIDDEN not in {value for row in found for value in row.values()}
    assert "events per 100 000 person-years" in json.dumps(specification(figure))


def test_each_sex_has_its_own_series_and_each_age_group_its_own_panel() -> None:
    row = [("2019-01-01", "10", "0.5", "0.4", "0.6")]
    some = rates("prevalence", row)
    parts = [(sex, age) for age in ("0 to 64", "65 to 150") for sex in ("Both", "Male", "Female")]
    settings = [{"denominator_sex": sex, "denominator_age_group": age} for sex, age in parts]
    figure = only(result_of_places(*(("prevalence", values, some) for values in settings)))
    found = datasets(figure)
    assert [row["panel"] for row in found["rates_1"]] == ["65 to 150"] * 3
    assert [row["who"] for row in found["rates_0"]] == ["Both", "Male", "Female"]
    colours = json.dumps(specification(figure))
    assert all(colour in colours for colour in COLOURS[:3])
    assert "diamond" in colours  # told apart without colour too


def test_intervals_without_an_end_are_cut_and_it_is_said() -> None:
    rows = [("2019-01-01", "2", "10", "0.1", "90000"), ("2020-01-01", "9000", "20", "19", "21")]
    figure = only(result_of_places(("incidence", {}, rates("incidence", rows))))
    assert "cut" in figure.description
    assert datasets(figure)["rates_0"][0]["upper"] == 90000.0
    assert '"domain": [0, 50.0]' in json.dumps(specification(figure))


def test_a_result_of_which_nothing_is_shown_has_no_picture() -> None:
    hidden = [("2019-01-01", HIDDEN, HIDDEN, HIDDEN, HIDDEN)]
    assert drawn(result_of_places(("incidence", {}, rates("incidence", hidden)))) == []


def test_survival_steps_where_the_curve_steps_over_those_at_risk() -> None:
    days = {
        "0": ("1", "1", "1"),
        "10": ("0.8", "0.5", "0.95"),
        "20": ("0.8", "0.5", "0.95"),
        "30": ("0.4", "0.1", "0.7"),
    }
    at_risk = {"0": ("5", "0", "0"), "30": (HIDDEN, "3", "1")}
    counts = ("n_risk_count", "n_events_count", "n_censor_count")
    figure = only(
        result_of_places(
            ("survival_estimates", SINGLE, curve("survival_estimates", days, ESTIMATES)),
            ("survival_events", SINGLE, curve("survival_events", at_risk, counts)),
        )
    )
    found = datasets(figure)
    told = [(row["day"], row["value"], row["lower"], row["upper"]) for row in found["curves"]]
    assert told == [(0, 1.0, 1.0, 1.0), (10, 0.8, 0.5, 0.95), (30, 0.4, 0.1, 0.7)]
    assert [(row["day"], row["n"]) for row in found["risk"]] == [(0, 5)]
    marks = json.dumps(specification(figure))
    assert marks.count('"step-after"') == 2
    assert "days since entry" in marks


def test_competing_outcomes_are_two_curves_of_shares_that_had_them() -> None:
    settings = {"analysis_type": "competing_risk", "outcome": "bleed"}
    days = {"0": ("0", "0", "0"), "2000": ("0.3", "0.2", "0.4")}
    places = [*curve("e", days, ESTIMATES), *curve("e", days, ESTIMATES, outcome="death")]
    figure = only(result_of_places(("survival_estimates", settings, places)))
    found = datasets(figure)["curves"]
    assert Counter(row["outcome"] for row in found) == {"bleed": 2, "death": 2}
    assert found[1]["time"] == round(2000 / 365.25, 6)
    assert "years since entry" in json.dumps(specification(figure))


def test_a_sankey_keeps_every_person() -> None:
    """What goes out of a node is at most what is in it, and each ribbon lies within both its nodes."""
    paths = [(("a", "b", "a"), 5), (("a", "b"), 7), (("b",), 4), (("b", "a"), 2)]
    nodes, ribbons = sankey(paths)
    count = {(node.step, node.name): node.n for node in nodes}
    assert count == {(0, "a"): 12, (0, "b"): 6, (1, "a"): 2, (1, "b"): 12, (2, "a"): 5}
    assert {(r.step, r.start, r.end): r.n for r in ribbons} == {(0, "a", "b"): 12, (0, "b", "a"): 2, (1, "b", "a"): 5}
    place = {(node.step, node.name): node for node in nodes}
    for ribbon in ribbons:
        start, end = place[ribbon.step, ribbon.start], place[ribbon.step + 1, ribbon.end]
        assert start.low <= ribbon.low <= ribbon.low + ribbon.n <= start.high
        assert end.low <= ribbon.end_low <= ribbon.end_low + ribbon.n <= end.high
    for node, other in pairwise(nodes):
        assert node.step != other.step or node.high < other.low


def test_pathways_are_drawn_without_those_who_take_nothing() -> None:
    target = {"target_cohort": "gout"}
    counts = {"allopurinol-febuxostat": "8", "allopurinol": "4", "None": "30", "febuxostat": HIDDEN}
    places = [At(target, "pathway", path, {"count": n, "percentage": "1"}) for path, n in counts.items()]
    figure = only(result_of_places(("treatment_pathways", {}, places)))
    found = datasets(figure)
    assert {(row["step"], row["name"]): row["n"] for row in found["nodes"]} == {
        (1, "allopurinol"): 12,
        (2, "febuxostat"): 8,
    }
    ends = [row for row in found["ribbons"] if row["x"] in {max(r["x"] for r in found["ribbons"]), 0.035}]
    assert [row["high"] - row["low"] for row in ends] == [8.0, 8.0]
    assert figure.description.startswith("12 persons")


def test_spreads_shares_differences_and_overlaps_have_the_tables_numbers() -> None:
    cohort = {"cohort_name": "statin"}
    pair = {"cohort_name_reference": "statin", "cohort_name_comparator": "aspirin"}
    back = dict(zip(pair, reversed(pair.values()), strict=True))
    quarters = {"q25": "3", "median": "5", "q75": "9", "mean": "6.25", "sd": "1"}
    ends = {"restart": "25", "switch": "10", "restart and switch": "5", "untreated": "60"}
    parts = {"Only in reference cohort": "6", "In both cohorts": "3", "Only in comparator cohort": "1"}
    both = {name: {"count": n, "percentage": n} for name, n in parts.items()}
    result = result_of_places(
        ("summarise_cohort_overlap", {}, [At(each, name, "Subjects", e) for each in (pair, back)
                                          for name, e in both.items()]),
        ("summarise_standardised_differences", {}, [At(pair, "Age", None, {"smd": "-0.25"})]),
        ("summarise_drug_utilisation", {}, [At(cohort, "days exposed", None, quarters,
                                               additional={"concept_set": "statin"})]),
        ("summarise_drug_restart", {}, [At(cohort, "Drug restart in 30 days", level, {"count": n, "percentage": n})
                                        for level, n in ends.items()]),
    )  # fmt: skip
    overlap, differences, use, restart = drawn(result)
    assert [row["n"] for row in datasets(overlap)["bars"]] == [6.0, 3.0, 1.0]
    dots = [(row["row"], row["cohort"], row["in"]) for row in datasets(overlap)["dots"]]
    assert dots[2:4] == [(1, "statin", True), (1, "aspirin", True)]
    assert datasets(differences)["differences"] == [{"what": "Age", "pair": "statin – aspirin", "smd": -0.25}]
    (box,) = datasets(use)["panel_0"]
    assert (box["lower"], box["median"], box["upper"], box["mean"], box["panel"]) == (
        3,
        5,
        9,
        6.25,
        "days exposed (days)",
    )
    assert [(row["part"], row["share"]) for row in datasets(restart)["panel_0"]] == [
        (level, float(n)) for level, n in ends.items()
    ]


def test_adherence_is_a_box_a_drug_and_a_panel_a_measure() -> None:
    cohort, drug = {"cohort_name": "statin"}, {"concept_set": "statin"}
    places = [
        At(cohort, "proportion of days covered", None, {"q25": "0.5", "median": "0.8", "q75": "1"}, additional=drug),
        At(cohort, "medication possession ratio", None, {"q25": "0.5", "median": "0.9", "q75": "1.4"}, additional=drug),
        At(cohort, "persons with at least this proportion of days covered", "0.8", {"count": "60"}, additional=drug),
    ]
    (figure,) = drawn(result_of_places(("summarise_adherence", {"threshold": "0.8"}, places)))
    panels = [row for rows in datasets(figure).values() for row in rows]
    assert [(row["panel"], row["median"]) for row in panels] == [
        ("proportion of days covered", 0.8),
        ("medication possession ratio", 0.9),
    ]


def test_attrition_says_what_is_left_and_what_is_taken() -> None:
    group = {"denominator_cohort_name": "denominator_cohort_1", "outcome_cohort_name": "bleed"}
    steps = [("Starting population", "1200", "1200", None, None), ("Missing sex", "1190", HIDDEN, "10", "10")]
    names = ("number_records", "number_subjects", "excluded_records", "excluded_subjects")
    places = [
        At(group, name, None, {"count": text}, {"reason": reason}, {"reason_id": str(number)})
        for number, (reason, *texts) in enumerate(steps, start=1)
        for name, text in zip(names, texts, strict=True)
    ]
    figure = only(result_of_places(("incidence_attrition", {}, places)))
    first, second = figure.data["steps"]
    assert first["left"] == "1\u202f200 records, 1\u202f200 persons"
    assert first["taken"] == ""
    assert second["left"] == "1\u202f190 records, – persons"
    assert second["taken"] == "left out: 10 records, 10 persons"
    (boxes,) = [rows for name, rows in specification(figure)["datasets"].items() if name != "steps"]
    assert all(box["top"] < box["bottom"] for box in boxes)
    assert boxes[0]["bottom"] < boxes[1]["top"]


SOME = (
    ("incidence", {}, rates("incidence", [("2019-01-01", "100", "12.5", "10", "15.25")])),
    ("survival_estimates", SINGLE, curve("e", {"0": ("1", "1", "1"), "9": ("0.5", "0.4", "0.6")}, ESTIMATES)),
)


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_picture_fits_its_screen_carries_its_data_and_says_what_it_shows(width: int) -> None:
    for figure in drawn(result_of_places(*SOME)):
        spec = specification(figure, width)
        assert names_read(spec) <= set(spec["datasets"])
        assert '"url"' not in json.dumps(spec)
        text = svg(figure, width)
        head = text[: text.index(">")]
        assert f'aria-label="{figure.title}. ' in head
        assert float(head.split(' width="')[1].split('"')[0]) <= width + 30
    assert png(figure, width).startswith(b"\x89PNG")


def test_pictures_beneath_each_other_keep_their_data_apart() -> None:
    figures = drawn(result_of_places(*SOME, SOME[0]))
    assert len(figures) == 3
    text = svg_beneath(figures)
    assert text.count("Incidence of bleed, by years</text>") == 2
    assert "Time from statin to bleed</text>" in text
    assert "No estimate is shown" in svg_beneath([])
