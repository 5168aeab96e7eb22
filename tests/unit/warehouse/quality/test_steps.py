"""French figures and drift, measured on tables small enough to count by hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import pyarrow as pa
import pytest

from enclos.stores.engine import Engine, open_engine
from enclos.warehouse.quality.catalogue import marginals
from enclos.warehouse.quality.model import Marginal, Status
from enclos.warehouse.quality.plans.france import measures
from enclos.warehouse.quality.steps import measure_drift, run_quality

TABLES = {
    "person": [
        {"person_id": n, "year_of_birth": born, "gender_concept_id": sex}
        for n, born, sex in ((1, 1940, 8532), (2, 1980, 8507), (3, 2010, 8532), (4, 1990, 0), (5, 1944, 0))
    ],
    "observation_period": [
        {
            "person_id": n,
            "observation_period_start_date": date(2019, 1, 1),
            "observation_period_end_date": date(2019, 12, 31),
        }
        for n in (1, 2, 3, 4)
    ],
    "visit_occurrence": [
        {
            "person_id": n,
            "visit_concept_id": kind,
            "visit_type_concept_id": type_,
            "visit_start_date": date(2019, 5, 1),
            "visit_end_date": date(2019, 5, 1 + nights),
            "visit_source_value": group,
        }
        for n, kind, type_, nights, group in (
            (1, 9201, 32855, 3, "05M042"),
            (2, 262, 32855, 7, "06M021"),
            (3, 9201, 32827, 9, None),
            (1, 9202, 32855, 0, "28Z04Z"),  # a session
            (1, 9202, 32855, 0, "02C05J"),  # a stay of a day
            (2, 9201, 32855, 30, "0403A1"),  # of another field of the PMSI
        )
    ],
    "drug_exposure": [
        {"days_supply": days, "drug_type_concept_id": type_}
        for days, type_ in ((90, 32869), (7, 32869), (None, 32869), (300, 32818))
    ],
    "condition_occurrence": [
        {"person_id": n, "condition_type_concept_id": type_, "condition_status_source_value": nature}
        for n, type_, nature in (
            (1, 32813, "41 ALD 12"),
            (1, 32813, "45 ALD 32"),
            (2, 32813, "11"),  # an accident at work is no long-term illness
            (2, 32853, "41"),
            (3, 32813, None),
        )
    ],
    "death": [{"person_id": 1, "death_date": date(2019, 12, 31)}],
}


@contextmanager
def engine_with(tables: dict[str, list[dict[str, object]]]) -> Iterator[Engine]:
    with open_engine() as engine:
        for name, rows in tables.items():
            engine.register(name, pa.Table.from_pylist(rows))
        yield engine


def figures(tables: dict[str, list[dict[str, object]]]) -> dict[str, Marginal]:
    with engine_with(tables) as engine:
        relation = lambda table: table if table in tables else None  # noqa: E731
        report = run_quality(engine, relation, cdm_version="5.4", checked_on=date(2020, 1, 1), french=True)
    return {figure.name: figure for figure in report.marginals}


def test_every_published_figure_is_measured_and_has_a_source() -> None:
    assert [figure.name for figure in marginals()] == list(measures())
    for figure in marginals():
        assert figure.low < figure.published < figure.high
        assert figure.source


def test_figures_are_counted_per_person_time() -> None:
    measured = {name: figure.measured for name, figure in figures(TABLES).items()}
    years = 4 * 365 / 365.25
    assert measured["stays_per_1000_person_years"] == pytest.approx(1000 * 3 / years)
    assert measured["boxes_of_30_days_per_person_year"] == pytest.approx(5 / years)
    assert measured["share_with_long_term_illness"] == pytest.approx(20)
    assert measured["deaths_per_1000_person_years"] == pytest.approx(1000 / years)
    # The first of five persons has died.
    assert measured["share_age_65_or_more"] == pytest.approx(25)
    assert measured["share_age_75_or_more"] == pytest.approx(25)
    assert measured["share_women"] == pytest.approx(100 * 2 / 3)
    assert measured["share_women_with_long_term_illness"] == pytest.approx(100)
    assert measured["hospitalised_persons_per_1000_person_years"] == pytest.approx(1000 * 2 / years)
    assert measured["share_age_under_20"] == pytest.approx(25)


def test_a_figure_without_its_table_or_person_time_is_not_applicable() -> None:
    without = {name: rows for name, rows in TABLES.items() if name != "death"}
    assert figures(without)["deaths_per_1000_person_years"].status is Status.NOT_APPLICABLE
    nobody = Marginal("x", "y", 1, 0, 2, "z", None)
    assert nobody.status is Status.NOT_APPLICABLE
    assert Marginal("x", "y", 1, 0, 2, "z", 3).status is Status.FAILED
    assert Marginal("x", "y", 1, 0, 2, "z", 2).status is Status.PASSED


def test_drift_follows_tables_and_their_main_concepts() -> None:
    before = [{"visit_concept_id": 9201}] * 5 + [{"visit_concept_id": 9202}] * 5
    after = [{"visit_concept_id": 9201}] * 8 + [{"visit_concept_id": 9202}] * 2
    with engine_with({"old": before, "new": after}) as engine:
        moved = measure_drift(
            engine,
            lambda table: "old" if table == "visit_occurrence" else None,
            lambda table: "new" if table == "visit_occurrence" else None,
            cdm_version="5.4",
        )
    assert [(drift.concept_id, round(drift.change, 3)) for drift in moved] == [(9201, 0.3), (9202, -0.3)]
