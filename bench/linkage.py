"""How long indirect linkage takes: hospital stays against five times as many of the PMSI, both methods.

    python bench/linkage.py [--stays 100000] [--memory-mb 6000] [--method deterministic|probabilistic|both]

Stays are made in the shape of the comparison tables: 60 hospitals of which 12 deliver, five years, half of the stays
without a night, codes as unequal as in the PMSI; 1 % of the hospital's dates are shifted, 1 % of the birth months and
of the principal diagnoses mistyped. Printed: seconds, peak memory of the process, recall and precision of patients.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
from pathlib import Path
from time import perf_counter

from enclos.linkage.model import DEFAULT_THRESHOLD, MARGIN, RELAXED, VARIABLES, Method
from enclos.linkage.plans import deciding, relaxation, stays
from enclos.stores.engine import Engine, open_engine
from enclos.stores.stay_scorer import SplinkStays

SEED = 7
FLOOR = -4.0


def u(what: str, salt: int) -> str:
    """A number in [0, 1) that follows from a column."""
    return f"((hash({what}, {salt}) % 1000000007) / 1000000007.0)"


def make(engine: Engine, n_stays: int) -> None:
    n_national = 5 * n_stays
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE {stays.NATIONAL_STAYS} AS WITH drawn AS (SELECT range AS unique_id, "
        f"CAST({u('range', 1)} * {n_national // 2} AS BIGINT) AS owner, "
        f"CAST({u('range', 2)} * 60 AS INTEGER) AS house, "
        f"DATE '2019-01-01' + CAST({u('range', 3)} * 1826 AS INTEGER) AS entry_on, "
        f"CASE WHEN {u('range', 4)} < 0.5 THEN 0 ELSE CAST(-6 * ln({u('range', 5)} + 1e-9) AS INTEGER) END AS nights, "
        f"CAST(power({u('range', 6)}, 3) * 2000 AS BIGINT) AS principal, "
        f"CAST(power({u('range', 7)}, 3) * 2000 AS BIGINT) AS other, "
        f"CASE WHEN {u('range', 8)} < 0.4 THEN NULL ELSE CAST(power({u('range', 9)}, 3) * 1500 AS BIGINT) END AS act "
        f"FROM range({n_national})) SELECT unique_id, owner, '75' || lpad(CAST(house AS VARCHAR), 7, '0') AS finess, "
        "entry_on, entry_on + nights AS exit_on, CAST(1 + owner % 2 AS INTEGER) AS sex, "
        f"CAST({u('owner', 10)} * 1000 + 23100 AS INTEGER) AS birth_month, principal, "
        "list_sort(list_distinct([principal, other])) AS codes, "
        "CASE WHEN act IS NULL THEN CAST([] AS BIGINT[]) ELSE [act] END AS acts, "
        "CASE WHEN act IS NULL THEN 0 ELSE hash([act]) END AS acts_key FROM drawn"
    )
    shift = f"CASE WHEN {u('unique_id', 11)} < 0.01 THEN 1 ELSE 0 END"
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE {stays.HOSPITAL_STAYS} AS SELECT * REPLACE (entry_on + {shift} AS entry_on, "
        f"exit_on + {shift} AS exit_on, "
        f"CASE WHEN {u('owner', 12)} < 0.01 THEN birth_month - 1 ELSE birth_month END AS birth_month, "
        f"CASE WHEN {u('unique_id', 13)} < 0.01 THEN 5 ELSE principal END AS principal) "
        f"FROM {stays.NATIONAL_STAYS} WHERE finess < '750000012'"
    )


def relax(engine: Engine) -> str:
    engine.execute(relaxation.plan_pairs())
    for statement in relaxation.plan_begin():
        engine.execute(statement)
    for relaxed in range(RELAXED + 1):
        for statement in relaxation.plan_step(len(VARIABLES) - relaxed):
            engine.execute(statement)
    return (
        f"SELECT patient, any_value(person) AS person FROM ({relaxation.ranked_by_agreement()}) GROUP BY patient "
        "HAVING count(*) = 1"
    )


def weigh(engine: Engine, temp: Path, memory_mb: int) -> str:
    sides = [
        engine.query(f"SELECT {', '.join(stays.COMPARED)} FROM {name} ORDER BY unique_id")
        for name in (stays.HOSPITAL_STAYS, stays.NATIONAL_STAYS)
    ]
    scored = SplinkStays(temp, memory_limit_mb=memory_mb).score(*sides, seed=SEED, floor=FLOOR)
    engine.register("arriving", scored.pairs)
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE {deciding.SCORED} AS SELECT a.stay, h.owner AS patient, a.other, "
        f"n.owner AS person, a.weight, a.own FROM arriving AS a JOIN {stays.HOSPITAL_STAYS} AS h "
        f"ON h.unique_id = a.stay JOIN {stays.NATIONAL_STAYS} AS n ON n.unique_id = a.other"
    )
    engine.unregister("arriving")
    first, second = "list(weight ORDER BY weight DESC)[1]", "coalesce(list(weight ORDER BY weight DESC)[2], -1e9)"
    return (
        f"SELECT patient, arg_max(person, weight) AS person FROM ({deciding.ranked_by_weight()}) GROUP BY patient "
        f"HAVING {first} >= {DEFAULT_THRESHOLD[Method.PROBABILISTIC]} AND {first} - {second} >= {MARGIN}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stays", type=int, default=100_000)
    parser.add_argument("--memory-mb", type=int, default=3000, help="of each of the two engines")
    parser.add_argument("--method", choices=("deterministic", "probabilistic", "both"), default="both")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, open_engine(Path(folder), given.memory_mb) as engine:
        make(engine, given.stays)
        n_own, n_patients = engine.rows(f"SELECT count(*), count(DISTINCT owner) FROM {stays.HOSPITAL_STAYS}")[0]
        for method in ("deterministic", "probabilistic"):
            if given.method not in ("both", method):
                continue
            started = perf_counter()
            decided = relax(engine) if method == "deterministic" else weigh(engine, Path(folder), given.memory_mb)
            linked, true = engine.rows(f"SELECT count(*), count(*) FILTER (WHERE patient = person) FROM ({decided})")[0]
            print(
                json.dumps(
                    {
                        "method": method,
                        "hospital_stays": n_own,
                        "national_stays": 5 * given.stays,
                        "seconds": round(perf_counter() - started, 1),
                        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                        "recall": round(true / n_patients, 5),
                        "precision": round(true / max(1, linked), 5),
                    }
                ),
                flush=True,
            )


if __name__ == "__main__":
    main()
