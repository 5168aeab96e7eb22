"""Estimates as people read them."""

from __future__ import annotations

from enclos.contracts.result import HIDDEN
from enclos.studies.figures.model import Point, Say, english

WITHHELD = "–"
"""What a table for people has in the place of a number that is withheld."""
_DIGITS = 4


def shown(text: str | None, say: Say = english) -> str:
    """An estimate as people read it: thousands apart, at most four decimals; nothing where there is no number."""
    if text is None:
        return ""
    if text == HIDDEN:
        return WITHHELD
    try:
        value = float(text)
    except ValueError:
        return text
    whole, _, decimals = f"{value:,.{_DIGITS}f}".partition(".")
    decimals = decimals.rstrip("0")
    return whole.replace(",", "\u202f") + (say(".") + decimals if decimals else "")


def interval(point: Point, name: str, ends: tuple[str, str], say: Say) -> str:
    """An estimate with its interval; nothing where there is none."""
    value = shown(point.estimates.get(name), say)
    lower, upper = (shown(point.estimates.get(end), say) for end in ends)
    return f"{value} ({lower} – {upper})" if lower and value != WITHHELD else value
