"""The quality checks equal OHDSI DataQualityDashboard's, check by check, on GiBleed.

Where the reference data is absent the same scans meet the slow oracle on a small CDM that the test builds.
"""

from __future__ import annotations

import csv
import gzip
from datetime import date
from pathlib import Path

from enclos.stores.engine import open_engine
from enclos.warehouse.quality.model import QualityReport, Status
from enclos.warehouse.quality.steps import run_quality
from factories.dirty_cdm import as_relations, small_cdm
from oracle.quality import Counts, count_all
from shared_data import shared

CHECKED_ON = date(2025, 6, 30)
MADE_EMPTY_BY_THE_PEER = {"drug_strength", "cohort_definition"}
"""Tables of the peer's schema that have no file: they exist there without rows."""
NOT_RUN_BY_THE_PEER = {("cdmField", "note_nlp", "offset", "")}
"""``offset`` is a reserved word to the peer's SQL."""


def counted(report: QualityReport) -> Counts:
    return {
        (result.check.key.name.value, *result.check.key[1:]): (result.tally.n_violated, result.tally.n_denominator)
        for result in report.results
    }


def on_gibleed(gibleed: Path) -> QualityReport:
    def relation(table: str) -> str | None:
        path = gibleed / f"{table}.parquet"
        if path.exists():
            return f"read_parquet('{path}')"
        return "(SELECT 1 AS nothing WHERE false)" if table in MADE_EMPTY_BY_THE_PEER else None

    with open_engine() as engine:
        return run_quality(engine, relation, cdm_version="5.3", checked_on=CHECKED_ON)


def of_the_peer(path: Path) -> Counts:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return {
            (
                row["checkName"],
                row["cdmTable"].lower(),
                row["cdmField"].lower(),
                " ".join(part.strip() for part in row["conceptId"].split(",")),
            ): (int(row["numViolatedRows"]), int(row["numDenominatorRows"]))
            for row in csv.DictReader(lines)
        }


def test_every_check_counts_what_the_peer_counts() -> None:
    gibleed, peer = shared("omop", "gibleed"), shared("oracle", "gibleed", "oracle_dqd_gibleed_5.3.csv.gz")
    if gibleed is not None and peer is not None:
        report = on_gibleed(gibleed)
        expected, n_expected = of_the_peer(peer), 2004
        mine = {key: value for key, value in counted(report).items() if key not in NOT_RUN_BY_THE_PEER}
        assert report.n_scans < 200
    else:  # no reference data: the slow oracle speaks for the peer
        cdm = small_cdm()
        with open_engine() as engine, as_relations(engine, cdm) as relation:
            report = run_quality(engine, relation, cdm_version="5.3", checked_on=CHECKED_ON)
        expected = count_all(cdm, "5.3", CHECKED_ON)
        n_expected = len(expected)
        mine = {key: value for key, value in counted(report).items() if key in expected}
    differing = {key: (mine.get(key), value) for key, value in expected.items() if mine.get(key) != value}
    assert differing == {}
    assert len(expected) == n_expected
    assert mine.keys() == expected.keys()


def test_nothing_counted_is_never_passed() -> None:
    gibleed = shared("omop", "gibleed")
    if gibleed is not None:
        report = on_gibleed(gibleed)
    else:
        with open_engine() as engine, as_relations(engine, small_cdm()) as relation:
            report = run_quality(engine, relation, cdm_version="5.3", checked_on=CHECKED_ON)
    empty = [result for result in report.results if result.tally.n_denominator == 0]
    assert empty
    assert {result.status for result in empty} == {Status.NOT_APPLICABLE}
    assert all(result.reason for result in report.results if result.status is Status.NOT_APPLICABLE)
