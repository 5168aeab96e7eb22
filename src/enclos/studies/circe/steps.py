"""Make the cohorts of Circe definitions, bucket by bucket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa

from enclos.studies.circe.document import read_circe
from enclos.studies.circe.domains import Joined
from enclos.studies.circe.model import Definition
from enclos.studies.circe.outline import Outline, outline_of
from enclos.studies.circe.plans import concepts, events, exits, records
from enclos.studies.ports import Cdm, CdmBucket, Check, Progress

_SCHEMA = pa.schema(
    [
        ("cohort", pa.int32()),
        ("subject_id", pa.int64()),
        ("cohort_start_date", pa.date32()),
        ("cohort_end_date", pa.date32()),
    ]
)


def circe_rows(definitions: Mapping[str, str], cdm: Cdm, *, check: Check | None = None) -> pa.Table:
    """The rows of the cohorts that Circe definitions describe.

    In: definitions — the JSON text of each cohort, by its name
    Out: one row per stretch, in order: cohort_name, subject_id, cohort_start_date, cohort_end_date
    Refuses: CIRCE_UNREADABLE, CIRCE_INVALID.
    """
    return definition_rows({name: read_circe(text) for name, text in definitions.items()}, cdm, check=check)


def definition_rows(definitions: Mapping[str, Definition], cdm: Cdm, *, check: Check | None = None) -> pa.Table:
    """The rows of cohorts whose definitions are read; as ``circe_rows``."""
    found = made(list(definitions.values()), cdm, check=check)
    rows = pa.concat_tables([_SCHEMA.empty_table(), *(each.rows for each in found)])
    rows = rows.sort_by([(name, "ascending") for name in _SCHEMA.names])
    labels = pa.chunked_array([pa.array(list(definitions), pa.string())]).take(rows["cohort"])
    return rows.drop_columns(["cohort"]).add_column(0, "cohort_name", labels)


@dataclass(frozen=True, slots=True, repr=False)
class Made:
    """The cohorts of one bucket."""

    rows: pa.Table
    """One row per stretch: cohort (its place among the definitions), subject_id, cohort_start_date, cohort_end_date"""
    left: pa.Table | None
    """Where attrition is asked for, one row per person with a qualified event: cohort, person_id, n_rules (fulfilled
    together, from the first on)"""


def made(
    definitions: Sequence[Definition],
    cdm: Cdm,
    *,
    attrition: bool = False,
    check: Check | None = None,
    progress: Progress | None = None,
) -> Iterator[Made]:
    """The cohorts, bucket by bucket; all tables that they needed are gone when the next bucket opens."""
    if not definitions:
        return
    outline = outline_of(definitions)
    direct = [] if attrition else exits.direct_cohorts(outline)
    resolved: Mapping[int, Sequence[int]] | None = None
    for n_done, number in enumerate(cdm.buckets, start=1):
        if check is not None:
            check()
        with cdm.bucket(number) as bucket:
            if resolved is None:
                resolved = resolve(outline, bucket)
            with made_in(bucket, outline, resolved, direct):
                bucket.execute(exits.plan_row_table())
                rows, left = bucket.query(exits.plan_row_query()).cast(_SCHEMA), None
                if attrition:
                    bucket.execute(events.plan_left())
                    left = bucket.query(events.plan_left_query())
        yield Made(rows, left)
        if progress is not None:
            progress(n_done, len(cdm.buckets))


def resolve(outline: Outline, bucket: CdmBucket) -> Mapping[int, Sequence[int]]:
    """The concepts of every concept set; the vocabulary is the same in every bucket."""
    bucket.execute(concepts.plan_resolve(outline.concept_sets))
    columns = bucket.query(concepts.plan_resolved()).to_pydict()
    bucket.execute("DROP TABLE circe_resolved")
    found: dict[int, list[int]] = {}
    for codeset, concept in zip(columns["codeset"], columns["concept_id"], strict=True):
        found.setdefault(codeset, []).append(concept)
    return found


@contextmanager
def made_in(
    bucket: CdmBucket, outline: Outline, resolved: Mapping[int, Sequence[int]], direct: Sequence[int]
) -> Iterator[None]:
    """A bucket with the stretches of the cohorts; when the block ends, nothing of them stays.

    In: direct — cohorts that need no table of events; see ``direct_cohorts``
    """
    try:
        for statement in _statements(outline, resolved, direct):
            bucket.execute(statement)
        yield
    finally:
        bucket.execute(exits.plan_drops(outline, direct))


def _statements(outline: Outline, resolved: Mapping[int, Sequence[int]], direct: Sequence[int]) -> Iterator[str]:
    yield concepts.plan_codes(resolved)
    if Joined.PERSON in outline.beside:
        yield records.plan_persons(outline.beside[Joined.PERSON])
    for domain in dict.fromkeys(pick.domain for pick in outline.picks):
        yield records.plan_records(domain, outline)
    for criterion in outline.kept:
        yield events.plan_kept(criterion, outline)
    yield events.plan_cohorts(outline.definitions)
    if others := [number for number in range(len(outline.definitions)) if number not in set(direct)]:
        yield events.plan_primary(outline, others)
        yield from events.plan_qualified(outline)
        yield from events.plan_fulfilled(outline)
        yield events.plan_included(outline)
        yield from exits.plan_ends(outline)
    yield exits.plan_stretches(outline, direct)
