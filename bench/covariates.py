"""How long covariates take: those of 100 000 persons, gathered from the records of a million.

    python bench/covariates.py [--persons 1000000] [--dir DIR] [--keep]

Tables are those of `scale.py`: 28 conditions and as many drugs a person on average over five years, in classes. Each
further domain shows one of them again under numbers of its own (procedures and measurements the conditions, devices
and observations the drugs), so that all domains and all windows of the default set have records. Two drugs that some
100 000 persons begin are compared; timed are the cohorts, the gathering bucket by bucket and the matrix, in one process
on two threads, not the score. Goal: 60 s and 6 GiB for 100 000 of a million persons; held to processor seconds, which
are no fewer than those of a clock where no thread waits.
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
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
from gibleed import InMemory
from scale import FIRST_DRUG, InFiles, write_tables

from enclos.studies.compare.model import Comparison
from enclos.studies.compare.rules.covariates import demographics_of, matrix
from enclos.studies.compare.rules.population import eligible
from enclos.studies.compare.steps.gathering import Gatherer
from enclos.studies.document import study_from_yaml
from enclos.studies.rules.outline import draws_of, outline_of
from enclos.studies.steps.buckets import Walk, make_events, make_persons
from enclos.studies.steps.drawing import draw
from enclos.studies.steps.vocabulary import resolve_concepts

GOAL_SECONDS, GOAL_GIB, GOAL_PERSONS = 60.0, 6.0, 100_000
STUDY = f"""
study: covariates
cohorts:
  new: {{concepts: [{FIRST_DRUG + 27}], domain: drug, limit: first, end: event_end}}
  old: {{concepts: [{FIRST_DRUG + 28}], domain: drug, limit: first, end: event_end}}
  harm: {{concepts: [10040], domain: condition, limit: first, end: event_end}}
analyses:
  - compare: {{target: new, comparator: old, outcome: harm, outcome_washout: 0}}
"""
AGAIN = {
    "procedure_occurrence": ("condition_occurrence", 30_000, "procedure_concept_id", "procedure_date"),
    "measurement": ("condition_occurrence", 40_000, "measurement_concept_id", "measurement_date"),
    "device_exposure": ("drug_exposure", 50_000, "device_concept_id", "device_exposure_start_date"),
    "observation": ("drug_exposure", 60_000, "observation_concept_id", "observation_date"),
    "visit_occurrence": ("condition_occurrence", 0, "visit_concept_id", "visit_start_date"),
}


@dataclass(frozen=True)
class AllDomains(InFiles):
    """The files, each domain that they lack shown from one that they have."""

    @contextmanager
    def bucket(self, bucket: int) -> Iterator[InMemory]:
        with super().bucket(bucket) as opened:
            for table, (source, offset, concept, day) in AGAIN.items():
                prefix = "condition" if source == "condition_occurrence" else "drug"
                start = f"{source if prefix == 'drug' else prefix}_start_date"
                self.connection.execute(
                    f"CREATE OR REPLACE TEMP VIEW {table} AS "
                    f"SELECT person_id, {prefix}_concept_id + {offset} AS {concept}, {start} AS {day} FROM {source}"
                )
            yield opened


def measured(folder: Path, n_buckets: int) -> dict[str, Any]:
    """Gather and make the matrix in this process."""
    cdm = AllDomains(folder, n_buckets)
    cdm.connection.execute(f"SET threads = 2; SET memory_limit = '2GB'; SET temp_directory = '{folder / 'spilled'}'")
    study = study_from_yaml(STUDY)
    (asked,) = (each for each in study.analyses if isinstance(each, Comparison))
    outline = outline_of(study)
    started, worked = perf_counter(), process_time()
    walk = Walk(cdm, None, None, n_passes=1)
    given = draw(draws_of(outline.cohorts), walk)
    gatherer, concepts = Gatherer(asked, outline.cohorts), None
    for bucket in walk.buckets():
        concepts = concepts or resolve_concepts(outline.cohorts, bucket)
        make_persons(bucket)
        make_events(bucket, outline.cohorts, concepts, with_gaps=False, given=given)
        gatherer.take(bucket, 0)
    gathered = perf_counter() - started
    entries, numbers = gatherer.all_entries(asked.primary)
    at = np.flatnonzero(eligible(entries, asked.primary.eligibility)[-1][1])
    row_of = np.full(gatherer.found.n_entries, -1, dtype=np.int64)
    row_of[numbers[at]] = np.arange(len(at))
    who, wanted = entries.take(at), asked.primary.covariates
    demographics = demographics_of(who.age, who.sex, who.first_day)
    made = matrix(gatherer.found.covariates, demographics, row_of, wanted.sources, wanted.lookbacks)
    found = {"n_entries": len(at), "n_covariates": made.values.shape[1], "n_values": made.values.nnz}
    return {
        **found,
        "seconds": round(perf_counter() - started, 1),
        "gathering_seconds": round(gathered, 1),
        "processor_seconds": round(process_time() - worked, 1),
        "gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
    }


def main() -> int:
    """Measure and print; with --measured, be the process that is measured."""
    if sys.argv[1:2] == ["--measured"]:
        print(json.dumps(measured(Path(sys.argv[2]), int(sys.argv[3]))))
        return 0
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--persons", type=int, default=1_000_000)
    parser.add_argument("--dir", type=Path, help="where tables are written; a temporary folder by default")
    parser.add_argument("--keep", action="store_true", help="leave the tables there")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (arguments.dir or Path(temporary)) / f"persons_{arguments.persons}"
        folder.mkdir(parents=True)
        try:
            n_buckets = write_tables(arguments.persons, folder)
            command = [sys.executable, __file__, "--measured", str(folder), str(n_buckets)]
            told = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
        finally:
            if not arguments.keep:
                shutil.rmtree(folder, ignore_errors=True)
    line = {"name": f"covariates of {told['n_entries']} entries among {arguments.persons} persons", **told}
    ratio = GOAL_SECONDS / told["processor_seconds"] * told["n_entries"] / GOAL_PERSONS
    line |= {"ratio": round(ratio, 2), "goal": 1.0, "met": ratio >= 1 and told["gib"] <= GOAL_GIB}
    print(json.dumps([line]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
