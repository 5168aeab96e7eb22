"""Run a study."""

from __future__ import annotations

from collections.abc import Sequence

from enclos.contracts.result import StudyResult
from enclos.lexicon.version import __version__
from enclos.studies.model import Study
from enclos.studies.ports import Cdm, Check, Progress
from enclos.studies.rules.outline import Outline, draws_of, outline_of
from enclos.studies.rules.report import Report
from enclos.studies.steps.buckets import Given, Walk, make_denominators, make_events, make_persons
from enclos.studies.steps.counts import Counts, Pending, empty_counts
from enclos.studies.steps.drawing import draw
from enclos.studies.steps.findings import findings
from enclos.studies.steps.following import Follower, follower_of
from enclos.studies.steps.survey import Survey, departments_in, survey, survey_needed
from enclos.studies.steps.vocabulary import ConceptSets, resolve_concepts


def run_study(study: Study, cdm: Cdm, *, progress: Progress | None = None, check: Check | None = None) -> StudyResult:
    """The estimates, attrition and person sets of a study; the same for any number of buckets.

    In:      check — called before each bucket is opened; what it raises ends the study
    Out:     see contracts/result.py; nothing is rounded away or hidden
    Refuses: STUDY_CONCEPT_UNKNOWN when the vocabulary lacks a concept of the study
    """
    outline = outline_of(study)
    needed = survey_needed(outline)
    draws = draws_of(outline.cohorts)
    walk = Walk(cdm, check, progress, n_passes=1 + needed + len(draws) + outline.by_department)
    if outline.by_department:
        outline = outline_of(study, departments_in(walk))
    given = draw(draws, walk)
    found = survey(outline, walk, given) if needed else Survey()
    followers = [follower_of(analysis, outline.cohorts) for analysis in outline.following]
    counts = _count(outline, found, walk, followers, given)
    return findings(outline, found, counts, followers, Report(cdm.name, __version__))


def _count(outline: Outline, found: Survey, walk: Walk, followers: Sequence[Follower], given: Given) -> Counts:
    counts = empty_counts(outline, found)
    pending = Pending(outline, found, counts)
    concept_sets: ConceptSets | None = None
    incidences = [block.incidence for block in outline.blocks]
    with_gaps = any(each is not None and each.washout_days is not None for each in incidences)
    for bucket in walk.buckets():
        concept_sets = concept_sets or resolve_concepts(outline.cohorts, bucket)
        make_persons(bucket)
        make_events(bucket, outline.cohorts, concept_sets, with_gaps=with_gaps, given=given)
        if outline.denominators:
            make_denominators(bucket, outline.denominators, outline.places, outline.departments)
        first_person = counts.n_persons
        pending.add_bucket(bucket)
        for follower in followers:
            follower.take(bucket, first_person)
    pending.count()
    return counts
