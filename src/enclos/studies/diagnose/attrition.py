"""What each rule leaves of a cohort, followed back through the cohorts that it is made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from enclos.studies.circe import steps as circe
from enclos.studies.circe.outline import outline_of
from enclos.studies.circe.plans.records import Reading
from enclos.studies.circe.resolving import resolve
from enclos.studies.derived.model import entries_from
from enclos.studies.derived.plans import plan_stages as plan_derived_stages
from enclos.studies.diagnose import plans
from enclos.studies.model import CirceCohort, Cohort, ConceptCohort
from enclos.studies.plans.cohorts import Stage, plan_stages
from enclos.studies.plans.people import GIVEN
from enclos.studies.ports import CdmBucket
from enclos.studies.rules.evidence import Feature
from enclos.studies.rules.tally import person_set


class AttritionCounter:
    """Counts the attrition of some cohorts; one that others are put together to begins anew."""

    def __init__(self, names: Sequence[str], cohorts: Sequence[Cohort]) -> None:
        self._cohorts = cohorts
        self._numbers = {cohort.name: at for at, cohort in enumerate(cohorts)}
        self._definitions: dict[str, int] = {}
        self._stages = {name: self._chain(name) for name in names}
        self.left = {name: [(stage.reason, Feature()) for stage in stages] for name, stages in self._stages.items()}
        """Of each cohort: each reason with what it leaves."""

    def _chain(self, name: str) -> list[Stage]:
        number = self._numbers[name]
        cohort = self._cohorts[number]
        if isinstance(cohort, ConceptCohort):
            return plan_stages(self._cohorts, number)
        if isinstance(cohort, CirceCohort):
            among = self._definitions.setdefault(name, len(self._definitions))
            return plans.plan_circe_stages(self._cohorts, number, among)
        sources = entries_from(cohort.operation)
        before = self._chain(sources[0]) if len(sources) == 1 else []
        return [*before, *plan_derived_stages(number, cohort.operation, self._numbers)]

    def take(self, bucket: CdmBucket, first_person: int) -> None:
        """Count a bucket."""
        if self._definitions:
            self._make_qualified(bucket)
        found: dict[str, Feature] = {}
        """What each stage leaves: cohorts made of one another share stages."""
        for name, stages in self._stages.items():
            for stage, (_, left) in zip(stages, self.left[name], strict=True):
                if stage.entries not in found:
                    rows = bucket.query(plans.plan_left(stage))
                    persons = person_set((rows["ordinal"].to_numpy() + first_person).astype(np.uint32))
                    found[stage.entries] = Feature(int(rows["n"].to_numpy().sum()), persons)
                left.add(found[stage.entries].n, found[stage.entries].persons)
        bucket.execute(f"DROP TABLE IF EXISTS {plans.QUALIFIED}")

    def _make_qualified(self, bucket: CdmBucket) -> None:
        wanted = [cohort for cohort in self._cohorts if cohort.name in self._definitions]
        wanted.sort(key=lambda cohort: self._definitions[cohort.name])
        outline = outline_of([each.definition for each in wanted if isinstance(each, CirceCohort)])
        made = circe.made_in(bucket, Reading(outline, resolve(outline, bucket)), attrition=True)
        if made.left is not None:
            bucket.load(GIVEN, made.left.select(["cohort", "person_id", "n_rules"]))
            bucket.execute(plans.plan_qualified(GIVEN))
            bucket.execute(f"DROP TABLE {GIVEN}")
