"""Options of descriptive studies, end to end on a synthetic France: departments, stays, treatments, doses."""

from __future__ import annotations

from pathlib import Path

import pytest

from factories.enclosure import ALICE, run_cli

STUDY = """
study: descriptive
cohorts:
  bleed: {concepts: [192671], descendants: true, domain: condition, end: event_end}
  drug: {concepts: [192671], descendants: true, domain: drug, end: event_end, gap_era: 30}
analyses:
  - prevalence:
      {outcome: bleed, type: period, interval: overall, strata: [department, [sex, department]], include_overall: false}
  - prevalence: {outcome: bleed, type: period, interval: overall, level: record}
  - utilisation:
      cohort: bleed
      exposures: drug
      treatment: {cohort: [drug, bleed], windows: [[0, 30], [31, 365]]}
      dose_coverage: [192671]
"""


@pytest.mark.slow
def test_departments_stays_treatments_and_doses_from_a_study_file_to_what_may_leave(home: Path) -> None:
    study = home.parent / "descriptive.yaml"
    study.write_text(STUDY, encoding="utf-8")
    answer = run_cli("study", home, study, "--permit", "FR-TEST-0001", "--user", ALICE)
    assert answer["stays_inside"] == []
    assert answer["verdict"] != "refuse", answer["reasons"]
    assert any(row.get("stratum_department") for row in answer["summary"])
