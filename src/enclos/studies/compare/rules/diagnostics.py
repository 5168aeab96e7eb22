"""What is judged before an estimate is shown.

Source: CohortMethod 6, createCmDiagnosticThresholds; Schuemie et al. 2023 for objective diagnostics and blinding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from enclos.studies.compare.model import Thresholds
from enclos.studies.compare.rules.balance import Balance, p_above


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One number, what it must reach, and whether it does; None: not judged."""

    name: str
    value: float
    threshold: float | None
    passed: bool | None


@dataclass(frozen=True, slots=True)
class Measured:
    """The numbers that are judged; not a number where one could not be had."""

    equipoise: float
    max_smd: float
    smd_p: float
    """The family-wise chance of so large a difference if no covariate's true difference exceeds the threshold."""
    mdrr: float
    ease: float | None
    """None where there are no negative controls."""
    attrition: float
    score_fitted: bool
    left_out: float | None = None
    """None where there are no controls."""


def judge(measured: Measured, thresholds: Thresholds) -> tuple[Diagnostic, ...]:
    """Each diagnostic judged; a number that could not be had does not pass."""
    return tuple(_judged(measured, thresholds))


def _judged(measured: Measured, asked: Thresholds) -> Iterator[Diagnostic]:
    yield Diagnostic("score_fitted", float(measured.score_fitted), 1.0, measured.score_fitted)
    yield _least("equipoise", measured.equipoise, asked.equipoise)
    largest = _most("max_smd", measured.max_smd, asked.max_smd)
    if largest.passed is False and asked.smd_alpha is not None and measured.smd_p >= asked.smd_alpha:
        largest = Diagnostic(largest.name, largest.value, largest.threshold, passed=True)
    yield largest
    yield Diagnostic("smd_p", measured.smd_p, asked.smd_alpha, None)
    yield _most("mdrr", measured.mdrr, asked.mdrr)
    if measured.ease is not None:
        yield _most("ease", measured.ease, asked.ease)
    yield _most("attrition", measured.attrition, asked.attrition)
    if measured.left_out is not None:
        yield _least("left_out", measured.left_out, asked.left_out)


def _least(name: str, value: float, threshold: float | None) -> Diagnostic:
    return Diagnostic(name, value, threshold, None if threshold is None else value >= threshold)


def _most(name: str, value: float, threshold: float | None) -> Diagnostic:
    return Diagnostic(name, value, threshold, None if threshold is None else value <= threshold)


def failed(judged: tuple[Diagnostic, ...]) -> tuple[str, ...]:
    """The names of those that do not pass; an estimate with any is not shown."""
    return tuple(each.name for each in judged if each.passed is False)


def family_wise_p(found: Balance, n_target: float, n_comparator: float, threshold: float) -> float:
    """The chance, over all covariates, of a difference as large as the largest one if none truly exceeds the threshold.

    Source: Hripcsak et al. 2025, with Bonferroni's bound over covariates.
    """
    known = found.difference[np.isfinite(found.difference)]
    if not len(known) or min(n_target, n_comparator) <= 1:
        return 1.0
    least = float(p_above(known, n_target, n_comparator, threshold).min())
    return min(1.0, least * len(known))


def effective_number(weights: npt.NDArray[np.float64] | None, n: int) -> float:
    """How many equally weighted entries say as much. Source: Kish 1965."""
    if weights is None or not n:
        return float(n)
    return float(weights.sum() ** 2 / (weights**2).sum())
