"""What controls say, as lines of a result: each design puts them where its own estimates stand."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from enum import Enum

from enclos.contracts.result import OVERALL, EstimateType
from enclos.studies.calibration.model import Effect
from enclos.studies.calibration.rules.controlled import Controlled
from enclos.studies.rules.report import Estimate, number, text_of

_DIGITS = 8


class Said(Enum):
    """What a line is about."""

    CONTROL = "control"
    COVERAGE = "left-out coverage"
    ERROR = "systematic error"


@dataclass(frozen=True, slots=True)
class ControlLine:
    """Some numbers about one control, about all of one true ratio, or about the error of the design."""

    said: Said
    of: str
    """The negative control's name, or overall."""
    true_log: float | None
    """None: of the error, whatever the effect."""
    estimates: list[Estimate]

    @property
    def true_ratio(self) -> str:
        """The true ratio as a result writes it; empty where none is meant."""
        return "" if self.true_log is None else text_of(math.exp(self.true_log), 6) or ""


def control_lines(found: Controlled, ratio: Callable[[Effect], Iterable[Estimate]]) -> Iterator[ControlLine]:
    """Each control with its p-value by all others, how often intervals hold by true ratio, and the systematic error.

    In: ratio — how the design writes an effect
    """
    calibration = found.calibration
    left_out = iter(calibration.left_out_p())
    for each in found.controls:
        estimates = list(ratio(each.effect))
        if not each.true_log and (p_value := next(left_out)) is not None:
            estimates.append(number("left_out_p", p_value, _DIGITS))
        yield ControlLine(Said.CONTROL, each.made_of, each.true_log, estimates)
    for level in calibration.coverage:
        shares = {"coverage": level.within, "below": level.below, "above": level.above}
        shares["coverage_uncalibrated"] = level.uncalibrated
        estimates = [Estimate("n_controls", EstimateType.INTEGER, str(level.n_controls))]
        estimates += [number(name, share, _DIGITS) for name, share in shares.items()]
        yield ControlLine(Said.COVERAGE, OVERALL, level.true_log, estimates)
    null, model = calibration.null, calibration.model
    if null is not None and model is not None:
        values = {"mean": null.mean, "sd": null.sd, "ease": calibration.ease}
        values |= {part.name: getattr(model, part.name) for part in fields(model)}
        yield ControlLine(Said.ERROR, OVERALL, None, [number(name, value, _DIGITS) for name, value in values.items()])
