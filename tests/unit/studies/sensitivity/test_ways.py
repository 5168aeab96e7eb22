"""Each way of asking finds what a study finds that asks it alone, under its own name and by the rules of its design."""

from __future__ import annotations

from functools import cache

import pyarrow as pa
import pytest

from enclos.contracts.result import HIDDEN, StudyResult
from enclos.release.rules.disclosure import assess
from enclos.studies.calibration.rules.sites import answers
from enclos.studies.calibration.rules.together import pool
from enclos.studies.document import study_from_yaml
from enclos.studies.figures.model import Figure, Table
from enclos.studies.figures.parts import parts_of
from enclos.studies.figures.reading import analyses_of
from enclos.studies.overview import overview
from enclos.studies.sensitivity.model import WAY
from enclos.studies.steps import run_study
from enclos.studies.summary import summary
from factories.compare import FIRST_CONDITION, OUTCOME, TARGET, World, world_tables
from factories.studies import rows_table
from fakes.cdm import cdm_of_rows

WORLD = World(n_persons=1500, hazard_ratio=2.0, base_hazard=0.3)
PACK, UNITS = 70, 28
HEAD = f"""
study: asked
cohorts:
  drug: {{concepts: [{TARGET}], domain: drug, limit: all, end: event_end}}
  drug_90: {{concepts: [{TARGET}], domain: drug, limit: all, end: {{days: 90}}}}
  drug_boxes: {{concepts: [{TARGET}], domain: drug, limit: all, end: event_end, duration: one-box-30}}
  ill: {{concepts: [{FIRST_CONDITION}], domain: condition, limit: first, end: observation_end}}
  harm: {{concepts: [{OUTCOME}, {FIRST_CONDITION + 5}], domain: condition, limit: all, end: event_end}}
analyses:
"""
DESIGNS = {
    "sccs": ("pre_exposure_days: 0, end_of_observation_days: 0, diagnostics: {time_stability: null}",
             {"fixed": "exposure: drug_90", "boxes": "exposure: drug_boxes",
              "grace": "windows: {exposed: {end: 120}}", "naive": "naive_days: 600",
              "first": "first_outcome_only: true"}),
    "self_controlled_cohort": ("risk_window: [0, 180], control_window: [-180, -1]",
                               {"lag": "risk_window: [30, 180]", "washout": "days_prior_observation: 500",
                                "censored": "full_windows: true, follow_up_days: 400"}),
    "case_crossover": ("control_offsets: [-400]",
                       {"fixed": "exposure: drug_90", "short": "risk_window: [-14, 0]",
                        "washout": "days_prior_observation: 600"}),
    "case_control": ("controls: 2", {"nested": "within: ill", "lag": "risk_window: [-60, -30]",
                                     "washout": "days_prior_observation: 700", "fixed": "exposure: drug_90"}),
}  # fmt: skip
EACH = pytest.mark.parametrize("design", DESIGNS)


def entry(design: str, options: str = "") -> str:
    """The design as an analysis with some options in the place of its own."""
    base = ["exposure: drug", "outcome: harm", "show_failed: true", *_split(DESIGNS[design][0])]
    given = {each.split(":")[0]: each for each in [*base, *filter(None, _split(options))]}
    return f"  - {design}: {{{', '.join(given.values())}}}\n"


def _split(options: str) -> list[str]:
    """Options at the commas between them."""
    parts, depth = [""], 0
    for sign in options:
        depth += (sign in "{[") - (sign in "}]")
        if sign == "," and not depth:
            parts.append("")
        else:
            parts[-1] += sign
    return [each.strip() for each in parts]


def sensitivity(design: str) -> str:
    ways = ", ".join(f"{{name: {name}, {options}}}" for name, options in DESIGNS[design][1].items())
    return f"sensitivity: [{ways}]"


@cache
def found(text: str, seed: int = 1) -> StudyResult:
    """A dispensing is of two packs, whose days the snapshot keeps under another rule too."""
    tables = world_tables(WORLD, seed)
    drugs = tables["drug_exposure"].drop_columns(["drug_source_concept_id", "quantity"])
    packs = pa.repeat(pa.scalar(PACK, pa.int64()), drugs.num_rows)
    drugs = drugs.append_column("drug_source_concept_id", packs)
    tables["drug_exposure"] = drugs.append_column("quantity", pa.repeat(2.0 * UNITS, drugs.num_rows))
    tables["drug_duration"] = rows_table("drug_duration", [(PACK, "one-box-30", "one-box-30-1", UNITS, 30.0)])
    return run_study(study_from_yaml(HEAD + text), cdm_of_rows(tables, n_buckets=2))


def all_ways(design: str) -> StudyResult:
    return found(entry(design, sensitivity(design)))


def of_way(result: StudyResult, way: str | None) -> tuple[list[dict[str, str]], list[tuple[object, ...]], list[object]]:
    """Settings, lines and persons of one way of asking, results numbered from one."""
    own = [each for each in result.settings if each.values.get(WAY) == way]
    number = {each.result_id: at for at, each in enumerate(own)}
    settings = [{name: value for name, value in each.values.items() if name != WAY} for each in own]
    lines = [
        (number[row["result_id"]], *(value for name, value in row.items() if name != "result_id"))
        for row in result.table.to_pylist()
        if row["result_id"] in number
    ]
    cells = [
        (number[cell.result_id], cell.key[1:], list(cell.dense_numerator), list(cell.dense_denominator))
        for cell in result.cells
        if cell.result_id in number
    ]
    return settings, lines, cells


@EACH
def test_each_way_equals_the_study_that_asks_it_alone(design: str) -> None:
    result, others = all_ways(design), DESIGNS[design][1]
    assert list(dict.fromkeys(each.values[WAY] for each in result.settings)) == ["primary", *others]
    told = []
    for way, options in {"primary": "", **others}.items():
        own, alone = of_way(result, way), of_way(found(entry(design, options)), None)
        assert own == alone
        told.append(own[1])
    assert all(one != other for at, one in enumerate(told) for other in told[:at])


@EACH
def test_all_ways_are_in_one_forest_plot_with_their_e_values(design: str) -> None:
    twice = found(entry(design, sensitivity(design)) + entry(design, sensitivity(design)))
    assert [each.family for each in analyses_of(twice.table, twice.settings)] == [design, design]
    (analysis,) = analyses_of(all_ways(design).table, all_ways(design).settings)
    parts = parts_of(analysis)
    (forest,) = (each for each in parts if isinstance(each, Figure) and each.title == "All estimates: harm")
    who = [str(row["who"]) for row in forest.data["estimates"]]
    assert who[0] == "drug: exposed"
    for way, options in DESIGNS[design][1].items():
        exposure = next((each for each in ("drug_90", "drug_boxes") if each in options), "drug")
        assert f"{exposure}: exposed, {way}" in who
    (table,) = (each for each in parts if isinstance(each, Table) and each.title == "Estimates")
    assert table.columns[:3] == ("asked as", "outcome", "exposure")
    at = table.columns.index("E-value (of the limit)")
    shown = {row[0]: row[at] for row in table.rows if row[2].endswith(": exposed")}
    assert list(shown) == ["primary", *DESIGNS[design][1]]
    assert all(shown.values())


@EACH
def test_a_way_whose_diagnostics_fail_is_withheld_alone_and_says_why(design: str) -> None:
    limits = "{mdrr: 1.001, time_stability: null}" if design == "sccs" else "{mdrr: 1.001}"
    text = entry(design, f"show_failed: false, sensitivity: [{{name: strict, diagnostics: {limits}}}]")
    result = found(text)
    (analysis,) = analyses_of(result.table, result.settings)
    parts = parts_of(analysis)
    (table,) = (each for each in parts if isinstance(each, Table) and each.title == "Estimates")
    shown = {row[0]: row[3] for row in table.rows if row[2] == "drug: exposed"}
    assert shown["strict"] == "withheld" != shown["primary"]
    assert "Withheld because a diagnostic fails – harm, strict: least detectable ratio (drug" in table.lead
    assert "harm:" not in table.lead
    (judged,) = (each for each in parts if isinstance(each, Table) and each.title.startswith("Diagnostics"))
    assert ("strict", "fails") in {(row[0], row[-1]) for row in judged.rows}
    assert ("primary", "fails") not in {(row[0], row[-1]) for row in judged.rows}
    (forest,) = (each for each in parts if isinstance(each, Figure) and each.title == "All estimates: harm")
    assert [row["who"] for row in forest.data["estimates"]] == ["drug: exposed"]


@EACH
def test_a_terminal_tells_the_ways_apart(design: str) -> None:
    tables = overview(summary(all_ways(design)))
    for name in (design, f"{design}_diagnostics"):
        asked = [row["asked as"] for row in tables[name.replace("_", " ")]]
        assert list(dict.fromkeys(asked)) == ["primary", *DESIGNS[design][1]]
    assert "comparison" not in tables[design.replace("_", " ")][0]


@EACH
def test_release_judges_every_way_by_the_rules_of_its_design(design: str) -> None:
    result = all_ways(design)
    assessed = assess(result, 11)
    assert assessed.safe is not None, assessed.reasons
    ways = {each.result_id: each.values[WAY] for each in assessed.safe.settings}
    assert set(ways.values()) == {"primary", *DESIGNS[design][1]}
    name = "odds_ratio" if design.startswith("case") else "rate_ratio"
    shown = {
        ways[row["result_id"]]
        for row in assessed.safe.table.to_pylist()
        if row["estimate_name"] == name and row["estimate_value"] != HIDDEN
    }
    assert "primary" in shown  # others are hidden first where two tell a few together
    assert len(shown) > 1


def test_what_sites_say_is_pooled_way_by_way() -> None:
    text = entry("case_crossover", sensitivity("case_crossover"))
    results = {f"site_{seed}": found(text, seed) for seed in (1, 2)}
    forests = pool({name: answers(each.table, each.settings) for name, each in results.items()})
    ways = {way: "drug_90" if "drug_90" in options else "drug" for way, options in DESIGNS["case_crossover"][1].items()}
    titles = ["harm, exposed, drug", *(f"harm, exposed, {exposure}, {way}" for way, exposure in ways.items())]
    assert [each.title for each in forests] == titles
    assert all([line.site for line in each.lines[:2]] == list(results) for each in forests)
