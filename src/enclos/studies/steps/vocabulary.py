"""From concepts as a study names them to the concepts that records carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from enclos.contracts.durations import DRUG_DURATION
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.studies.model import CohortAnalysis, ConceptCohort, Study
from enclos.studies.plans import cohorts as plans
from enclos.studies.ports import CdmBucket
from enclos.studies.steps.following import columns_followed

ConceptSets: TypeAlias = Mapping[str, Sequence[int]]


def resolve_concepts(cohorts: Sequence[ConceptCohort], bucket: CdmBucket) -> ConceptSets:
    """For each cohort's name, its concepts with their descendants, in order.

    Refuses: STUDY_CONCEPT_UNKNOWN when a concept is not in the vocabulary: it could only give an empty cohort;
             STUDY_DURATION_UNKNOWN when the snapshot keeps no days of a duration rule that the study names.
    """
    _check_durations(cohorts, bucket)
    wanted = sorted({concept for cohort in cohorts for concept in cohort.concepts})
    known = set(bucket.query(plans.plan_known_concepts(wanted))["concept_id"].to_pylist())
    if missing := [concept for concept in wanted if concept not in known]:
        raise refusal(
            Code.STUDY_CONCEPT_UNKNOWN,
            f"The study names concepts that the vocabulary does not have: {', '.join(map(str, missing))}.",
            "Correct the concept ids, or deliver a vocabulary that has them.",
        )
    descendants: dict[int, set[int]] = {concept: {concept} for concept in wanted}
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
    """The tables and columns that a study reads, so that its permit can be asked before it runs."""
    columns: dict[str, tuple[str, ...]] = {
        "person": ("person_id", "gender_concept_id", "year_of_birth", "month_of_birth", "day_of_birth"),
        "observation_period": ("person_id", "observation_period_start_date", "observation_period_end_date"),
        "concept": ("concept_id",),
    }
    if any(cohort.descendants for cohort in study.cohorts):
        columns["concept_ancestor"] = ("ancestor_concept_id", "descendant_concept_id")
    for cohort in study.cohorts:
        table = plans.DOMAIN_TABLES[cohort.domain]
        read = (*columns.get(table, ()), *plans.columns_read(cohort.domain), *plans.durations_read(cohort))
        columns[table] = tuple(dict.fromkeys(read))
    for analysis in study.analyses:
        if isinstance(analysis, CohortAnalysis):
            for table, names in columns_followed(analysis).items():
                columns[table] = tuple(dict.fromkeys((*columns.get(table, ()), *names)))
    if any(cohort.duration for cohort in study.cohorts):
        columns[DRUG_DURATION.name] = DRUG_DURATION.names
    return columns
