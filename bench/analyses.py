"""How long analyses of several kinds take, against one scan of the tables that they read.

    python bench/analyses.py [--times 10] [--data ../shared/data/omop/gibleed]

Each analysis is timed from its study file to its result, cohorts included, on GiBleed with every person several times,
engine and tables in memory. The reference is one scan: each column that the study reads of each table that it reads
asked for its distinct values, in the same run. A ratio of 0.1 says that the analysis takes as long as ten such
scans. Seconds are processor seconds of both threads, the shorter of two runs in turn. Case series, which take the
longest, run once on GiBleed as it is. The peer that would be the fairer reference, omopy, wants Python 3.14 and does
not install on 3.11.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

from gibleed import GIBLEED, InMemory, make_gibleed_times

from enclos.studies.document import study_from_yaml
from enclos.studies.model import Study
from enclos.studies.steps import run_study
from enclos.studies.steps.vocabulary import columns_read

COHORTS = """
study: bench
cohorts:
  acetaminophen: {concepts: [1127433, 1127078, 40231925], descendants: false, domain: drug, limit: all,
                  end: event_end, gap_era: 30}
  amoxicillin: {concepts: [1713671], descendants: false, domain: drug, limit: all, end: event_end, gap_era: 30}
  celecoxib: {concepts: [1118084], descendants: false, domain: drug, limit: all, end: event_end, gap_era: 30}
  gibleed: {concepts: [192671], domain: condition, limit: first, end: observation_end}
  bronchitis: {concepts: [260139], domain: condition, limit: first, end: observation_end}
analyses:
  - """
ANALYSES = {
    "characteristics of 3 cohorts, large scale": """characterise:
      cohort: [acetaminophen, amoxicillin, celecoxib]
      age_groups: [[0, 17], [18, 64], [65, 150]]
      intersect: [{cohort: [gibleed, bronchitis], window: [null, -1], label: prior}]
      large_scale: {windows: [[null, -1], [0, 0], [1, 365]], event_in_window: condition, episode_in_window: drug}
    """,
    "utilisation of 3 drugs": """utilisation:
      cohort: [acetaminophen, amoxicillin, celecoxib]
      gap_era: 30
      indication: {cohort: [gibleed, bronchitis], windows: [[0, 0], [-30, 0], [null, 0]]}
      covered_days: 180
    """,
    "survival from 3 drugs to 2 outcomes": """survival:
      target: [acetaminophen, amoxicillin, celecoxib]
      outcome: [gibleed, bronchitis]
      event_gap: 365
    """,
    "pathways of 3 drugs after bronchitis": """pathways:
      target: bronchitis
      treatments: [acetaminophen, amoxicillin, celecoxib]
      follow_up_days: 365
    """,
}
SERIES = {
    "case series of bronchitis after 2 drugs": """sccs:
      exposure: [acetaminophen, amoxicillin]
      outcome: bronchitis
      windows: {exposed: {start: 0, end: 30, end_anchor: start}}
    """,
    "case series with splines over age, season and calendar time": """sccs:
      exposure: [acetaminophen, amoxicillin]
      outcome: bronchitis
      windows: {exposed: {start: 0, end: 30, end_anchor: start}}
      age_spline: true
      season_spline: true
      calendar_spline: true
    """,
}
REPEATS = 2


def scan(study: Study, cdm: InMemory) -> None:
    """Read every column that the study reads of every table that it reads, once."""
    for table, names in columns_read(study).items():
        held = {row[0] for row in cdm.connection.execute(f"DESCRIBE {table}").fetchall()}
        counts = ", ".join(f"approx_count_distinct({name})" for name in names if name in held)
        cdm.connection.execute(f"SELECT {counts} FROM {table}").fetchall()


def seconds(work: Callable[[], object]) -> float:
    """Processor seconds."""
    started = process_time()
    work()
    return process_time() - started


def measure(n_times: int, folder: Path) -> list[dict[str, Any]]:
    """One object per analysis: name, seconds, reference_seconds (one scan), ratio."""
    whole, once = make_gibleed_times(n_times, folder), make_gibleed_times(1, folder)
    found = []
    for name, text in {**ANALYSES, **SERIES}.items():
        study, is_series = study_from_yaml(COHORTS + text), name in SERIES
        cdm = once if is_series else whole
        turns = [
            (seconds(partial(run_study, study, cdm)), seconds(partial(scan, study, cdm)))
            for _ in range(1 if is_series else REPEATS)
        ]
        taken, reference = (min(column) for column in zip(*turns, strict=True))
        line = {
            "name": f"GiBleed × {1 if is_series else n_times}: {name}, against one scan of its tables",
            "seconds": round(taken, 3),
        }
        ratio = float(f"{reference / taken:.3g}")  # some are so small that places after the point would be too few
        found.append(line | {"reference_seconds": round(reference, 4), "ratio": ratio})
    return found


def main() -> int:
    """Measure and print, as a table and as one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--data", type=Path, default=GIBLEED)
    arguments = parser.parse_args()
    if not arguments.data.exists():
        print(f"no GiBleed at {arguments.data}: give --data", file=sys.stderr)
        return 2
    found = measure(arguments.times, arguments.data)
    for line in found:
        taken = f"{line['seconds']:8.2f} s  scan {line['reference_seconds']:6.2f} s  × {line['ratio']:8.3g}"
        print(f"{line['name']:90} {taken}", file=sys.stderr)
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
