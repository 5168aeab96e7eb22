"""A bucket made ready: persons, outcomes and denominators as temporary tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import pyarrow as pa

from enclos.studies.circe import steps as circe
from enclos.studies.circe.plans.records import Reading
from enclos.studies.derived.plans import plan_derived, plan_given
from enclos.studies.model import CirceCohort, Cohort
from enclos.studies.plans import cohorts, denominators, incidence, people
from enclos.studies.ports import Cdm, CdmBucket, Check, Progress
from enclos.studies.rules.outline import Denominator, derived_in_order
from enclos.studies.steps.vocabulary import ConceptSets

Given: TypeAlias = Mapping[str, pa.Table]
"""The entries of cohorts that are known before a bucket is opened, by name: person_id, first_day, last_day."""
NOTHING_GIVEN: Given = MappingProxyType({})


@dataclass(slots=True)
class Walk:
    """Opens bucket after bucket, asking for the right to go on before each and telling how far it is."""

    cdm: Cdm
    check: Check | None
    progress: Progress | None
    n_passes: int
    n_done: int = 0

    def buckets(self) -> Iterator[CdmBucket]:
        """Each bucket once, in order; what the study made in it is dropped at its end."""
        n_total = self.n_passes * len(self.cdm.buckets)
        for number in self.cdm.buckets:
            if self.check is not None:
                self.check()
            with self.cdm.bucket(number) as bucket, _swept(bucket):
                yield bucket
            self.n_done += 1
            if self.progress is not None:
                self.progress(self.n_done, n_total)


@contextmanager
def _swept(bucket: CdmBucket) -> Iterator[None]:
    yield
    for statement in people.plan_drops():
        bucket.execute(statement)


def make_persons(bucket: CdmBucket) -> None:
    """Make the tables of persons and of the time they are observed."""
    bucket.execute(people.plan_person())
    bucket.execute(people.plan_observed())


def make_denominators(
    bucket: CdmBucket, wanted: Sequence[Denominator], places: Mapping[str, int], departments: Sequence[str] = ()
) -> None:
    """Make the table of time at risk; persons must be made, and the cohorts where there is a target.

    In: places — the index of each cohort; departments — by their numbers
    """
    if departments:
        rows = pa.table({"department": list(departments), "number": pa.array(range(len(departments)), pa.int32())})
        bucket.load(people.DEPARTMENTS, rows)
        bucket.execute(people.plan_home())
        bucket.execute(f"DROP TABLE {people.DEPARTMENTS}")
    bucket.execute(denominators.plan_base(wanted))
    bucket.execute(denominators.plan_denominators(wanted, places))


def make_events(
    bucket: CdmBucket,
    wanted: Sequence[Cohort],
    concept_sets: ConceptSets,
    *,
    with_gaps: bool,
    given: Given = NOTHING_GIVEN,
) -> None:
    """Make the table of outcome cohorts, and of the gaps between events where asked; persons must be made."""
    if concept_sets.of_names:
        bucket.execute(cohorts.plan_codes(wanted, concept_sets.of_names))
    bucket.execute(cohorts.plan_events(wanted))
    if (outline := concept_sets.circe) is not None:
        rows = circe.made_in(bucket, Reading(outline, concept_sets.of_sets)).rows
        numbers = [index for index, cohort in enumerate(wanted) if isinstance(cohort, CirceCohort)]
        bucket.load(people.GIVEN, rows)
        bucket.execute(cohorts.plan_circe_events(numbers, people.GIVEN))
        bucket.execute(f"DROP TABLE {people.GIVEN}")
    places = {cohort.name: index for index, cohort in enumerate(wanted)}
    for name in places.keys() & given.keys():
        bucket.load(people.GIVEN, given[name])
        bucket.execute(plan_given(places[name], people.GIVEN))
        bucket.execute(f"DROP TABLE {people.GIVEN}")
    for cohort in derived_in_order(wanted):
        if cohort.name not in given:
            bucket.execute(plan_derived(places[cohort.name], cohort.operation, places))
    if with_gaps:
        bucket.execute(incidence.plan_gaps())
