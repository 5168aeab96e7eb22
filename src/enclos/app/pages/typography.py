"""How French is set: spaces that no line breaks at, and words that follow a number."""

from __future__ import annotations

import re
from functools import cache
from string import Formatter
from typing import Any

NARROW, FIXED = "\u202f", "\u00a0"
"""The narrow space that no line breaks at (before ; ! ? % and between thousands), and the full one (before : and inside
« »). Source: Imprimerie nationale, Lexique des règles typographiques; CLDR.
"""
_SPACES = (
    (re.compile(r" (?=[;!?])|(?<=[\d}]) (?=%)|(?<=\d) (?=\d{3}(?!\d))"), NARROW),
    (re.compile(r" (?=:(?:\s|$))|(?<=«) | (?=»)|(?<=\bart\.) (?=\d)"), FIXED),
)
_SOURCES = (
    (re.compile(r"\bRegulation \(EU\)"), "règlement (UE)"),
    (re.compile(r"\bEHDS Art\. "), "règlement EEDS, art. "),
    (re.compile(r"\bGDPR Art\. "), "RGPD, art. "),
    (re.compile(r"\bArt\. "), "art. "),
    (re.compile(r"\bCASD rules "), "règles du CASD, "),
    (re.compile(r"\bdesign (?=§)"), "conception, "),
    (re.compile(r"\bthreats (?=[A-Z]\d)"), "menaces, "),
)


@cache
def french_spaces(text: str) -> str:
    """A French text of ours, written with ordinary spaces, as it is set. Values are put in afterwards and stay."""
    for pattern, space in _SPACES:
        text = pattern.sub(space, text)
    return text


def source_in_french(source: str) -> str:
    """Where a rule is from, as French names laws and our own documents; names of standards are the same in both."""
    for pattern, french in _SOURCES:
        source = pattern.sub(french, source)
    return french_spaces(source)


class Forms(Formatter):
    """Formats a text in which ``{n:hour|hours}`` is the word that goes with the number ``n``.

    In: below — numbers whose amount is smaller take the first form: 2 in French (0 heure, 1,5 heure, 2 heures); None
        where exactly one does, as in English
    """

    def __init__(self, below: float | None) -> None:
        self._below = below

    def format_field(self, value: Any, format_spec: str) -> str:
        """The value by its format, or the form of a word that the value chooses."""
        if "|" not in format_spec:
            return str(super().format_field(value, format_spec))
        one, _, more = format_spec.partition("|")
        n = _amount(value)
        is_one = n is not None and (n == 1 if self._below is None else n < self._below)
        return one if is_one else more


def _amount(value: object) -> float | None:
    """A number, or one that was written for a page; None for another text, such as “fewer than 11”."""
    try:
        return abs(float(re.sub(r"[\s\u202f\u00a0]", "", str(value)).replace(",", ".")))
    except ValueError:
        return None
