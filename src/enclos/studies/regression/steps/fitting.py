"""Fit: the most likely coefficients, and how sure they are."""

from __future__ import annotations

import numpy as np
from scipy import linalg, sparse

from enclos.studies.regression.model import Family, Fit, Floats, Ints, Likelihood, Mask, Prior, Status, Ties, Trial
from enclos.studies.regression.steps.curvature import Face, identified
from enclos.studies.regression.steps.newton import Summit, ascend
from enclos.studies.regression.steps.problem import CONDITIONAL, Problem, problem_of

TOLERANCE = 1e-9
"""A fit ends with the step that gains no more log-likelihood than this."""
MAX_ITERATIONS = 200


def with_intercept(design: sparse.csc_array) -> sparse.csc_array:
    """The design with a first column of ones; exempt column 0 from the prior."""
    ones = sparse.csc_array(np.ones((design.shape[0], 1)))
    return sparse.csc_array(sparse.hstack([ones, design], format="csc"))


def fit(
    design: sparse.csc_array,
    outcome: np.ndarray,
    *,
    likelihood: Likelihood,
    time: np.ndarray | None = None,
    strata: np.ndarray | None = None,
    weights: np.ndarray | None = None,
    offset: np.ndarray | None = None,
    prior: Prior | None = None,
    start: np.ndarray | None = None,
    ties: Ties | None = None,
) -> Fit:
    """Find the coefficients that maximise the log-likelihood plus the log prior.

    In: design — rows times columns, an intercept being a column of ones that the caller adds (``with_intercept``);
    time — follow-up (Cox) or person-time (counts); strata — one whole number per row; offset — added to the predictor;
    ties — Breslow for Cox and exact for conditional logistic unless said
    Empty: a fit without events has status NO_EVENTS and no number
    """
    problem = problem_of(
        design,
        outcome,
        likelihood=likelihood,
        time=time,
        strata=strata,
        weights=weights,
        offset=offset,
        prior=prior or Prior.none(),
        ties=ties,
    )
    return fit_problem(problem, start)


def fit_problem(problem: Problem, start: Floats | None = None, trials: tuple[Trial, ...] = ()) -> Fit:
    """Fit what has been checked."""
    n_columns = problem.n_columns
    begin = np.zeros(n_columns) if start is None else np.nan_to_num(np.asarray(start, dtype=np.float64))
    if begin.shape != (n_columns,):
        raise ValueError("a start has one value per column of the design")
    if problem.likelihood.n_events <= 0:
        nothing = np.full(n_columns, np.nan)
        value = problem.likelihood.value(problem.predictor(np.zeros(n_columns)))
        summit = Summit(
            nothing,
            problem.rows.offset,
            problem.likelihood.at(problem.rows.offset),
            Status.NO_EVENTS,
            0,
            problem.design,
        )
        return _fit(problem, summit, np.zeros(n_columns, dtype=bool), value, trials)
    usable = usable_columns(problem)
    begin[~usable] = 0.0
    summit = ascend(problem, begin, usable, tolerance=TOLERANCE, max_iterations=MAX_ITERATIONS)
    return _fit(problem, summit, usable, summit.local.value, trials)


def usable_columns(problem: Problem, without: int | None = None) -> Mask:
    """The columns that a prior or the data identify, seen from coefficients of zero, but for one that is fixed."""
    usable = problem.penalised()
    alone = np.flatnonzero(~usable)
    if without is not None:
        usable[without] = False
        alone = alone[alone != without]
    if len(alone):
        local = problem.likelihood.at(problem.rows.offset)
        usable[alone] = identified(problem.design.only(alone).information(local))
    return usable


def _fit(problem: Problem, summit: Summit, usable: Mask, value: float, trials: tuple[Trial, ...]) -> Fit:
    coefficients = np.where(usable, summit.coefficients, np.nan)
    estimated = usable & ~(problem.penalised() & (problem.prior.family is Family.LAPLACE) & (summit.coefficients == 0))
    smooth = usable & ~(problem.penalised() & (problem.prior.family is Family.LAPLACE))
    unidentified = tuple(np.flatnonzero(~usable).tolist())
    status = summit.status
    if status is Status.CONVERGED and unidentified:
        status = Status.NOT_IDENTIFIED
    known = np.nan_to_num(coefficients)

    def inverse(columns: tuple[int, ...]) -> tuple[Face, Floats]:
        """The columns of the inverse information, over all that is estimated."""
        if not set(columns) <= set(np.flatnonzero(estimated).tolist()):
            raise ValueError("a covariance is of columns that were estimated")
        numbers = np.flatnonzero(estimated)
        face = problem.design.only(numbers)
        precision = np.where(problem.penalised()[numbers], problem.prior.precision, 0.0)
        information = face.information(summit.local) + np.diag(precision)
        return face, _inverse(information, np.searchsorted(numbers, columns), np.isin(numbers, summit.unbounded))

    def covariance(columns: tuple[int, ...]) -> Floats:
        face, solved = inverse(columns)
        return _without(solved[np.searchsorted(face.numbers, columns)], columns, summit.unbounded)

    def robust(columns: tuple[int, ...], clusters: Ints | None) -> Floats:
        face, solved = inverse(columns)
        changes = summit.local.scores(np.asarray(face.rows @ solved))
        groups = _clusters(problem, clusters)
        if groups is not None:
            members = sparse.csr_array((np.ones(len(groups)), (groups, np.arange(len(groups)))))
            changes = np.asarray(members @ changes)
        return _without(changes.T @ changes, columns, summit.unbounded)

    return Fit(
        coefficients=coefficients,
        log_likelihood=value,
        log_prior=-problem.penalty(known),
        status=status,
        n_iterations=summit.n_iterations,
        unbounded=summit.unbounded,
        unidentified=unidentified,
        columns=tuple(np.flatnonzero(smooth).tolist()),
        covariance_of=covariance,
        robust_covariance_of=robust,
        problem=problem,
        trials=trials,
    )


def _inverse(information: Floats, wanted: Ints, unbounded: Mask) -> Floats:
    """The wanted columns of the inverse; zero for what says nothing any more.

    The information of coefficients on their way to infinity goes to nothing: they are left out where nothing is left.
    """
    solved = np.zeros((len(information), len(wanted)))
    order = np.argsort(unbounded, kind="stable")
    kept = order[identified(information[np.ix_(order, order)])]
    scale = 1 / np.sqrt(np.diag(information)[kept])
    scaled = information[np.ix_(kept, kept)] * scale[:, None] * scale
    unit = (kept[:, None] == wanted[None, :]) * scale[:, None]
    try:
        factor = linalg.cho_factor(scaled, lower=True)
    except linalg.LinAlgError:
        return np.full_like(solved, np.nan)
    solved[kept] = scale[:, None] * linalg.cho_solve(factor, unit)
    solved[:, ~np.isin(wanted, kept)] = np.nan
    return solved


def _without(covariance: Floats, columns: tuple[int, ...], unbounded: tuple[int, ...]) -> Floats:
    """The same, not a number where a coefficient is not finite: how sure it is cannot be estimated."""
    lost = np.isin(columns, unbounded)
    return np.where(lost[:, None] | lost, np.nan, covariance)


def _clusters(problem: Problem, clusters: Ints | None) -> Ints | None:
    """The cluster of each row, numbered from zero; nothing where every row is its own."""
    if clusters is None:
        return problem.rows.strata if problem.rows.likelihood in CONDITIONAL else None
    if np.shape(clusters) != problem.rows.outcome.shape:
        raise ValueError("clusters are one number per row of the design")
    return np.unique(np.asarray(clusters), return_inverse=True)[1].astype(np.int64)
