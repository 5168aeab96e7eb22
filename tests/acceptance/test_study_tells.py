"""A study says that nothing of it stays inside, and shows on a terminal what a page shows: names, verdicts, reasons."""

from __future__ import annotations

from pathlib import Path

from factories.enclosure import ALICE, call, run_cli

PERMIT = "FR-TEST-0001"
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


def test_a_study_of_which_all_has_rules_warns_of_nothing_and_keeps_its_own_names(home: Path) -> None:
    study, page = home.parent / "told.yaml", home.parent / "told.html"
    study.write_text(STUDY, encoding="utf-8")
    asked = ("study", home, study, "--permit", PERMIT, "--user", ALICE)
    done = call(*asked, "--page", page, "--lang", "fr")
    assert done.returncode == 0, done.stderr
    assert "no rule of release speaks of" not in done.stderr
    assert "period prevalence" in done.stdout
    text = page.read_text(encoding="utf-8")
    assert ">years<" in text  # the study's own name, though `years` is a word of ours
    assert ">années<" not in text
    assert run_cli(*asked)["stays_inside"] == []
