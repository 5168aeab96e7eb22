"""What the controls of one design say of its other estimates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from enclos.studies.calibration.model import Control, ErrorModel, Estimate, Interval, Null
from enclos.studies.calibration.rules.error_model import (
    Coverage,
    calibrated_interval,
    error_model_of,
    left_out_coverage,
)
from enclos.studies.calibration.rules.null import calibrated_p, ease, fit_null, left_out_p

NO_INTERVAL = Interval(None, None, None)


@dataclass(frozen=True)
class Calibration:
    """The systematic error of a design, as its controls tell it."""

    controls: tuple[Control, ...]
    """Those whose true effect is none first."""
    null: Null | None
    """None where no negative control has an estimate."""
    model: ErrorModel | None
    """None where there is no null; the error is the same whatever the true effect, unless positive controls tell."""

    @staticmethod
    def of(controls: Sequence[Control]) -> Calibration:
        """The error that negative and positive controls tell."""
        ordered = tuple(sorted(controls, key=lambda each: each.true_log != 0))
        null = fit_null([each.estimate for each in ordered if each.true_log == 0])
        return Calibration(ordered, null, None if null is None else error_model_of(ordered))

    @property
    def ease(self) -> float:
        """The expected absolute systematic error; not a number where none is known."""
        return math.nan if self.null is None else ease(self.null)

    def interval(self, estimate: Estimate) -> Interval:
        """The true effects that an estimate is compatible with."""
        return NO_INTERVAL if self.model is None else calibrated_interval(self.model, estimate)

    def p_value(self, estimate: Estimate) -> float:
        """How often this design finds so much where there is nothing; not a number where that is not known."""
        found = None if self.null is None else calibrated_p(self.null, estimate)
        return math.nan if found is None else found

    def left_out_p(self) -> list[float | None]:
        """The p-value of each negative control, in order, calibrated by all others."""
        return left_out_p([each.estimate for each in self.controls if each.true_log == 0])

    @cached_property
    def coverage(self) -> list[Coverage]:
        """How often the interval of a control, calibrated by all others, holds its true effect."""
        return left_out_coverage(self.controls)
