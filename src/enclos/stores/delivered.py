"""A delivery's folder on disk: looked at once, byte by byte, before any row of it is read."""

from __future__ import annotations

import codecs
import csv
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from enclos.contracts.delivered.document import (
    LARGEST_GB,
    MANIFEST,
    MOST_FILES,
    FileFormat,
    archive_of,
    format_of,
    is_archive,
)
from enclos.intake.model import FileFacts
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.stores.engine import EngineFault
from enclos.stores.files import storage_border, write_atomically
from enclos.stores.unpacking import (
    UNPACKING_FAULTS,
    blocks,
    member_bytes,
    members_of,
    parquet_bytes,
    poured,
    sha256_of,
)

_CHUNK = 4 << 20
_C1 = bytes(range(0x80, 0xA0))
"""Control characters that ISO-8859-1 has and no text uses: their presence says another encoding."""
_LONGEST_LINE = 64 << 20


class DeliveredFolder:
    """The folder of one delivery.

    What its files unpack to is bounded before any row is read: an archive's members and a Parquet file say it, a packed
    text is unpacked through memory, of which nothing is kept, until it ends or passes the bound.
    In: largest_gb, most_files — the bounds
    Refuses: DELIVERY_TOO_LARGE, of ``data_files`` and ``inspect``.
    """

    def __init__(self, path: Path, *, largest_gb: float = LARGEST_GB, most_files: int = MOST_FILES) -> None:
        self._path = path
        self._poured: dict[str, str] = {}
        self._most_bytes, self._most_files = int(largest_gb * 10**9), most_files
        self._unpacked: dict[str, int] = {}

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

    def why_undeclared(self) -> tuple[str, str]:
        """Why there is no delivery.json, and what whoever named this folder may have meant."""
        name = self._path.name
        if not self._path.exists():
            return f"There is no folder {name} here.", "Look at its path; a delivery is a folder."
        if self._path.is_file():
            return f"{name} is a file.", "Name the folder of the delivery."
        if next(self._path.glob(f"*/{MANIFEST}"), None):
            return f"The folder {name} holds deliveries and is none.", f"Name each of them: {name}/*"
        return f"The folder {name} has no {MANIFEST}.", "Write one with `enclos delivery make`."

    def write_manifest(self, content: bytes) -> None:
        """Write delivery.json."""
        write_atomically(self._path / MANIFEST, content, "delivery.json", mode=0o644)

    def data_files(self) -> list[str]:
        """The files with rows in them, as paths relative to the folder, sorted; an archive is a folder of its own."""
        found = []
        for file in (file for file in self._path.rglob("*") if file.is_file()):
            path = file.relative_to(self._path).as_posix()
            if is_archive(path):
                found += [f"{path}/{member}" for member in members_of(file)]
            elif format_of(path):
                found.append(path)
            if len(found) > self._most_files:
                raise _too_large(f"The delivery has more than {self._most_files} files with rows.")
        return sorted(found)

    def location(self, path: str) -> str:
        """Where the engine finds the file; an archive's member only while it is read (``reading``)."""
        return self._poured.get(path) or str((self._path / path).resolve())

    def inspect(self, path: str) -> FileFacts | None:
        """What the file is, from one pass over its bytes; None when it is missing or lies outside the folder."""
        on_disk = (archive_of(path) or (path, ""))[0]
        file = (self._path / on_disk).resolve()
        if not file.is_relative_to(self._path.resolve()) or not file.is_file():
            return None
        kind = format_of(path)
        if kind is None:
            raise ValueError("a file of a delivery has a known format")
        self._take(path, 0)
        if kind[0] is FileFormat.PARQUET:
            self._take(path, parquet_bytes(file))
            return _inspect_parquet(file)
        if on_disk != path:
            said = member_bytes(file)
            if path not in {f"{on_disk}/{member}" for member in said}:
                return None
            self._take(path, said[path.removeprefix(f"{on_disk}/")])
        return _inspect_text(self._path, path, lambda n_bytes: self._take(path, n_bytes))

    def _take(self, path: str, n_bytes: int) -> None:
        """Count what a file unpacks to, as far as it is known. Refuses: DELIVERY_TOO_LARGE."""
        self._unpacked[path] = max(self._unpacked.get(path, 0), n_bytes) if n_bytes else 0
        if sum(self._unpacked.values()) > self._most_bytes:
            raise _too_large(f"The delivery unpacks to more than {self._most_bytes / 10**9:g} GB.")

    def lines_at(self, path: str, offsets: list[int]) -> list[bytes]:
        """The raw lines that start at the given byte offsets of the (uncompressed) text, in the order asked."""
        chunks = blocks(self._path, path)
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
        decoder = codecs.getincrementaldecoder(encoding)()
        pieces = (decoder.decode(block) for block, _, _ in blocks(self._path, path))
        return sum(1 for record in csv.reader(_lines(pieces), delimiter=separator, quotechar=quote) if record)

    @contextmanager
    def reading(self, path: str) -> Iterator[None]:
        """While the engine reads the file, its faults are the file's: a refusal that names it."""
        try:
            with ExitStack() as stack:
                if archive_of(path) is not None:
                    self._poured[path] = stack.enter_context(poured(self._path, path))
                    stack.callback(self._poured.pop, path)
                yield
        except EngineFault:
            raise _unreadable(path) from None
        except Refusal as caught:
            if caught.code is Code.STORAGE_BROKEN:
                raise _unreadable(path) from None
            raise


def folder_of_archive(archive: Path) -> Path:
    """A folder beside a zip, of its name, that holds it alone; nothing is unpacked."""
    folder = archive.with_suffix("")
    with storage_border("the delivery"):
        folder.mkdir(exist_ok=True)
        if not (folder / archive.name).exists():
            try:
                (folder / archive.name).hardlink_to(archive)
            except OSError:  # another file system: a copy is the same bytes
                shutil.copyfile(archive, folder / archive.name)
    return folder


def _too_large(what: str) -> Refusal:
    return refusal(
        Code.DELIVERY_TOO_LARGE, what, "Split it, or let the enclosure take more: [deliveries] in enclos.toml."
    )


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
        metadata = pq.read_metadata(file)
    except (OSError, ValueError):
        return FileFacts(digest.hexdigest(), digest.hexdigest(), whole=False)
    return FileFacts(
        digest.hexdigest(),
        digest.hexdigest(),
        whole=True,
        n_records=metadata.num_rows,
        columns=tuple(metadata.schema.to_arrow_schema().names),
    )


def _lines(pieces: Iterator[str]) -> Iterator[str]:
    """Lines with their ends."""
    rest = ""
    for piece in pieces:
        lines = (rest + piece).split("\n")
        rest = lines.pop()
        yield from (f"{line}\n" for line in lines)
    if rest:
        yield rest


def _inspect_text(folder: Path, path: str, take: Callable[[int], None]) -> FileFacts:
    """One pass over a text. In: take — is told after each block how many bytes it unpacked to so far"""
    on_disk, content, text = hashlib.sha256(), hashlib.sha256(), _Text()
    whole, packed, n_bytes = True, False, 0
    try:
        for block, raw, complete in blocks(folder, path):
            on_disk.update(raw)
            if raw is not block:
                content.update(block)
            n_bytes += len(block)
            take(n_bytes)
            text.pass_by(block)
            whole = complete
            packed = raw is not block
    except UNPACKING_FAULTS:
        if archive_of(path) is None and not (folder / path).is_file():
            raise
        broken = sha256_of(folder / (archive_of(path) or (path, ""))[0])
        return FileFacts(broken, "", whole=False)
    text.end()
    sha256 = on_disk.hexdigest()
    return FileFacts(
        sha256,
        content.hexdigest() if packed else sha256,
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
            if len(self._tail) > _LONGEST_LINE:
                raise _too_large(f"A line of it is longer than {_LONGEST_LINE >> 20} MiB.")
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
