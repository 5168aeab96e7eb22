"""Statements as tools send them: cut apart, their parameters filled in, the schema's name taken off.

Nothing here decides what may run: the text that comes out is read by the guard of ``enclos sql`` like any other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import count

from enclos.gateway.lists import listed
from enclos.gateway.tokens import Token, tokens_of
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal

SCHEMA = "public"
MAX_PARAMETERS = 1000
MAX_CHARACTERS = 100_000
_NOTHING = "SELECT NULL WHERE FALSE"
_MOST_PLACES = 1000
"""Of a number, before its point and behind it: the engine's have fewer, and a short text may name one of billions."""


def statements_of(text: str) -> list[list[Token]]:
    """The statements of a text, without the signs between them; empty ones are left out."""
    parts: list[list[Token]] = [[]]
    for token in tokens_of(text):
        if token.text == ";":
            parts.append([])
        else:
            parts[-1].append(token)
    return [part for part in parts if any(not token.is_blank for token in part)]


def words_of(tokens: Sequence[Token]) -> list[str]:
    """What is said, without spaces and comments; words in small letters."""
    return [token.word or token.text for token in tokens if not token.is_blank]


def numbered(tokens: Sequence[Token]) -> list[Token]:
    """With numbers for parameters that have none: ``?`` is the next one."""
    number = count(1)
    return [
        Token("parameter", f"${next(number)}") if token.kind == "sign" and token.text == "?" else token
        for token in tokens
    ]


def n_parameters(tokens: Sequence[Token]) -> int:
    """The highest number of a parameter.

    Refuses: GATE_PARAMETER when it is beyond what a statement may have.
    """
    highest = max((int(token.text[1:6]) for token in tokens if token.kind == "parameter"), default=0)
    if highest > MAX_PARAMETERS:
        raise refusal(Code.GATE_PARAMETER, "The statement has too many parameters.", "Join a smaller table.")
    return highest


def filled(tokens: Sequence[Token], values: Sequence[object]) -> str:
    """The statement with values in the places of its parameters, and without the schema before names of tables.

    A list that a value is looked for in (``x = ANY($1)``) is written as ``x IN (…)``.

    Refuses: GATE_PARAMETER when a value is missing, or of a kind that has no literal.
    """
    parts = []
    for token, among in listed(list(_unqualified(tokens)), values):
        if among is not None:
            parts.append(f"{token.text}({', '.join(map(literal, among)) or _NOTHING})")
            continue
        if token.kind != "parameter":
            parts.append(token.text)
            continue
        number = int(token.text[1:6])
        if not 1 <= number <= len(values):
            raise refusal(
                Code.GATE_PARAMETER, "A parameter of the statement has no value.", "Give as many as it names."
            )
        parts.append(literal(values[number - 1]))
    return "".join(parts).strip()


def _unqualified(tokens: Sequence[Token]) -> Iterator[Token]:
    """Without ``public .`` where a name follows; tools write it before every table."""
    spoken = [at for at, token in enumerate(tokens) if not token.is_blank]
    dropped: set[int] = set()
    for place, at in enumerate(spoken[:-2]):
        is_first = place == 0 or tokens[spoken[place - 1]].text != "."
        dot, after = spoken[place + 1], spoken[place + 2]
        named = tokens[at].word == SCHEMA or tokens[at].text == f'"{SCHEMA}"'
        if is_first and named and tokens[dot].text == "." and tokens[after].kind in {"word", "quoted"}:
            dropped |= {at, dot}
    return (token for at, token in enumerate(tokens) if at not in dropped)


def literal(value: object) -> str:
    """A value as SQL writes it.

    Refuses: GATE_PARAMETER.
    """
    try:
        made = _written(value)
    except OverflowError:  # an instant that lies beyond the calendar in UTC
        made = ""
    if not made:
        raise refusal(Code.GATE_PARAMETER, "A parameter has a value that SQL cannot write.", "Use numbers, texts.")
    return made


def _written(value: object) -> str:
    made = ""
    if value is None:
        made = "NULL"
    elif isinstance(value, bool):
        made = "TRUE" if value else "FALSE"
    elif isinstance(value, int | float | Decimal):
        made = _number(value)
    elif isinstance(value, datetime):
        plain = value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)
        made = f"TIMESTAMP '{plain.isoformat(' ')}'"
    elif isinstance(value, date):
        made = f"DATE '{value.isoformat()}'"
    elif isinstance(value, time):
        made = f"TIME '{value.isoformat()}'"
    elif isinstance(value, timedelta):
        made = f"INTERVAL '{value.days} days {value.seconds * 1_000_000 + value.microseconds} microseconds'"
    elif isinstance(value, str) and "\0" not in value:
        made = "'" + value.replace("'", "''") + "'"
    elif isinstance(value, list):
        made = f"[{', '.join(map(literal, value))}]"
    return made


def _number(value: float | Decimal) -> str:
    if isinstance(value, Decimal) and value.is_finite():
        exponent = value.as_tuple().exponent
        if value.adjusted() > _MOST_PLACES or not isinstance(exponent, int) or exponent < -_MOST_PLACES:
            return ""
    is_plain = isinstance(value, int) or (isinstance(value, Decimal) and value.is_finite())
    text = format(value, "f" if isinstance(value, Decimal) else "") if is_plain else f"CAST('{value}' AS DOUBLE)"
    return f"({text})" if text.startswith("-") else text
