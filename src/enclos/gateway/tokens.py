"""The pieces of a statement as tools write it: words, texts, comments, parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKENS = re.compile(
    r"""(?P<space>\s+|--[^\n]*)
    | (?P<comment>/\*)
    | (?P<escaped>[eE]'(?:[^'\\]|\\.|'')*')
    | (?P<text>'(?:[^']|'')*')
    | (?P<dollars>\$(?P<tag>[A-Za-z_]\w*|)\$)
    | (?P<parameter>\$\d+)
    | (?P<quoted>"(?:[^"]|"")*")
    | (?P<word>[^\W\d]\w*)
    | (?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)
    | (?P<sign>::|.)""",
    re.VERBOSE | re.DOTALL,
)
_MARKS = re.compile(r"/\*|\*/")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a statement."""

    kind: str
    text: str

    @property
    def is_blank(self) -> bool:
        """Whether it says nothing."""
        return self.kind in {"space", "comment"}

    @property
    def word(self) -> str:
        """The word in small letters, or nothing."""
        return self.text.lower() if self.kind == "word" else ""


def tokens_of(text: str) -> list[Token]:
    """The pieces of a text; together they are the text."""
    found, at = [], 0
    while at < len(text):
        match = _TOKENS.match(text, at)
        if match is None or match.lastgroup is None:
            raise ValueError("every character is a token")
        kind, end = match.lastgroup, match.end()
        if kind == "comment":
            end = _end_of_comment(text, end)
        elif kind in {"dollars", "tag"}:
            kind, close = "dollars", text.find(match["dollars"], end)
            end = len(text) if close < 0 else close + len(match["dollars"])
        found.append(Token(kind, text[at:end]))
        at = end
    return found


def _end_of_comment(text: str, at: int) -> int:
    depth = 1
    for mark in _MARKS.finditer(text, at):
        depth += 1 if mark.group() == "/*" else -1
        if depth == 0:
            return mark.end()
    return len(text)
