"""Four hospitals answer one study by every design and release on their own; together they say what all rows say.

Persons are simulated: who begins one drug or the other has conditions that raise harm too, and falls come two and a
half times as often while a drug is taken. Commands run in this process, as a person types them.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow.csv import write_csv

from enclos.cli.entry import run
from enclos.studies.document import study_from_yaml
from enclos.studies.steps import run_study
from enclos.studies.summary import summary
from factories.compare import COMPARATOR, START, TARGET, World, world_tables
from factories.enclosure import ALICE, CAROL, DAN, PASSPHRASE, permit_text
from fakes.cdm import cdm_of_rows

HOSPITALS = ("north", "south", "east", "west")
N_PERSONS, HAZARD_RATIO = 1500, 2.0
FALL, FALL_RATIO, SHARE_FALLING, N_DAYS = 2002, 2.5, 0.35, 4 * 365
PERMIT = "FR-TEST-0001"
STUDY = f"""\
study: four-hospitals
cohorts:
  new: {{concepts: [{TARGET}], domain: drug, limit: first, end: event_end}}
  old: {{concepts: [{COMPARATOR}], domain: drug, limit: first, end: event_end}}
  either: {{concepts: [{TARGET}, {COMPARATOR}], domain: drug, limit: first, end: event_end}}
  harm: {{concepts: [2001], domain: condition, limit: all, end: {{days: 1}}}}
  fall: {{concepts: [{FALL}], domain: condition, limit: all, end: {{days: 1}}}}
analyses:
  - compare:
      target: new
      comparator: old
      outcome: harm
      covariates: {{domains: [demographics, condition], windows: [any_time]}}
      propensity: {{prior: normal, variance: 1}}
      stratify: {{strata: 5}}
  - sccs: {{exposure: either, outcome: fall, windows: {{exposed: {{}}}}, pre_exposure_days: 90,
           end_of_observation_days: 120, show_failed: true}}
  - self_controlled_cohort: {{exposure: either, outcome: fall, risk_window: [0, 0], control_window: [-1, -1]}}
  - case_crossover: {{exposure: either, outcome: fall, risk_window: [0, 0], control_offsets: [-180, -360]}}
  - case_control: {{exposure: either, outcome: fall, controls: 3, age_caliper_years: 40, seed: 5}}
"""
pytestmark = [pytest.mark.xdist_group("federated"), pytest.mark.slow]


def hospital(at: int) -> dict[str, pa.Table]:
    """The tables of one hospital; no two share a person."""
    tables = world_tables(World(N_PERSONS, HAZARD_RATIO, base_hazard=0.08), 40 + at)
    random = np.random.default_rng(80 + at)
    drugs, conditions = tables["drug_exposure"], tables["condition_occurrence"]
    first, last = (
        drugs[f"drug_exposure_{which}_date"].cast(pa.int32()).to_numpy() - START for which in ("start", "end")
    )
    who = np.flatnonzero(random.random(N_PERSONS) < SHARE_FALLING)
    days = np.arange(N_DAYS)
    taken = (days >= first[who, None]) & (days <= last[who, None])
    reach = np.where(taken, FALL_RATIO, 1.0).cumsum(axis=1)
    fell = (reach < (random.random(len(who)) * reach[:, -1])[:, None]).sum(axis=1)
    on = pa.array((START + fell).astype(np.int32), pa.int32()).cast(pa.date32())
    falls = pa.table([pa.array(who + 1), pa.array(np.full(len(who), FALL)), on, on], names=conditions.column_names)
    tables["condition_occurrence"] = pa.concat_tables([conditions, falls])
    concepts = [*tables["concept"]["concept_id"].to_pylist(), FALL]
    tables["concept"] = pa.table({"concept_id": concepts, "concept_name": [f"concept {each}" for each in concepts]})
    for name, table in tables.items():
        if "person_id" in table.column_names:
            place = table.schema.get_field_index("person_id")
            numbers = pa.array(table["person_id"].to_numpy() + at * N_PERSONS)
            tables[name] = table.set_column(place, "person_id", numbers)
    return tables


def enclos(*arguments: object) -> dict[str, Any]:
    """What a command says."""
    said, told = io.StringIO(), io.StringIO()
    with redirect_stdout(said), redirect_stderr(told), pytest.raises(SystemExit) as end:
        run([str(argument) for argument in (*arguments, "--json")])
    assert end.value.code == 0, told.getvalue() + said.getvalue()
    document: dict[str, Any] = json.loads(said.getvalue())
    return document


def deliver(tables: Mapping[str, pa.Table], folder: Path) -> None:
    folder.mkdir()
    own = {"concept": {"domain_id": "Condition", "vocabulary_id": "Test", "concept_class_id": "Test"}}
    for name, table in tables.items():
        numbered = table
        if f"{name}_id" not in table.column_names:
            numbered = table.append_column(f"{name}_id", pa.array(range(1, table.num_rows + 1)))
        for column, value in own.get(name, {}).items():
            numbered = numbered.append_column(column, pa.array([value] * table.num_rows))
        write_csv(numbered, folder / f"{name}.csv")


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Each hospital's enclosure, its package, and what its study said."""
    root = tmp_path_factory.mktemp("federation")
    study, permit = root / "study.yaml", root / "permit.yaml"
    study.write_text(STUDY, encoding="utf-8")
    permit.write_text(permit_text(period="{start: 2000-01-01, end: 2004-01-01}"), encoding="utf-8")
    asked = ("--permit", PERMIT, "--user", ALICE)
    found: dict[str, Any] = {"root": root, "keys": [], "packages": [], "said": {}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ENCLOS_PASSPHRASE", PASSPHRASE)
        for at, name in enumerate(HOSPITALS):
            home, delivery = root / name, root / f"{name}-delivery"
            deliver(hospital(at), delivery)
            enclos("init", home, "--buckets", 2)
            enclos("delivery", "make", delivery, "--kind", "omop", "--source", name)
            enclos("ingest", home, delivery)
            enclos("build", home)
            enclos("permit", "sign", home, permit)
            enclos("permit", "open", home, PERMIT)
            done = enclos("study", home, study, *asked)
            request = enclos("release", "request", home, *asked, "--run", done["run"], "--purpose", "to be pooled")
            for voter in (CAROL, DAN):
                enclos(
                    "release",
                    "review",
                    home,
                    request["request"],
                    "--user",
                    voter,
                    "--accept",
                    "--reason",
                    "enough persons",
                )
            out = root / f"{name}.zip"
            found["keys"] += ["--key", enclos("release", "export", home, request["request"], out)["release_key"]]
            found["packages"].append(out)
            found["said"][name] = done["summary"]
        found["pooled"] = enclos("pool", root / "pooled", *found["packages"], *found["keys"])
        found["ledgers"] = {
            name: enclos("ledger", "show", root / name, "--last", 1000)["entries"] for name in HOSPITALS
        }
        for name in HOSPITALS:
            enclos("ledger", "verify", root / name)
    return found


@pytest.fixture(scope="module")
def together() -> list[dict[str, Any]]:
    """What the same study says where all rows are in one place."""
    sites = [hospital(at) for at in range(len(HOSPITALS))]
    tables = {
        name: pa.concat_tables([each[name] for each in sites]) if name != "concept" else sites[0][name]
        for name in sites[0]
    }
    return [dict(each) for each in summary(run_study(study_from_yaml(STUDY), cdm_of_rows(tables, 2)))]


def pooled_line(federation: Mapping[str, Any], analysis: str, about: str, method: str) -> dict[str, Any]:
    (question,) = (q for q in federation["pooled"]["questions"] if q["analysis"] == analysis and about in q["title"])
    (line,) = (each for each in question["lines"] if (each["site"], each["method"]) == ("pooled", method))
    return dict(line)


def ratio_of(rows: list[dict[str, Any]], analysis: str, name: str, **place: str) -> dict[str, Any]:
    found = [each for each in rows if each["analysis"] == analysis and each.get(name) is not None]
    return next(each for each in found if all(each[key] == value for key, value in place.items()))


def logs(line: Mapping[str, Any], *names: str) -> list[float]:
    return [math.log(line[name]) for name in names]


@pytest.mark.parametrize(
    ("analysis", "ratio", "truth"),
    [
        ("compare_estimates", "hazard_ratio", HAZARD_RATIO),
        ("sccs", "rate_ratio", FALL_RATIO),
        ("self_controlled_cohort", "rate_ratio", None),
        ("case_crossover", "odds_ratio", None),
        ("case_control", "odds_ratio", None),
    ],
)
def test_every_design_tells_its_ratio_by_the_command_and_leaves(
    federation: dict[str, Any], analysis: str, ratio: str, truth: float | None
) -> None:
    for name in HOSPITALS:
        said = ratio_of(federation["said"][name], analysis, ratio)
        assert 1 < said["lower"] < said[ratio] < said["upper"]
        if truth is not None:
            # Of eight intervals of 95 % some may miss; those of 99.9 % do not.
            low, high = logs(said, "lower", "upper")
            reach = 3.29 * (high - low) / 3.92
            assert abs(math.log(said[ratio] / truth)) < reach, name


def test_profiles_of_four_case_series_are_the_one_of_all_rows(
    federation: dict[str, Any], together: list[dict[str, Any]]
) -> None:
    whole = ratio_of(together, "sccs", "rate_ratio", variable="exposed")
    line = pooled_line(federation, "sccs", "exposed", "likelihood profiles")
    ours = logs(line, "value", "lower", "upper")
    assert ours == pytest.approx(logs(whole, "rate_ratio", "lower", "upper"), abs=0.002)
    assert line["lower"] < FALL_RATIO < line["upper"]


def test_windows_of_four_self_controlled_cohorts_tell_what_all_rows_do(
    federation: dict[str, Any], together: list[dict[str, Any]]
) -> None:
    """All rows are one ratio of two sums, the profiles a ratio within each hospital: not the same, but near."""
    whole = ratio_of(together, "self_controlled_cohort", "rate_ratio")
    line = pooled_line(federation, "self_controlled_cohort", "exposed", "likelihood profiles")
    low, high = logs(whole, "lower", "upper")
    assert math.log(line["value"] / whole["rate_ratio"]) == pytest.approx(0, abs=(high - low) / 3.92 / 3)


def test_pooled_comparisons_are_the_one_of_all_rows_within_a_third_of_its_error(
    federation: dict[str, Any], together: list[dict[str, Any]]
) -> None:
    whole = ratio_of(together, "compare_estimates", "hazard_ratio", adjustment="Adjusted", variable="Effect")
    # Scores are fitted and strata cut by each hospital alone, so that the same persons are not compared.
    for method in ("likelihood profiles", "random effects"):
        line = pooled_line(federation, "compare_estimates", "Adjusted", method)
        assert math.log(line["value"] / whole["hazard_ratio"]) == pytest.approx(0, abs=whole["standard_error"] / 3)
        assert line["lower"] < HAZARD_RATIO < line["upper"]


def test_each_ledger_shows_one_export_and_nothing_after_it(federation: dict[str, Any]) -> None:
    for name, site in zip(HOSPITALS, federation["pooled"]["sites"], strict=True):
        entries = federation["ledgers"][name]
        left = [each for each in entries if each["action"] == "release.export" and each["kind"] == "intent"]
        assert site["site"] == name
        assert [each["permit"] for each in left] == [site["permit"]]
        assert entries[-1]["action"] == "release.export"
