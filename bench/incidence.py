"""How long incidence and prevalence take on GiBleed, as it is and many times over, against the R packages.

    python bench/incidence.py [--times 50] [--repeat 3] [--data ../shared/data/omop/gibleed]

The reference seconds were measured with R 4.5, IncidencePrevalence 1.2.1 and CDMConnector on DuckDB, on two shared
cores under load: they are upper bounds, and the ratios are to be read as such. Engine and tables are in memory; what
an encrypted lake and a permit's view add is measured elsewhere. Every run also builds the person set of every cell.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from gibleed import GIBLEED, InMemory, make_gibleed_times

from enclos.studies.model import (
    AfterDays,
    AgeGroup,
    ConceptCohort,
    Domain,
    Incidence,
    Interval,
    Limit,
    PeriodPrevalence,
    PointPrevalence,
    Population,
    Sex,
    Study,
)
from enclos.studies.plans import denominators
from enclos.studies.rules.outline import denominators_of
from enclos.studies.steps import buckets, run_study
from enclos.studies.steps.vocabulary import resolve_concepts

TABLES = ("person", "observation_period", "condition_occurrence", "concept", "concept_ancestor")
OUTCOMES = {"gibleed": 192671, "bronchitis": 260139, "sinusitis": 40481087, "otitis": 372328}
COHORTS = tuple(
    ConceptCohort(name, (concept,), False, Domain.CONDITION, Limit.ALL, AfterDays(1))
    for name, concept in OUTCOMES.items()
)
NAMES = tuple(OUTCOMES)
AGES = tuple(AgeGroup(*ages) for ages in ((0, 150), (0, 17), (18, 64), (65, 150)))
TWENTY_FOUR = Population(AGES, tuple(Sex), (0, 365))


def one(analysis: Any) -> Study:
    return Study("bench", COHORTS, (analysis,))


YEARLY = Incidence(NAMES, Population())
POINT = PointPrevalence(NAMES, Population(), (Interval.YEARS,))
PERIOD = PeriodPrevalence(NAMES, Population(), (Interval.YEARS,))
REPEATED = Incidence(NAMES, Population(), washout_days=365, repeated_events=True)
MANY = one(Incidence(NAMES, TWENTY_FOUR))


def make_cohorts(cdm: InMemory) -> None:
    """The outcome cohorts as a table of the database, as R leaves them."""
    buckets.make_persons(cdm)
    buckets.make_events(cdm, COHORTS, resolve_concepts(COHORTS, cdm), with_gaps=False)


def make_population(cdm: InMemory, population: Population) -> None:
    """The denominators as a table of the database, as R leaves them, with their attrition."""
    buckets.make_persons(cdm)
    buckets.make_denominators(cdm, denominators_of(population), {})
    cdm.query(denominators.plan_denominator_counts())
    cdm.query(denominators.plan_attrition(population, 0, 0))


SCALED: dict[str, tuple[float, Callable[[InMemory], object]]] = {
    "4 concept cohorts": (7.1, make_cohorts),
    "1 denominator": (5.6, lambda cdm: make_population(cdm, Population())),
    "incidence, 4 outcomes by year": (23.5, lambda cdm: run_study(one(YEARLY), cdm)),
    "point prevalence, 4 outcomes by year": (32.2, lambda cdm: run_study(one(POINT), cdm)),
    "period prevalence, 4 outcomes by year": (37.1, lambda cdm: run_study(one(PERIOD), cdm)),
    "24 denominators": (29.8, lambda cdm: make_population(cdm, TWENTY_FOUR)),
}
"""Seconds that R takes on GiBleed × 50, and what does the same here, each from the records on."""

STUDY = Study("bench", COHORTS, (YEARLY, POINT, PERIOD))
"""The four cohorts, the denominator and the three analyses above as a user asks for them: in one study."""


def seconds(work: Callable[[InMemory], object], cdm: InMemory, n_repeats: int) -> float:
    """The shortest of several runs."""
    best = float("inf")
    for _ in range(n_repeats):
        started = perf_counter()
        work(cdm)
        best = min(best, perf_counter() - started)
    return best


def measure(n_times: int, n_repeats: int, folder: Path) -> list[dict[str, Any]]:
    """One object per goal: name, seconds, reference_seconds, ratio, goal (ratio or seconds), met."""
    found: list[dict[str, Any]] = []
    small, large = (make_gibleed_times(n, folder, TABLES) for n in (1, n_times))
    many = seconds(lambda cdm: run_study(MANY, cdm), small, n_repeats)
    found.append(_line("GiBleed: 96 analyses (24 denominators × 4 outcomes)", many, 97.0, goal_seconds=2.0))
    for name, (reference, work) in SCALED.items():
        found.append(_line(f"× {n_times}: {name}", seconds(work, large, n_repeats), reference))
    study = seconds(lambda cdm: run_study(STUDY, cdm), large, n_repeats)
    reference = sum(reference for reference, _ in SCALED.values())
    together = study + found[-1]["seconds"]
    found.append(_line(f"× {n_times}: all of it, as one study and 24 denominators", together, reference, 3.0))
    repeated = seconds(lambda cdm: run_study(one(REPEATED), cdm), large, n_repeats)
    found.append(_line(f"× {n_times}: incidence, washout 365, repeated events", repeated, 38.9))
    return found


def _line(name: str, taken: float, reference: float, goal_seconds: float | None = None) -> dict[str, Any]:
    line: dict[str, Any] = {"name": name, "seconds": round(taken, 3), "reference_seconds": reference}
    line["ratio"] = round(reference / taken, 1)
    if goal_seconds is not None:
        line |= {"goal": round(reference / goal_seconds, 1), "met": taken <= goal_seconds}
    return line


def main() -> int:
    """Measure and print, as a table and as one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--data", type=Path, default=GIBLEED)
    arguments = parser.parse_args()
    if not arguments.data.exists():
        print(f"no GiBleed at {arguments.data}: give --data", file=sys.stderr)
        return 2
    found = measure(arguments.times, arguments.repeat, arguments.data)
    for line in found:
        goal = "" if "met" not in line else f"  goal × {line['goal']:.0f}: {'met' if line['met'] else 'not met'}"
        taken = f"{line['seconds']:8.2f} s  R {line['reference_seconds']:6.1f} s  × {line['ratio']:6.1f}"
        print(f"{line['name']:60} {taken}{goal}", file=sys.stderr)
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
