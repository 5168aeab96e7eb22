"""Covariates of entries as a sparse matrix, under the ids of FeatureExtraction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.sparse import coo_array, csc_array, csr_array, hstack

from enclos.studies.compare.model import Lookback, Source
from enclos.studies.compare.plans import COUNTS, DOMAINS, DomainAnalysis
from enclos.studies.compare.rules.tidy import PER_ANALYSIS
from enclos.studies.plans.entries import FEMALE, MALE
from enclos.studies.plans.people import FEMALE_CONCEPT, MALE_CONCEPT

Ints: TypeAlias = npt.NDArray[np.int64]
GENDER, AGE_GROUP, INDEX_YEAR, INDEX_MONTH = 1, 3, 6, 7
"""Analysis ids of demographics. Source: FeatureExtraction 3, PrespecAnalyses.csv."""
_AGE_GROUP_YEARS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Recent:
    """Concepts of entries in one domain, each with the number of windows that it lies in."""

    entry: npt.NDArray[np.int32]
    concept: npt.NDArray[np.int64]
    n_windows: npt.NDArray[np.uint8]
    """Windows end on the day of entry, so that who is in a short one is in all longer ones: 1 is any time only."""


def recent(entry: Ints, concept: Ints, days: Ints) -> Recent:
    """The concepts with their windows.

    In: days — from the concept's last day to entry
    """
    windows = np.ones(len(days), dtype=np.uint8)
    for lookback in Lookback:
        if lookback.n_days is not None:
            windows += days <= lookback.n_days
    return Recent(entry.astype(np.int32), concept.astype(np.int64), windows)


@dataclass(slots=True)
class Gathered:
    """What was found of all entries, bucket after bucket."""

    concepts: dict[Source, list[Recent]] = field(default_factory=dict)
    counts: dict[str, list[tuple[Ints, Ints]]] = field(default_factory=dict)
    """By table: entries, and one column of numbers per window."""


@dataclass(frozen=True, slots=True, eq=False)
class CovariateMatrix:
    """One row per entry, one column per covariate: demographics, then by source, window and concept."""

    ids: Ints
    values: csc_array


def matrix(
    gathered: Gathered,
    demographics: CovariateMatrix,
    row_of: Ints,
    sources: Sequence[Source],
    lookbacks: Sequence[Lookback],
) -> CovariateMatrix:
    """The covariates of some entries.

    In: row_of — the row of each entry; negative for entries left out
    """
    n_rows = demographics.values.shape[0]
    blocks: list[CovariateMatrix] = [demographics] if Source.DEMOGRAPHICS in sources else []
    for source, asked in DOMAINS.items():
        parts = gathered.concepts.get(source, []) if source in sources else []
        if parts:
            blocks += _of_concepts(parts, asked, row_of, lookbacks, n_rows)
    if Source.COUNTS in sources:
        blocks += _counts(gathered, row_of, lookbacks, n_rows)
    return _joined(blocks, n_rows)


def _of_concepts(
    parts: Sequence[Recent], asked: DomainAnalysis, row_of: Ints, lookbacks: Sequence[Lookback], n_rows: int
) -> Iterator[CovariateMatrix]:
    """One block per window: all concepts become columns once, each with its windows, and each window takes its own."""
    row = row_of[np.concatenate([part.entry for part in parts])].astype(np.int32)
    coded = pa.array(np.concatenate([part.concept for part in parts])).dictionary_encode()
    concepts = coded.dictionary.to_numpy()
    order = np.argsort(concepts)
    place_of = np.empty(len(concepts), dtype=np.int32)
    place_of[order] = np.arange(len(concepts))
    column = place_of[coded.indices.to_numpy()]
    windows = np.concatenate([part.n_windows for part in parts])
    kept = row >= 0
    shape = (n_rows, len(concepts))
    # Through rows to columns: two passes that count, and the rows of each column come out in order.
    found = csc_array(csr_array(coo_array((windows[kept], (row[kept], column[kept])), shape=shape)))
    for place, lookback in enumerate(Lookback):
        if lookback in lookbacks:
            inside = found.data > place
            ends = np.concatenate(([0], np.cumsum(inside)))[found.indptr]
            some = np.flatnonzero(np.diff(ends))
            indices = found.indices[inside]
            indptr = np.concatenate((ends[some], ends[-1:])).astype(found.indptr.dtype)
            values = csc_array((np.ones(len(indices)), indices, indptr), shape=(n_rows, len(some)))
            yield CovariateMatrix(concepts[order][some] * PER_ANALYSIS + asked.id_of(lookback), values)


def _counts(gathered: Gathered, row_of: Ints, lookbacks: Sequence[Lookback], n_rows: int) -> Iterator[CovariateMatrix]:
    for table, (analyses, _) in COUNTS.items():
        parts = gathered.counts.get(table, [])
        if not parts:
            continue
        row = row_of[np.concatenate([entry for entry, _ in parts])]
        numbers = np.concatenate([n for _, n in parts])
        for place, lookback in enumerate(list(Lookback)[1:]):
            kept = (row >= 0) & (numbers[:, place] > 0)
            if lookback in lookbacks and kept.any():
                ids = np.full(int(kept.sum()), analyses[place])
                yield _of_pairs(row[kept], ids, numbers[kept, place].astype(np.float64), n_rows)


def demographics_of(age: Ints, sex: Ints, first_day: Ints) -> CovariateMatrix:
    """Gender, age group of five years, year and month of entry."""
    n = len(age)
    rows = np.arange(n)
    days = first_day.astype("datetime64[D]")
    years = days.astype("datetime64[Y]").astype(np.int64) + 1970
    months = days.astype("datetime64[M]").astype(np.int64) % 12 + 1
    gender = np.select([sex == MALE, sex == FEMALE], [MALE_CONCEPT, FEMALE_CONCEPT], 0)
    columns = (
        (gender, GENDER, gender > 0),
        (age // _AGE_GROUP_YEARS, AGE_GROUP, age >= 0),
        (years, INDEX_YEAR, np.ones(n, dtype=np.bool_)),
        (months, INDEX_MONTH, np.ones(n, dtype=np.bool_)),
    )
    row = np.concatenate([rows[known] for _, _, known in columns])
    ids = np.concatenate([value[known] * PER_ANALYSIS + analysis for value, analysis, known in columns])
    return _of_pairs(row, ids, np.ones(len(row)), n)


def _of_pairs(row: Ints, ids: Ints, values: npt.NDArray[np.float64], n_rows: int) -> CovariateMatrix:
    unique, column = np.unique(ids, return_inverse=True)
    shape = (n_rows, len(unique))
    return CovariateMatrix(unique, csc_array(csr_array(coo_array((values, (row, column)), shape=shape))))


def _joined(blocks: Sequence[CovariateMatrix], n_rows: int) -> CovariateMatrix:
    """All columns side by side; blocks share none."""
    ids = np.concatenate([np.zeros(0, dtype=np.int64), *(block.ids for block in blocks)])
    if not len(ids):
        return CovariateMatrix(ids, csc_array((n_rows, 0), dtype=np.float64))
    return CovariateMatrix(ids, csc_array(hstack([block.values for block in blocks], format="csc")))


def covariate_name(covariate: int, concept_names: dict[int, str]) -> str:
    """What a covariate says, in words."""
    concept, analysis = divmod(covariate, PER_ANALYSIS)
    if analysis == AGE_GROUP:
        return f"age group: {concept * _AGE_GROUP_YEARS:02d}-{concept * _AGE_GROUP_YEARS + _AGE_GROUP_YEARS - 1:02d}"
    if analysis in {INDEX_YEAR, INDEX_MONTH}:
        return f"index {'year' if analysis == INDEX_YEAR else 'month'}: {concept}"
    if analysis == GENDER:
        return f"gender: {'male' if concept == MALE_CONCEPT else 'female'}"
    for analyses, counted in COUNTS.values():
        if analysis in analyses:
            return f"{counted}, {_in_words(list(Lookback)[1 + analyses.index(analysis)])}"
    for source, asked in DOMAINS.items():
        if analysis in asked.ids:
            lookback = list(Lookback)[asked.ids.index(analysis)]
            return f"{source.value} {_in_words(lookback)}: {concept_names.get(concept, 'unknown concept')}"
    raise AssertionError("a covariate belongs to an analysis")


def _in_words(lookback: Lookback) -> str:
    days = lookback.n_days
    return "any time prior" if days is None else f"day -{days} through 0"


def concept_of(covariate: int) -> int | None:
    """The concept that a covariate is named by, or None where it needs no name of the vocabulary."""
    concept, analysis = divmod(covariate, PER_ANALYSIS)
    return concept if any(analysis in asked.ids for asked in DOMAINS.values()) else None
