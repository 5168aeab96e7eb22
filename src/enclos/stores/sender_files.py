"""A sender's files: CSV and NDJSON read in pieces, and what leaves written whole or not at all."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.csv as pcsv

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.stores.files import storage_border, sync_folder

_BLOCK_BYTES = 16 << 20
_RESOURCES_PER_BATCH = 5_000
_MAX_LINE_BYTES = 64 << 20
_ARROW_ROW = re.compile(r"CSV parse error: Row #(\d+): ")


class SenderCsv:
    """A CSV with a header, one row a line, every value as text.

    Refuses: SENDER_FILE with the line when a row has another number of columns or is not in the encoding.
    """

    def __init__(self, path: Path, *, separator: str = ";", encoding: str = "utf-8") -> None:
        self._path = path
        self._separator = separator
        self._encoding = encoding
        self.header = self._read_header()

    def batches(self) -> Generator[tuple[int, pa.Table], None, None]:
        """The line of the first row, and rows; who stops before the end closes it, since a thread reads ahead."""
        # No handler of invalid rows in Python: the reading thread would call it, or drop it, while Python ends,
        # and the process would abort instead of refusing. The row's number is read from Arrow's own error.
        read = pcsv.ReadOptions(
            use_threads=False,
            block_size=_BLOCK_BYTES,
            column_names=self.header,
            skip_rows=1,
            encoding="utf8" if self._encoding == "utf-8" else self._encoding,
        )
        parse = pcsv.ParseOptions(delimiter=self._separator, ignore_empty_lines=False)
        convert = pcsv.ConvertOptions(
            column_types=dict.fromkeys(self.header, pa.string()), strings_can_be_null=False, check_utf8=True
        )
        line = 2
        try:
            with pcsv.open_csv(self._path, read, parse, convert) as reader:
                for batch in reader:
                    yield line, pa.Table.from_batches([batch])
                    line += batch.num_rows
        except pa.ArrowInvalid as error:
            row = _ARROW_ROW.match(str(error))
            where = f"Line {row[1]}" if row else f"After line {line - 1}"
            raise _unreadable(f"{where}: this is not a row of the header's columns in {self._encoding}.") from None
        except OSError:
            raise _unreadable("It cannot be read.") from None

    def _read_header(self) -> list[str]:
        try:
            with _opened(self._path) as file:
                text = file.readline(_MAX_LINE_BYTES).decode(self._encoding).removeprefix("\ufeff")
        except (OSError, UnicodeDecodeError, EOFError):
            raise _unreadable("Line 1 cannot be read in this encoding.") from None
        header = next(csv.reader(io.StringIO(text), delimiter=self._separator), [])
        if not header or len(set(header)) != len(header) or not all(header):
            raise _unreadable("Line 1 is not a header of distinct names.")
        return header


def ndjson_batches(path: Path) -> Iterator[list[tuple[int, dict[str, Any]]]]:
    """Lines with their number, a few thousand at a time; empty lines are passed over.

    Refuses: SENDER_FILE with the line
    """
    batch: list[tuple[int, dict[str, Any]]] = []
    number = 0
    try:
        with _opened(path) as file:
            while line := file.readline(_MAX_LINE_BYTES):
                number += 1
                if not line.strip():
                    continue
                document = json.loads(line)
                if not isinstance(document, dict):
                    raise ValueError  # noqa: TRY004 - it becomes the same refusal
                batch.append((number, document))
                if len(batch) == _RESOURCES_PER_BATCH:
                    yield batch
                    batch = []
    except (ValueError, RecursionError):
        raise _unreadable(f"Line {number}: this is not one JSON object.") from None
    except (OSError, EOFError):
        raise _unreadable(f"After line {number}: it cannot be read.") from None
    if batch:
        yield batch


@contextmanager
def leaving(out: Path) -> Iterator[BinaryIO]:
    """A file that appears under its name when the block ends well, and leaves nothing otherwise.

    Only the account that makes it may read it: it may hold identities.
    """
    temporary = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    with storage_border("what leaves"):
        out.parent.mkdir(parents=True, exist_ok=True)
        try:
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(out)
            sync_folder(out.parent)
        finally:
            temporary.unlink(missing_ok=True)


def write_csv(out: BinaryIO, tables: Iterable[pa.Table], *, separator: str) -> int:
    """Write rows as CSV, header first; the number of rows."""
    writer: pcsv.CSVWriter | None = None
    n_rows = 0
    for table in tables:
        if writer is None:
            options = pcsv.WriteOptions(delimiter=separator, quoting_style="needed")
            writer = pcsv.CSVWriter(out, table.schema, write_options=options)
        writer.write_table(table)
        n_rows += table.num_rows
    if writer is not None:
        writer.close()
    return n_rows


def write_ndjson(out: BinaryIO, resources: Iterable[dict[str, Any]]) -> int:
    """Write one JSON object a line; the number of lines."""
    n_lines = 0
    for resource in resources:
        out.write(json.dumps(resource, ensure_ascii=False, separators=(",", ":")).encode("utf-8") + b"\n")
        n_lines += 1
    return n_lines


def _opened(path: Path) -> BinaryIO:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _unreadable(why: str) -> Refusal:
    return refusal(Code.SENDER_FILE, f"The file cannot be pseudonymised. {why}", "Export it again.")
