"""Estimates whose true effect is known, and what they say of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from enclos.studies.calibration.model import Control, Effect
from enclos.studies.calibration.rules.calibrating import Calibration


@dataclass(frozen=True, slots=True)
class FoundControl:
    """What a design found of one control."""

    made_of: str
    """The negative control's name."""
    true_log: float
    effect: Effect


@dataclass(frozen=True, slots=True)
class Controlled:
    """What the controls say of one ratio."""

    controls: tuple[FoundControl, ...]
    calibration: Calibration

    @staticmethod
    def of(controls: Sequence[FoundControl]) -> Controlled:
        """Controls with what they tell, those without an effect first."""
        ordered = tuple(sorted(controls, key=lambda each: each.true_log != 0))
        return Controlled(
            ordered, Calibration.of([Control(each.effect.estimate, each.true_log, each.made_of) for each in ordered])
        )
