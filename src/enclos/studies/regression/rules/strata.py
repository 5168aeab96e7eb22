"""Conditional Poisson: how the events of a stratum fall on its rows, given how many there are."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_array

from enclos.studies.regression.model import Floats, Ints
from enclos.studies.regression.rules.likelihood import Local, times
from enclos.studies.regression.rules.segments import Order, Segments, in_order, segments_of

_PRODUCTS_AT_ONCE, _FEWEST_ROWS, _MOST_ROWS = 250_000, 256, 8192
"""Products of so many terms are not shared out over threads, which would wait for each other more than they work."""
_ROUNDING = 1e-24


@dataclass(frozen=True, slots=True, eq=False)
class ConditionalPoisson:
    """A multinomial per stratum. A row of weight two counts as two such rows.

    Source: Whitaker et al. 2006, doi 10.1002/sim.2302: the profile likelihood of a Poisson with an effect per stratum.
    """

    order: Order
    place: Order
    strata: Segments
    outcome: Floats
    """Weighted counts, in order."""
    weights: Floats

    @property
    def n_events(self) -> float:
        """The events of strata with more than one row."""
        present = self.strata.sums((self.weights > 0).astype(np.float64))
        return float(self.strata.sums(self.outcome)[present > 1].sum())

    def value(self, predictor: Floats) -> float:
        """The multinomial log-likelihood without its coefficients."""
        return self._risks(predictor)[0]

    def _risks(self, predictor: Floats) -> tuple[float, Floats, Floats, Floats]:
        """The value; each row's risk and each stratum's sum of them, both relative to its highest; its events."""
        ranked = predictor[self.order]
        risks, highest = self.strata.relative(ranked, self.weights)
        totals = self.strata.sums(risks)
        n_events = self.strata.sums(self.outcome)
        with np.errstate(divide="ignore"):
            logs = np.where(n_events > 0, np.log(totals) + highest, 0.0)
        return float(self.outcome @ ranked - n_events @ logs), risks, totals, n_events

    def at(self, predictor: Floats) -> Local:
        """Value, slope and curvature."""
        value, risks, totals, n_events = self._risks(predictor)
        share = risks / self.strata.spread(np.where(totals > 0, totals, 1.0))
        expected = self.strata.spread(n_events) * share
        slope = (self.outcome - expected)[self.place]

        def curve(direction: Floats) -> Floats:
            along = direction[self.order]
            means = self.strata.spread(self.strata.sums(times(share, along)))
            return times(expected, along - means)[self.place]

        return Local(
            value,
            slope,
            curve,
            expected[self.place],
            lambda x: times(slope, x),
            lambda rows: self._gram(rows, share, expected),
        )

    def _gram(self, rows: csr_array, share: Floats, expected: Floats) -> Floats:
        """The information of all columns, a few thousand rows of whole strata at a time: they stay in the cache."""
        rows = rows if isinstance(self.order, slice) else rows[self.order]
        starts = self.strata.starts
        at_once = min(max(_PRODUCTS_AT_ONCE // max(rows.shape[1] ** 2, 1), _FEWEST_ROWS), _MOST_ROWS)
        firsts = np.unique(np.searchsorted(starts, np.arange(0, len(share), at_once)))
        found, whole = np.zeros((rows.shape[1], rows.shape[1])), np.zeros(rows.shape[1])
        for first, after in pairwise([*firsts[firsts < len(starts)].tolist(), len(starts)]):
            begin = int(starts[first])
            end = int(starts[after]) if after < len(starts) else len(share)
            part = rows[begin:end].toarray()
            whole += expected[begin:end] @ part**2
            local_starts = starts[first:after] - begin
            means = np.add.reduceat(times(share[begin:end], part), local_starts, axis=0)
            part -= np.repeat(means, np.diff(local_starts, append=end - begin), axis=0)
            found += part.T @ times(expected[begin:end], part)
        # Rounding is not information: a column that does not differ within strata says nothing.
        same = np.diag(found) <= _ROUNDING * whole
        found[same, :] = 0.0
        found[:, same] = 0.0
        return found


def conditional_poisson(outcome: Floats, strata: Ints, weights: Floats) -> ConditionalPoisson:
    """The likelihood of rows, in whatever order they come; the log of time is already in the predictor."""
    order, place = in_order(strata)
    return ConditionalPoisson(order, place, segments_of(strata[order]), (outcome * weights)[order], weights[order])
