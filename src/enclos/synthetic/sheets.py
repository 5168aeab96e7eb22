"""Delivered files: rows of text built as blocks of bytes, written in pieces, hashed as they go.

Text is assembled column by column in one byte matrix per block: values shorter than their column are padded with
NUL, and all NUL bytes are dropped at the end. No value of a delivery holds a NUL.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.bytes_]
Ints = npt.NDArray[np.integer[Any]]
Field = bytes | Bytes | tuple[Bytes, Ints]
"""A constant, one text per row, or a table of texts and which of them each row takes."""

_FIRST_DAY = -25567  # 1900-01-01, in days since 1970-01-01
_LAST_DAY = 47481  # 2099-12-31
MISSING_DAY = 47482
"""Written as nothing."""
DAY_1600 = 47483
"""Written 1600-01-01, which the SNDS uses for a missing date."""
DAY_2099 = _LAST_DAY


@cache
def _dates() -> Bytes:
    days = np.arange(_FIRST_DAY, _LAST_DAY + 1).astype("datetime64[D]")
    text = np.datetime_as_string(days).astype("S10")
    return np.concatenate([text, np.array([b"", b"1600-01-01"], dtype="S10")])


@cache
def _numbers() -> Bytes:
    return np.array([b"%d" % number for number in range(10_000)], dtype="S4")


@cache
def _padded(width: int) -> Bytes:
    return np.array([b"%0*d" % (width, number) for number in range(10**width)], dtype=f"S{width}")


def day(days: Ints) -> Field:
    """Dates, YYYY-MM-DD, of days since 1970-01-01."""
    return _dates(), days - _FIRST_DAY


def number(values: Ints) -> Field:
    """Whole numbers from 0 to 9 999."""
    return _numbers(), values


def digits(values: Ints, width: int) -> Sequence[Field]:
    """Whole numbers with leading zeros, in groups of at most four digits."""
    if width <= 4:
        return [(_padded(width), values)]
    return [*digits(values // 10_000, width - 4), (_padded(4), values % 10_000)]


def euros(cents: Ints) -> Sequence[Field]:
    """Amounts below 10 000 euros with two decimals; negative ones with their sign."""
    whole, rest = np.divmod(np.minimum(np.abs(cents), 999_999), 100)
    sign = np.array([b"", b"-"], dtype="S1")
    return [(sign, (cents < 0).astype(np.int8)), (_numbers(), whole), b".", (_padded(2), rest)]


def texts(values: Sequence[str] | Sequence[bytes]) -> Bytes:
    """A table of texts."""
    encoded = [value if isinstance(value, bytes) else value.encode() for value in values]
    return np.array(encoded, dtype=f"S{max(1, max(map(len, encoded), default=1))}")


def signed(values: Ints) -> Field:
    """Whole numbers between -99 and 899."""
    return _signed(), values + 99


@cache
def _signed() -> Bytes:
    return np.array([b"%d" % number for number in range(-99, 900)], dtype="S4")


def render(n_rows: int, fields: Sequence[Field]) -> bytes:
    """The concatenation of the fields, row by row.

    Fields come one after another; separators and the end of line are constants among them.
    """
    return _matrix(n_rows, fields).tobytes().translate(None, b"\0")


def block(n_rows: int, fields: Sequence[Field]) -> Bytes:
    """The concatenation of the fields as one column, to be used in several files; NUL signs stay inside."""
    found = _matrix(n_rows, fields)
    return found.view(f"S{found.shape[1]}").reshape(n_rows)


def _matrix(n_rows: int, fields: Sequence[Field]) -> npt.NDArray[np.uint8]:
    widths = [len(f) if isinstance(f, bytes) else (f[0] if isinstance(f, tuple) else f).itemsize for f in fields]
    matrix = np.empty((n_rows, sum(widths)), dtype=np.uint8)
    at = 0
    for field, width in zip(fields, widths, strict=True):
        target = matrix[:, at : at + width]
        at += width
        if isinstance(field, bytes):
            target[:] = np.frombuffer(field, dtype=np.uint8)
        elif isinstance(field, tuple):
            table, index = field
            target[:] = table.view(np.uint8).reshape(len(table), width).take(index, axis=0)
        else:
            target[:] = np.ascontiguousarray(field).view(np.uint8).reshape(n_rows, width)
    return matrix


def line(*fields: Field | Sequence[Field], separator: bytes = b";") -> list[Field]:
    """Fields of one line with separators between them and its end; a list is one column made of several fields."""
    flat: list[Field] = []
    for column in fields:
        flat.extend(column if isinstance(column, list) else [column])  # type: ignore[list-item]
        flat.append(separator)
    flat[-1] = b"\n"
    return _merged(flat)


def _merged(fields: Sequence[Field]) -> list[Field]:
    merged: list[Field] = []
    for field in fields:
        if isinstance(field, bytes) and merged and isinstance(merged[-1], bytes):
            merged[-1] += field
        else:
            merged.append(field)
    return merged


class Sheet:
    """One file of a delivery, written in pieces."""

    def __init__(self, path: Path, table: str, separator: str, header: Sequence[str] | None) -> None:
        self.path = path
        self.table = table
        self.separator = separator
        self.n_rows = 0
        self._hash = hashlib.sha256()
        self._zip = zlib.compressobj(1, zlib.DEFLATED, 31) if path.suffix == ".gz" else None
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("wb")
        if header is not None:
            self._put((separator.join(header) + "\n").encode())

    def _put(self, content: bytes) -> None:
        if self._zip is not None:
            content = self._zip.compress(content)
        self._hash.update(content)
        self._file.write(content)

    def write(self, content: bytes, n_rows: int) -> None:
        """Add whole rows."""
        self.n_rows += n_rows
        self._put(content)

    def abandon(self) -> None:
        """Let go of the file as it is; on a full disk even that fails."""
        with suppress(OSError):
            self._file.close()

    def close(self) -> dict[str, Any]:
        """End the file and return its entry in delivery.json."""
        if self._zip is not None:
            rest = self._zip.flush()
            self._hash.update(rest)
            self._file.write(rest)
        self._file.close()
        return {
            "path": self.path.name,
            "table": self.table,
            "sha256": self._hash.hexdigest(),
            "n_rows": self.n_rows,
            "encoding": "utf-8",
            "separator": self.separator,
        }


class Deliveries:
    """The folder of deliveries being written; pieces of files are compressed beside the computation."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._sheets: dict[tuple[str, str], Sheet] = {}
        self._headings: dict[str, tuple[str, str, tuple[date, date]]] = {}
        self._worker = ThreadPoolExecutor(max_workers=1)
        self._pending: list[Future[None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_failure: object) -> None:
        self._worker.shutdown(cancel_futures=True)
        for sheet in self._sheets.values():
            sheet.abandon()

    def open(self, name: str, source: str, kind: str, period: tuple[date, date]) -> None:
        """Begin a delivery; ``period`` ends before its second date."""
        self._headings[name] = (source, kind, period)

    def sheet(self, delivery: str, file: str, table: str, header: Sequence[str] | None, separator: str = ";") -> Sheet:
        """The file of that name in a delivery, begun at the first call."""
        found = self._sheets.get((delivery, file))
        if found is None:
            found = Sheet(self.root / delivery / file, table, separator, header)
            self._sheets[delivery, file] = found
        return found

    def begun(self, delivery: str, file: str) -> Sheet:
        """A file that was begun before; KeyError when it was not."""
        return self._sheets[delivery, file]

    def write(self, sheet: Sheet, content: bytes, n_rows: int) -> None:
        """Add rows to a file, in the order of the calls."""
        if len(self._pending) >= 64:
            for done in self._pending:
                done.result()
            self._pending.clear()
        self._pending.append(self._worker.submit(sheet.write, content, n_rows))

    def close(self) -> dict[str, int]:
        """End all files, write every delivery.json, and return rows by table."""
        for done in self._pending:
            done.result()
        entries: dict[str, list[dict[str, Any]]] = {name: [] for name in self._headings}
        n_rows: dict[str, int] = {}
        for (delivery, _), sheet in self._sheets.items():
            entries[delivery].append(sheet.close())
            n_rows[sheet.table] = n_rows.get(sheet.table, 0) + sheet.n_rows
        for name, (source, kind, (start, end)) in self._headings.items():
            document: Mapping[str, Any] = {
                "source": source,
                "kind": kind,
                "period": {"start": start.isoformat(), "end": end.isoformat()},
                "files": sorted(entries[name], key=lambda entry: str(entry["path"])),
            }
            text = json.dumps(document, indent=1, ensure_ascii=False)
            (self.root / name / "delivery.json").write_text(text + "\n", encoding="utf-8")
        return dict(sorted(n_rows.items()))

    @property
    def n_files(self) -> int:
        """Files so far, without the delivery.json."""
        return len(self._sheets)
