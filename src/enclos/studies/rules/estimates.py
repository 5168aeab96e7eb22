"""From counts to rates, shares and their 95 % intervals, rounded and printed as the field's peer does."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]

DAYS_PER_YEAR = 365.25
PERSON_YEARS_UNIT = 100_000
_LOWER, _UPPER = 0.025, 0.975
_RATE_DIGITS, _SHARE_DIGITS = 3, 5


def person_years(person_days: Ints) -> Floats:
    """Person-years of person-days, to three decimals.

    Units:  365.25 days a year.
    Source: IncidencePrevalence 1.2, estimateIncidence: rates are computed from the rounded person-years.
    """
    return _rounded(person_days / DAYS_PER_YEAR, _RATE_DIGITS)


def per_100k_person_years(n_events: Ints, years: Floats) -> Floats:
    """Events per 100 000 person-years, to three decimals."""
    return _rounded(n_events / years * PERSON_YEARS_UNIT, _RATE_DIGITS)


def per_100k(rate_per_year: float) -> float:
    """A rate per 100 000 person-years, to three decimals."""
    return round(rate_per_year * PERSON_YEARS_UNIT, _RATE_DIGITS)


def poisson_interval_per_100k(n_events: Ints, years: Floats) -> tuple[Floats, Floats]:
    """The exact 95 % interval of a Poisson rate, per 100 000 person-years, to three decimals.

    In:     number of events and person-years of each estimate
    Source: Garwood 1936; chi-square quantiles as gamma quantiles: qchisq(p, 2k) / 2 = qgamma(p, k).
    """
    from scipy.special import gammaincinv

    lower = np.where(n_events > 0, gammaincinv(np.maximum(n_events, 1), _LOWER), 0.0)
    upper = gammaincinv(n_events + 1, _UPPER)
    return (
        _rounded(lower / years * PERSON_YEARS_UNIT, _RATE_DIGITS),
        _rounded(upper / years * PERSON_YEARS_UNIT, _RATE_DIGITS),
    )


def share(n_cases: Ints, n_persons: Ints) -> Floats:
    """Cases over persons, to five decimals; not a number where there are no persons."""
    return _rounded(_quotient(n_cases, n_persons), _SHARE_DIGITS)


def wilson_interval(n_cases: Ints, n_persons: Ints) -> tuple[Floats, Floats]:
    """The 95 % Wilson score interval of a share, to five decimals; not a number where there are no persons.

    Source: Wilson 1927, J. Am. Stat. Assoc. 22:209, without continuity correction.
    """
    from scipy.special import ndtri

    z = float(ndtri(_UPPER))
    n = np.where(n_persons > 0, n_persons, np.nan).astype(np.float64)
    p = _quotient(n_cases, n_persons)
    centre = (n_cases + z * z / 2) / (n + z * z)
    half_width = z * np.sqrt(n) / (n + z * z) * np.sqrt(p * (1 - p) + z * z / (4 * n))
    return _rounded(centre - half_width, _SHARE_DIGITS), _rounded(centre + half_width, _SHARE_DIGITS)


def printed(value: float) -> str | None:
    """The number as a result's text; None for what is not a number.

    Source: R, as.character of a double: 15 significant digits, and an exponent only where that is shorter.
    """
    if math.isnan(value):
        return None
    number = Decimal(f"{value:.15g}").normalize()
    sign, digits, exponent = number.as_tuple()
    if not number or not isinstance(exponent, int):
        return "0"
    fixed = f"{number:f}"
    power = exponent + len(digits) - 1
    mantissa = "".join(map(str, digits))
    fraction = f".{mantissa[1:]}" if len(mantissa) > 1 else ""
    scientific = f"{'-' if sign else ''}{mantissa[0]}{fraction}e{power:+03d}"
    return fixed if len(fixed) <= len(scientific) else scientific


def _quotient(n_cases: Ints, n_persons: Ints) -> Floats:
    quotient: Floats = np.divide(n_cases, n_persons, out=np.full(len(n_cases), np.nan), where=n_persons > 0)
    return quotient


def _rounded(values: Floats, n_digits: int) -> Floats:
    """Decimal rounding of each double as Python does it, exact; numpy scales first and can be off by one digit."""
    return np.array([round(float(value), n_digits) for value in values], dtype=np.float64)
