"""The rows behind a study's counts, for those who check them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pyarrow as pa

from enclos.studies.model import Cohort, Population, Study
from enclos.studies.plans import cohorts, denominators
from enclos.studies.ports import Cdm, Check
from enclos.studies.rules.outline import denominators_of, draws_of
from enclos.studies.steps.buckets import Walk, make_denominators, make_events, make_persons
from enclos.studies.steps.drawing import draw
from enclos.studies.steps.vocabulary import ConceptSets, resolve_concepts

_DATES = ("subject_id", "cohort_start_date", "cohort_end_date")


def cohort_table(study: Study, cdm: Cdm, *, check: Check | None = None) -> pa.Table:
    """The rows of every cohort of the study.

    Out: one row per stretch, in order: cohort_name, subject_id, cohort_start_date, cohort_end_date
    """
    parts: list[pa.Table] = []
    concept_sets: ConceptSets | None = None
    walk = Walk(cdm, check, None, 1)
    given = draw(draws_of(study.cohorts), walk)
    for bucket in walk.buckets():
        concept_sets = concept_sets or resolve_concepts(study.cohorts, bucket)
        make_persons(bucket)
        make_events(bucket, study.cohorts, concept_sets, with_gaps=False, given=given)
        parts.append(bucket.query(cohorts.plan_cohort_rows()))
    names = [cohort.name for cohort in study.cohorts]
    return _named(parts, "cohort", "cohort_name", names)


def denominator_table(
    population: Population, cdm: Cdm, *, cohorts_at_hand: Sequence[Cohort] = (), check: Check | None = None
) -> pa.Table:
    """The rows of every denominator of a population.

    In:  cohorts_at_hand — those of the study, where the population is that of a target cohort
    Out: one row per stretch, in order: denominator_cohort_name, subject_id, cohort_start_date, cohort_end_date
    """
    wanted = denominators_of(population)
    parts: list[pa.Table] = []
    concept_sets: ConceptSets | None = None
    walk = Walk(cdm, check, None, 1)
    given = draw(draws_of(cohorts_at_hand), walk)
    places = {cohort.name: index for index, cohort in enumerate(cohorts_at_hand)}
    for bucket in walk.buckets():
        make_persons(bucket)
        if cohorts_at_hand:
            concept_sets = concept_sets or resolve_concepts(cohorts_at_hand, bucket)
            make_events(bucket, cohorts_at_hand, concept_sets, with_gaps=False, given=given)
        make_denominators(bucket, wanted, places)
        parts.append(bucket.query(denominators.plan_denominator_rows()))
    names = [f"denominator_cohort_{number}" for number in range(1, len(wanted) + 1)]
    return _named(parts, "denominator", "denominator_cohort_name", names)


def _named(parts: Iterable[pa.Table], index_column: str, name_column: str, names: list[str]) -> pa.Table:
    schema = pa.schema(
        [(index_column, pa.int32()), ("subject_id", pa.int64()), *((name, pa.date32()) for name in _DATES[1:])]
    )
    rows = pa.concat_tables([schema.empty_table(), *(part.cast(schema) for part in parts)])
    rows = rows.sort_by([(name, "ascending") for name in rows.column_names])
    labels = pa.chunked_array([pa.array(names, pa.string())]).take(rows[index_column])
    return rows.select(_DATES).add_column(0, name_column, labels)
