"""What a report says, and the shape that DataQualityDashboard's viewer opens."""

from datetime import date

import pytest

from enclos.warehouse.quality.catalogue import catalogue
from enclos.warehouse.quality.model import CheckResult, QualityReport, Status, Tally

CHECKS = catalogue("5.4").checks
REPORT = QualityReport(
    "5.4",
    date(2025, 1, 1),
    (
        CheckResult(CHECKS[0], Tally(0, 1), Status.PASSED),
        CheckResult(CHECKS[1], Tally(1, 1), Status.FAILED),
        CheckResult(CHECKS[-1], Tally(0, 0), Status.NOT_APPLICABLE, "No row is concerned."),
    ),
    (),
    {"cdm_source_name": "made", "cdm_release_date": date(2025, 1, 1)},
    3,
)


def test_summary_counts_each_status_once() -> None:
    assert REPORT.summary() == {"checks": 3, "passed": 1, "failed": 1, "not_applicable": 1, "scans": 3}


def test_results_have_exactly_one_meaning_each() -> None:
    results = REPORT.as_dqd_json()["CheckResults"]
    assert isinstance(results, list)
    for result in results:
        assert result["passed"] + result["failed"] + result["notApplicable"] + result["isError"] == 1
    assert {result["cdmTableName"] for result in results} <= {check.key.table.upper() for check in CHECKS}
    assert results[2]["conceptId"] == CHECKS[-1].key.concepts


def test_metadata_and_overview_are_in_the_peers_words() -> None:
    document = REPORT.as_dqd_json(started_at="2025-01-01 00:00:00", seconds=1.5)
    assert document["Metadata"] == [
        {"cdmVersion": "5.4", "dqdVersion": "2.8", "cdmSourceName": "made", "cdmReleaseDate": "2025-01-01"}
    ]
    assert document["startTimestamp"] == ["2025-01-01 00:00:00"]
    overview = document["Overview"]
    assert isinstance(overview, dict)
    assert (overview["countTotal"], overview["countPassed"], overview["countOverallFailed"]) == ([3], [1], [1])
    assert overview["percentPassed"] == [50]


def test_a_tally_counts_rows() -> None:
    with pytest.raises(ValueError, match="counts rows"):
        Tally(-1, 0)
