"""What must be known of all persons before any is counted."""

from __future__ import annotations

from enclos.studies.plans import denominators, people
from enclos.studies.ports import CdmBucket
from enclos.studies.rules.outline import Outline
from enclos.studies.steps.buckets import Stage, make_denominators, make_events, make_persons
from enclos.studies.steps.vocabulary import Vocabulary
from enclos.studies.work import Given, Survey


def survey_needed(outline: Outline) -> bool:
    """Whether the study needs a survey: it leaves a date to the data, or has a prevalence."""
    return outline.needs_observed_days or bool(outline.prevalence_denominators)


class SurveyStage(Stage):
    """Looks at who is observed when."""

    def __init__(self, outline: Outline, given: Given, vocabulary: Vocabulary) -> None:
        self.found = Survey()
        self._outline = outline
        self._given = given
        self._vocabulary = vocabulary
        self._indices = outline.prevalence_denominators

    def prepare(self, bucket: CdmBucket) -> None:
        """Make the denominators whose days are asked."""
        wanted, outline = [self._outline.denominators[index] for index in self._indices], self._outline
        if not wanted:
            return
        make_persons(bucket)
        if any(each.target is not None for each in wanted):
            concept_sets = self._vocabulary.concepts_of(outline.cohorts, bucket)
            make_events(bucket, outline.cohorts, concept_sets, with_gaps=False, given=self._given)
        make_denominators(bucket, wanted, outline.places, outline.departments)

    def take(self, bucket: CdmBucket) -> None:
        """Widen the days by those of the bucket."""
        found = self.found
        observed = bucket.query(people.plan_observed_days()).to_pylist()[0]
        if observed["first_day"] is not None:
            found.observed = _wider(found.observed, observed["first_day"], observed["last_day"])
        if not self._indices:
            return
        for row in bucket.query(denominators.plan_denominator_counts()).to_pylist():
            index = self._indices[row["denominator"]]
            found.denominators[index] = _wider(found.denominators.get(index), row["first_day"], row["last_day"])


class DepartmentsStage(Stage):
    """Looks where persons live."""

    def __init__(self) -> None:
        self._found: set[str] = set()

    def prepare(self, bucket: CdmBucket) -> None:
        """Nothing is made."""

    def take(self, bucket: CdmBucket) -> None:
        """Add the departments of the bucket."""
        self._found.update(bucket.query(people.plan_departments())["department"].to_pylist())

    @property
    def departments(self) -> list[str]:
        """All that were seen, in order."""
        return sorted(self._found)


def _wider(span: tuple[int, int] | None, first_day: int, last_day: int) -> tuple[int, int]:
    return (first_day, last_day) if span is None else (min(span[0], first_day), max(span[1], last_day))
