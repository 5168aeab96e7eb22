"""Whether incidence and prevalence stay linear in persons: tables for so many persons, written and studied.

    python bench/scale.py [--persons 200000 1000000] [--dir DIR] [--keep]

For each number of persons OMOP tables over five years are written as Parquet, cut into buckets of persons: five or
six conditions and as many drugs a year for each person, of 2 000 concepts of which some are frequent, in a vocabulary
of 100 classes; 10 million persons take about 3 GB on disk and no more memory than one bucket. Then one study is run
on it bucket by bucket, two threads and one process: four concept cohorts with descendants (two of conditions, two of
drugs), incidence and point and period prevalence by year, in four age groups and by sex. The first number of persons
gives processor seconds per person; each further one is held to them. Files are plain; what an encrypted lake and a
permit's view add is measured elsewhere. Seconds are wall-clock and processor seconds of the study alone, the peak is
the resident memory of the process that ran it. Goal: 10 million persons in 600 s and 8 GiB, `--persons 1000000
10000000`.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import duckdb
from gibleed import InMemory

from enclos.studies.document import study_from_yaml
from enclos.studies.steps import run_study

PERSONS_PER_BUCKET = 312_500
"""As 16 buckets of 5 million persons, or 32 of 10 million."""
LARGEST = 10_000_000
GOAL_SECONDS, GOAL_MIB = 600.0, 8192
LINEAR = 1.15
"""Processor seconds per person may be so many times those of the first size."""
N_CONCEPTS, N_CLASSES = 2000, 100
FIRST_CLASS, FIRST_CONDITION, FIRST_DRUG = 1_000, 10_000, 20_000
STUDY = f"""
study: scale
cohorts:
  condition_a: {{concepts: [{FIRST_CLASS + 3}], descendants: true, domain: condition, limit: first, end: event_end}}
  condition_b: {{concepts: [{FIRST_CLASS + 40}], descendants: true, domain: condition, limit: all, end: {{days: 30}}}}
  drug_a: {{concepts: [{FIRST_CLASS + 7}], descendants: true, domain: drug, limit: all, end: event_end, gap_era: 30}}
  drug_b: {{concepts: [{FIRST_CLASS + 60}], descendants: true, domain: drug, limit: first, end: event_end}}
analyses:
  - incidence: {{outcome: [condition_a, condition_b, drug_a, drug_b], interval: [years, overall], washout_days: all,
                sex: [both, male, female], age_groups: [[0, 150], [0, 17], [18, 64], [65, 150]]}}
  - prevalence: {{outcome: [condition_a, condition_b, drug_a, drug_b], type: point, interval: years,
                 sex: [both, male, female], age_groups: [[0, 150], [0, 17], [18, 64], [65, 150]]}}
  - prevalence: {{outcome: [condition_a, condition_b, drug_a, drug_b], type: period, interval: years,
                 sex: [both, male, female], age_groups: [[0, 150], [0, 17], [18, 64], [65, 150]]}}
"""


def number(salt: int, n: int, *of: str) -> str:
    """The SQL of a whole number below n, the same for the same values."""
    return f"CAST(hash({', '.join(of)}, {salt}) % {n} AS INTEGER)"


def events(first_concept: int, salt: int) -> str:
    """The SQL of the records of persons: person_id, ordinal, concept_id, day, days."""
    uniform = f"({number(salt + 1, 1_000_003, 'person_id', 'ordinal')} / 1000003.0)"
    return f"""
        SELECT person_id, ordinal,
            {first_concept} + CAST(floor({N_CONCEPTS} * power({uniform}, 3)) AS INTEGER) AS concept_id,
            first_day + {number(salt + 2, 1826, "person_id", "ordinal")} AS day,
            {number(salt + 3, 28, "person_id", "ordinal")} AS days
        FROM (
            SELECT person_id, DATE '2019-01-01' AS first_day,
                unnest(range(5 + {number(salt, 46, "person_id")})) AS ordinal
            FROM person
        )
    """


def write_tables(n_persons: int, folder: Path) -> int:
    """Write the tables of so many persons; answers in how many buckets."""
    n_buckets = max(1, -(-n_persons // PERSONS_PER_BUCKET))
    connection = duckdb.connect()
    connection.execute("SET threads = 2; SET memory_limit = '2GB'; SET preserve_insertion_order = false")
    connection.execute(f"SET temp_directory = '{folder / 'spilled'}'")

    def write(name: str, sql: str) -> None:
        connection.execute(f"COPY ({sql}) TO '{folder / name}.parquet' (FORMAT parquet, COMPRESSION zstd)")

    concepts = f"SELECT {FIRST_CONDITION} + i AS concept_id, i FROM range({N_CONCEPTS}) AS t(i)"
    concepts += f" UNION ALL SELECT {FIRST_DRUG} + i, i FROM range({N_CONCEPTS}) AS t(i)"
    classes = f"SELECT {FIRST_CLASS} + i AS concept_id FROM range({N_CLASSES}) AS t(i)"
    write(
        "concept",
        f"SELECT concept_id, 'concept ' || concept_id AS concept_name, NULL::VARCHAR AS invalid_reason "
        f"FROM (SELECT concept_id FROM ({concepts}) UNION ALL {classes})",
    )
    write(
        "concept_ancestor",
        f"SELECT {FIRST_CLASS} + i % {N_CLASSES} AS ancestor_concept_id, "
        f"concept_id AS descendant_concept_id FROM ({concepts})",
    )
    for bucket in range(n_buckets):
        connection.execute(f"""
            CREATE OR REPLACE TEMP TABLE person AS
            SELECT CAST(i * {n_buckets} + {bucket} + 1 AS BIGINT) AS person_id
            FROM range({n_persons // n_buckets + (bucket < n_persons % n_buckets)}) AS t(i)
        """)
        write(
            f"person_{bucket}",
            f"""
            SELECT person_id, CASE {number(1, 2, "person_id")} WHEN 0 THEN 8507 ELSE 8532 END AS gender_concept_id,
                1925 + {number(2, 95, "person_id")} AS year_of_birth,
                1 + {number(3, 12, "person_id")} AS month_of_birth,
                1 + {number(4, 28, "person_id")} AS day_of_birth
            FROM person
        """,
        )
        write(
            f"observation_period_{bucket}",
            f"""
            SELECT person_id, person_id * 1048576 AS observation_period_id,
                DATE '2019-01-01' + greatest(0, {number(5, 1500, "person_id")} - 1000) AS observation_period_start_date,
                DATE '2023-12-31' - greatest(0, {number(6, 1500, "person_id")} - 1000) AS observation_period_end_date
            FROM person
        """,
        )
        write(
            f"condition_occurrence_{bucket}",
            f"""
            SELECT person_id * 1048576 + ordinal AS condition_occurrence_id, person_id,
                concept_id AS condition_concept_id, day AS condition_start_date, day + days AS condition_end_date
            FROM ({events(FIRST_CONDITION, 10)})
        """,
        )
        write(
            f"drug_exposure_{bucket}",
            f"""
            SELECT person_id * 1048576 + ordinal AS drug_exposure_id, person_id, concept_id AS drug_concept_id,
                day AS drug_exposure_start_date, day + days AS drug_exposure_end_date
            FROM ({events(FIRST_DRUG, 20)})
        """,
        )
    connection.close()
    return n_buckets


@dataclass(frozen=True)
class InFiles:
    """A CDM of Parquet files, bucket by bucket; answers to the port of studies."""

    folder: Path
    n_buckets: int
    connection: duckdb.DuckDBPyConnection = field(default_factory=duckdb.connect)
    name: str = "scale"

    @property
    def buckets(self) -> range:
        return range(self.n_buckets)

    @contextmanager
    def bucket(self, bucket: int) -> Iterator[InMemory]:
        for table in ("person", "observation_period", "condition_occurrence", "drug_exposure"):
            self._see(table, f"{table}_{bucket}")
        for table in ("concept", "concept_ancestor"):
            self._see(table, table)
        yield InMemory(self.connection)

    def _see(self, table: str, file: str) -> None:
        source = f"read_parquet('{self.folder / file}.parquet')"
        self.connection.execute(f"CREATE OR REPLACE TEMP VIEW {table} AS SELECT * FROM {source}")


def study_of(folder: Path, n_buckets: int) -> dict[str, Any]:
    """Run the study in this process: seconds, processor seconds, peak MiB, and how many rows it gave."""
    cdm = InFiles(folder, n_buckets)
    cdm.connection.execute(f"SET threads = 2; SET memory_limit = '4GB'; SET temp_directory = '{folder / 'spilled'}'")
    started, worked = perf_counter(), process_time()
    result = run_study(study_from_yaml(STUDY), cdm)
    return {
        "seconds": round(perf_counter() - started, 2),
        "processor_seconds": round(process_time() - worked, 2),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "n_rows": result.n_rows,
    }


def measure(sizes: list[int], root: Path, *, keep: bool) -> list[dict[str, Any]]:
    """One object per number of persons; the second on with their ratio to linear."""
    found: list[dict[str, Any]] = []
    for n_persons in sizes:
        folder = root / f"persons_{n_persons}"
        folder.mkdir(parents=True)
        try:
            started = perf_counter()
            n_buckets = write_tables(n_persons, folder)
            written = perf_counter() - started
            n_bytes = sum(file.stat().st_size for file in folder.glob("*.parquet"))
            command = [sys.executable, __file__, "--study", str(folder), str(n_buckets)]
            told = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
        finally:
            if not keep:
                shutil.rmtree(folder, ignore_errors=True)
        line = {"name": f"incidence and prevalence of {n_persons} persons × 5 years", "n_persons": n_persons, **told}
        line |= {"n_buckets": n_buckets, "written_seconds": round(written, 1), "gigabytes": round(n_bytes / 1e9, 2)}
        if found:
            linear = found[0]["processor_seconds"] * n_persons / found[0]["n_persons"]
            line["times_linear"] = round(line["processor_seconds"] / linear, 2)
            line |= {"ratio": round(LINEAR * linear / line["processor_seconds"], 2), "goal": 1.0}
            line["met"] = line["ratio"] >= 1
        if n_persons >= LARGEST:
            line["goal"] = 1.0
            line["ratio"] = round(GOAL_SECONDS / line["seconds"], 2)
            line["met"] = line["seconds"] <= GOAL_SECONDS and line["peak_mib"] <= GOAL_MIB
        print(json.dumps(line), file=sys.stderr)
        found.append(line)
    return found


def main() -> int:
    """Measure and print; with --study, be the process that is measured."""
    if sys.argv[1:2] == ["--study"]:
        print(json.dumps(study_of(Path(sys.argv[2]), int(sys.argv[3]))))
        return 0
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--persons", type=int, nargs="+", default=[200_000, 1_000_000])
    parser.add_argument("--dir", type=Path, help="where tables are written; a temporary folder by default")
    parser.add_argument("--keep", action="store_true", help="leave the tables there")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        print(json.dumps(measure(arguments.persons, arguments.dir or Path(temporary), keep=arguments.keep)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
