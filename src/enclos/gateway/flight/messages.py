"""The few messages of Flight SQL that this door reads and writes.

Source: Apache Arrow, format/FlightSql.proto; Protocol Buffers encoding
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

PREFIX = "type.googleapis.com/arrow.flight.protocol.sql."
_VARINT, _BYTES = 0, 2
_LONGEST_VARINT = 10


class NotOurs(Exception):
    """Bytes that are no message of Flight SQL."""


@dataclass(frozen=True, slots=True)
class Command:
    """A message by its name, with its fields: texts and bytes as bytes, numbers as numbers."""

    name: str
    fields: dict[int, list[bytes | int]] = field(default_factory=dict)

    def content(self, number: int) -> bytes:
        """A field of bytes; nothing when it is not there."""
        found = self.fields.get(number, [b""])[-1]
        if not isinstance(found, bytes):
            raise NotOurs
        return found

    def text(self, number: int) -> str:
        """A field of text."""
        try:
            return self.content(number).decode("utf-8")
        except UnicodeDecodeError:
            raise NotOurs from None

    def said(self, number: int) -> str | None:
        """A field of text that may be left out."""
        return self.text(number) if number in self.fields else None

    def texts(self, number: int) -> list[str]:
        """A field of several texts."""
        return [each.decode("utf-8", "replace") for each in self.fields.get(number, []) if isinstance(each, bytes)]

    def flag(self, number: int) -> bool:
        """A field of yes or no."""
        return bool(self.fields.get(number, [0])[-1])


def read_command(content: bytes) -> Command:
    """The message in an envelope (google.protobuf.Any)."""
    envelope = Command("", _fields(content))
    name = envelope.text(1)
    if not name.startswith(PREFIX):
        raise NotOurs
    return Command(name.removeprefix(PREFIX), _fields(envelope.content(2)))


def written(name: str, fields: dict[int, bytes]) -> bytes:
    """A message in its envelope."""
    return _written({1: f"{PREFIX}{name}".encode(), 2: _written(fields)})


def _written(fields: dict[int, bytes]) -> bytes:
    return b"".join(_varint(number << 3 | _BYTES) + _varint(len(value)) + value for number, value in fields.items())


def _fields(content: bytes) -> dict[int, list[bytes | int]]:
    found: dict[int, list[bytes | int]] = {}
    for number, value in _parts(content):
        found.setdefault(number, []).append(value)
    return found


def _parts(content: bytes) -> Iterator[tuple[int, bytes | int]]:
    at = 0
    while at < len(content):
        key, at = _read_varint(content, at)
        value, at = _read_varint(content, at)
        if key & 7 == _VARINT:
            yield key >> 3, value
        elif key & 7 == _BYTES and at + value <= len(content):
            yield key >> 3, content[at : at + value]
            at += value
        else:
            raise NotOurs


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read_varint(content: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place in range(_LONGEST_VARINT):
        if at >= len(content):
            raise NotOurs
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, at
    raise NotOurs
