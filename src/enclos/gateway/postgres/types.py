"""Values of Arrow as text and in PostgreSQL's binary forms.

Source: PostgreSQL 13, chapter 52 (Frontend/Backend Protocol) and the send functions of its types
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from enclos.gateway.catalog.tables import BY_OID
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal

_DAY_ZERO = date(2000, 1, 1)
_ZERO = datetime(2000, 1, 1)  # noqa: DTZ001 - a timestamp without a zone
_MICROSECOND = timedelta(microseconds=1)
_HEAD = struct.Struct(">cI")
_LENGTH = struct.Struct(">i")
_NULL = _LENGTH.pack(-1)
_TEXT = 25
ROWS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class PgColumn:
    """How a column is described and written."""

    oid: int
    length: int
    modifier: int = -1


def column_of(kind: pa.DataType) -> PgColumn:
    """PostgreSQL's type for one of Arrow's."""
    modifier = -1
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return PgColumn(BY_OID[column_of(kind.value_type).oid].array or _TEXT, -1)  # a list of lists is told as text
    if pa.types.is_decimal(kind):
        oid, modifier = (
            1700,
            -1 if kind.precision == 38 and kind.scale == 0 else (kind.precision << 16 | kind.scale) + 4,
        )
    elif pa.types.is_timestamp(kind):
        oid = 1184 if kind.tz else 1114
    else:
        oid = next((oid for holds, oid in _KINDS if holds(kind)), 25)
    return PgColumn(oid, BY_OID[oid].length, modifier)


_KINDS: tuple[tuple[Callable[[pa.DataType], bool], int], ...] = (
    (pa.types.is_boolean, 16),
    (lambda kind: kind in {pa.int8(), pa.int16(), pa.uint8()}, 21),
    (lambda kind: kind in {pa.int32(), pa.uint16()}, 23),
    (lambda kind: kind in {pa.int64(), pa.uint32()}, 20),
    (lambda kind: kind == pa.uint64(), 1700),
    (lambda kind: kind == pa.float32(), 700),
    (lambda kind: kind == pa.float64(), 701),
    (pa.types.is_date, 1082),
    (pa.types.is_time, 1083),
    (pa.types.is_interval, 1186),
)


def data_rows(table: pa.Table, start: int, n_rows: int, formats: Sequence[int]) -> Iterator[bytes]:
    """Rows of a table as messages, some at a time.

    In: formats — of each column 0 for text, 1 for binary
    """
    columns = [column_of(field.type) for field in table.schema]
    writers = [
        (_BINARY.get(column.oid) or _array_or_text(column.oid)) if form else _text_writer(column.oid)
        for column, form in zip(columns, formats, strict=True)
    ]
    n_fields = struct.pack(">h", len(columns))
    for at in range(start, start + n_rows, ROWS_AT_ONCE):
        part = table.slice(at, min(ROWS_AT_ONCE, start + n_rows - at))
        cells = [
            [_NULL if value is None else _cell(write(value)) for value in _values(column)]
            for write, column in zip(writers, part.columns, strict=True)
        ]
        rows = zip(*cells, strict=True) if cells else (() for _ in range(part.num_rows))
        out = bytearray()
        for row in rows:
            body = n_fields + b"".join(row)
            out += _HEAD.pack(b"D", len(body) + 4) + body
        yield bytes(out)


def _values(column: pa.ChunkedArray) -> list[Any]:
    try:
        found: list[Any] = column.to_pylist()
    except (OverflowError, ValueError):
        raise refusal(
            Code.SQL_FAILED, "A day or an instant of the answer is beyond the years 1 to 9999.", "Cast it to VARCHAR."
        ) from None
    return found


def _cell(content: bytes) -> bytes:
    return _LENGTH.pack(len(content)) + content


# -- text


def _text_writer(oid: int) -> Callable[[Any], bytes]:
    return lambda value: text_of(value, oid).encode("utf-8", "replace")


def text_of(value: Any, oid: int) -> str:
    """A value as PostgreSQL writes it in text."""
    made = str(value)
    if isinstance(value, bool):
        made = "t" if value else "f"
    elif isinstance(value, float):
        made = _float_text(value)
    elif isinstance(value, Decimal):
        made = format(value, "f")
    elif isinstance(value, datetime):
        plain = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
        made = plain.isoformat(" ") + ("+00" if oid == 1184 else "")
    elif isinstance(value, date | time):
        made = value.isoformat()
    elif isinstance(value, list):
        made = "{" + ",".join(_element(each, BY_OID[oid].of or _TEXT) for each in value) + "}"
    elif oid == 1186:
        made = _interval_text(value)
    return made


def _float_text(value: float) -> str:
    if value != value:  # noqa: PLR0124 - not a number
        return "NaN"
    if value in {float("inf"), float("-inf")}:
        return "Infinity" if value > 0 else "-Infinity"
    return repr(value).removesuffix(".0")


def _element(value: Any, oid: int) -> str:
    if value is None:
        return "NULL"
    text = text_of(value, oid)
    if isinstance(value, list) or (text and text.upper() != "NULL" and not set(text) & set('{}",\\ \t\n\r\v\f')):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _interval_text(value: Any) -> str:
    months, days, nanoseconds = value
    parts = [f"{months} mons"] * bool(months) + [f"{days} days"] * bool(days)
    if nanoseconds or not parts:
        seconds, micro = divmod(abs(nanoseconds) // 1000, 1_000_000)
        sign = "-" if nanoseconds < 0 else ""
        tail = f".{micro:06d}" if micro else ""
        parts.append(f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{tail}")
    return " ".join(parts)


# -- binary


def _numeric(value: Any) -> bytes:
    number = Decimal(value)
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        return struct.pack(">hhHh", 0, 0, 0xC000, 0)
    scale = max(-exponent, 0)
    text = "".join(map(str, digits)) + "0" * max(exponent, 0)
    whole, part = (text[:-scale].zfill(1), text[-scale:].rjust(scale, "0")) if scale else (text, "")
    whole = whole.rjust(-(-len(whole) // 4) * 4, "0")
    part = part.ljust(-(-len(part) // 4) * 4, "0")
    groups = [int((whole + part)[at : at + 4]) for at in range(0, len(whole + part), 4)]
    weight = len(whole) // 4 - 1
    while groups and groups[0] == 0:
        groups.pop(0)
        weight -= 1
    while groups and groups[-1] == 0:
        groups.pop()
    head = struct.pack(">hhHH", len(groups), weight if groups else 0, 0x4000 if sign else 0, scale)
    return head + struct.pack(f">{len(groups)}h", *groups)


def _instant(value: datetime) -> bytes:
    plain = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    return struct.pack(">q", (plain - _ZERO) // _MICROSECOND)


def _time(value: time) -> bytes:
    seconds = (value.hour * 60 + value.minute) * 60 + value.second
    return struct.pack(">q", seconds * 1_000_000 + value.microsecond)


def _interval(value: Any) -> bytes:
    months, days, nanoseconds = value
    return struct.pack(">qii", nanoseconds // 1000, days, months)


_BINARY: dict[int, Callable[[Any], bytes]] = {
    16: lambda value: b"\1" if value else b"\0",
    20: struct.Struct(">q").pack,
    21: struct.Struct(">h").pack,
    23: struct.Struct(">i").pack,
    25: lambda value: text_of(value, _TEXT).encode("utf-8", "replace"),
    700: struct.Struct(">f").pack,
    701: struct.Struct(">d").pack,
    1082: lambda value: struct.pack(">i", (value - _DAY_ZERO).days),
    1083: _time,
    1114: _instant,
    1184: _instant,
    1186: _interval,
    1700: _numeric,
}


def _array_or_text(oid: int) -> Callable[[Any], bytes]:
    of = BY_OID[oid].of
    write = _BINARY[of] if of in _BINARY else _text_writer(of)

    def array(values: list[Any]) -> bytes:
        has_null = any(value is None for value in values)
        if not values:
            return struct.pack(">iii", 0, 0, of)
        cells = (_NULL if value is None else _cell(write(value)) for value in values)
        return struct.pack(">iiiii", 1, has_null, of, len(values), 1) + b"".join(cells)

    return array if of else _text_writer(oid)
