"""The step of the highest second-order gain under a Laplace prior, where columns say nearly the same.

It goes along with the kinks at zero rather than being stopped there afterwards: conjugate gradients move the
coefficients that are not at zero and stop short of the first sign that would change, steps of each column by itself let
others leave zero. Source: Byrd, Nocedal and Solntsev 2014 (conjugate gradients with a flexible active set).
"""

from __future__ import annotations

import numpy as np

from enclos.studies.regression.model import Floats
from enclos.studies.regression.steps.directions import SecondOrder

_MOST_INNER = 400
_FLAT = 1e-14


def _shrunk(values: Floats, by: Floats) -> Floats:
    shrunk: Floats = np.sign(values) * np.maximum(np.abs(values) - by, 0.0)
    return shrunk


class Walk:
    """A walk over the second-order gain, from the coefficients where it is told."""

    def __init__(self, gain: SecondOrder, rate: Floats, start: Floats) -> None:
        self.gain = gain
        self.rate = np.where(gain.diagonal > 0, rate, 0.0)
        self.start = start
        self.place = start
        self.fall = -gain.slope
        """The derivative of minus the gain where the walk is."""
        self.risen = 0.0
        self.inverse = gain.inverse
        self.share = 1.0
        """The share of each column's own step that does not lead too far."""

    def _go(self, place: Floats, curved: Floats) -> None:
        self.risen -= self._loss(place, curved)
        self.fall = self.fall + curved
        self.place = place

    def _loss(self, place: Floats, curved: Floats) -> float:
        """How much worse another place is, from what the curvature does to the way there."""
        way = place - self.place
        kinks = self.rate @ (np.abs(place) - np.abs(self.place))
        return float(self.fall @ way + way @ curved / 2 + kinks)

    def _apart(self) -> None:
        """A step of each column by itself, as much of it as does not lead too far."""
        while True:
            size = self.share * self.inverse
            place = _shrunk(self.place - size * self.fall, size * self.rate)
            place = np.where(self.inverse > 0, place, self.place)
            way = place - self.place
            curved = self.gain.curve(way)
            if way @ curved <= way @ (self.gain.diagonal * way) / self.share:
                self._go(place, curved)
                return
            self.share /= 2

    def _together(self, along: Floats, left: Floats) -> bool:
        """A step of all that is not at zero; whether the signs let it go the whole way."""
        curved = self.gain.curve(along)
        bend = along @ curved
        flat = bend <= _FLAT * (along @ (self.gain.diagonal * along))
        size = np.inf if flat else float(left @ (self.inverse * left) / bend)
        falling = (self.rate > 0) & (self.place * along < 0)
        reach = np.divide(-self.place, along, out=np.full_like(along, np.inf), where=falling)
        nearest = float(reach.min(initial=np.inf))
        if size < nearest:
            self._go(self.place + size * along, size * curved)
            return True
        if not np.isfinite(nearest):
            return False
        short = np.where(reach <= nearest, 0.0, self.place + nearest * along)
        curved_short = nearest * curved
        if np.isfinite(size):
            stopped = np.where(reach <= size, 0.0, self.place + size * along)
            curved_stopped = self.gain.curve(stopped - self.place)
            if self._loss(stopped, curved_stopped) < self._loss(short, curved_short):
                short, curved_short = stopped, curved_stopped
        self._go(short, curved_short)
        return False

    def until(self, forcing: float) -> tuple[Floats, float]:
        """The step after which so small a share of the first slope is left, and its gain."""
        along, before, first = None, 0.0, None
        for _ in range(_MOST_INNER):
            resting = (self.rate > 0) & (self.place == 0)
            left = np.where(resting, 0.0, -self.fall - self.rate * np.sign(self.place))
            leaving = np.where(resting, _shrunk(self.fall, self.rate), 0.0)
            inner, outer = float(left @ (self.inverse * left)), float(leaving @ (self.inverse * leaving))
            first = inner + outer if first is None else first
            if inner + outer <= forcing**2 * first:
                break
            if outer > inner:
                self._apart()
                along = None
                continue
            towards = self.inverse * left
            along = towards if along is None else towards + (inner / before) * along
            before = inner
            if not self._together(along, left):
                along = None
        return self.gain.complete(self.place - self.start), self.risen
