"""A bucket made ready: persons, outcomes and denominators as temporary tables."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa

from enclos.studies.circe import steps as circe
from enclos.studies.circe.plans.records import Reading
from enclos.studies.derived.plans import plan_derived, plan_given
from enclos.studies.model import CirceCohort, Cohort
from enclos.studies.plans import cohorts, denominators, incidence, people
from enclos.studies.ports import Cdm, CdmBucket, Check, Progress, Spread
from enclos.studies.rules.outline import Denominator, derived_in_order
from enclos.studies.steps.vocabulary import ConceptSets
from enclos.studies.work import NOTHING_GIVEN, Given, Partial, Work


class Stage(ABC):
    """One look at all buckets: makes tables in each, takes what they answer, and adds it up.

    A bucket may be looked at elsewhere: there a stage of its own prepares it and asks, and the answers are taken here.
    So what is taken may depend on answers and on buckets before; what is asked of a bucket never lacks what another
    order of buckets would ask, and a question that is asked twice of a bucket is asked twice of every bucket.
    """

    @abstractmethod
    def prepare(self, bucket: CdmBucket) -> None:
        """Make the tables that are asked."""

    @abstractmethod
    def take(self, bucket: CdmBucket) -> None:
        """Ask a bucket that was prepared, and add its answers to those of the buckets before."""

    def look(self, bucket: CdmBucket) -> Partial:
        """What a bucket answers; the stage is new, and has looked at no other."""
        partial = Partial()
        self.prepare(bucket)
        self.take(Listening(bucket, partial))
        return partial

    def absorb(self, partial: Partial) -> None:
        """Add the answers of a bucket that was looked at elsewhere."""
        self.take(Retold(partial))


class Listening:
    """A bucket whose answers are written down."""

    def __init__(self, bucket: CdmBucket, partial: Partial) -> None:
        self._bucket = bucket
        self._partial = partial

    def query(self, sql: str) -> pa.Table:
        """Ask, and write the answer down."""
        answer = self._bucket.query(sql)
        self._partial.put(sql, answer)
        return answer

    def execute(self, sql: str) -> None:
        """Run a statement for its effect."""
        self._bucket.execute(sql)

    def load(self, name: str, rows: pa.Table) -> None:
        """Make a temporary table of some rows."""
        self._bucket.load(name, rows)


class Retold:
    """A bucket that is elsewhere: its answers are known, and nothing needs to be made."""

    def __init__(self, partial: Partial) -> None:
        self._partial = partial

    def query(self, sql: str) -> pa.Table:
        """The answer that was written down."""
        return self._partial.answer(sql)

    def execute(self, sql: str) -> None:
        """Nothing: it was done where the bucket is."""

    def load(self, name: str, rows: pa.Table) -> None:
        """Nothing: it was done where the bucket is."""


@dataclass(slots=True)
class Walk:
    """Opens bucket after bucket, asking for the right to go on before each and telling how far it is.

    In: spread — looks at the buckets elsewhere, asking for the right itself; None: they are opened here
    """

    cdm: Cdm
    check: Check | None
    progress: Progress | None
    n_passes: int
    n_done: int = 0
    spread: Spread | None = None

    def through(self, stage: Stage, work: Work) -> None:
        """Look at every bucket once, here or elsewhere."""
        if self.spread is None:
            for bucket in self.buckets():
                stage.prepare(bucket)
                stage.take(bucket)
            return
        for partial in self.spread(work):
            stage.absorb(partial)
            self._tell()

    def buckets(self) -> Iterator[CdmBucket]:
        """Each bucket once, in order; what the study made in it is dropped at its end."""
        for number in self.cdm.buckets:
            if self.check is not None:
                self.check()
            with self.cdm.bucket(number) as bucket, swept(bucket):
                yield bucket
            self._tell()

    def _tell(self) -> None:
        self.n_done += 1
        if self.progress is not None:
            self.progress(self.n_done, self.n_passes * len(self.cdm.buckets))


@contextmanager
def swept(bucket: CdmBucket) -> Iterator[None]:
    """Drop what a study makes in a bucket when the block ends."""
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
