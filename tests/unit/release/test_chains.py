"""Attrition leaves by the persons of each step; records only where whoever loses some is nobody or enough."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from pyroaring import BitMap

from enclos.contracts.result import HIDDEN, StudyResult
from enclos.release.rules.disclosure import assess
from enclos.studies.rules.evidence import Feature, add_rows, cohort_attrition
from enclos.studies.rules.report import Report
from enclos.studies.survival import plans
from enclos.studies.survival.findings import Pair, Stratification, report_survival
from enclos.studies.survival.model import Survival
from enclos.studies.survival.tally import EndingTally, ReasonTally

N_PERSONS = 5000
Stage = tuple[int, int]
"""Records and persons that are left."""


def chain(stages: Sequence[Stage]) -> StudyResult:
    """The attrition of one cohort."""
    report = Report("test", "1")
    result_id = report.start("summarise_cohort_attrition", "cohort_name", "reason", "reason_id", {})
    features = [(f"Reason {at}", Feature(n, BitMap(range(persons)))) for at, (n, persons) in enumerate(stages)]
    add_rows(report, result_id, cohort_attrition("statin", features))
    return report.result(np.arange(1, N_PERSONS))


def shown(result: StudyResult, k: int = 11) -> dict[tuple[str, str], str | None]:
    safe = assess(result, k).safe
    assert safe is not None
    return {(row["variable_name"], row["additional_level"]): row["estimate_value"] for row in safe.table.to_pylist()}


def told(found: dict[tuple[str, str], str | None], variable: str) -> list[str | None]:
    return [value for (name, _), value in sorted(found.items()) if name == variable]


def test_an_attrition_of_many_leaves_whole() -> None:
    found = shown(chain([(900, 900), (500, 500), (300, 300)]))
    assert told(found, "number_subjects") == ["900", "500", "300"]
    assert told(found, "excluded_subjects") == ["0", "400", "200"]
    assert HIDDEN not in found.values()


def test_a_step_that_takes_a_few_is_not_told_and_neither_is_what_it_takes() -> None:
    found = shown(chain([(900, 900), (895, 895), (300, 300)]))
    subjects = told(found, "number_subjects")
    assert subjects.count(HIDDEN) == 1
    assert subjects[2] == "300"
    assert told(found, "excluded_subjects")[1:] == [HIDDEN, HIDDEN]
    assert set(told(found, "number_records")) == {HIDDEN}


def test_records_that_a_step_takes_of_nobody_who_goes_are_not_told() -> None:
    found = shown(chain([(920, 900), (900, 900), (300, 300)]))  # whose are the twenty?
    assert told(found, "number_subjects") == ["900", "900", "300"]
    assert told(found, "excluded_subjects") == ["0", "0", "600"]
    assert set(told(found, "number_records")) == set(told(found, "excluded_records")) == {HIDDEN}


def test_a_few_records_more_than_persons_are_not_told() -> None:
    found = shown(chain([(905, 900), (305, 300)]))
    assert set(told(found, "number_records")) == {HIDDEN}
    assert told(found, "number_subjects") == ["900", "300"]


def test_an_exclusion_that_does_not_follow_is_refused() -> None:
    result = chain([(900, 900), (500, 500)])
    rows = result.table.to_pylist()
    for row in rows:
        if row["variable_name"] == "excluded_subjects" and row["additional_level"] == "2":
            row["estimate_value"] = "401"
    forged = StudyResult(result.table.from_pylist(rows, result.table.schema), result.settings, result.cells)
    assert assess(forged, 11).safe is None


@pytest.mark.parametrize(("taken", "leaves"), [(200, True), (4, False)])
def test_what_survival_requires_leaves_when_it_takes_enough(taken: int, leaves: bool) -> None:
    reasons = ReasonTally.empty()
    persons = np.arange(900)
    why = np.where(persons < taken, plans.IN_WASHOUT, 0)
    reasons.add(persons, why)
    tally = EndingTally.empty(30)
    days = np.where(persons[taken:] % 2, 25, 400)
    tally.add(persons[taken:], days, np.where(persons[taken:] % 2, plans.OUTCOME, plans.CENSORED))
    asked = Survival(targets=("statin",), outcomes=("bleed",))
    report = Report("test", "1")
    report_survival(
        report, asked, {("statin", "bleed"): Pair(reasons, [Stratification("overall", [("overall", tally)])])}
    )
    result = report.result(np.arange(1, N_PERSONS))
    safe = assess(result, 11).safe
    assert safe is not None
    found = safe.of_type("survival_attrition").to_pylist()
    values = {(row["variable_name"], row["additional_level"]): row["estimate_value"] for row in found}
    assert values["number_subjects", "2"] == str(900 - taken)  # as the curve tells
    assert (values["number_subjects", "1"] == "900") is leaves
    assert (values["excluded_subjects", "2"] == str(taken)) is leaves
    assert (HIDDEN not in values.values()) is leaves
