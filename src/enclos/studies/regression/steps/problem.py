"""What is to be fitted, checked once: rows, columns, outcome, prior."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from enclos.studies.regression.model import Family, Floats, Ints, Likelihood, Mask, Prior, Ties
from enclos.studies.regression.rules.case_sets import case_sets
from enclos.studies.regression.rules.likelihood import LogLikelihood
from enclos.studies.regression.rules.risk_sets import cox
from enclos.studies.regression.rules.rows import Logistic, Poisson
from enclos.studies.regression.rules.strata import conditional_poisson
from enclos.studies.regression.steps.curvature import Face

_MOST_CELLS = 50_000_000
"""How many chances the exact conditional likelihood may hold: 800 MB with what goes beside them."""
CONDITIONAL = frozenset({Likelihood.CONDITIONAL_LOGISTIC, Likelihood.CONDITIONAL_POISSON})
"""The likelihoods whose rows mean something only within their stratum."""
_BINARY = frozenset({Likelihood.LOGISTIC, Likelihood.COX, Likelihood.CONDITIONAL_LOGISTIC})


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What is known of every row besides its columns."""

    likelihood: Likelihood
    ties: Ties
    outcome: Floats
    time: Floats
    strata: Ints
    weights: Floats
    offset: Floats
    """Part of every predictor; where the likelihood counts over time, with the log of time."""

    def log_likelihood(self) -> LogLikelihood:
        """The likelihood of these rows."""
        if self.likelihood is Likelihood.LOGISTIC:
            return Logistic(self.outcome, self.weights)
        if self.likelihood is Likelihood.POISSON:
            return Poisson(self.outcome, self.weights)
        if self.likelihood is Likelihood.CONDITIONAL_POISSON:
            return conditional_poisson(self.outcome, self.strata, self.weights)
        if self.likelihood is Likelihood.COX or self.ties is not Ties.EXACT:
            return cox(self.outcome, self.time, self.strata, self.weights, self.ties)
        exact = case_sets(np.where(self.weights > 0, self.outcome, 0.0), self._strata_of_weighted())
        if exact.n_cells > _MOST_CELLS:
            raise ValueError("the strata are too large for the exact conditional likelihood; use Efron or Breslow ties")
        return exact

    def _strata_of_weighted(self) -> Ints:
        """The strata, rows of weight zero each in one of its own, where it says nothing."""
        idle = self.weights == 0
        if not idle.any():
            return self.strata
        apart = self.strata.max() + 1 + np.arange(len(self.strata))
        return np.where(idle, apart, self.strata)

    def weighted(self, weights: Floats) -> Rows:
        """The same rows, each weighing so much more or less."""
        return replace(self, weights=self.weights * weights)


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Rows, columns and a prior."""

    design: Face
    rows: Rows
    likelihood: LogLikelihood
    prior: Prior

    @property
    def n_columns(self) -> int:
        """How many coefficients there are."""
        return len(self.design.numbers)

    def penalised(self) -> Mask:
        """The columns that the prior is about."""
        mask = np.full(self.n_columns, self.prior.family is not Family.NONE)
        mask[list(self.prior.exempt)] = False
        return mask

    def penalty(self, coefficients: Floats) -> float:
        """Minus the log of the prior, without its constant."""
        believed = coefficients[self.penalised()]
        return float(self.prior.rate * np.abs(believed).sum() + self.prior.precision / 2 * (believed @ believed))

    def predictor(self, coefficients: Floats) -> Floats:
        """The linear predictor of every row."""
        return np.asarray(self.design.rows @ coefficients + self.rows.offset)

    def fixing(self, column: int, coefficient: float) -> Problem:
        """The same where a column adds so much more to every predictor; the column itself is still there."""
        own = np.zeros(self.n_columns)
        own[column] = coefficient
        return replace(self, rows=replace(self.rows, offset=self.predictor(own)))


def _checked(name: str, values: np.ndarray, n_rows: int) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.shape != (n_rows,):
        raise ValueError(f"{name} has one value per row of the design")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} is finite in every row")
    return array


def _columns(design: sparse.csc_array) -> sparse.csc_array:
    """The design by column; its places in 32 bits where they fit, for a third less to read at each pass."""
    columns = sparse.csc_array(design, dtype=np.float64)
    columns.sum_duplicates()
    if columns.shape[0] == 0:
        raise ValueError("a regression needs at least one row")
    if not np.isfinite(columns.data).all():
        raise ValueError("the design is finite")
    if max(*columns.shape, columns.nnz) <= np.iinfo(np.int32).max:
        places = (columns.indices.astype(np.int32), columns.indptr.astype(np.int32))
        columns = sparse.csc_array((columns.data, *places), shape=columns.shape)
    return columns


def _outcome(values: np.ndarray, n_rows: int, likelihood: Likelihood) -> Floats:
    outcome = _checked("the outcome", values, n_rows)
    if (outcome < 0).any() or (likelihood in _BINARY and not np.isin(outcome, (0.0, 1.0)).all()):
        raise ValueError("an outcome is 0 or 1, or a count where the likelihood is of counts")
    return outcome


def _weights(values: np.ndarray | None, n_rows: int) -> Floats:
    weights = np.ones(n_rows) if values is None else _checked("the weights", values, n_rows)
    if (weights < 0).any():
        raise ValueError("no weight is negative")
    return weights


def _time(values: np.ndarray | None, n_rows: int, likelihood: Likelihood) -> Floats:
    """The time of each row, one where the likelihood has none."""
    if likelihood is Likelihood.COX and values is None:
        raise ValueError("Cox needs the time of every row")
    if values is None or likelihood in {Likelihood.LOGISTIC, Likelihood.CONDITIONAL_LOGISTIC}:
        return np.ones(n_rows)
    time = _checked("the time", values, n_rows)
    if likelihood is not Likelihood.COX and (time <= 0).any():
        raise ValueError("time over which events are counted is positive")
    return time


def _strata(values: np.ndarray | None, n_rows: int, likelihood: Likelihood) -> Ints:
    """The stratum of each row, numbered from zero without gaps."""
    if likelihood in CONDITIONAL and values is None:
        raise ValueError("a conditional likelihood needs the stratum of every row")
    strata = np.zeros(n_rows, dtype=np.int64) if values is None else np.asarray(values)
    if strata.shape != (n_rows,) or not np.issubdtype(strata.dtype, np.integer):
        raise ValueError("strata are one whole number per row of the design")
    return np.unique(strata, return_inverse=True)[1].astype(np.int64)


def _ties(asked: Ties | None, likelihood: Likelihood, weights: Floats) -> Ties:
    ties = asked or (Ties.EXACT if likelihood is Likelihood.CONDITIONAL_LOGISTIC else Ties.BRESLOW)
    if ties is Ties.EXACT and likelihood is Likelihood.COX:
        raise ValueError("Cox takes ties as Breslow or Efron do")
    if ties is Ties.EXACT and likelihood is Likelihood.CONDITIONAL_LOGISTIC and not np.isin(weights, (0.0, 1.0)).all():
        raise ValueError("the exact conditional likelihood has no weights; use Efron or Breslow ties")
    return ties


def problem_of(
    design: sparse.csc_array,
    outcome: np.ndarray,
    *,
    likelihood: Likelihood,
    time: np.ndarray | None,
    strata: np.ndarray | None,
    weights: np.ndarray | None,
    offset: np.ndarray | None,
    prior: Prior,
    ties: Ties | None,
) -> Problem:
    """The problem, its arrays checked against each other; a ValueError says what does not fit."""
    columns = _columns(design)
    n_rows, n_columns = columns.shape
    if any(not 0 <= column < n_columns for column in prior.exempt):
        raise ValueError("exempt columns are columns of the design")
    weighing = _weights(weights, n_rows)
    shift = np.zeros(n_rows) if offset is None else _checked("the offset", offset, n_rows)
    times = _time(time, n_rows, likelihood)
    if likelihood is not Likelihood.COX:
        shift = shift + np.log(times)
    rows = Rows(
        likelihood,
        _ties(ties, likelihood, weighing),
        _outcome(outcome, n_rows, likelihood),
        times,
        _strata(strata, n_rows, likelihood),
        weighing,
        shift,
    )
    return Problem(Face.whole(columns), rows, rows.log_likelihood(), prior)
