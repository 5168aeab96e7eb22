"""Messages of the protocol: read within bounds, written whole.

Source: PostgreSQL 13, chapter 52.7 (Message Formats)
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PROTOCOL_3, SSL_REQUEST, GSS_REQUEST, CANCEL_REQUEST = 196_608, 80_877_103, 80_877_104, 80_877_102


class Malformed(Exception):
    """A message is not of the protocol."""


@dataclass(frozen=True, slots=True)
class Field:
    """A column as RowDescription tells it."""

    name: str
    oid: int
    length: int
    modifier: int
    format: int


class Reader:
    """The content of one message, read from its beginning."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def take(self, n: int) -> bytes:
        """The next bytes."""
        if n < 0 or self._at + n > len(self._content):
            raise Malformed
        self._at += n
        return self._content[self._at - n : self._at]

    def int16(self) -> int:
        """The next number of two bytes."""
        return int(struct.unpack(">h", self.take(2))[0])

    def int32(self) -> int:
        """The next number of four bytes."""
        return int(struct.unpack(">i", self.take(4))[0])

    def uint32(self) -> int:
        """The next number of four bytes, without a sign."""
        return int(struct.unpack(">I", self.take(4))[0])

    def count(self) -> int:
        """The next number of things."""
        n = self.int16()
        if n < 0:
            raise Malformed
        return n

    def text(self) -> str:
        """The next text, which ends with a zero byte."""
        end = self._content.find(b"\0", self._at)
        if end < 0:
            raise Malformed
        content = self.take(end - self._at)
        self._at += 1
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError:
            raise Malformed from None

    def value(self) -> bytes | None:
        """The next value with its length before it; a length below zero says that there is none."""
        length = self.int32()
        return None if length == -1 else self.take(length)

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self._content) - self._at)

    def end(self) -> None:
        """There must be no more."""
        if self._at != len(self._content):
            raise Malformed


def startup_parameters(reader: Reader) -> dict[str, str]:
    """What a client says of itself at its start."""
    found: dict[str, str] = {}
    while name := reader.text():
        if len(found) >= 64:
            raise Malformed
        found[name] = reader.text()
    reader.end()
    return found


def message(kind: bytes, *parts: bytes) -> bytes:
    """A message."""
    body = b"".join(parts)
    return kind + struct.pack(">I", len(body) + 4) + body


def text(value: str) -> bytes:
    """A text that ends with a zero byte."""
    return value.encode("utf-8").replace(b"\0", b"") + b"\0"


def authentication(code: int, content: bytes = b"") -> bytes:
    """AuthenticationSASL (10), …Continue (11), …Final (12), …Ok (0)."""
    return message(b"R", struct.pack(">i", code), content)


def parameter_status(name: str, value: str) -> bytes:
    """ParameterStatus."""
    return message(b"S", text(name), text(value))


def backend_key(number: int, secret: int) -> bytes:
    """BackendKeyData."""
    return message(b"K", struct.pack(">iI", number, secret))


def ready(status: bytes) -> bytes:
    """ReadyForQuery: idle (I), in a transaction (T), in one that failed (E)."""
    return message(b"Z", status)


def row_description(fields: Sequence[Field]) -> bytes:
    """RowDescription."""
    parts = [struct.pack(">h", len(fields))]
    for each in fields:
        parts.append(text(each.name))
        parts.append(struct.pack(">IhIhih", 0, 0, each.oid, each.length, each.modifier, each.format))
    return message(b"T", *parts)


def parameter_description(oids: Sequence[int]) -> bytes:
    """ParameterDescription."""
    return message(b"t", struct.pack(f">h{len(oids)}I", len(oids), *oids))


def complete(tag: str) -> bytes:
    """CommandComplete."""
    return message(b"C", text(tag))


def error(fields: Mapping[str, str], *, notice: bool = False) -> bytes:
    """ErrorResponse or NoticeResponse."""
    parts = [name.encode() + text(value) for name, value in fields.items() if value]
    return message(b"N" if notice else b"E", *parts, b"\0")


PARSE_COMPLETE = message(b"1")
BIND_COMPLETE = message(b"2")
CLOSE_COMPLETE = message(b"3")
NO_DATA = message(b"n")
EMPTY_QUERY = message(b"I")
SUSPENDED = message(b"s")
