"""How often each value was seen: what exact quantiles over any number of buckets need."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from enclos.contracts.result import EstimateType, Values
from enclos.studies.rules.calendar import in_words
from enclos.studies.rules.estimates import printed
from enclos.studies.rules.report import Estimate

_QUARTERS = {"q25": 1, "median": 2, "q75": 3}
ALL_ESTIMATES = ("min", "q25", "median", "q75", "max", "mean", "sd")
DATE_ESTIMATES = ("min", "q25", "median", "q75", "max")


class Spread:
    """Values with how often each was seen; adding is the same in any order."""

    __slots__ = ("_counts", "_values")

    def __init__(self) -> None:
        self._values: npt.NDArray[np.float64] = np.zeros(0)
        self._counts: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)

    def add(self, values: npt.NDArray[np.generic]) -> None:
        """Add values, none of them missing."""
        if len(values):
            seen, counts = np.unique(values.astype(np.float64), return_counts=True)
            merged, at = np.unique(np.concatenate([self._values, seen]), return_inverse=True)
            total = np.zeros(len(merged), dtype=np.int64)
            np.add.at(total, at, np.concatenate([self._counts, counts]))
            self._values, self._counts = merged, total

    @property
    def n(self) -> int:
        """How many values were added."""
        return int(self._counts.sum())

    @property
    def mean(self) -> float | None:
        """The mean; None of no value."""
        return float(self._sum(1) / self.n) if self.n else None

    @property
    def variance(self) -> float | None:
        """The sample variance; None of fewer than two values."""
        n = self.n
        return float((self._sum(2) - self._sum(1) ** 2 / n) / (n - 1)) if n > 1 else None

    @property
    def sd(self) -> float | None:
        """The sample standard deviation; None of fewer than two values."""
        return None if (variance := self.variance) is None else math.sqrt(variance)

    def quantile(self, n_quarters: int) -> Fraction | None:
        """The value below which so many quarters lie, between two values in proportion; None of no value.

        In:     n_quarters — 0 is the smallest value, 4 the greatest
        Source: Hyndman and Fan 1996, type 7, as R's default.
        """
        if not (n := self.n):
            return None
        below, rest = divmod((n - 1) * n_quarters, 4)
        ranks = np.cumsum(self._counts)
        low = Fraction(float(self._values[np.searchsorted(ranks, below, side="right")]))
        high = Fraction(float(self._values[np.searchsorted(ranks, min(below + 1, n - 1), side="right")]))
        return low + (high - low) * rest / 4

    def estimates(
        self, names: Sequence[str] = ALL_ESTIMATES, kind: EstimateType = EstimateType.INTEGER
    ) -> list[Estimate]:
        """The estimates by name; quantiles of whole numbers and of days are whole, halves to the even one.

        Units:  a day is a number since 1970-01-01.
        Source: PatientProfiles 1.5, summariseResult.
        """
        return [self._estimate(name, kind) for name in names]

    @property
    def values(self) -> Values | None:
        """What its mean and its quantiles owe to few of the values; None of no value."""
        if (mean := self.mean) is None:
            return None
        sizes, squares = np.abs(self._values), (self._values - mean) ** 2
        return Values(
            self._greatest(sizes),
            float(sizes @ self._counts),
            self._greatest(squares),
            float(squares @ self._counts),
            self.n - int(self._counts.max()),
        )

    def _greatest(self, parts: npt.NDArray[np.float64]) -> tuple[float, float]:
        """The two greatest parts, each value's as often as it was seen."""
        order = np.argsort(parts)[:-3:-1]
        first, second, *_ = [*np.repeat(parts[order], np.minimum(self._counts[order], 2)).tolist(), 0.0, 0.0]
        return first, second

    def _estimate(self, name: str, kind: EstimateType) -> Estimate:
        if name in {"mean", "sd"}:
            value = self.mean if name == "mean" else self.sd
            return Estimate(name, EstimateType.NUMERIC, None if value is None else printed(value))
        found = self.quantile({"min": 0, "max": 4, **_QUARTERS}[name])
        return Estimate(name, kind, None if found is None else _PRINTED[kind](found))

    def _sum(self, power: int) -> Fraction:
        """The exact sum of the values to a power."""
        pairs = zip(self._values.tolist(), self._counts.tolist(), strict=True)
        return sum((Fraction(value) ** power * count for value, count in pairs), Fraction(0))


_PRINTED: dict[EstimateType, Callable[[Fraction], str | None]] = {
    EstimateType.INTEGER: lambda value: str(round(value)),
    EstimateType.NUMERIC: lambda value: printed(float(value)),
    EstimateType.DATE: lambda value: in_words(round(value)),
}


def count_and_share(n: int, n_of: int) -> list[Estimate]:
    """A count with its percentage; none of nobody is 0 %."""
    share = printed(100 * n / n_of) if n_of else "0"
    return [
        Estimate("count", EstimateType.INTEGER, str(n)),
        Estimate("percentage", EstimateType.PERCENTAGE, share),
    ]


def standardised_difference(
    first: tuple[float | None, float | None], second: tuple[float | None, float | None]
) -> float | None:
    """The difference of two means in units of their pooled deviation; None where it has no meaning.

    In:     mean and variance of each; a share p has the variance p (1 - p)
    Source: Austin 2009, Stat. Med. 28:3083; the sign is the first less the second.
    """
    (mean, variance), (other_mean, other_variance) = first, second
    if mean is None or other_mean is None or variance is None or other_variance is None:
        return None
    pooled = (variance + other_variance) / 2
    if pooled == 0:
        return 0.0 if mean == other_mean else None
    return (mean - other_mean) / math.sqrt(pooled)
