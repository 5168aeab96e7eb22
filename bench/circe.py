"""How long Circe cohorts take on GiBleed, as it is and many times over, against Circe's own SQL in the same run.

    python bench/circe.py [--times 1] [--repeats 2] [--data ../shared/data]

The reference is the SQL that ohdsi-circepy writes, put into DuckDB's words before the clock starts; only its running is
timed, until the rows are in their table. Ours is timed from the JSON text to the rows: once with all definitions
together, as a study has them, and once one by one, each in turn with the reference's. Seconds are processor seconds of
both threads, the shortest of some runs in turn, so that a busy machine changes the ratios little. Rows are compared; a
definition whose rows differ is named, and so is one that alone is less than the goal. Engine and tables are in memory.

Ours is timed in two states of the opened data. First: nobody has asked anything yet. Then: other definitions were asked
before, and what they read is kept in order of concepts (studies/circe/kept.py), whole tables and no answer; how long it
took to put them in order, and what they take in memory, is printed beside. The reference has no such state. From the
one to the other all definitions are asked one after another, once: each reads what it is the first to look at.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from pathlib import Path
from time import process_time
from typing import Any

import duckdb
import pyarrow as pa
from pyarrow import compute

ROOT = Path(__file__).resolve().parents[1]
from gibleed import SHARED, InMemory, make_gibleed_times  # noqa: E402

sys.path[0] = str(ROOT / "tests")  # not this folder: its circe.py is not ohdsi-circepy

from enclos.studies.circe import circe_rows  # noqa: E402
from enclos.studies.circe.kept import Kept  # noqa: E402
from oracle import circe_sql  # noqa: E402 - the tests lie beside

GOAL = 5.0
_MOST_BYTES_KEPT = 1 << 30


def ours(definitions: dict[str, str], cdm: InMemory, kept: Kept | None = None) -> tuple[float, dict[str, pa.Table]]:
    """Seconds, and the rows of each definition."""
    started = process_time()
    made = circe_rows(definitions, cdm, kept=kept)
    taken = process_time() - started
    names, rows = made["cohort_name"], made.drop_columns(["cohort_name"])
    return taken, {name: rows.filter(compute.equal(names, name)) for name in definitions}


def theirs(statements: list[str], connection: duckdb.DuckDBPyConnection) -> tuple[float, pa.Table]:
    """Seconds until the rows of one definition are in their table, and the rows."""
    started = process_time()
    with circe_sql.cohort_made(statements, connection):
        taken = process_time() - started
        return taken, connection.execute(circe_sql.ROWS).to_arrow_table()


def measure(n_times: int, data: Path, n_repeats: int = 2) -> list[dict[str, Any]]:
    """One object per figure: name, seconds, reference_seconds, ratio, and a goal where there is one."""
    cdm = make_gibleed_times(n_times, data / "omop" / "gibleed")
    files = sorted((data / "circe" / "definitions").glob("*.json"))
    definitions = {file.stem: file.read_text(encoding="utf-8") for file in files}
    scripts = {name: circe_sql.duckdb_statements(circe_sql.circe_sql(text)) for name, text in definitions.items()}
    alone: dict[str, float] = {}
    again: dict[str, float] = {}
    reference: dict[str, float] = {}
    together, differing = float("inf"), set()
    kept = Kept(_MOST_BYTES_KEPT)
    in_turn = {name: ours({name: text}, cdm, kept)[0] for name, text in definitions.items()}
    for _ in range(n_repeats):
        taken, rows = ours(definitions, cdm)
        together = min(together, taken)
        for name, text in definitions.items():
            seconds, wanted = theirs(scripts[name], cdm.connection)
            reference[name] = min(seconds, reference.get(name, seconds))
            seconds, found = ours({name: text}, cdm)
            alone[name] = min(seconds, alone.get(name, seconds))
            seconds, found_again = ours({name: text}, cdm, kept)
            again[name] = min(seconds, again.get(name, seconds))
            if not all(wanted.equals(each[name]) for each in (rows, found, found_again)):
                differing.add(name)
    if differing:
        print(f"rows differ: {', '.join(sorted(differing))}", file=sys.stderr)
    prefix = "GiBleed" if n_times == 1 else f"GiBleed × {n_times}"
    n_megabytes = round(kept.n_bytes / 1e6, 1)
    total, to_keep = sum(reference.values()), sum(in_turn.values()) - sum(again.values())
    print(f"{prefix}: to keep the records takes {to_keep:.2f} s once, and {n_megabytes} MB", file=sys.stderr)
    return [
        _line(f"{prefix}: {len(definitions)} Circe definitions together", together, total, GOAL),
        _line(f"{prefix}: the same one after another, from data just opened", sum(in_turn.values()), total),
        *_alone(f"{prefix}: a Circe definition alone, nothing kept", alone, reference, None),
        *_alone(f"{prefix}: a Circe definition alone, records kept", again, reference, GOAL),
        {"name": f"{prefix}: records kept for Circe", "seconds_once": round(to_keep, 3), "megabytes": n_megabytes},
        {"name": f"{prefix}: Circe definitions whose rows differ", "n_differing": len(differing)},
    ]


def _alone(
    name: str, seconds: dict[str, float], reference: dict[str, float], goal: float | None
) -> list[dict[str, Any]]:
    """The figures of definitions one by one: sum, median, worst, quarters, and those that are below the goal."""
    ratios = {each: reference[each] / seconds[each] for each in seconds}
    worst = min(ratios, key=lambda each: ratios[each])
    below = {
        each: round(ratios[each], 2) for each in sorted(ratios, key=lambda each: ratios[each]) if ratios[each] < GOAL
    }
    quarters = [round(each, 2) for each in statistics.quantiles(ratios.values(), n=4)]
    told = ", ".join(f"{each} {ratio}" for each, ratio in below.items())
    print(f"{name}: quarters {quarters}; below {GOAL:.0f} times: {told or 'none'}", file=sys.stderr)
    median = _line(
        f"{name}, median", statistics.median(seconds.values()), statistics.median(reference.values()), digits=4
    )
    return [
        _line(f"{name}, sum", sum(seconds.values()), sum(reference.values())),
        median | {"ratio": round(statistics.median(ratios.values()), 2)},
        _line(f"{name}, the worst ({worst})", seconds[worst], reference[worst], goal, digits=4),
        {"name": f"{name}, below the goal", "n_below": len(below), "ratios": below},
        {"name": f"{name}, quarters", "quarters": quarters},
    ]


def _line(name: str, taken: float, reference: float, goal: float | None = None, digits: int = 3) -> dict[str, Any]:
    line: dict[str, Any] = {"name": name, "seconds": round(taken, digits)}
    line |= {"reference_seconds": round(reference, digits), "ratio": round(reference / taken, 2)}
    return line if goal is None else line | {"goal": goal, "met": reference / taken >= goal}


def main() -> int:
    """Measure and print, as a table and as one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--data", type=Path, default=SHARED)
    arguments = parser.parse_args()
    if not (arguments.data / "circe").exists():
        print(f"no Circe definitions at {arguments.data}: give --data", file=sys.stderr)
        return 2
    found = measure(arguments.times, arguments.data, arguments.repeats)
    for line in found:
        if "ratio" in line:
            goal = "" if "met" not in line else f"  goal × {line['goal']:.0f}: {'met' if line['met'] else 'not met'}"
            taken = f"{line['seconds']:9.4f} s  Circe {line['reference_seconds']:9.4f} s  × {line['ratio']:6.2f}"
            print(f"{line['name']:60} {taken}{goal}", file=sys.stderr)
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
