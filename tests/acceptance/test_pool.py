"""One study on two enclosures: what each released is pooled elsewhere, and nothing else crossed."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from enclos.contracts.result import result_from_csv
from factories.enclosure import ALICE, CAROL, DAN, call, refused, run_cli

STUDY = """\
study: pooled-rates
cohorts:
  paracetamol: {concepts: [1125315], descendants: true, domain: drug, limit: first, end: event_end}
analyses:
  - incidence: {outcome: paracetamol, sex: [both, male], interval: [years, overall], washout_days: all,
                date_range: [2019-01-01, 2019-12-31]}
"""
"""One year: of the men here only four came in the second, which the years side by side would tell."""
LEAVING = {"release.export"}
"""The actions by which anything leaves an enclosure."""


def released(home: Path, study: Path, permit: str, out: Path) -> str:
    """Run the study and take its result out; the release key."""
    asked = ("--permit", permit, "--user", ALICE)
    run = run_cli("study", home, study, *asked)["run"]
    request = run_cli("release", "request", home, *asked, "--run", run, "--purpose", "to be pooled")["request"]
    for voter in (CAROL, DAN):
        run_cli("release", "review", home, request, "--user", voter, "--accept", "--reason", "counts are large")
    key: str = run_cli("release", "export", home, request, out)["release_key"]
    return key


@pytest.fixture(scope="module")
def sites(built: Path, south: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("pool")
    study = folder / "study.yaml"
    study.write_text(STUDY, encoding="utf-8")
    found: dict[str, Any] = {"folder": folder}
    for name, home, permit in (("built", built, "FR-TEST-0001"), ("south", south, "FR-TEST-0002")):
        shutil.copytree(home, folder / name)
        found[name] = released(
            folder / name, study, permit, folder / f"{name}.zip" if name == "south" else folder / "p"
        )
    found["keys"] = ("--key", found["built"], "--key", found["south"])
    found["packages"] = (folder / "p", folder / "south.zip")
    return found


def shown(package: Path) -> Callable[[str, str], float]:
    table, _ = result_from_csv((package / "results.csv").read_bytes())
    rows = [row for row in table.to_pylist() if row["additional_level"].endswith("2019-12-31 &&& years")]

    def value(denominator: str, name: str) -> float:
        (row,) = (r for r in rows if r["group_level"].startswith(denominator) and r["estimate_name"] == name)
        return float(row["estimate_value"])

    return value


def test_the_pooled_rate_is_that_of_both_enclosures_together(sites: dict[str, Any]) -> None:
    folder = sites["folder"]
    # Neither enclosure is there any more when their packages are pooled.
    for name in ("built", "south"):
        (folder / name).rename(folder / f"{name}-away")
    try:
        found = run_cli("pool", folder / "pooled", *sites["packages"], *sites["keys"])
    finally:
        for name in ("built", "south"):
            (folder / f"{name}-away").rename(folder / name)
    assert [each["site"] for each in found["sites"]] == ["built", "south"]
    (year,) = (q for q in found["questions"] if "Both" in q["title"] and "2019" in q["title"])
    lines = {(line["site"], line["method"]): line for line in year["lines"]}
    alone = [lines[name, "site"] for name in ("built", "south")]
    together = lines["pooled", "likelihood profiles"]
    events = sum(line["outcome_count"] for line in alone)
    years = sum(line["person_years"] for line in alone)
    assert events > 150
    # One rate for all from two likelihoods is the rate of all events over all time.
    assert together["value"] == pytest.approx(events / years * 1e5, rel=1e-5)
    assert math.log(together["upper"] / together["lower"]) / 3.92 == pytest.approx(1 / math.sqrt(events), rel=0.01)
    random = lines["pooled", "random effects"]
    assert min(a["value"] for a in alone) <= random["value"] <= max(a["value"] for a in alone)
    assert random["n_sites"] == 2 and 0 <= random["i2"] <= 1
    # What the sites' lines say is what their packages say.
    package = shown(sites["packages"][0])
    assert alone[0]["outcome_count"] == package("denominator_cohort_1", "outcome_count")
    assert alone[0]["value"] == pytest.approx(package("denominator_cohort_1", "incidence_100000_pys"), rel=1e-5)


def test_what_is_written_can_be_read_again(sites: dict[str, Any]) -> None:
    out = sites["folder"] / "written"
    found = run_cli("pool", out, *sites["packages"], *sites["keys"])
    assert sorted(path.name for path in out.iterdir()) == ["forest.svg", "pooled.csv", "pooling.json"]
    table, settings = result_from_csv((out / "pooled.csv").read_bytes())
    assert {each.result_type for each in settings} == {"pooled_incidence"}
    assert set(table["cdm_name"].to_pylist()) == {"built", "south", "pooled"}
    assert len(settings) == len(found["questions"])
    svg = (out / "forest.svg").read_text(encoding="utf-8")
    assert svg.startswith("<svg") and "likelihood profiles" in svg and "south" in svg
    assert json.loads((out / "pooling.json").read_bytes())["sites"] == found["sites"]


def test_the_ledgers_show_that_nothing_else_crossed(sites: dict[str, Any]) -> None:
    homes = {name: sites["folder"] / name for name in ("built", "south")}
    before = {name: len(run_cli("ledger", "show", home, "--last", 1000)["entries"]) for name, home in homes.items()}
    found = run_cli("pool", sites["folder"] / "again.zip", *sites["packages"], *sites["keys"])
    for name, said in zip(("built", "south"), found["sites"], strict=True):
        home = sites["folder"] / name
        run_cli("ledger", "verify", home)
        entries = run_cli("ledger", "show", home, "--last", 1000)["entries"]
        left = [each for each in entries if each["action"] in LEAVING and each["kind"] == "intent"]
        assert [each["permit"] for each in left] == [said["permit"]]
        # Pooling again has asked neither enclosure for anything.
        assert entries[-1]["action"] == "release.export" and len(entries) == before[name]


def test_what_must_not_be_pooled(sites: dict[str, Any], tmp_path: Path) -> None:
    """The rest of it is in tests/unit/app/test_pooling.py."""
    north, south = sites["packages"]
    out = tmp_path / "out"
    assert refused("pool", out, north, north, *sites["keys"])[:2] == (4, "REL-10")
    altered = tmp_path / "altered"
    shutil.copytree(north, altered)
    text = (altered / "results.csv").read_text(encoding="utf-8")
    (altered / "results.csv").write_text(text.replace("paracetamol", "paracetamo"), encoding="utf-8")
    assert refused("pool", out, altered, south, *sites["keys"])[:2] == (4, "REL-08")
    assert not out.exists()
    assert call("pool", tmp_path, north, south, *sites["keys"]).returncode == 2
