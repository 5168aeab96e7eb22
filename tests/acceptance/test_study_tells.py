"""A study says beforehand what stays inside, and shows on a terminal what a page shows: names, verdicts, reasons."""

from __future__ import annotations

from pathlib import Path

from enclos.release.rules.disclosure import kinds_with_rules
from enclos.studies.document import study_from_yaml
from enclos.studies.protocol import results_of
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


def test_what_no_rule_lets_leave_is_said_before_the_run_and_on_the_page(home: Path) -> None:
    study, page = home.parent / "told.yaml", home.parent / "told.html"
    study.write_text(STUDY, encoding="utf-8")
    asked = ("study", home, study, "--permit", PERMIT, "--user", ALICE)
    done = call(*asked, "--page", page, "--lang", "fr")
    assert done.returncode == 0, done.stderr
    known = kinds_with_rules()
    kept = [kind for each in study_from_yaml(STUDY).analyses for kind in results_of(each) if kind not in known]
    assert "prevalence_of_records" in kept
    warning = done.stderr.index("no rule of release speaks of")
    assert warning < done.stderr.index("… study told")
    assert all(kind in done.stderr for kind in kept)
    assert "period prevalence" in done.stdout
    text = page.read_text(encoding="utf-8")
    assert "prevalence_of_records" in text
    assert ">years<" in text  # the study's own name, though `years` is a word of ours
    assert ">années<" not in text
    answer = run_cli(*asked)
    assert [kind for each in answer["stays_inside"] for kind in each["kinds"]] == kept
