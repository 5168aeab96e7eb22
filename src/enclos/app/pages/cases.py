"""What a refusal says of its case, in French: the sentence that was made where it was refused, with its values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

from enclos.app.pages.typography import french_spaces

_SLOT = re.compile(r"\{(\d)([*;]?)\}")
_NEXT_FAULT = re.compile(r"; (?=line \d)")
_FILE = "refusal_cases_fr.tsv"
_BETWEEN = french_spaces(" ; ")
_LONGEST = 4000
"""Longer texts stay as they are: they hold what somebody wrote, and forms are sought in them."""


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence with places for values, and what is put into each: as it is, said in French, or a list so said."""

    form: re.Pattern[str]
    kinds: tuple[tuple[str, str], ...]
    french: str

    def said(self, text: str) -> str | None:
        """The sentence in French; None for another one, or with a part that has no French."""
        found = self.form.fullmatch(text)
        if found is None:
            return None
        values: dict[str, str] = {}
        for (number, kind), value in zip(self.kinds, found.groups(), strict=True):
            parts = [part if kind == "" else case_in_french(part) for part in _parts(kind, value)]
            known = [part for part in parts if part is not None]
            if len(known) < len(parts):
                return None
            values[number] = _BETWEEN.join(known)
        return _SLOT.sub(lambda slot: values[slot[1]], self.french)


def _parts(kind: str, value: str) -> list[str]:
    return _NEXT_FAULT.split(value) if kind == ";" else [value]


def case_in_french(text: str) -> str | None:
    """A sentence of a refusal, or a part of one, in French; None where there is no French of it, or of a part.

    Values (names, numbers, paths) stay as they are; nothing else of the English text does.
    """
    if not text or len(text) > _LONGEST:
        return None
    whole, with_values = _sentences()
    if text in whole:
        return whole[text]
    return next((said for sentence in with_values if (said := sentence.said(text)) is not None), None)


@cache
def _sentences() -> tuple[dict[str, str], list[_Sentence]]:
    """Those without values, and those with; the first that fits is said."""
    whole: dict[str, str] = {}
    with_values: list[_Sentence] = []
    for english, written in french_cases():
        french = french_spaces(written)
        kinds = tuple((slot[1], slot[2]) for slot in _SLOT.finditer(english))
        if kinds:
            between = [re.escape(part) for part in _SLOT.sub("\0", english).split("\0")]
            with_values.append(_Sentence(re.compile("(.+?)".join(between), re.DOTALL), kinds, french))
        else:
            whole[english] = french
    return whole, with_values


@cache
def french_cases() -> tuple[tuple[str, str], ...]:
    """The lines of ``refusal_cases_fr.tsv``: English and French, between them a tab.

    A number between braces is a value, one with a star a part that has a line of its own, one with a semicolon a list
    of faults with a line of their own each.
    """
    text = resources.files("enclos.app.pages").joinpath(_FILE).read_text(encoding="utf-8")
    pairs = (line.partition("\t") for line in text.splitlines())
    return tuple((english, french) for english, _, french in pairs)
