"""Run a study."""

from __future__ import annotations

from enclos.contracts.result import StudyResult
from enclos.lexicon.version import __version__
from enclos.studies.model import Study
from enclos.studies.ports import Cdm, CdmBucket, Check, Progress, Spread
from enclos.studies.rules.outline import Outline, draws_of, outline_of
from enclos.studies.rules.report import Report
from enclos.studies.steps.buckets import (
    Listening,
    Retold,
    Stage,
    Walk,
    make_denominators,
    make_events,
    make_persons,
    swept,
)
from enclos.studies.steps.counts import Pending, empty_counts
from enclos.studies.steps.drawing import DrawStage, draw
from enclos.studies.steps.findings import findings
from enclos.studies.steps.following import follower_of
from enclos.studies.steps.survey import DepartmentsStage, SurveyStage, survey_needed
from enclos.studies.steps.vocabulary import Vocabulary
from enclos.studies.work import Given, Look, Partial, Survey, Work


def run_study(
    study: Study,
    cdm: Cdm,
    *,
    progress: Progress | None = None,
    check: Check | None = None,
    spread: Spread | None = None,
) -> StudyResult:
    """The estimates, attrition and person sets of a study; the same for any number of buckets, and wherever they are.

    In:      check — called before each bucket is opened; what it raises ends the study; spread — has the buckets
             looked at elsewhere, in place of opening them here
    Out:     see contracts/result.py; nothing is rounded away or hidden
    Refuses: STUDY_CONCEPT_UNKNOWN when the vocabulary lacks a concept of the study
    """
    outline = outline_of(study)
    needed = survey_needed(outline)
    draws = draws_of(outline.cohorts)
    walk = Walk(cdm, check, progress, n_passes=1 + needed + len(draws) + outline.by_department, spread=spread)
    departments: tuple[str, ...] = ()
    if outline.by_department:
        where = DepartmentsStage()
        walk.through(where, Work(Look.DEPARTMENTS))
        departments = tuple(where.departments)
        outline = outline_of(study, departments)
    given = draw(draws, walk)
    surveyed = SurveyStage(outline, given, Vocabulary())
    if needed:
        walk.through(surveyed, Work(Look.SURVEY, departments=departments, given=given))
    counted = CountStage(outline, surveyed.found, given, Vocabulary())
    walk.through(counted, Work(Look.COUNT, departments=departments, given=given, survey=surveyed.found))
    return counted.findings(Report(cdm.name, __version__))


class CountStage(Stage):
    """Counts every analysis: rates where the bucket is, what follows persons from the answers that the bucket gives."""

    def __init__(self, outline: Outline, found: Survey, given: Given, vocabulary: Vocabulary) -> None:
        self._outline = outline
        self._found = found
        self._given = given
        self._vocabulary = vocabulary
        self._followers = [follower_of(analysis, outline.cohorts) for analysis in outline.following]
        self._counts = empty_counts(outline, found)
        self._pending = Pending(outline, found, self._counts)
        incidences = [block.incidence for block in outline.blocks]
        self._with_gaps = any(each is not None and each.washout_days is not None for each in incidences)

    def prepare(self, bucket: CdmBucket) -> None:
        """Make persons, cohorts and denominators."""
        outline = self._outline
        concept_sets = self._vocabulary.concepts_of(outline.cohorts, bucket)
        make_persons(bucket)
        make_events(bucket, outline.cohorts, concept_sets, with_gaps=self._with_gaps, given=self._given)
        if outline.denominators:
            make_denominators(bucket, outline.denominators, outline.places, outline.departments)

    def take(self, bucket: CdmBucket) -> None:
        """Count a bucket."""
        first_person = self._counts.n_persons
        self._pending.add_bucket(bucket)
        self._follow(bucket, first_person)

    def look(self, bucket: CdmBucket) -> Partial:
        """What a bucket answers: its rates counted, and what its followers ask."""
        partial = Partial()
        self.prepare(bucket)
        self._pending.add_bucket(bucket)
        self._pending.count()
        self._counts.put(partial)
        self._follow(Listening(bucket, partial), 0)
        return partial

    def absorb(self, partial: Partial) -> None:
        """Add what a bucket answered."""
        first_person = self._counts.n_persons
        self._counts.absorb(partial)
        self._follow(Retold(partial), first_person)

    def _follow(self, bucket: CdmBucket, first_person: int) -> None:
        for follower in self._followers:
            follower.take(bucket, first_person)

    def findings(self, report: Report) -> StudyResult:
        """The result, all buckets counted."""
        self._pending.count()
        return findings(self._outline, self._found, self._counts, self._followers, report)


class Looker:
    """The bucket function of one work: what a bucket answers. It remembers the vocabulary, and nothing of a bucket."""

    def __init__(self, study: Study, work: Work) -> None:
        self._outline = outline_of(study, work.departments)
        self._work = work
        self._vocabulary = Vocabulary()

    def look(self, bucket: CdmBucket) -> Partial:
        """What the bucket answers; nothing that was made in it stays."""
        with swept(bucket):
            return self._stage().look(bucket)

    def _stage(self) -> Stage:
        work, outline, vocabulary = self._work, self._outline, self._vocabulary
        match work.look:
            case Look.DEPARTMENTS:
                return DepartmentsStage()
            case Look.DRAW:
                return DrawStage(draws_of(outline.cohorts)[work.draw], work.given, vocabulary)
            case Look.SURVEY:
                return SurveyStage(outline, work.given, vocabulary)
            case Look.COUNT:
                return CountStage(outline, work.survey, work.given, vocabulary)
