"""Conditional Poisson: how the events of a stratum fall on its rows, given how many there are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from enclos.studies.regression.model import Floats, Ints
from enclos.studies.regression.rules.likelihood import Local, times
from enclos.studies.regression.rules.segments import Order, Segments, in_order, segments_of


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
        return self.at(predictor).value

    def at(self, predictor: Floats) -> Local:
        """Value, slope and curvature."""
        ranked = predictor[self.order]
        risks, highest = self.strata.relative(ranked, self.weights)
        totals = self.strata.sums(risks)
        n_events = self.strata.sums(self.outcome)
        with np.errstate(divide="ignore"):
            logs = np.where(n_events > 0, np.log(totals) + highest, 0.0)
        share = risks / self.strata.spread(np.where(totals > 0, totals, 1.0))
        expected = self.strata.spread(n_events) * share
        slope = (self.outcome - expected)[self.place]

        def curve(direction: Floats) -> Floats:
            along = direction[self.order]
            means = self.strata.spread(self.strata.sums(times(share, along)))
            return times(expected, along - means)[self.place]

        return Local(
            float(self.outcome @ ranked - n_events @ logs),
            slope,
            curve,
            expected[self.place],
            lambda x: times(slope, x),
        )


def conditional_poisson(outcome: Floats, strata: Ints, weights: Floats) -> ConditionalPoisson:
    """The likelihood of rows, in whatever order they come; the log of time is already in the predictor."""
    order, place = in_order(strata)
    return ConditionalPoisson(order, place, segments_of(strata[order]), (outcome * weights)[order], weights[order])
