"""What every log-likelihood tells at a linear predictor; nothing here knows of columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from scipy.sparse import csr_array

from enclos.studies.regression.model import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Local:
    """A log-likelihood around one linear predictor."""

    value: float
    slope: Floats
    """Its derivative by each row's predictor."""
    curve: Callable[[Floats], Floats]
    """Minus its second derivative, times a direction (one value per row, or one column per direction)."""
    diagonal: Floats
    """What of the curvature is each row's own; never less than the curvature's diagonal."""
    scores: Callable[[Floats], Floats]
    """What each row adds to the derivative by coefficients, from the rows of their columns."""
    gram: Callable[[csr_array], Floats] | None = None
    """The information of all columns from their rows, where the likelihood has a quicker way to it."""


class LogLikelihood(Protocol):
    """A log-likelihood of given outcomes."""

    @property
    def n_events(self) -> float:
        """How much there is to explain; zero where no predictor explains anything."""
        ...

    def at(self, predictor: Floats) -> Local:
        """Value, slope and curvature at a predictor."""
        ...

    def value(self, predictor: Floats) -> float:
        """The value alone."""
        ...


def times(weights: Floats, direction: Floats) -> Floats:
    """Each row's weight times its row of a direction."""
    product: Floats = weights * direction if direction.ndim == 1 else weights[:, None] * direction
    return product
