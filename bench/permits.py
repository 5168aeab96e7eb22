"""What a permit costs to open and to keep.

- Opening a permit for everybody of a million (``ENCLOS_BENCH_OPEN_PERSONS``) in 16 buckets, and the first query over
  all buckets after it: wall seconds against the goals of ten and two seconds, bytes a person against 32.
- What a hundred permits keep that overlap on one lake (``ENCLOS_BENCH_PERMIT_PERSONS``, 40 000; about 17 rows of each
  of four kinds for each person), together against the lake's bytes: 20 for everybody, 40 samples of 1 to 40 %, 20
  regions, 20 with a diagnosis.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

from view_queries import PERIOD, TABLES, make_everybody, perimeter_file, select_of, write_lake

from enclos.contracts.omop import PERSON_TABLES, omop_tables
from enclos.contracts.view import Population, RandomSample, Residents, TableGrant, ViewTerms, WholeBase, WithConcept
from enclos.stores.engine import Engine, open_engine
from enclos.stores.lake import LakeSnapshot
from enclos.stores.permit_files import SystemRandomness
from enclos.views.steps import PermitCdm, open_view

OPEN_PERSONS = int(os.environ.get("ENCLOS_BENCH_OPEN_PERSONS", "1000000"))
PERMIT_PERSONS = int(os.environ.get("ENCLOS_BENCH_PERMIT_PERSONS", "40000"))
BUCKETS = 16
FIRST_QUERY = "SELECT drug_concept_id, count(*) AS n FROM drug_exposure GROUP BY drug_concept_id"
DEPARTMENTS = tuple(f"{code:02d}" for code in range(1, 20))


def opened(engine: Engine, snapshot: LakeSnapshot, folder: Path, permit: str, population: Population) -> Any:
    """A permit's terms and perimeter, and what opening it wrote."""
    terms = ViewTerms(permit, tuple(TableGrant(table) for table in PERSON_TABLES), population, PERIOD)
    file = perimeter_file(engine, snapshot, folder, terms)
    done = open_view(terms, engine=engine, snapshot=snapshot, perimeter=file, randomness=SystemRandomness())
    return terms, file, done


def opening(engine: Engine, folder: Path) -> list[dict[str, Any]]:
    """Seconds and bytes of a permit for everybody."""
    make_everybody(engine, OPEN_PERSONS, BUCKETS)
    few = "(FROM everybody LIMIT 1000)"
    selects = {table: select_of(table, 1) for table in TABLES}
    for table in set(PERSON_TABLES) - set(TABLES):  # every table exists, most are short
        columns = ", ".join(
            f"{'person_id' if column.name == 'person_id' else f'NULL::{column.sql_type}'} AS {column.name}"
            for column in omop_tables()[table]
        )
        selects[table] = f"SELECT bucket, {columns} FROM {few}"
    snapshot = write_lake(engine, folder / "base", selects, BUCKETS)
    began = time.perf_counter()
    terms, file, done = opened(engine, snapshot, folder, "P-ALL", WholeBase())
    seconds = time.perf_counter() - began
    began = time.perf_counter()
    cdm = PermitCdm(
        terms, name="bench", engine=engine, snapshot=snapshot, perimeter=file, opted_out=(), check=lambda: None
    )
    for number in cdm.buckets:
        with cdm.bucket(number) as bucket:
            bucket.query(FIRST_QUERY)
    first = time.perf_counter() - began
    print(f"{done.n_persons} persons opened in {seconds:.2f} s, first query {first:.2f} s", file=sys.stderr)
    return [
        _goal("open a permit for everybody: seconds of 10", seconds / 10, 1),
        _goal("first query after opening, all buckets: seconds of 2", first / 2, 1),
        _goal("perimeter for everybody: bytes a person", done.n_bytes / done.n_persons, 32),
    ]


def keeping(engine: Engine, folder: Path) -> list[dict[str, Any]]:
    """Bytes of a hundred permits against the lake's."""
    make_everybody(engine, PERMIT_PERSONS, BUCKETS)
    selects = {table: select_of(table) for table in TABLES}
    columns = ", ".join(
        {"location_id": "r + 1 AS location_id", "county": "printf('%02d', r % 95 + 1) AS county"}.get(
            column.name, f"NULL::{column.sql_type} AS {column.name}"
        )
        for column in omop_tables()["location"]
    )
    selects["location"] = f"SELECT {columns} FROM range(96) AS x(r)"
    snapshot = write_lake(engine, folder / "base", selects, BUCKETS)
    lake = sum(path.stat().st_size for path in (folder / "base" / "lake").rglob("*") if path.is_file())
    populations: list[Population] = [WholeBase()] * 20
    populations += [RandomSample(Decimal(percent), percent) for percent in range(1, 41)]
    populations += [Residents(DEPARTMENTS[: 1 + at % 19]) for at in range(20)]
    populations += [WithConcept("condition", tuple(range(at + 1, 2 * at + 2)), descendants=False) for at in range(20)]
    kept = [
        opened(engine, snapshot, folder, f"P-{at}", population)[2].n_bytes for at, population in enumerate(populations)
    ]
    print(f"lake {lake} bytes; {len(kept)} permits {sum(kept)} bytes, the largest {max(kept)}", file=sys.stderr)
    return [
        _goal(f"{len(kept)} permits that overlap, together, against the lake", sum(kept) / lake, 0.01),
        _goal("the largest of them against the lake", max(kept) / lake, 0.01),
    ]


def main() -> int:
    """Measure and print the goals as JSON."""
    goals: list[dict[str, Any]] = []
    for measure in (keeping, opening):
        with ExitStack() as stack:
            place = tempfile.TemporaryDirectory(prefix="enclos-permits-", dir=os.environ.get("TMPDIR"))
            folder = Path(stack.enter_context(place))
            engine = stack.enter_context(open_engine(folder / "spill", threads=2))
            goals += measure(engine, folder)
    print(json.dumps(goals))
    return 0


def _goal(name: str, ratio: float, goal: float) -> dict[str, Any]:
    return {"name": name, "ratio": round(ratio, 5), "goal": goal, "met": ratio <= goal}


if __name__ == "__main__":
    sys.exit(main())
