"""The information of a few columns, as a matrix or as what it does to a vector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from enclos.studies.regression.model import Floats, Ints, Mask
from enclos.studies.regression.rules.likelihood import Local

_CELLS_AT_ONCE = 4_000_000
"""How many numbers of dense columns are made at once: 32 MB."""

_DENSE = 0.1
"""The share of cells that are not zero from which few columns are multiplied as dense ones."""


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A few columns of the design, by column and by row."""

    numbers: Ints
    """The columns, in rising order."""
    columns: sparse.csc_array
    rows: sparse.csr_array

    @classmethod
    def whole(cls, design: sparse.csc_array) -> Face:
        """All columns of a design."""
        return cls(np.arange(design.shape[1]), design, design.tocsr())

    def only(self, numbers: Ints) -> Face:
        """Some of these columns."""
        if len(numbers) == len(self.numbers):
            return self
        places = np.searchsorted(self.numbers, numbers)
        return Face(numbers, self.columns[:, places], self.rows[:, places])

    def information(self, local: Local) -> Floats:
        """Minus the second derivatives of the log-likelihood by these coefficients."""
        n_rows, n_columns = self.columns.shape
        result = np.empty((n_columns, n_columns))
        at_once = max(1, _CELLS_AT_ONCE // n_rows)
        across = self.columns.T
        is_dense = self.columns.nnz > _DENSE * n_rows * n_columns
        if is_dense and local.gram is not None:
            return local.gram(self.rows)
        if is_dense and n_columns <= at_once:
            dense = self.rows.toarray()
            result[:] = dense.T @ local.curve(dense)
            return (result + result.T) / 2
        for first in range(0, n_columns, at_once):
            some = slice(first, first + at_once)
            result[:, some] = across @ local.curve(self.columns[:, some].toarray())
        return (result + result.T) / 2

    def times(self, local: Local, direction: Floats) -> Floats:
        """The information times a direction."""
        return np.asarray(self.columns.T @ local.curve(self.rows @ direction))

    def diagonal(self, local: Local) -> Floats:
        """About the diagonal of the information, never less."""
        squares = sparse.csc_array(
            (self.columns.data**2, self.columns.indices, self.columns.indptr), shape=self.columns.shape
        )
        return np.asarray(squares.T @ local.diagonal)


def identified(information: Floats, tolerance: float = 1e-10) -> Mask:
    """The columns that say something that those before them do not.

    In: information — symmetric, of all columns; tolerance — the least share of a column's own information that is news
    """
    diagonal = np.diag(information)
    kept = diagonal > 0
    scale = np.where(kept, 1 / np.sqrt(np.where(kept, diagonal, 1.0)), 0.0)
    left = information * scale[:, None] * scale
    if kept.all() and _pivots(left).min(initial=1.0) > tolerance:
        return kept
    for column in np.flatnonzero(kept):
        pivot = left[column, column]
        if pivot <= tolerance:
            kept[column] = False
            continue
        line = left[column, column + 1 :] / pivot
        left[column + 1 :, column + 1 :] -= np.outer(line, left[column, column + 1 :])
    return kept


def _pivots(information: Floats) -> Floats:
    """What each column says that those before it do not; zero where that cannot be told."""
    try:
        factor = np.linalg.cholesky(information)
    except np.linalg.LinAlgError:
        return np.zeros(len(information))
    return np.asarray(np.diag(factor) ** 2)
