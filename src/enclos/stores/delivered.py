"""A delivery's folder on disk: looked at once, byte by byte, before any row of it is read."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from enclos.contracts.delivered.document import MANIFEST, FileFormat, format_of
from enclos.intake.model import FileFacts
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.stores.engine import EngineFault
from enclos.stores.files import write_atomically

_CHUNK = 4 << 20
_GZIP = 31
"""zlib's window bits for a gzip stream."""
_C1 = bytes(range(0x80, 0xA0))
"""Control characters that ISO-8859-1 has and no text uses: their presence says another encoding."""


class DeliveredFolder:
    """The folder of one delivery."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __repr__(self) -> str:
        return "DeliveredFolder()"

    def manifest(self) -> Any | None:
        """The JSON of delivery.json, or None when there is none.

        Refuses: DELIVERY_MALFORMED when it is not JSON.
        """
        try:
            return json.loads((self._path / MANIFEST).read_bytes())
        except FileNotFoundError:
            return None
        except (ValueError, OSError):
            raise refusal(
                Code.DELIVERY_MALFORMED, "delivery.json cannot be read as JSON.", "Ask the sender for a new one."
            ) from None

    def write_manifest(self, content: bytes) -> None:
        """Write delivery.json."""
        write_atomically(self._path / MANIFEST, content, "delivery.json", mode=0o644)

    def data_files(self) -> list[str]:
        """The files with rows in them, as paths relative to the folder, sorted."""
        found = (file for file in self._path.rglob("*") if file.is_file() and format_of(file.name))
        return sorted(file.relative_to(self._path).as_posix() for file in found)

    def location(self, path: str) -> str:
        """Where the engine finds the file."""
        return str((self._path / path).resolve())

    def inspect(self, path: str) -> FileFacts | None:
        """What the file is, from one pass over its bytes; None when it is missing or lies outside the folder."""
        file = (self._path / path).resolve()
        if not file.is_relative_to(self._path.resolve()) or not file.is_file():
            return None
        kind = format_of(path)
        if kind is None:
            raise ValueError("a file of a delivery has a known format")
        form, compressed = kind
        if form is FileFormat.PARQUET:
            return _inspect_parquet(file)
        return _inspect_text(file, compressed=compressed)

    def lines_at(self, path: str, offsets: list[int]) -> list[bytes]:
        """The raw lines that start at the given byte offsets of the (uncompressed) text, in the order asked."""
        kind = format_of(path)
        chunks = _chunks(self._path / path, compressed=bool(kind and kind[1]))
        wanted = sorted(set(offsets))
        found: dict[int, bytes] = {}
        start, buffer = 0, b""
        for chunk, _, _ in chunks:
            buffer += chunk
            while wanted and (end := buffer.find(b"\n", wanted[0] - start)) >= 0 and wanted[0] - start < len(buffer):
                found[wanted[0]] = buffer[wanted[0] - start : end].rstrip(b"\r")
                wanted.pop(0)
            keep = max(0, min(len(buffer), (wanted[0] - start) if wanted else len(buffer)))
            start, buffer = start + keep, buffer[keep:]
        for offset in wanted:
            found[offset] = buffer[max(0, offset - start) :].rstrip(b"\r\n")
        return [found[offset] for offset in offsets]

    def count_records(self, path: str, encoding: str, separator: str, quote: str) -> int:
        """The records of a CSV, header included; blank lines are none."""
        opener = gzip.open if path.lower().endswith(".gz") else open
        with opener(self._path / path, "rt", encoding=encoding, newline="") as stream:
            return sum(1 for record in csv.reader(stream, delimiter=separator, quotechar=quote) if record)

    @contextmanager
    def reading(self, path: str) -> Iterator[None]:
        """While the engine reads the file, its faults are the file's: a refusal that names it."""
        try:
            yield
        except EngineFault:
            raise _unreadable(path) from None
        except Refusal as caught:
            if caught.code is Code.STORAGE_BROKEN:
                raise _unreadable(path) from None
            raise


def _unreadable(path: str) -> Refusal:
    return refusal(
        Code.FILE_UNREADABLE,
        f"The file {path} cannot be read as the format its name says.",
        "Ask the sender to write it again.",
    )


def _inspect_parquet(file: Path) -> FileFacts:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    try:
        n_rows = pq.read_metadata(file).num_rows
    except (OSError, ValueError):
        return FileFacts(digest.hexdigest(), digest.hexdigest(), whole=False)
    return FileFacts(digest.hexdigest(), digest.hexdigest(), whole=True, n_records=n_rows)


def _inspect_text(file: Path, *, compressed: bool) -> FileFacts:
    on_disk, content, text = hashlib.sha256(), hashlib.sha256(), _Text()
    whole = True
    try:
        for block, raw, complete in _chunks(file, compressed=compressed):
            on_disk.update(raw)
            if compressed:
                content.update(block)
            text.pass_by(block)
            whole = complete
    except zlib.error:
        return FileFacts(_sha256_of(file), "", whole=False)
    text.end()
    sha256 = on_disk.hexdigest()
    return FileFacts(
        sha256,
        content.hexdigest() if compressed else sha256,
        whole=whole,
        n_records=text.n_lines - len(text.blank_lines),
        has_quotes=text.quotes,
        first_line=text.first_line,
        blank_lines=tuple(text.blank_lines),
        mixed_line_ends=0 < text.n_crlf < text.n_newlines,
        is_ascii=text.is_ascii,
        is_utf_8=text.is_utf_8,
        has_c1=text.has_c1,
    )


def _sha256_of(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _chunks(file: Path, *, compressed: bool) -> Iterator[tuple[bytes, bytes, bool]]:
    """Blocks of text, the bytes on disk they came from, and whether the stream is complete up to here."""
    with file.open("rb") as stream:
        if not compressed:
            while chunk := stream.read(_CHUNK):
                yield chunk, chunk, True
            return
        inflater = zlib.decompressobj(_GZIP)
        seen = False
        while chunk := stream.read(_CHUNK // 4):
            seen, pending, raw = True, chunk, chunk
            while pending:
                if inflater.eof:  # a gzip may hold several members
                    inflater = zlib.decompressobj(_GZIP)
                text = inflater.decompress(pending, _CHUNK)
                pending = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
                yield text, raw, inflater.eof
                raw = b""
        if not inflater.eof:
            yield (inflater.flush() if seen else b""), b"", False


class _Text:
    """What a text shows while it passes by, looked at in blocks of whole lines."""

    def __init__(self) -> None:
        self.n_lines = 0
        self.n_newlines = 0
        self.n_crlf = 0
        self.quotes = False
        self.is_ascii = True
        self.is_utf_8 = True
        self.has_c1 = False
        self.blank_lines: list[int] = []
        self.first_line = b""
        self._tail = b""

    def pass_by(self, chunk: bytes) -> None:
        """Look at the next bytes."""
        cut = chunk.rfind(b"\n") + 1
        if cut == 0:
            self._tail += chunk
            return
        self._look(self._tail + chunk[:cut])
        self._tail = chunk[cut:]

    def end(self) -> None:
        """There is no more; the last line may lack its end."""
        if self._tail:
            self._look(self._tail)
            self.n_lines += 1

    def _look(self, block: bytes) -> None:
        if self.n_lines == 0:
            self.first_line = block[: block.find(b"\n")] if b"\n" in block else block
        if block.startswith((b"\n", b"\r\n")) or b"\n\n" in block or b"\n\r\n" in block:
            lines = block.split(b"\n")[: block.count(b"\n")]
            blank = (self.n_lines + i for i, line in enumerate(lines, start=1) if line in {b"", b"\r"})
            self.blank_lines.extend(blank)
        newlines = block.count(b"\n")
        self.n_newlines += newlines
        self.n_lines += newlines
        if b"\r" in block:
            self.n_crlf += block.count(b"\r\n")
        self.quotes = self.quotes or b'"' in block
        if not block.isascii():
            self.is_ascii = False
            self.has_c1 = self.has_c1 or len(block.translate(None, _C1)) < len(block)
            self.is_utf_8 = self.is_utf_8 and _decodes(block)


def _decodes(block: bytes) -> bool:
    try:
        block.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
