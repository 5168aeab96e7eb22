"""What a permit's view costs: twelve queries through permits of 1 %, 10 % and 100 %, against the same with no permit.

Everything runs on one encrypted, bucketed lake in one process, bucket by bucket, on one thread; times are processor
seconds, the shortest of several runs in turn, so that a busy machine changes the ratios little. Two comparisons:

- with no permit: the same query over the lake's own tables, as somebody would ask who may see everything;
- a copy: the same query over a lake that holds exactly the rows and columns which the view shows.

``ENCLOS_BENCH_VIEW_PERSONS`` (60 000) says how many persons; about 17 rows of each kind for each of them.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from enclos.contracts.omop import PERSON_TABLES, omop_tables
from enclos.contracts.view import RandomSample, TableGrant, ViewTerms, WholeBase
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.lexicon.spans import Span
from enclos.stores.engine import Engine, open_engine
from enclos.stores.lake import LakeSnapshot, attach_lake
from enclos.stores.perimeter_file import PerimeterFile
from enclos.stores.permit_files import SystemRandomness
from enclos.views.steps import PermitCdm, open_view

PERSONS = int(os.environ.get("ENCLOS_BENCH_VIEW_PERSONS", "60000"))
BUCKETS, ROWS_PER_PERSON = 4, 17
REPEATS = 4
GOAL_MEDIAN, GOAL_WORST = 1.5, 2.5
PERIOD = Span(date(2018, 1, 1), date(2025, 1, 1))
TABLES = ("person", "observation_period", "visit_occurrence", "condition_occurrence", "drug_exposure", "measurement",
          "death")  # fmt: skip
SHARES = ("1", "10", "100")

QUERIES = {
    "count by concept": "SELECT drug_concept_id, count(*) AS n FROM drug_exposure GROUP BY drug_concept_id",
    "sum by year": "SELECT year(drug_exposure_start_date) AS y, sum(quantity) AS q FROM drug_exposure GROUP BY y",
    "distinct persons": "SELECT count(DISTINCT person_id) AS n FROM drug_exposure",
    "first use": "SELECT year(d) AS y, count(*) AS n FROM (SELECT person_id, min(drug_exposure_start_date) AS d "
    "FROM drug_exposure WHERE drug_concept_id < 50 GROUP BY person_id) GROUP BY y",
    "drug then condition": "SELECT count(*) AS n FROM drug_exposure AS d JOIN condition_occurrence AS c "
    "ON c.person_id = d.person_id AND c.condition_start_date BETWEEN d.drug_exposure_start_date "
    "AND d.drug_exposure_start_date + 30 WHERE d.drug_concept_id < 50 AND c.condition_concept_id < 50",
    "age at event": "SELECT (year(c.condition_start_date) - p.year_of_birth) // 10 AS age, count(*) AS n "
    "FROM condition_occurrence AS c JOIN person AS p ON p.person_id = c.person_id GROUP BY age",
    "visits by month": "SELECT date_trunc('month', visit_start_date) AS m, count(*) AS n "
    "FROM visit_occurrence GROUP BY m",
    "most frequent": "SELECT condition_concept_id, count(DISTINCT person_id) AS n FROM condition_occurrence "
    "GROUP BY condition_concept_id ORDER BY n DESC, condition_concept_id LIMIT 20",
    "next within 30 days": "SELECT count(*) AS n FROM (SELECT drug_exposure_start_date AS d, lead("
    "drug_exposure_start_date) OVER (PARTITION BY person_id ORDER BY drug_exposure_start_date) AS next "
    "FROM drug_exposure WHERE drug_concept_id < 100) WHERE next - d <= 30",
    "mean of a measurement": "SELECT measurement_concept_id, avg(value_as_number) AS mean FROM measurement "
    "GROUP BY measurement_concept_id",
    "deaths after a condition": "SELECT count(DISTINCT c.person_id) AS n FROM condition_occurrence AS c "
    "JOIN death AS x ON x.person_id = c.person_id "
    "WHERE x.death_date >= c.condition_start_date AND c.condition_concept_id < 100",
    "persons by sex and decade": "SELECT gender_concept_id, year_of_birth // 10 AS decade, count(*) AS n FROM person "
    "GROUP BY gender_concept_id, decade",
}
"""The published list: what epidemiologists ask a claims base most, each one SELECT."""

_EVENTS = {
    "visit_occurrence": {"visit_concept_id": "9201 + k % 3", "visit_start_date": "day",
                         "visit_end_date": "day + k % 9"},
    "condition_occurrence": {"condition_concept_id": "k % 1000", "condition_start_date": "day",
                             "visit_occurrence_id": "id"},
    "drug_exposure": {"drug_concept_id": "k % 1000", "drug_exposure_start_date": "day",
                      "drug_exposure_end_date": "day + 30", "quantity": "k % 90", "days_supply": "30",
                      "visit_occurrence_id": "id"},
    "measurement": {"measurement_concept_id": "k % 300", "measurement_date": "day", "value_as_number": "k % 977 / 10"},
}  # fmt: skip


def select_of(table: str, rows_per_person: int = ROWS_PER_PERSON) -> str:
    """The rows of one table, in the order in which a build stores them: by person, then by day."""
    values = {"person_id": "person_id"}
    source = "everybody"
    match table:
        case "person":
            values |= {"gender_concept_id": "8507 + 25 * (h % 2)", "year_of_birth": "1930 + h % 80",
                       "month_of_birth": "1 + h % 12", "location_id": "1 + h % 96"}  # fmt: skip
        case "observation_period":
            values |= {"observation_period_id": "person_id << 20", "observation_period_start_date": "DATE '2019-01-01'",
                       "observation_period_end_date": "DATE '2023-12-31'"}  # fmt: skip
        case "death":
            values |= {"death_date": "DATE '2019-01-01' + (h // 100 % 1800)"}
            source = "(FROM everybody WHERE h % 20 = 0)"
        case _:
            values |= {f"{table}_id": "id"} | _EVENTS[table]
            drawn = f"(hash(person_id, r, '{table}') % 1000000007)::INTEGER"
            source = (
                f"(SELECT *, DATE '2019-01-01' + k // 7 % 1800 AS day FROM (SELECT bucket, person_id, "
                f"(person_id << 20) + r AS id, {drawn} AS k FROM everybody, range({rows_per_person}) AS x(r)))"
            )
    columns = ", ".join(f"({values.get(c.name, 'NULL')})::{c.sql_type}" for c in omop_tables()[table])
    return f"SELECT bucket, {columns} FROM {source} ORDER BY bucket, person_id, 2"


def make_everybody(engine: Engine, n_persons: int, n_buckets: int) -> None:
    """The persons: bucket, person_id spread evenly over 43 bits, and a number to draw their values from."""
    engine.execute(
        "CREATE OR REPLACE TEMP TABLE everybody AS SELECT (person_id % "
        f"{n_buckets})::INTEGER AS bucket, person_id, (hash(person_id) % 1000003)::INTEGER AS h FROM (SELECT DISTINCT "
        f"(('0x' || substr(md5(range::VARCHAR), 1, 13))::BIGINT >> 9) AS person_id FROM range({n_persons}))"
    )


def write_lake(engine: Engine, folder: Path, selects: dict[str, str], n_buckets: int = BUCKETS) -> LakeSnapshot:
    """One encrypted lake of these tables."""
    key = SecretKey(KeyName(KeyRole.CATALOG), b"c" * 32)
    lake = attach_lake(engine, folder / "catalog.ducklake", folder / "lake", key)
    lake.begin()
    for table, select in selects.items():
        name = lake.create(omop_tables()[table], by_bucket=table in PERSON_TABLES)
        engine.execute(f"INSERT INTO {name} {select}")
    lake.commit({"n_buckets": n_buckets, "tables": dict.fromkeys(selects, 1)})
    return lake.snapshot()


def perimeter_file(engine: Engine, snapshot: LakeSnapshot, folder: Path, terms: ViewTerms) -> PerimeterFile:
    """The perimeter of a permit under a key of its own."""
    permit = terms.permit_id
    key = SecretKey(KeyName(KeyRole.PERMIT, permit), permit.encode().ljust(32, b"k"))
    return PerimeterFile(engine, snapshot, folder / f"{permit}.sealed", key, [terms])


@dataclass(frozen=True)
class Plain:
    """The lake's own tables, one bucket at a time, with no permit."""

    engine: Engine
    snapshot: LakeSnapshot

    @contextmanager
    def bucket(self, number: int) -> Iterator[Plain]:
        for table in TABLES:
            rows = f"FROM {self.snapshot.relation(table)} WHERE bucket = {number}"
            self.engine.execute(f'CREATE OR REPLACE TEMP VIEW "{table}" AS {rows}')
        yield self
        for table in TABLES:
            self.engine.execute(f'DROP VIEW temp."{table}"')

    def query(self, sql: str) -> Any:
        return self.engine.query(sql)


def cpu(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def measured(sides: dict[str, Any], queries: dict[str, str]) -> dict[str, dict[str, float]]:
    """Processor seconds by query and side: per bucket the shortest of several turns, added up over the buckets."""
    spent = {name: dict.fromkeys(sides, 0.0) for name in queries}
    for number in range(BUCKETS):
        for side, base in sides.items():
            with base.bucket(number) as bucket:
                for name, sql in queries.items():
                    spent[name][side] += min(cpu(partial(bucket.query, sql)) for _ in range(REPEATS))
    return spent


def main() -> int:
    """Measure and print the goals as JSON; the queries one by one go to stderr."""
    folder = Path(tempfile.mkdtemp(prefix="enclos-views-", dir=os.environ.get("TMPDIR")))
    goals: list[dict[str, Any]] = []
    try:
        with open_engine(folder / "spill", threads=1) as engine:
            goals = run(engine, folder)
    finally:
        for path in sorted(folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        folder.rmdir()
    print(json.dumps(goals))
    return 0


def run(engine: Engine, folder: Path) -> list[dict[str, Any]]:
    make_everybody(engine, PERSONS, BUCKETS)
    snapshot = write_lake(engine, folder / "base", {table: select_of(table) for table in TABLES})
    ratios: list[float] = []
    copies: list[float] = []
    goals: list[dict[str, Any]] = []
    for share in SHARES:
        terms = ViewTerms(
            f"P-{share}",
            tuple(TableGrant(table) for table in TABLES),
            WholeBase() if share == "100" else RandomSample(Decimal(share), 7),
            PERIOD,
        )
        file = perimeter_file(engine, snapshot, folder, terms)
        began = time.perf_counter()
        opened = open_view(terms, engine=engine, snapshot=snapshot, perimeter=file, randomness=SystemRandomness())
        seconds = time.perf_counter() - began
        cdm = PermitCdm(
            terms, name="bench", engine=engine, snapshot=snapshot, perimeter=file, opted_out=(), check=lambda: None
        )  # fmt: skip
        spent = measured({"view": cdm, "no permit": Plain(engine, snapshot)}, QUERIES)
        held = copied(engine, folder / f"copy-{share}", cdm)
        here = {name: side["view"] / side["no permit"] for name, side in spent.items()}
        to_copy = {name: spent[name]["view"] / held[name] for name in QUERIES}
        ratios += here.values()
        copies += to_copy.values()
        for name in QUERIES:
            print(
                f"{share:>3} %  {name:28s} {here[name]:5.2f} × no permit  {to_copy[name]:5.2f} × copy", file=sys.stderr
            )
        print(f"{share:>3} %  opened in {seconds:.2f} s, {opened.n_persons} persons", file=sys.stderr)
        goals += [
            _goal(f"view at {share} %: median of 12 queries against no permit", statistics.median(here.values()),
                  GOAL_MEDIAN),
            _goal(f"view at {share} %: worst of 12 queries against no permit", max(here.values()), GOAL_WORST),
            _goal(f"view at {share} %: median of 12 queries against a copy of its rows",
                  statistics.median(to_copy.values())),
        ]  # fmt: skip
    return goals


def copied(engine: Engine, folder: Path, cdm: PermitCdm) -> dict[str, float]:
    """What the queries cost over exactly the rows that the view shows, as a lake of their own in the same layout."""
    for number in cdm.buckets:
        with cdm.bucket(number) as bucket:
            for table in TABLES:
                into = f"INSERT INTO {table}_rows" if number else f"CREATE OR REPLACE TABLE {table}_rows AS"
                bucket.execute(f'{into} SELECT {number}::INTEGER AS bucket, * FROM "{table}"')
    selects = {table: f"SELECT * FROM memory.main.{table}_rows ORDER BY bucket, person_id, 3" for table in TABLES}
    with open_engine(threads=1) as other:
        for table in TABLES:
            other.register("rows_in", engine.query(f"FROM memory.main.{table}_rows"))
            other.execute(f"CREATE TABLE {table}_rows AS FROM rows_in")
            other.unregister("rows_in")
            engine.execute(f"DROP TABLE memory.main.{table}_rows")
        snapshot = write_lake(other, folder, selects)
        return {name: sides["copy"] for name, sides in measured({"copy": Plain(other, snapshot)}, QUERIES).items()}


def _goal(name: str, ratio: float, goal: float | None = None) -> dict[str, Any]:
    return {"name": name, "ratio": round(ratio, 4), "goal": goal, "met": None if goal is None else ratio <= goal}


if __name__ == "__main__":
    sys.exit(main())
