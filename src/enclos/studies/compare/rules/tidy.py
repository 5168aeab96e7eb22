"""Covariates fit for a model: none that is rare, none that says what another says, each at most 1.

Source: FeatureExtraction 3, tidyCovariateData, as CohortMethod 6 calls it.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array

Ints: TypeAlias = npt.NDArray[np.int64]
PER_ANALYSIS = 1000
"""A covariate's id is a concept's times this, plus the id of the analysis that it belongs to."""


def frequent(covariates: csc_array, min_fraction: float) -> Ints:
    """The columns with a value in at least this share of the rows."""
    n_rows = covariates.shape[0]
    n = np.diff(covariates.indptr)
    return np.flatnonzero((n >= min_fraction * n_rows) & (n > 0)).astype(np.int64)


def distinct(covariates: csc_array, ids: Ints) -> Ints:
    """The columns that say something of their own.

    Of the levels of one analysis that share all rows out between them the most frequent goes, as in the peer; beyond it
    columns that are constant, or alike to one before: windows that nest often hold the same persons.
    """
    kept = _different(covariates)
    dropped = []
    analyses = ids[kept] % PER_ANALYSIS
    n_values = np.diff(covariates.indptr)[kept]
    for analysis in np.unique(analyses).tolist():
        levels = kept[analyses == analysis]
        if n_values[analyses == analysis].sum() == covariates.shape[0]:
            total = np.asarray(covariates[:, levels].sum(axis=1)).ravel()
            if (total == 1).all():
                dropped.append(levels[np.argmax(n_values[analyses == analysis])])
    return kept[~np.isin(kept, dropped)]


def _different(covariates: csc_array) -> Ints:
    n_rows = covariates.shape[0]
    indptr, indices, data = covariates.indptr, covariates.indices, covariates.data
    seen: set[tuple[bytes, bytes]] = set()
    kept = []
    for column in range(covariates.shape[1]):
        part = slice(int(indptr[column]), int(indptr[column + 1]))
        values = data[part]
        if len(values) == n_rows and (values == values[0]).all():
            continue
        key = (indices[part].tobytes(), values.tobytes())
        if key not in seen:
            seen.add(key)
            kept.append(column)
    return np.array(kept, dtype=np.int64)


def tidied(covariates: csc_array, ids: Ints, min_fraction: float) -> tuple[csc_array, Ints]:
    """The columns fit for a model, and their ids."""
    columns = frequent(covariates, min_fraction)
    ids, values = ids[columns], csc_array(covariates[:, columns])
    kept = distinct(values, ids)
    return normalised(csc_array(values[:, kept])), ids[kept]


def normalised(covariates: csc_array) -> csc_array:
    """Each column divided by its largest value."""
    largest = np.maximum.reduceat(covariates.data, covariates.indptr[:-1]) if covariates.nnz else np.ones(0)
    n = np.diff(covariates.indptr)
    return csc_array(
        (covariates.data / np.repeat(largest, n), covariates.indices, covariates.indptr), shape=covariates.shape
    )
