"""From concepts as a study names them to the concepts that records carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from enclos.contracts.durations import DRUG_DURATION
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.studies.circe.columns import check_held, columns_of
from enclos.studies.circe.outline import Outline as CirceOutline
from enclos.studies.circe.outline import outline_of as circe_outline_of
from enclos.studies.circe.resolving import resolve
from enclos.studies.concepts import check_known
from enclos.studies.derived.steps import traits_read
from enclos.studies.homes import COLUMNS, by_department
from enclos.studies.model import CirceCohort, Cohort, CohortAnalysis, ConceptCohort, DerivedCohort, Study
from enclos.studies.plans import cohorts as plans
from enclos.studies.ports import CdmBucket
from enclos.studies.steps.following import columns_followed


@dataclass(frozen=True, slots=True)
class ConceptSets:
    """The concepts of a study's cohorts, as its vocabulary has them."""

    of_names: Mapping[str, Sequence[int]]
    """For each cohort of concepts, its concepts with their descendants, in order."""
    circe: CirceOutline | None = None
    """What the cohorts of Circe share, when there are any."""
    of_sets: Mapping[int, Sequence[int]] = field(default_factory=dict)
    """For each concept set of Circe, by its number in the outline, its concepts."""


def resolve_concepts(all_cohorts: Sequence[Cohort], bucket: CdmBucket) -> ConceptSets:
    """The concepts of the cohorts.

    Refuses: STUDY_CONCEPT_UNKNOWN when a concept is not in the vocabulary: it could only give an empty cohort;
             STUDY_DURATION_UNKNOWN when the snapshot keeps no days of a duration rule that the study names.
    """
    cohorts = [cohort for cohort in all_cohorts if isinstance(cohort, ConceptCohort)]
    definitions = [cohort.definition for cohort in all_cohorts if isinstance(cohort, CirceCohort)]
    of_names = _of_names(cohorts, bucket) if cohorts else {}
    if not definitions:
        return ConceptSets(of_names)
    outline = circe_outline_of(definitions)
    return ConceptSets(of_names, outline, resolve(outline, bucket))


class Vocabulary:
    """Resolves the concepts of one list of cohorts, once: the vocabulary is the same in every bucket."""

    def __init__(self) -> None:
        self._found: ConceptSets | None = None

    def concepts_of(self, cohorts: Sequence[Cohort], bucket: CdmBucket) -> ConceptSets:
        """The concepts of the cohorts; see resolve_concepts."""
        self._found = self._found or resolve_concepts(cohorts, bucket)
        return self._found


def _of_names(cohorts: Sequence[ConceptCohort], bucket: CdmBucket) -> Mapping[str, Sequence[int]]:
    _check_durations(cohorts, bucket)
    wanted = {concept: f"cohorts.{each.name}.concepts" for each in reversed(cohorts) for concept in each.concepts}
    check_known(wanted, bucket)
    descendants: dict[int, set[int]] = {concept: {concept} for concept in sorted(wanted)}
    if ancestors := sorted({concept for cohort in cohorts if cohort.descendants for concept in cohort.concepts}):
        for row in bucket.query(plans.plan_descendants(ancestors)).to_pylist():
            descendants[row["ancestor_concept_id"]].add(row["descendant_concept_id"])
    return {
        cohort.name: sorted(
            set().union(*(descendants[concept] if cohort.descendants else {concept} for concept in cohort.concepts))
        )
        for cohort in cohorts
    }


def _check_durations(cohorts: Sequence[ConceptCohort], bucket: CdmBucket) -> None:
    if not (wanted := {cohort.duration for cohort in cohorts if cohort.duration}):
        return
    known = set(bucket.query(plans.plan_known_durations())["rule"].to_pylist())
    if missing := sorted(wanted - known):
        raise refusal(
            Code.STUDY_DURATION_UNKNOWN,
            f"The snapshot keeps no days of the duration rule {', '.join(missing)}.",
            "Build again with a vocabulary that knows the packs, or leave the option out.",
        )


def columns_read(study: Study) -> dict[str, tuple[str, ...]]:
    """The tables and columns that a study reads, so that its permit can be asked before it runs.

    Refuses: CIRCE_TABLE_MISSING.
    """
    columns: dict[str, tuple[str, ...]] = {
        "person": ("person_id", "gender_concept_id", "year_of_birth", "month_of_birth", "day_of_birth"),
        "observation_period": ("person_id", "observation_period_start_date", "observation_period_end_date"),
        "concept": ("concept_id",),
    }
    of_concepts = [cohort for cohort in study.cohorts if isinstance(cohort, ConceptCohort)]
    if any(cohort.descendants for cohort in of_concepts):
        columns["concept_ancestor"] = ("ancestor_concept_id", "descendant_concept_id")
    for cohort in of_concepts:
        table = plans.DOMAIN_TABLES[cohort.domain]
        read = (*columns.get(table, ()), *plans.columns_read(cohort.domain), *plans.durations_read(cohort))
        columns[table] = tuple(dict.fromkeys(read))
    definitions = {each.name: each.definition for each in study.cohorts if isinstance(each, CirceCohort)}
    check_held(definitions)
    _add(columns, columns_of(list(definitions.values())))
    for each in study.cohorts:
        if isinstance(each, DerivedCohort):
            _add(columns, traits_read(each.operation))
    for analysis in study.analyses:
        if isinstance(analysis, CohortAnalysis):
            _add(columns, columns_followed(analysis))
        if by_department(analysis) if isinstance(analysis, CohortAnalysis) else analysis.population.by_department:
            _add(columns, COLUMNS)
    if any(cohort.duration for cohort in of_concepts):
        columns[DRUG_DURATION.name] = DRUG_DURATION.names
    return columns


def _add(columns: dict[str, tuple[str, ...]], more: Mapping[str, Sequence[str]]) -> None:
    for table, names in more.items():
        columns[table] = tuple(dict.fromkeys((*columns.get(table, ()), *names)))
