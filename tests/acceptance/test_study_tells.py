"""A study says that nothing of it stays inside, and shows on a terminal what a page shows: names, verdicts, reasons."""

from __future__ import annotations

from pathlib import Path

from enclos.app.runs import run_files
from factories.enclosure import ALICE, call, open_home, run_cli

PERMIT = "FR-TEST-0002"
STUDY = """
study: told
cohorts:
  bleed: {concepts: [192671], descendants: true, domain: condition, limit: first, end: event_end}
  years: {concepts: [4329847], descendants: true, domain: condition, limit: first, end: event_end}
analyses:
  - characterise: {cohort: [bleed, years], timing: first}
  - prevalence: {outcome: [bleed, years], interval: overall, type: period}
  - prevalence: {outcome: bleed, interval: overall, type: period, level: record}
"""


AGAIN = """
study: again
cohorts:
  atorvastatin: {concepts: [1545958], descendants: true, domain: drug, limit: all, end: event_end}
  some: {sampled: {cohort: atorvastatin, share: 0.6, seed: 7}}
analyses:
  - prevalence: {outcome: some, interval: months, type: point}
"""


def test_a_study_of_which_all_has_rules_warns_of_nothing_and_keeps_its_own_names(southern: Path) -> None:
    study, page = southern.parent / "told.yaml", southern.parent / "told.html"
    study.write_text(STUDY, encoding="utf-8")
    asked = ("study", southern, study, "--permit", PERMIT, "--user", ALICE)
    done = call(*asked, "--page", page, "--lang", "fr")
    assert done.returncode == 0, done.stderr
    assert "no rule of release speaks of" not in done.stderr
    assert "period prevalence" in done.stdout
    text = page.read_text(encoding="utf-8")
    assert ">years<" in text  # the study's own name, though `years` is a word of ours
    assert ">années<" not in text
    assert run_cli(*asked)["stays_inside"] == []


def test_a_run_is_made_again_from_its_id_on_the_snapshot_of_then(southern: Path) -> None:
    """Boxes of ninety last thirty days in the newer snapshot, so that fewer persons have one on the same days."""
    study = southern.parent / "again.yaml"
    study.write_text(AGAIN, encoding="utf-8")
    asked = ("--permit", PERMIT, "--user", ALICE)
    first = run_cli("study", southern, study, *asked)
    newer = run_cli("build", southern, "--duration", "one-box-30")["snapshot"]
    again = run_cli("rerun", southern, first["run"], *asked)
    assert (again["same"], again["same_persons"], again["same_code"]) == (True, True, True)
    assert (again["snapshot"], again["n_rows"]) == (first["snapshot"], first["n_rows"])
    there = run_cli("study", southern, study, *asked)
    with open_home(southern) as enclosure:
        runs = [run_files(enclosure, PERMIT).read(each["run"]) for each in (first, there)]
    assert [run.facts["snapshot"] for run in runs] == [first["snapshot"], newer]
    before, after = ([row["estimate_value"] for row in run.result.table.to_pylist()] for run in runs)
    assert len(before) == len(after)
    assert before != after
    refused = call("rerun", southern, "0" * 16, *asked)
    assert refused.returncode == 4
    assert "No such run" in refused.stderr
