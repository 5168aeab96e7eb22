"""The systematic error that negative controls tell, and estimates freed of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from enclos.studies.calibration.model import ErrorModel, Estimate, Null
from enclos.studies.calibration.rules.error_model import calibrated_interval
from enclos.studies.calibration.rules.null import calibrated_p, ease, fit_null
from enclos.studies.compare.steps.effects import UNKNOWN, Effect


@dataclass(frozen=True, slots=True)
class Calibration:
    """The systematic error of a design."""

    null: Null | None
    """None where no negative control has an estimate."""

    @staticmethod
    def of(effects: Sequence[Effect]) -> Calibration:
        """The error that the estimates of negative controls tell."""
        return Calibration(fit_null([_estimate(each) for each in effects]))

    @property
    def ease(self) -> float:
        """The expected absolute systematic error; not a number where none is known."""
        return math.nan if self.null is None else ease(self.null)

    def calibrated(self, effect: Effect) -> Effect:
        """The effect freed of the error, which is taken to be the same whatever the true effect."""
        if self.null is None or not effect.is_known:
            return UNKNOWN
        found = calibrated_interval(ErrorModel.from_null(self.null), _estimate(effect))
        ends = [math.nan if end is None else end for end in (found.log, found.lower, found.upper)]
        return Effect(*ends)

    def p_value(self, effect: Effect) -> float:
        """How often this design finds so much where there is nothing."""
        found = None if self.null is None else calibrated_p(self.null, _estimate(effect))
        return math.nan if found is None else found


def _estimate(effect: Effect) -> Estimate:
    return Estimate(effect.log_ratio, effect.standard_error)
