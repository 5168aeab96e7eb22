"""Cohorts whose persons are drawn from all buckets, known before any analysis counts."""

from __future__ import annotations

from collections.abc import Sequence

from enclos.studies.derived.steps import Drawing
from enclos.studies.rules.outline import Draw
from enclos.studies.steps.buckets import NOTHING_GIVEN, Given, Walk, make_events, make_persons
from enclos.studies.steps.vocabulary import ConceptSets, resolve_concepts


def draw(draws: Sequence[Draw], walk: Walk) -> Given:
    """The entries of every drawn cohort, all buckets looked at once for each draw."""
    given = dict(NOTHING_GIVEN)
    for each in draws:
        drawings = [Drawing(cohort) for cohort in each.drawn]
        numbers = {cohort.name: at for at, cohort in enumerate(each.cohorts)}
        concept_sets: ConceptSets | None = None
        for bucket in walk.buckets():
            concept_sets = concept_sets or resolve_concepts(each.cohorts, bucket)
            make_persons(bucket)
            make_events(bucket, each.cohorts, concept_sets, with_gaps=False, given=given)
            for drawing in drawings:
                drawing.take(bucket, numbers)
        given |= {drawing.name: drawing.entries() for drawing in drawings}
    return given
