"""An OMOP delivery alone makes a whole CDM: the same rows, new numbers, links kept.

On GiBleed where it lies beside the checkout; else on a small CDM made here, with the same faults: periods of persons
who are not there, and references to visits that were never delivered.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from enclos.contracts.omop import PERSON_TABLES, omop_tables, primary_keys
from enclos.stores.engine import open_engine
from enclos.warehouse.plans.relations import empty_relation_sql
from enclos.warehouse.quality.steps import run_quality
from factories.pseudonymised import PERSON_NUMBER, Snapshot, built, omop_delivery
from shared_data import shared

N_BUCKETS = 4
UNTOLD = {"person_source_value", "provider_source_value", "family_source_value"}
"""They would identify."""


def made_here(folder: Path) -> Path:
    days = [date(2010, 1, 1 + n) for n in range(20)]
    tables = {
        "person": {
            "person_id": list(range(1, 11)),
            "gender_concept_id": [8507, 8532] * 5,
            "year_of_birth": [1950] * 10,
            "race_concept_id": [0] * 10,
            "ethnicity_concept_id": [0] * 10,
        },
        "observation_period": {
            "observation_period_id": list(range(15)),
            "person_id": list(range(1, 16)),
            "observation_period_start_date": [days[0]] * 15,
            "observation_period_end_date": [days[-1]] * 15,
            "period_type_concept_id": [44814724] * 15,
        },
        "visit_occurrence": {
            "visit_occurrence_id": [100, 101, 102],
            "person_id": [1, 1, 2],
            "visit_concept_id": [9201] * 3,
            "visit_start_date": days[:3],
            "visit_end_date": days[3:6],
            "visit_type_concept_id": [44818517] * 3,
            "preceding_visit_occurrence_id": [7, 100, None],
        },
        "condition_occurrence": {
            "condition_occurrence_id": list(range(20)),
            "person_id": [1 + n % 5 for n in range(20)],
            "condition_concept_id": [192671] * 20,
            "condition_start_date": days,
            "condition_type_concept_id": [32020] * 20,
            "visit_occurrence_id": [100, 102, 900, 901, None] * 4,
            "visit_detail_id": [0] * 20,
            "provider_id": [70, 71, 0, 99, None] * 4,
        },
        "dose_era": {
            "dose_era_id": [1, 2],
            "person_id": [1, 2],
            "drug_concept_id": [1125315] * 2,
            "unit_concept_id": [8576] * 2,
            "dose_value": [500.0] * 2,
            "dose_era_start_date": days[:2],
            "dose_era_end_date": days[2:4],
        },
        "specimen": {
            "specimen_id": [1, 2],
            "person_id": [2, 2],
            "specimen_concept_id": [4001225] * 2,
            "specimen_type_concept_id": [32817] * 2,
            "specimen_date": days[:2],
            "specimen_source_value": ["blood", "serum"],
        },
        "provider": {
            "provider_id": [70, 71, 72],
            "provider_name": ["Dr Canary"] * 3,
            "specialty_source_value": ["cardiology", "surgery", "surgery"],
        },
        "concept": {
            "concept_id": [0, 192671],
            "concept_name": ["None", "Bleeding"],
            "vocabulary_id": ["None", "SNOMED"],
        },
    }
    for name, columns in tables.items():
        pq.write_table(pa.table(columns), folder / f"{name}.parquet")
    return folder


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared("omop", "gibleed") or made_here(tmp_path_factory.mktemp("omop"))


@pytest.fixture(scope="module")
def snapshot(delivered: Path) -> Iterator[Snapshot]:
    with open_engine() as engine:
        tables = omop_delivery(engine, delivered, N_BUCKETS)
    with built(tables, n_buckets=N_BUCKETS, periods=()) as found:
        yield found


def tables_of(folder: Path) -> list[str]:
    return [path.stem for path in sorted(folder.glob("*.parquet"))]


def test_every_table_has_as_many_rows(delivered: Path, snapshot: Snapshot) -> None:
    for name in tables_of(delivered):
        n_delivered = snapshot.engine.scalar(f"SELECT count(*) FROM '{delivered / name}.parquet'")
        if name in snapshot.report.tables and name not in ("metadata", "cdm_source"):
            assert snapshot.report.tables[name] == n_delivered, name
    assert all(line.adds_up and line.delivered == line.mapped for line in snapshot.report.account)


def test_every_row_says_what_it_said(delivered: Path, snapshot: Snapshot) -> None:
    renamed = {
        "admitting_source_concept_id": "admitted_from_concept_id",
        "admitting_source_value": "admitted_from_source_value",
        "discharge_to_concept_id": "discharged_to_concept_id",
        "discharge_to_source_value": "discharged_to_source_value",
    }
    links = {"visit_occurrence_id", "visit_detail_id", "preceding_visit_occurrence_id", "person_id", "provider_id"}
    for name in tables_of(delivered):
        if name not in PERSON_TABLES or not snapshot.report.tables[name]:
            continue
        source = f"'{delivered / name}.parquet'"
        present = snapshot.engine.query(f"SELECT * FROM {source} LIMIT 0").column_names
        types = {column.name: column.sql_type for column in omop_tables()[name]}
        said = [
            (column, renamed.get(column, column))
            for column in present
            if renamed.get(column, column) in types and column not in UNTOLD | links | {primary_keys().get(name)}
        ]
        old = ", ".join([PERSON_NUMBER, *(f'CAST("{column}" AS {types[new]})' for column, new in said)])
        new = ", ".join(["person_id", *(f'"{new}"' for _, new in said)])
        relation = snapshot.lake.snapshot(snapshot.report.snapshot).relation(name)
        lost = f"SELECT count(*) FROM (SELECT {old} FROM {source} EXCEPT ALL SELECT {new} FROM {relation})"
        assert snapshot.engine.scalar(lost) == 0, name


def test_a_link_leads_to_the_same_visit_or_nowhere_as_before(delivered: Path, snapshot: Snapshot) -> None:
    engine, lake = snapshot.engine, snapshot.lake.snapshot(snapshot.report.snapshot)
    conditions, visits = (f"'{delivered / name}.parquet'" for name in ("condition_occurrence", "visit_occurrence"))
    before = f"""
        SELECT {PERSON_NUMBER.replace("person_id", "c.person_id")}, c.condition_start_date, v.visit_start_date
        FROM {conditions} AS c LEFT JOIN {visits} AS v USING (visit_occurrence_id)
    """
    after = f"""
        SELECT c.person_id, c.condition_start_date, v.visit_start_date
        FROM {lake.relation("condition_occurrence")} AS c
        LEFT JOIN {lake.relation("visit_occurrence")} AS v USING (visit_occurrence_id)
    """
    assert engine.scalar(f"SELECT count(*) FROM ({before} EXCEPT ALL {after})") == 0
    bearing = (
        "SELECT count(visit_occurrence_id), count(DISTINCT (person_id, visit_occurrence_id)), count(visit_detail_id)"
    )
    assert engine.rows(f"{bearing} FROM {conditions}") == engine.rows(
        f"{bearing} FROM {lake.relation('condition_occurrence')}"
    )


def test_a_provider_is_the_same_or_nowhere_as_before(delivered: Path, snapshot: Snapshot) -> None:
    lake = snapshot.lake.snapshot(snapshot.report.snapshot)
    for name in tables_of(delivered):
        source = f"'{delivered / name}.parquet'"
        columns = snapshot.engine.query(f"SELECT * FROM {source} LIMIT 0").column_names
        if name not in PERSON_TABLES or not snapshot.report.tables[name] or "provider_id" not in columns:
            continue
        providers = f"'{delivered}/provider.parquet'"
        counts = """
            SELECT count(provider_id), count(DISTINCT provider_id),
                   count(*) FILTER (WHERE provider_id NOT IN (SELECT provider_id FROM {providers}))
            FROM {rows}
        """
        before = counts.format(providers=providers, rows=source)
        after = counts.format(providers=lake.relation("provider"), rows=lake.relation(name))
        assert snapshot.engine.rows(before) == snapshot.engine.rows(after), name
    assert {row[:3] for row in snapshot.rows("provider", "provider_name", "npi", "year_of_birth")} <= {(None,) * 3}


def test_the_checks_of_provider_numbers_count_what_they_count_on_the_raw_files(
    delivered: Path, snapshot: Snapshot
) -> None:
    lake = snapshot.lake.snapshot(snapshot.report.snapshot)
    raw = {
        name: f"(FROM {empty_relation_sql(omop_tables()[name])} UNION ALL BY NAME FROM '{delivered / name}.parquet')"
        for name in tables_of(delivered)
    }
    kept = {name: lake.relation(name) for name in raw if name in snapshot.report.tables}

    def counted(relations: dict[str, str]) -> dict[str, tuple[int, int]]:
        found = run_quality(snapshot.engine, relations.get, cdm_version="5.3", checked_on=date(2025, 6, 30))
        return {
            result.check.key.id: (result.tally.n_violated, result.tally.n_denominator)
            for result in found.results
            if result.check.key.field == "provider_id" and result.check.key.table in kept
        }

    expected = counted(raw)
    assert counted(kept) == expected
    assert any(n_violated and key.startswith("field_isforeignkey") for key, (n_violated, _) in expected.items())


def test_the_description_stays_the_senders(delivered: Path, snapshot: Snapshot) -> None:
    described = delivered / "cdm_source.parquet"
    ((name, version),) = snapshot.rows("cdm_source", "cdm_source_name", "cdm_version")
    assert version == "5.4"
    if described.exists():
        assert name == snapshot.engine.scalar(f"SELECT cdm_source_name FROM '{described}'")
    else:
        assert name == "Enclos"


def test_no_old_number_survives(delivered: Path, snapshot: Snapshot) -> None:
    lake = snapshot.lake.snapshot(snapshot.report.snapshot)
    for name in tables_of(delivered):
        if name in PERSON_TABLES and snapshot.report.tables[name]:
            old = f"SELECT person_id FROM '{delivered / name}.parquet'"
            kept = f"SELECT count(*) FROM {lake.relation(name)} WHERE person_id IN ({old})"
            assert snapshot.engine.scalar(kept) == 0, name
