"""What of a count may be told to everybody.

A number is rounded down to its two first digits, and never to less than a unit: the smallest power of ten that is not
below the enclosure's floor. What is below the unit is not told, and looks like nothing. So a person more or less
changes no number but at a step, and no difference of two numbers, or of two descriptions, is smaller than the unit.
Ages are told by bands of five years, all from 90 on as one: a unit of persons is as young as the youngest that is told,
and one as old as the oldest. A year of care is told when a unit of persons was observed in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

AGE_BAND, OLDEST_BAND = 5, 90
_KEPT_DIGITS = 2


def unit_of(floor: int) -> int:
    """The least step of any number: a power of ten, 10 at least, not below the floor."""
    unit = 10
    while unit < floor:
        unit *= 10
    return unit


def told(n: int, unit: int) -> int | None:
    """The number as it is told: at least so many; None below the unit.

    In: unit — see unit_of
    """
    if n < unit:
        return None
    step = max(unit, int(10 ** (len(str(n)) - _KEPT_DIGITS)))
    return n // step * step


def typical_ages(persons_by_band: Mapping[int, int], unit: int) -> tuple[int, int] | None:
    """The ages between which persons typically are: a unit of persons is as young, and one as old; None without.

    In:  persons by the first age of their band of five years; OLDEST_BAND stands for that age and beyond
    Out: the first age of a band and the last age of one, or OLDEST_BAND
    """
    bands = sorted((band, n) for band, n in persons_by_band.items() if band >= 0)
    youngest, oldest = _reached(bands, unit), _reached(bands[::-1], unit)
    if youngest is None or oldest is None:
        return None
    return youngest, OLDEST_BAND if oldest >= OLDEST_BAND else oldest + AGE_BAND - 1


def _reached(bands: Sequence[tuple[int, int]], unit: int) -> int | None:
    """The first band with which a unit of persons is reached."""
    n_so_far = 0
    for band, n in bands:
        n_so_far += n
        if n_so_far >= unit:
            return band
    return None


def typical_years(persons_by_year: Mapping[int, int], until: date | None, unit: int) -> tuple[date, date] | None:
    """The first and the last day of the years in which enough persons were observed; None without such a year.

    In: until — the last delivered day, after which nothing is told
    """
    years = sorted(year for year, n in persons_by_year.items() if n >= unit)
    if not years:
        return None
    first, last = date(years[0], 1, 1), date(years[-1], 12, 31)
    return first, min(last, until) if until is not None and until >= first else last
