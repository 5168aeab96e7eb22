"""What is no typed result with persons behind it is refused, whatever its numbers."""

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from pyroaring import BitMap

from enclos.contracts.result import RESULT_SCHEMA, ResultSettings, StudyResult
from enclos.lexicon.verdicts import Verdict
from enclos.release.model import Rule
from enclos.release.rules.disclosure import assess
from enclos.release.rules.policy import policy, roles
from factories.results import Asked, crowd, result_of

RESULT = result_of(crowd(3000, 1), Asked())


def refused_by(result: StudyResult) -> set[Rule]:
    found = assess(result, 5)
    assert found.safe is None
    assert found.verdict is Verdict.REFUSE
    return {finding.rule for finding in found.findings if finding.verdict is Verdict.REFUSE}


def with_row(**changes: Any) -> StudyResult:
    rows = RESULT.table.to_pylist()
    rows[0] |= changes
    return replace(RESULT, table=pa.Table.from_pylist(rows, schema=RESULT_SCHEMA))


def test_a_study_s_result_is_typed_and_backed() -> None:
    assert assess(RESULT, 5).verdict is Verdict.PASS


@pytest.mark.parametrize(
    "changes",
    [
        {"estimate_name": "median_cost"},
        {"variable_name": "Nir"},
        {"variable_level": "1 64 05 75 116 001"},
        {"estimate_type": "character"},
        {"estimate_value": "=HYPERLINK(1)"},
        {"estimate_value": "alice"},
        {"group_level": "denominator_cohort_1 &&& =cmd()"},
        {"group_level": "denominator_cohort_1"},
        {"cdm_name": "@SUM(1)"},
        {"additional_level": "+1+1"},
        {"strata_level": "-2+3"},
        {"result_id": 99},
    ],
)
def test_lines_of_unknown_form_are_refused(changes: dict[str, Any]) -> None:
    assert Rule.TYPED in refused_by(with_row(**changes))


def test_settings_carry_no_formulas() -> None:
    first, *others = RESULT.settings
    wrong = ResultSettings(first.result_id, {**first.values, "note": "=1+1"})
    assert Rule.TYPED in refused_by(replace(RESULT, settings=(wrong, *others)))


def test_estimates_without_persons_are_refused() -> None:
    assert Rule.BACKED in refused_by(replace(RESULT, cells=()))
    assert Rule.BACKED in refused_by(replace(RESULT, cells=RESULT.cells[1:]))
    assert Rule.BACKED in refused_by(replace(RESULT, cells=(*RESULT.cells, RESULT.cells[0])))


@pytest.mark.parametrize("place", range(7))
def test_a_number_that_its_persons_do_not_give_is_refused(place: int) -> None:
    rows = RESULT.table.to_pylist()
    value = rows[place]["estimate_value"]
    rows[place]["estimate_value"] = str(float(value) * 2 + 1) if "." in value else str(int(value) * 400 + 1)
    if rows[place]["estimate_name"].endswith("CI_upper"):
        rows[place]["estimate_value"] = "0"
    assert Rule.BACKED in refused_by(replace(RESULT, table=pa.Table.from_pylist(rows, schema=RESULT_SCHEMA)))


def test_cases_outside_the_denominator_are_refused() -> None:
    cell = RESULT.cells[0]
    stranger = replace(cell, dense_numerator=BitMap([2**20]))
    assert Rule.BACKED in refused_by(replace(RESULT, cells=(stranger, *RESULT.cells[1:])))


def test_a_kind_without_rules_is_left_out_and_said() -> None:
    other = ResultSettings(7, {**RESULT.settings[0].values, "result_type": "model_data"})
    row = RESULT.table.to_pylist()[0] | {"result_id": 7, "variable_level": "1 64 05 75 116 001"}
    more = pa.concat_tables([RESULT.table, pa.Table.from_pylist([row], schema=RESULT_SCHEMA)])
    cell = replace(RESULT.cells[0], result_id=7)
    mixed = assess(StudyResult(more, (*RESULT.settings, other), (*RESULT.cells, cell)), 5)
    plain = assess(RESULT, 5)
    assert mixed.verdict is Verdict.REVIEW
    assert any("left out" in reason for reason in mixed.reasons)
    assert mixed.safe is not None and plain.safe is not None
    assert mixed.safe.table.equals(plain.safe.table) and mixed.safe.settings == plain.safe.settings
    alone = assess(StudyResult(more.slice(RESULT.n_rows), (other,), (cell,)), 5)
    assert alone.safe is None or alone.safe.n_rows == 0
    assert alone.verdict is Verdict.REFUSE


def test_nothing_is_not_safe() -> None:
    empty = StudyResult(RESULT_SCHEMA.empty_table(), ())
    assert assess(empty, 5).verdict is Verdict.REFUSE


def test_the_rules_are_data() -> None:
    assert policy().default_min_count == 11
    assert {kind for kind, _, _ in roles()} == {
        "incidence",
        "compare_estimates",
        "incidence_standardised",
        "prevalence",
        "incidence_attrition",
        "prevalence_attrition",
        "prevalence_of_records",
        "prevalence_of_records_attrition",
    }
