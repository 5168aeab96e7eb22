"""The systematic error that controls tell, effects freed of it, and how strong a confounder would have to be."""

from __future__ import annotations

import math

from enclos.studies.calibration.model import Effect
from enclos.studies.calibration.rules.calibrating import Calibration
from enclos.studies.calibration.rules.controlled import Controlled, FoundControl
from enclos.studies.calibration.rules.strength import EValue, Ratio, e_value
from enclos.studies.compare.model import OutcomeModel
from enclos.studies.compare.rules.population import Followed
from enclos.studies.compare.steps.effects import UNKNOWN
from enclos.studies.compare.steps.estimating import Findings

_RARE = 0.15
"""The share with the outcome below which hazards and odds stand for risks. Source: VanderWeele and Ding 2017."""


def controlled(found: Findings) -> Controlled:
    """The controls of one way of asking, and the error that they tell."""
    negative = [FoundControl(name, 0.0, each.effect) for name, each in found.controls.items()]
    return Controlled.of([*negative, *found.positives])


def calibrated(calibration: Calibration, effect: Effect) -> Effect:
    """The effect freed of the error; unknown where either is."""
    if not effect.known:
        return UNKNOWN
    found = calibration.interval(effect.estimate)
    return Effect(*(math.nan if end is None else end for end in (found.log, found.lower, found.upper)))


def e_value_of(effect: Effect, model: OutcomeModel, seen: Followed) -> EValue | None:
    """How strong a hidden confounder would have to be.

    Empty: None without an effect
    """
    if not effect.known:
        return None
    common = bool(len(seen)) and float(seen.with_outcome.mean()) >= _RARE
    kinds = {OutcomeModel.COX: Ratio.HAZARD, OutcomeModel.LOGISTIC: Ratio.ODDS}
    kind = kinds.get(model, Ratio.RISK) if common else Ratio.RISK
    return e_value(math.exp(effect.log_ratio), math.exp(effect.lower), math.exp(effect.upper), kind)
