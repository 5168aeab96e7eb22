"""How strong an effect has to be to be seen, and a confounder to explain it away."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from enclos.studies.calibration.model import Side


@dataclass(frozen=True, slots=True)
class Detectable:
    """The smallest rate ratio that a study of this size finds, and the standard error to expect of its log."""

    rate_ratio: float
    standard_error: float


def minimum_detectable(
    n_events: int, share_exposed: float, *, alpha: float = 0.05, power: float = 0.8, side: Side = Side.TWO
) -> Detectable | None:
    """The minimum detectable rate ratio of a Cox model.

    In:    n_events — persons with the outcome; share_exposed — share of persons in the target cohort
    Empty: None without events or with one cohort only
    Source: Schoenfeld, Biometrics 39 (1983) 499; CohortMethod, computeMdrr
    """
    information = n_events * share_exposed * (1 - share_exposed)
    if information <= 0:
        return None
    z_alpha = float(ndtri(1 - alpha / 2 if side is Side.TWO else 1 - alpha))
    return Detectable(math.exp((z_alpha + float(ndtri(power))) / math.sqrt(information)), 1 / math.sqrt(information))


_MOST_LOG = 20.0


def minimum_detectable_in_series(
    n_events: int, share_of_time: float, *, alpha: float = 0.05, power: float = 0.8
) -> float | None:
    """The minimum detectable rate ratio of a self-controlled case series, by the signed root of the likelihood ratio.

    In:    n_events — of all cases; share_of_time — share of their time that lies in the window
    Empty: None without events, or when the window has none or all of the time; infinite where no ratio is enough
    Source: Musonda, Farrington and Whitaker, Statistics in Medicine 25 (2006) 2618, the method SRL1;
            SelfControlledCaseSeries, computeMdrr
    """
    from scipy.optimize import brentq

    if n_events <= 0 or not 0 < share_of_time < 1:
        return None
    wanted, z_alpha = float(ndtri(power)), float(ndtri(1 - alpha / 2))

    def lacking(log_ratio: float) -> float:
        total = math.exp(log_ratio) * share_of_time + 1 - share_of_time
        within = math.exp(log_ratio) * share_of_time / total
        a = 2 * (within * log_ratio - math.log(total))
        b = log_ratio**2 / a * within * (1 - within)
        return wanted - (math.sqrt(n_events * a) - z_alpha) / math.sqrt(b)

    low = 1e-3
    if lacking(_MOST_LOG) > 0:
        return math.inf
    return math.exp(low if lacking(low) <= 0 else float(brentq(lacking, low, _MOST_LOG, xtol=1e-10)))


def minimum_detectable_in_sets(
    n_exposed: npt.NDArray[np.int64], n: npt.NDArray[np.int64], *, alpha: float = 0.05, power: float = 0.8
) -> float | None:
    """The minimum detectable odds ratio of matched sets with one case each.

    In:    n_exposed, n — of each set, case and controls together: what the case was does not matter
    Empty: None where no set differs in exposure
    Source: the information of conditional logistic regression at no effect, as Schoenfeld 1983 has it of Cox
            regression; Breslow and Day, Statistical Methods in Cancer Research 2 (1987) 7.6
    """
    share = n_exposed / n
    information = float((share * (1 - share)).sum())
    if information <= 0:
        return None
    return math.exp(min((float(ndtri(1 - alpha / 2)) + float(ndtri(power))) / math.sqrt(information), _MOST_LOG))


class Ratio(Enum):
    """What an effect is a ratio of; decides how it stands for a risk ratio."""

    RISK = "risk"
    """Risks or rates; odds and hazards too where the outcome is rare (below 15 %) at the end of follow-up."""
    ODDS = "odds"
    """Odds of an outcome that is not rare: the square root stands for the risk ratio."""
    HAZARD = "hazard"
    """Hazards of an outcome that is not rare."""


@dataclass(frozen=True, slots=True)
class EValue:
    """How strongly an unmeasured confounder would have to be tied to exposure and outcome both, as a risk ratio."""

    of_estimate: float
    """To move the estimate to no effect."""
    of_limit: float
    """To move the interval to no effect; 1 where it holds no effect already."""


def e_value(ratio: float, lower: float, upper: float, kind: Ratio = Ratio.RISK) -> EValue:
    """The E-value of an estimate and of the end of its interval that is nearer to no effect.

    Refuses: ValueError unless 0 < lower <= ratio <= upper
    Source: VanderWeele and Ding, Annals of Internal Medicine 167 (2017) 268
    """
    if not 0 < lower <= ratio <= upper:
        raise ValueError("a ratio lies in its interval, above zero")
    limit = 1.0 if lower <= 1 <= upper else lower if lower > 1 else upper
    return EValue(*(_needed(_as_risk_ratio(each, kind)) for each in (ratio, limit)))


def _needed(ratio: float) -> float:
    away = max(ratio, 1 / ratio)
    return away + math.sqrt(away * (away - 1))


def _as_risk_ratio(ratio: float, kind: Ratio) -> float:
    if kind is Ratio.ODDS:
        return math.sqrt(ratio)
    if kind is Ratio.HAZARD and ratio != 1:
        return (1 - math.pow(0.5, math.sqrt(ratio))) / (1 - math.pow(0.5, math.sqrt(1 / ratio)))
    return ratio
