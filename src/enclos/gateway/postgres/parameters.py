"""Values of parameters, from PostgreSQL's text and binary forms.

Source: PostgreSQL 13, chapter 52 (Frontend/Backend Protocol) and the receive functions of its types
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from enclos.gateway.catalog.tables import BY_OID
from enclos.gateway.lists import parts_of
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal

_DAY_ZERO = date(2000, 1, 1)
_ZERO = datetime(2000, 1, 1)  # noqa: DTZ001 - a timestamp without a zone
_ZONED = re.compile(r"(?P<plain>\d{4,}-\d\d-\d\d(?: \d\d:\d\d:\d\d(?:\.\d+)?)?) ?[+-]\d\d(?::\d\d){0,2}")
_INTERVAL = re.compile(
    r"(?:(?P<days>[+-]?\d{1,9}) days?,? ?)?"
    r"(?:(?P<sign>[+-]?)(?P<hours>\d{1,9}):(?P<minutes>\d\d):(?P<seconds>\d\d)(?:\.(?P<parts>\d{1,6}))?)?"
)


def parameter(content: bytes | None, oid: int, *, is_binary: bool) -> object:
    """A parameter's value, which ``statements.literal`` can write.

    Refuses: GATE_PARAMETER.
    """
    if content is None:
        return None
    try:
        if is_binary:
            return _READ_BINARY[oid](content)
        text = content.decode("utf-8")
        return _READ_TEXT[oid](text) if oid in _READ_TEXT else _array_text(text, oid)
    except (KeyError, ValueError, struct.error, InvalidOperation, OverflowError, UnicodeDecodeError):
        raise unreadable() from None


def unreadable() -> Refusal:
    """The refusal of a parameter that cannot be read."""
    return refusal(
        Code.GATE_PARAMETER, "A parameter cannot be read as its type.", "Send it as a number, a text or a day."
    )


def _array_text(text: str, oid: int) -> object:
    """A list in braces; a text of another type stays the text that it is."""
    of = BY_OID[oid].of if oid in BY_OID else 0
    if not of:
        return text
    read = _READ_TEXT.get(of, str)
    return [None if part is None else read(part) for part in parts_of(text)]


def _read_numeric(content: bytes) -> Decimal:
    n_groups, weight, sign, scale = struct.unpack_from(">hhHH", content)
    groups = struct.unpack_from(f">{n_groups}h", content, 8)
    if sign not in {0, 0x4000} or any(not 0 <= group < 10_000 for group in groups):
        raise ValueError("not a number")
    digits = "".join(f"{group:04d}" for group in groups)
    more = scale + 4 * (weight - n_groups + 1)  # digits behind the last group, or in it beyond the scale
    digits = digits + "0" * more if more >= 0 else digits[:more]
    return Decimal((int(sign == 0x4000), tuple(map(int, digits or "0")), -scale))


def _read_array(content: bytes) -> list[object]:
    n_dimensions, _, of = struct.unpack_from(">iii", content)
    if n_dimensions == 0:
        return []
    if n_dimensions != 1:
        raise ValueError("only plain lists")
    (length,) = struct.unpack_from(">i", content, 12)
    found: list[object] = []
    at = 20
    for _ in range(length):
        (size,) = struct.unpack_from(">i", content, at)
        at += 4
        if size < 0:
            found.append(None)
            continue
        found.append(_READ_BINARY[of](content[at : at + size]))
        at += size
    return found


def _exactly(form: str) -> Callable[[bytes], Any]:
    packed = struct.Struct(form)
    return lambda content: packed.unpack(content)[0]


def _read_bool(text: str) -> bool:
    said = text.strip().lower()
    if said in {"t", "true", "y", "yes", "on", "1"}:
        return True
    if said in {"f", "false", "n", "no", "off", "0"}:
        return False
    raise ValueError("neither yes nor no")


def _read_instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _read_float(text: str) -> float:
    return float(text)


def _read_interval_text(text: str) -> timedelta:
    found = _INTERVAL.fullmatch(text.strip())
    if found is None:
        raise ValueError("not of this form")
    time_of = timedelta(
        hours=int(found["hours"] or 0),
        minutes=int(found["minutes"] or 0),
        seconds=int(found["seconds"] or 0),
        microseconds=int((found["parts"] or "").ljust(6, "0")),
    )
    return timedelta(days=int(found["days"] or 0)) + (-time_of if found["sign"] == "-" else time_of)


def _read_unsaid(text: str) -> str:
    """A text of no type. pgJDBC writes days and instants so, with its own zone behind, which a column without one
    leaves out; the engine would count by it.
    """
    found = _ZONED.fullmatch(text)
    return found["plain"] if found else text


_READ_TEXT: dict[int, Callable[[str], object]] = {
    0: _read_unsaid,
    16: _read_bool,
    20: int,
    21: int,
    23: int,
    26: int,
    25: str,
    700: _read_float,
    701: _read_float,
    1042: str,
    1043: str,
    1082: lambda text: date.fromisoformat(_read_unsaid(text)),
    1083: lambda text: time.fromisoformat(text).replace(tzinfo=None),
    1114: lambda text: _read_instant(text).replace(tzinfo=None),
    1184: _read_instant,
    1186: _read_interval_text,
    1700: Decimal,
}


def _read_utf8(content: bytes) -> str:
    return content.decode("utf-8")


def _read_day(content: bytes) -> date:
    return _DAY_ZERO + timedelta(days=struct.unpack(">i", content)[0])


def _read_time(content: bytes) -> time:
    at = _ZERO + timedelta(microseconds=struct.unpack(">q", content)[0])
    if at.date() != _DAY_ZERO:
        raise ValueError("not a time of a day")
    return at.time()


def _read_interval(content: bytes) -> timedelta:
    microseconds, days, months = struct.unpack(">qii", content)
    if months:
        raise ValueError("a month has no length")
    return timedelta(days=days, microseconds=microseconds)


def _read_stamp(content: bytes) -> datetime:
    return _ZERO + timedelta(microseconds=struct.unpack(">q", content)[0])


_READ_BINARY: dict[int, Callable[[bytes], Any]] = {
    0: _read_utf8,
    16: _exactly(">?"),
    19: _read_utf8,
    20: _exactly(">q"),
    21: _exactly(">h"),
    23: _exactly(">i"),
    26: _exactly(">I"),
    25: _read_utf8,
    700: _exactly(">f"),
    701: _exactly(">d"),
    1042: _read_utf8,
    1043: _read_utf8,
    1082: _read_day,
    1083: _read_time,
    1114: _read_stamp,
    1184: lambda content: _read_stamp(content).replace(tzinfo=UTC),
    1186: _read_interval,
    1700: _read_numeric,
    2950: lambda content: str(UUID(bytes=content)),
    **{oid: _read_array for oid, kind in BY_OID.items() if kind.of},
}
