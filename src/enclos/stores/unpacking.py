"""The text of a delivered file as it unpacks: plain, gzip, zstd, or a member of a zip; nothing is unpacked on disk."""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from enclos.contracts.delivered.document import Compression, FileFormat, archive_of, format_of

_CHUNK = 4 << 20
_GZIP = 31
"""zlib's window bits for a gzip stream."""
UNPACKING_FAULTS = (zlib.error, zipfile.BadZipFile, EOFError, OSError, RuntimeError, NotImplementedError)
"""What a packed file that is cut, altered, encrypted or packed in a way of its own raises."""

Block = tuple[bytes, bytes, bool]
"""A block of text, the bytes on disk it came from, and whether the stream is complete up to here."""


def members_of(archive: Path) -> list[str]:
    """The names of an archive's files that have a delivered format; none of an archive that cannot be read."""
    return sorted(member_bytes(archive))


def member_bytes(archive: Path) -> dict[str, int]:
    """The same, with the bytes that each says to unpack to; no more of a member is ever read than it says."""
    try:
        with zipfile.ZipFile(archive) as opened:
            sizes = {info.filename: info.file_size for info in opened.infolist() if not info.is_dir()}
    except UNPACKING_FAULTS:
        return {}
    return {
        name: size for name, size in sizes.items() if format_of(name) and not name.rsplit("/", 1)[-1].startswith(".")
    }


def parquet_bytes(file: Path) -> int:
    """The bytes that a Parquet file says its rows unpack to; 0 of one that cannot be read."""
    try:
        metadata = pq.read_metadata(file)
    except (OSError, ValueError):
        return 0
    return sum(metadata.row_group(at).total_byte_size for at in range(metadata.num_row_groups))


def blocks(folder: Path, path: str) -> Iterator[Block]:
    """The blocks of a delivered text file; what stands for the bytes on disk of a zip's member is its text."""
    archived = archive_of(path)
    if archived is not None:
        with zipfile.ZipFile(folder / archived[0]) as opened, opened.open(archived[1]) as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk, chunk, True
        return
    packed = (format_of(path) or (FileFormat.CSV, Compression.NONE))[1]
    with (folder / path).open("rb") as stream:
        if packed is Compression.GZIP:
            yield from _inflated(stream)
        elif packed is Compression.ZSTD:
            yield from _decompressed(stream)
        else:
            while chunk := stream.read(_CHUNK):
                yield chunk, chunk, True


def _inflated(stream: BinaryIO) -> Iterator[Block]:
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


class _Hearing:
    """A stream that keeps what was read of it, until it is taken."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._heard: list[bytes] = []
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        chunk = self._stream.read(size)
        self._heard.append(chunk)
        return chunk

    def take(self) -> bytes:
        heard, self._heard = b"".join(self._heard), []
        return heard

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self.closed = True


def _decompressed(stream: BinaryIO) -> Iterator[Block]:
    hearing = _Hearing(stream)
    opened = pa.CompressedInputStream(pa.PythonFile(hearing, mode="r"), "zstd")
    while chunk := opened.read(_CHUNK):
        yield chunk, hearing.take(), True
    yield b"", hearing.take() + stream.read(), True


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file on disk."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def poured(folder: Path, path: str) -> Iterator[str]:
    """A place that reads as the text of an archive's member, as often as it is opened, while the context lasts.

    A named pipe: the text passes through memory and never lies unpacked on the disk.
    """
    with tempfile.TemporaryDirectory(prefix="enclos-") as place:
        pipe = Path(place) / "member"
        os.mkfifo(pipe, 0o600)
        over = threading.Event()
        pouring = threading.Thread(target=_pour, args=(folder, path, pipe, over), daemon=True)
        pouring.start()
        try:
            yield str(pipe)
        finally:
            over.set()
            while pouring.is_alive():  # it may wait for a reader: be one, and read nothing
                with suppress(OSError):
                    os.close(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK))
                pouring.join(0.01)


def _pour(folder: Path, path: str, pipe: Path, over: threading.Event) -> None:
    while not over.is_set():
        with suppress(BrokenPipeError), pipe.open("wb", buffering=0) as out:
            # The next reader finds a pipe of its own, so that this one's reader sees the end of the text.
            fresh = pipe.with_name("next")
            os.mkfifo(fresh, 0o600)
            fresh.replace(pipe)
            if not over.is_set():
                with suppress(*UNPACKING_FAULTS):  # a reader that left, or a fault: it reads less and is found out
                    for block, _, _ in blocks(folder, path):
                        out.write(block)
