"""Labels of results: texts that carry nothing but what they say.

Whoever makes a label can write there what no rule of counts sees. So a label is plain text without hidden signs,
markup, formulas, addresses, paths and long numbers. What it says in plain words is not judged here. Names of concepts
hold such signs now and then (packs of drugs, limits of measurements): results say them in signs that a label may have,
and without the digits that make a number long.

Source: OWASP ASVS 1.2.10 (formulas in CSV); Unicode categories.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_MOST_SIGNS = 255
_HIDDEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
"""Unicode categories of signs that nobody sees, and of those that mean nothing yet."""
_FORBIDDEN = re.compile(r"[<>\"@\\{}|`\uff00-\uffef]|\.\./|%(?:2e|2f|5c)|^ | $| {2}", re.IGNORECASE)
_FORMULA = re.compile(r"[=+]|-(?!(?:[0-9]+(?:\.[0-9]+)?|inf)(?: to -?(?:[0-9]+|inf))?$)")
_PACKED = re.compile(r"(?=[A-Za-z0-9+/_-]*[0-9])[A-Za-z0-9+/_-]{40,}")
"""Forty signs with a digit and no space: something encoded."""
_NUMBER = re.compile(r"[0-9](?:[ .,:/_-]?[0-9]){7,}")
"""Eight digits or more, however they are set apart: an identity, a day, an amount; a concept's number stands alone."""
_CONCEPT = re.compile(r"0|[1-9][0-9]{0,9}")
_IDENTITY = re.compile(
    r"[0-9]{9}|\b[12](?P<s>[ .-]?)[0-9]{2}(?P=s)[01][0-9](?P=s)(?:[0-9]{2}|2[AB])(?P=s)[0-9]{3}(?P=s)[0-9]{3}\b"
)
"""Nine digits on end, or a national number set apart."""
_START_DAY = re.compile(r"cohort_start_date (?:after|before) [12][0-9]{3}-[01][0-9]-[0-3][0-9]")
"""The reason of an attrition by a day of the study file, in the words of the peers."""
_SAID = str.maketrans(
    {"{": "(", "}": ")", "<": "less than ", ">": "more than ", '"': "'", "`": "'", "|": "/", "\\": "/", "@": " at "}
)
"""What stands for a sign that no label has."""
_SAID_FIRST = {"=": "equal to ", "+": "plus ", "-": "minus "}
"""What stands for a sign that would begin a formula."""
_LEFT_OUT = "…"


@lru_cache(maxsize=1 << 14)
def is_plain(text: str) -> bool:
    """Whether a text may stand in a table as it is: it shows all that it holds, and nothing would run it."""
    if len(text) > _MOST_SIGNS or _FORBIDDEN.search(text) or _FORMULA.match(text) or _PACKED.search(text):
        return False
    kinds = [unicodedata.category(sign) for sign in text]
    if _HIDDEN.intersection(kinds) or any(kind == "Zs" and sign != " " for kind, sign in zip(kinds, text, strict=True)):
        return False
    return unicodedata.normalize("NFC", text) == text and not any(map(_is_mixed, re.findall(r"[^\W\d_]+", text)))


def shows_all(text: str) -> bool:
    """Whether a reader of some lines sees all that they hold: no signs that nobody sees, no blanks that look alike."""
    signs = [sign for sign in text if sign not in "\n\r\t"]
    kinds = [unicodedata.category(sign) for sign in signs]
    alike = any(kind == "Zs" and sign != " " for kind, sign in zip(kinds, signs, strict=True))
    return not _HIDDEN.intersection(kinds) and not alike and not any(map(_is_mixed, re.findall(r"[^\W\d_]+", text)))


def is_label(text: str, *, is_window: bool = False) -> bool:
    """Whether a plain text holds no long number; windows of time do, and a concept's number is alone."""
    is_known = is_window or _CONCEPT.fullmatch(text) or _START_DAY.fullmatch(text)
    return is_plain(text) and (bool(is_known) or not _NUMBER.search(text))


@lru_cache(maxsize=1 << 14)
def concept_label(name: str, otherwise: str) -> str:
    """The name of a concept as a label says it: other signs in the place of those that no label has, and ``…`` in that
    of digits that make a number long and of what is too long.

    In:  otherwise — what is said where it still could not be one
    """
    said = " ".join(unicodedata.normalize("NFC", name).replace(" &&& ", " & ").translate(_SAID).split())
    if _FORMULA.match(said):
        said = _SAID_FIRST[said[0]] + said[1:].lstrip()
    while not is_label(said) and (number := _NUMBER.search(said)):
        digits = max(re.finditer("[0-9]+", number.group()), key=lambda run: len(run.group()))
        first = number.start() + digits.start()
        said = f"{said[:first]}{_LEFT_OUT}{said[first + len(digits.group()) :]}"
    if len(said) > _MOST_SIGNS:
        said = said[: _MOST_SIGNS - 1].rstrip() + _LEFT_OUT
    return said if is_label(said) else otherwise


def is_setting(text: str, *, is_concept: bool = False) -> bool:
    """Whether a plain text holds no identity; days, ages and weights stand there.

    In: is_concept — the setting is a concept that the vocabulary has; its number alone may be as long as an identity
    """
    return is_plain(text) and (not _IDENTITY.search(text) or (is_concept and bool(_CONCEPT.fullmatch(text))))


def _is_mixed(word: str) -> bool:
    """Whether letters of two alphabets that look alike stand in one word."""
    alphabets = {unicodedata.name(sign, "").split(" ")[0] for sign in word}
    return len(alphabets & {"LATIN", "CYRILLIC", "ARMENIAN", "CHEROKEE", "COPTIC"}) > 1
