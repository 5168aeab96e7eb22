"""The drug with a known hazard ratio and the one without: from deliveries to the released number, by the commands.

The persons are old, since few of the old take as many anticoagulants as many of all ages; nothing else is eased.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from factories.enclosure import ALICE, CAROL, DAN, permit_text, run_cli

PERMIT = "FR-TEST-0001"
ASKED = ("--permit", PERMIT, "--user", ALICE)


N_PERSONS, YEARS, MIN_AGE, SEED = 10_000, "2019-2023", 70, 1
ARMS = ("target", "comparator")
WIDEST = 4
"""The ratio of upper to lower end that the harmful drug's interval must not exceed."""


def released(home: Path, run: str, out: Path) -> list[dict[str, str]]:
    """The lines of the table that left."""
    asked = run_cli("release", "request", home, *ASKED, "--run", run, "--purpose", "the known effects")
    for voter in (CAROL, DAN):
        run_cli("release", "review", home, asked["request"], "--user", voter, "--accept", "--reason", "counts suffice")
    run_cli("release", "export", home, asked["request"], out)
    with (out / "results.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def effects(home: Path, france: Path, folder: Path) -> Iterator[tuple[dict[str, Any], dict[str, Any], dict[str, str]]]:
    """Per known effect: the truth, what the command said of the estimate, and the same numbers as they left."""
    for truth in json.loads((france / "truth" / "effects.json").read_text(encoding="utf-8")):
        done = run_cli("study", home, *ASKED, france / "truth" / truth["study"])
        said = {each["variable"]: each for each in done["summary"] if each.get("adjustment") == "Adjusted"}
        lines = released(home, done["run"], folder / truth["id"])
        left = {
            line["estimate_name"]: line["estimate_value"]
            for line in lines
            if (line["strata_level"], line["variable_name"]) == ("Adjusted", "Effect")
        }
        yield truth, {**said["Effect"], "arms": {arm: said[arm.title()] for arm in ARMS}}, left


@pytest.mark.slow
def test_the_known_hazard_ratio_lies_inside_and_the_null_drug_is_not_called_harmful(tmp_path: Path) -> None:
    france, home = tmp_path / "france", tmp_path / "home"
    who = ("--persons", N_PERSONS, "--years", YEARS, "--min-age", MIN_AGE, "--seed", SEED)
    run_cli("synth", france, *who)
    run_cli("init", home)
    run_cli("ingest", home, *sorted((france / "deliveries").iterdir()))
    run_cli("link", home)
    run_cli("build", home)
    permit = tmp_path / "permit.yaml"
    permit.write_text(permit_text(period="{start: 2019-01-01, end: 2024-01-01}"), encoding="utf-8")
    run_cli("permit", "sign", home, permit)
    run_cli("permit", "open", home, PERMIT)
    found = list(effects(home, france, tmp_path))
    assert [truth["hazard_ratio"] for truth, _, _ in found] == [2.0, 1.0]
    for truth, said, left in found:
        assert said["lower"] < truth["hazard_ratio"] < said["upper"], truth["id"]
        # The persons drawn are told by the generator: the chain may lose next to none and must find their ratio.
        for arm in ARMS:
            for name in ("n_persons", "n_events", "person_days"):
                assert said["arms"][arm][name] == pytest.approx(truth["drawn"][arm][name], rel=0.02), (arm, name)
        assert said["hazard_ratio"] == pytest.approx(truth["drawn"]["ratio"], rel=0.15), truth["id"]
        assert {name: float(left[name]) for name in ("hazard_ratio", "lower", "upper")} == {
            name: said[name] for name in ("hazard_ratio", "lower", "upper")
        }
    (_, harmful, _), (_, harmless, _) = found
    assert harmless["lower"] < 1
    assert 1 < harmful["upper"] / harmful["lower"] < WIDEST
