"""What must be known of all persons before any is counted."""

from __future__ import annotations

from dataclasses import dataclass, field

from enclos.studies.plans import denominators, people
from enclos.studies.rules.outline import Outline
from enclos.studies.steps.buckets import Given, Walk, make_denominators, make_events, make_persons
from enclos.studies.steps.vocabulary import ConceptSets, resolve_concepts


@dataclass(slots=True)
class Survey:
    """The observed days of the whole database, and of each denominator of a prevalence."""

    observed: tuple[int, int] | None = None
    denominators: dict[int, tuple[int, int]] = field(default_factory=dict)


def survey_needed(outline: Outline) -> bool:
    """Whether the study needs a survey: it leaves a date to the data, or has a prevalence."""
    return outline.needs_observed_days or bool(outline.prevalence_denominators)


def survey(outline: Outline, walk: Walk, given: Given) -> Survey:
    """Look at who is observed when, in one pass."""
    found = Survey()
    indices = outline.prevalence_denominators
    wanted = [outline.denominators[index] for index in indices]
    in_targets = any(each.target is not None for each in wanted)
    concept_sets: ConceptSets | None = None
    for bucket in walk.buckets():
        observed = bucket.query(people.plan_observed_days()).to_pylist()[0]
        if observed["first_day"] is not None:
            found.observed = _wider(found.observed, observed["first_day"], observed["last_day"])
        if not wanted:
            continue
        make_persons(bucket)
        if in_targets:
            concept_sets = concept_sets or resolve_concepts(outline.cohorts, bucket)
            make_events(bucket, outline.cohorts, concept_sets, with_gaps=False, given=given)
        make_denominators(bucket, wanted, outline.places, outline.departments)
        for row in bucket.query(denominators.plan_denominator_counts()).to_pylist():
            index = indices[row["denominator"]]
            found.denominators[index] = _wider(found.denominators.get(index), row["first_day"], row["last_day"])
    return found


def departments_in(walk: Walk) -> list[str]:
    """Where persons live, in order, in one pass."""
    found: set[str] = set()
    for bucket in walk.buckets():
        found.update(bucket.query(people.plan_departments())["department"].to_pylist())
    return sorted(found)


def _wider(span: tuple[int, int] | None, first_day: int, last_day: int) -> tuple[int, int]:
    return (first_day, last_day) if span is None else (min(span[0], first_day), max(span[1], last_day))
