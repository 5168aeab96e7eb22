"""Values between Arrow and PostgreSQL, as text and in PostgreSQL's binary forms.

Source: PostgreSQL 13, chapter 52 (Frontend/Backend Protocol) and the send functions of its types
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

import pyarrow as pa

from enclos.gateway.catalog.tables import BY_OID
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal

_DAY_ZERO = date(2000, 1, 1)
_ZERO = datetime(2000, 1, 1)  # noqa: DTZ001 - a timestamp without a zone
_MICROSECOND = timedelta(microseconds=1)
_HEAD = struct.Struct(">cI")
_LENGTH = struct.Struct(">i")
_NULL = _LENGTH.pack(-1)
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
        return PgColumn(BY_OID[column_of(kind.value_type).oid].array, -1)
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
            [_NULL if value is None else _cell(write(value)) for value in column.to_pylist()]
            for write, column in zip(writers, part.columns, strict=True)
        ]
        rows = zip(*cells, strict=True) if cells else (() for _ in range(part.num_rows))
        out = bytearray()
        for row in rows:
            body = n_fields + b"".join(row)
            out += _HEAD.pack(b"D", len(body) + 4) + body
        yield bytes(out)


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
        made = "{" + ",".join(_element(each, BY_OID[oid].of) for each in value) + "}"
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
    if text and text.upper() != "NULL" and not set(text) & set('{}",\\ \t\n\r\v\f'):
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
    25: lambda value: str(value).encode("utf-8", "replace"),
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


# -- parameters


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
    if not (text.startswith("{") and text.endswith("}")) or '"' in text or "{" in text[1:]:
        raise ValueError("only plain lists")
    read = _READ_TEXT.get(of, str)
    return [None if part == "NULL" else read(part) for part in text[1:-1].split(",")] if len(text) > 2 else []


def _read_numeric(content: bytes) -> Decimal:
    n_groups, weight, sign, scale = struct.unpack_from(">hhHH", content)
    if sign == 0xC000:
        raise ValueError("not a number")
    groups = struct.unpack_from(f">{n_groups}h", content, 8)
    total = sum((Decimal(group).scaleb(4 * (weight - at)) for at, group in enumerate(groups)), Decimal(0))
    return (-total if sign == 0x4000 else total).quantize(Decimal(1).scaleb(-scale))


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


_READ_TEXT: dict[int, Callable[[str], object]] = {
    0: str,
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
    1082: date.fromisoformat,
    1083: time.fromisoformat,
    1114: _read_instant,
    1184: _read_instant,
    1700: Decimal,
}


def _read_utf8(content: bytes) -> str:
    return content.decode("utf-8")


def _read_day(content: bytes) -> date:
    return _DAY_ZERO + timedelta(days=struct.unpack(">i", content)[0])


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
    1114: _read_stamp,
    1184: lambda content: _read_stamp(content).replace(tzinfo=UTC),
    1700: _read_numeric,
    **{oid: _read_array for oid, kind in BY_OID.items() if kind.of},
}
