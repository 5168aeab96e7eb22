"""Cohorts whose persons are drawn from all buckets, known before any analysis counts."""

from __future__ import annotations

from collections.abc import Sequence

from enclos.studies.derived.steps import Drawing
from enclos.studies.ports import CdmBucket
from enclos.studies.rules.outline import Draw
from enclos.studies.steps.buckets import Stage, Walk, make_events, make_persons
from enclos.studies.steps.vocabulary import Vocabulary
from enclos.studies.work import NOTHING_GIVEN, Given, Look, Work


class DrawStage(Stage):
    """Gathers what the cohorts of one draw need of every bucket."""

    def __init__(self, draw: Draw, given: Given, vocabulary: Vocabulary) -> None:
        self._draw = draw
        self._given = given
        self._vocabulary = vocabulary
        self._drawings = [Drawing(cohort) for cohort in draw.drawn]
        self._numbers = {cohort.name: at for at, cohort in enumerate(draw.cohorts)}

    def prepare(self, bucket: CdmBucket) -> None:
        """Make the cohorts that are drawn from."""
        concept_sets = self._vocabulary.concepts_of(self._draw.cohorts, bucket)
        make_persons(bucket)
        make_events(bucket, self._draw.cohorts, concept_sets, with_gaps=False, given=self._given)

    def take(self, bucket: CdmBucket) -> None:
        """Take the rows that can be drawn."""
        for drawing in self._drawings:
            drawing.take(bucket, self._numbers)

    def entries(self) -> Given:
        """The entries of each drawn cohort, all buckets looked at."""
        return {drawing.name: drawing.entries() for drawing in self._drawings}


def draw(draws: Sequence[Draw], walk: Walk) -> Given:
    """The entries of every drawn cohort, all buckets looked at once for each draw."""
    given = dict(NOTHING_GIVEN)
    for number, each in enumerate(draws):
        stage = DrawStage(each, given, Vocabulary())
        walk.through(stage, Work(Look.DRAW, draw=number, given=given))
        given |= stage.entries()
    return given
