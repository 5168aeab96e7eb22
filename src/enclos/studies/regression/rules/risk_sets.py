"""Cox's partial likelihood: who has the event, of those who could have had it then.

Rows are put in order of stratum and falling time, so that the risk set of a moment is a run from its stratum's start.
Each moment with events has one term (Breslow) or one per event (Efron), whose risk set counts the rows that have their
event then less and less. Weighted rows as in R's survival: a term weighs the mean weight of the moment's events.
Source: Breslow 1974; Efron 1977; Therneau and Grambsch 2000, chapter 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from enclos.studies.regression.model import Floats, Ints, Ties
from enclos.studies.regression.rules.likelihood import Local, times
from enclos.studies.regression.rules.segments import Order, Segments, in_order, segments_of


@dataclass(frozen=True, slots=True, eq=False)
class Cox:
    """The partial likelihood of rows that end with an event or are censored."""

    order: Order
    place: Order
    """The inverse of the order."""
    strata: Segments
    moments: Segments
    """Runs of the same stratum and time."""
    backwards: Segments
    """The strata as runs of moments, last moment first."""
    weights: Floats
    events: Floats
    """1 where the row ends with an event; in order, as the weights."""
    term_moment: Ints
    """The moment that each term belongs to."""
    term_weight: Floats
    term_share: Floats
    """How much less the term counts the rows that have their event at its moment."""

    @property
    def n_events(self) -> float:
        """The weighted number of events that leave anyone else at risk."""
        alone = self.strata.running(np.ones(self.strata.n_rows))
        last = self.moments.starts + self.moments.lengths - 1
        return float(self.term_weight[alone[last][self.term_moment] > 1].sum())

    def value(self, predictor: Floats) -> float:
        """The log partial likelihood."""
        ranked = predictor[self.order]
        risks, highest = self.strata.relative(ranked, self.weights)
        return self._value(ranked, self._at_risk(risks), highest)

    def _at_risk(self, values: Floats) -> Floats:
        """Per term, the sum over those at risk of a value of each row."""
        last = self.moments.starts + self.moments.lengths - 1
        totals: Floats = self.strata.running(values)[last[self.term_moment]]
        if self.term_share.any():
            own = self.moments.sums(times(self.events, values))[self.term_moment]
            totals = totals - times(self.term_share, own)
        return totals

    def _to_rows(self, per_term: Floats) -> Floats:
        """Per row, a value summed over the terms that it is at risk for, less what its own event's terms leave out."""
        n_moments = len(self.moments.starts)
        shape = (n_moments, *per_term.shape[1:])
        by_moment = np.zeros(shape)
        np.add.at(by_moment, self.term_moment, per_term)
        later: Floats = self.moments.spread(self.backwards.running(by_moment[::-1])[::-1])
        if self.term_share.any():
            less = np.zeros(shape)
            np.add.at(less, self.term_moment, times(self.term_share, per_term))
            later = later - times(self.events, self.moments.spread(less))
        return later

    def _value(self, ranked: Floats, denominators: Floats, highest: Floats) -> float:
        levels = self.strata.spread(highest)[self.moments.starts][self.term_moment]
        logs = np.log(denominators) + levels
        return float((self.weights * self.events) @ ranked - self.term_weight @ logs)

    def at(self, predictor: Floats) -> Local:
        """Value, slope and curvature."""
        ranked = predictor[self.order]
        risks, highest = self.strata.relative(ranked, self.weights)
        denominators = self._at_risk(risks)
        value = self._value(ranked, denominators, highest)
        hazards = self.term_weight / denominators
        expected = risks * self._to_rows(hazards)
        slope = self.weights * self.events - expected

        def curve(direction: Floats) -> Floats:
            along = direction[self.order]
            sums = self._at_risk(times(risks, along))
            pulled = self._to_rows(times(hazards / denominators, sums))
            return (times(expected, along) - times(risks, pulled))[self.place]

        def scores(columns: Floats) -> Floats:
            x = columns[self.order]
            means = self._at_risk(times(risks, x)) / denominators[:, None]
            n_terms = np.bincount(self.term_moment, minlength=len(self.moments.starts))
            at_moment = np.zeros((len(n_terms), x.shape[1]))
            np.add.at(at_moment, self.term_moment, means)
            at_moment /= np.maximum(n_terms, 1)[:, None]
            own = times(self.weights * self.events, self.moments.spread(at_moment))
            return (times(slope, x) - own + times(risks, self._to_rows(times(hazards, means))))[self.place]

        return Local(value, slope[self.place], curve, expected[self.place], scores)


def cox(outcome: Floats, time: Floats, strata: Ints, weights: Floats, ties: Ties) -> Cox:
    """The partial likelihood of rows, in whatever order they come.

    In: outcome — 1 where the row ends with an event; weights — none negative; rows of weight zero add nothing
    """
    order, place = in_order(-time, strata)
    strata, time, weights = strata[order], time[order], weights[order]
    events = np.where(weights > 0, outcome[order], 0.0)
    runs, moments = segments_of(strata), segments_of(strata, time)
    n_tied = moments.sums(events).astype(np.int64)
    (with_events,) = np.nonzero(n_tied)
    weight = moments.sums(events * weights)[with_events]
    n_terms = n_tied[with_events] if ties is Ties.EFRON else np.ones(len(with_events), dtype=np.int64)
    first = np.cumsum(n_terms) - n_terms
    place_in_moment = np.arange(int(n_terms.sum())) - np.repeat(first, n_terms)
    backwards = segments_of(strata[moments.starts]).reversed()
    return Cox(
        order,
        place,
        runs,
        moments,
        backwards,
        weights,
        events,
        np.repeat(with_events, n_terms),
        np.repeat(weight / n_terms, n_terms),
        place_in_moment / np.repeat(n_terms, n_terms),
    )
