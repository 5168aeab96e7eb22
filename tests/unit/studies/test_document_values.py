"""Values that would read as something else than what was meant are refused, in words of the study's own."""

from __future__ import annotations

from datetime import date

import pytest

from enclos.app.pages.cases import case_in_french
from enclos.lexicon.refusals import NotAsPromised
from enclos.studies.document import study_from_yaml
from enclos.studies.model import AgeGroup, DateRange, Incidence, Population

STUDY = """\
study: small
cohorts:
  bleed: {concepts: [1], domain: condition}
analyses:
  - incidence: {outcome: bleed}
"""
COHORT, ANALYSIS = "{concepts: [1], domain: condition}", "incidence: {outcome: bleed}"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            ANALYSIS,
            "incidence: {outcome: bleed, date_range: [86400, null]}",
            "line 5, analyses[0].incidence.date_range[0]: should be a day, YYYY-MM-DD.",
        ),
        (
            ANALYSIS,
            "prevalence: {outcome: bleed, type: point, date_range: [null, '86400']}",
            "line 5, analyses[0].prevalence.date_range[1]: should be a day, YYYY-MM-DD.",
        ),
        (
            ANALYSIS,
            "survival: {target: bleed, outcome: bleed, outcome_date: end, censor_on_date: 2019}",
            "line 5, analyses[0].survival.censor_on_date: should be a day, YYYY-MM-DD.",
        ),
        (
            COHORT,
            "{require: {cohort: bleed, date_range: [0, null]}}",
            "line 3, cohorts.bleed.require.date_range[0]: should be a day, YYYY-MM-DD.",
        ),
        (
            ANALYSIS,
            "sccs: {exposure: bleed, outcome: bleed, date_range: [0, null]}",
            "line 5, analyses[0].sccs.date_range[0]: should be a day, YYYY-MM-DD.",
        ),
        (
            ANALYSIS,
            "compare: {target: a, comparator: b, outcome: bleed, date_range: [0, null]}",
            "line 5, analyses[0].compare.date_range[0]: should be a day, YYYY-MM-DD.",
        ),
        (
            ANALYSIS,
            "incidence: {outcome: bleed, washout_days: 0365}",
            (
                "line 5, analyses[0].incidence.washout_days: a number is in plain digits; a nought before it or "
                "a colon in it makes it another number."
            ),
        ),
        (ANALYSIS, "incidence: {outcome: bleed, washout_days: 1:30}", "washout_days: a number is in plain digits"),
        (
            COHORT,
            "{concepts: [1], domain: condition, first: bleed}",
            (
                "valid: line 3, cohorts.bleed.first: there is no such option beside the others; a cohort is of "
                "concepts, of one operation, circe or saved."
            ),
        ),
        (
            COHORT,
            "{unions: [a, b]}",
            "valid: line 3, cohorts.bleed.unions: there is no such option; the nearest is union.",
        ),
        (
            COHORT,
            "{circ: a.json}",
            (
                "valid: line 3, cohorts.bleed.circ: there is no such option; the nearest is circe; line 3, "
                "cohorts.bleed.circe: is missing."
            ),
        ),
        (COHORT, "{1: 2}", "line 3, cohorts.bleed.concepts: is missing"),
        (COHORT, "null", "line 3, cohorts.bleed: is written as options by name."),
        (
            "study: small",
            "study: a/b",
            (
                "line 1, study: a study's name is letters, digits and . _ - from its second character on, at most "
                "100 of them."
            ),
        ),
        (ANALYSIS, "incidence: {outcome: bleed, target: a b}", "incidence.target: a name is snake case"),
        (
            ANALYSIS,
            "characterise: {cohort: bleed, intersect: [{cohort: bleed, window: [0, 0], label: 1-a}]}",
            "intersect[0].label: a label is letters, digits, spaces and _, a letter first, at most 64 characters.",
        ),
    ],
)
def test_what_would_read_as_something_else_is_refused_with_its_place(old: str, new: str, said: str) -> None:
    with pytest.raises(NotAsPromised) as refusal:
        study_from_yaml(STUDY.replace(old, new, 1))
    assert said in refusal.value.what


def test_a_fault_that_is_made_again_and_again_is_named_thirty_times_and_counted() -> None:
    with pytest.raises(NotAsPromised) as refusal:
        study_from_yaml(STUDY.replace("[1]", f"[{', '.join(['x'] * 100)}]", 1))
    faults = refusal.value.what.split("; ")
    assert len(faults) == 31
    assert all(each.endswith("]: input should be a valid integer") for each in faults[:30])
    assert faults[30] == "line 3: and 70 more, not named here."
    french = case_in_french(refusal.value.what)
    assert french is not None and french.endswith("et 70 de plus, non nommées ici.")


def test_a_number_that_is_the_same_in_any_base_and_a_day_at_midnight_are_taken() -> None:
    options = "outcome: bleed, age_groups: [[00, 07]], washout_days: 1_000, date_range: [2019-01-01 00:00:00, null]"
    (read,) = study_from_yaml(STUDY.replace("outcome: bleed", options)).analyses
    population = Population((AgeGroup(0, 7),), date_range=DateRange(date(2019, 1, 1), None))
    assert read == Incidence(("bleed",), population, washout_days=1000)
