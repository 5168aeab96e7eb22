"""Whatever a study can make has a rule of release and a title; what never leaves is said with its reason."""

from __future__ import annotations

from pathlib import Path

from enclos.release.rules.disclosure import kinds_with_rules
from enclos.release.rules.terms import kinds
from enclos.studies.protocol.analyses import WORDS

ATTRITION = {
    *("incidence_attrition", "prevalence_attrition", "prevalence_of_records_attrition", "survival_attrition"),
    *("summarise_cohort_attrition", "compare_attrition", "sccs_attrition", "case_crossover_attrition"),
    "case_control_attrition",
}
RELEASE = Path(__file__).resolve().parents[3] / "docs" / "release.md"


def test_every_result_that_an_analysis_can_have_has_a_rule_and_a_title() -> None:
    made = {kind for words in WORDS.values() for kind in words.results} | ATTRITION | {"prevalence_of_records"}
    assert len(made) > 40
    assert made - kinds_with_rules() == set()
    assert made - kinds().keys() == set()


def test_what_never_leaves_is_said_with_its_reason() -> None:
    text = RELEASE.read_text(encoding="utf-8")
    section = text.split("## What never leaves")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ") and "---" not in line][1:]
    assert len(rows) >= 8
    assert all(len([cell for cell in row.split("|") if cell.strip()]) == 2 for row in rows)
