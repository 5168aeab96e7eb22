"""delivery.json: what a sender declares."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from enclos.contracts.delivered.writing import DateWriting
from enclos.lexicon.canonical import canonical_bytes, sha256_hex
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal

MANIFEST = "delivery.json"
"""The name of the document in a delivery's folder."""
LARGEST_GB, MOST_FILES = 1000, 10_000
"""What a delivery may unpack to, in gigabytes (10^9 bytes), and how many files with rows it may have, unless an
enclosure says otherwise."""


class Kind(Enum):
    """What a delivery consists of."""

    SNDS_DCIR = "snds-dcir"
    """Claims: monthly flux of ER_* tables."""
    SNDS_PMSI = "snds-pmsi"
    """Hospital stays: yearly T_MCO* tables."""
    SNDS_REF = "snds-ref"
    """Beneficiaries, long-term illnesses, causes of death: the latest delivery of a row holds."""
    FHIR_BULK = "fhir-bulk"
    """FHIR R4 resources, one NDJSON file or more per type."""
    OMOP = "omop"
    """OMOP CDM 5.4 or 5.3."""
    HOSPITAL_CSV = "hospital-csv"
    """The plain layout of docs/hospital-csv.md."""
    VOCABULARY = "vocabulary"
    """OHDSI vocabularies as Athena hands them out."""
    LINK = "link"
    """Temporary ids of a linkage circuit."""


class Encoding(Enum):
    """The encodings a text file may declare."""

    UTF_8 = "utf-8"
    ISO_8859_1 = "iso-8859-1"


class FileFormat(Enum):
    """How rows are written; the file name says it."""

    CSV = "csv"
    NDJSON = "ndjson"
    PARQUET = "parquet"


class Compression(Enum):
    """How a text file is packed; the file name says it. A zip is a folder: its members are read as they unpack."""

    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"


_SUFFIXES = {
    ".csv": (FileFormat.CSV, Compression.NONE),
    ".csv.gz": (FileFormat.CSV, Compression.GZIP),
    ".csv.zst": (FileFormat.CSV, Compression.ZSTD),
    ".ndjson": (FileFormat.NDJSON, Compression.NONE),
    ".ndjson.gz": (FileFormat.NDJSON, Compression.GZIP),
    ".ndjson.zst": (FileFormat.NDJSON, Compression.ZSTD),
    ".parquet": (FileFormat.PARQUET, Compression.NONE),
}
_ARCHIVE = ".zip"
_ENCODING_NAMES = {
    "utf-8": Encoding.UTF_8,
    "utf8": Encoding.UTF_8,
    "iso-8859-1": Encoding.ISO_8859_1,
    "latin-1": Encoding.ISO_8859_1,
    "latin1": Encoding.ISO_8859_1,
}


def kind_of(name: str) -> Kind:
    """The kind of that name.

    Refuses: DELIVERY_MALFORMED
    """
    try:
        return Kind(name)
    except ValueError:
        names = ", ".join(kind.value for kind in Kind)
        raise refusal(Code.DELIVERY_MALFORMED, "This is no kind of delivery.", f"Name one of {names}.") from None


def format_of(path: str) -> tuple[FileFormat, Compression] | None:
    """The format of a file name and how it is packed; None for another file.

    A member of an archive (``export.zip/ER_PRS_F.csv``) is plain text.
    """
    name = PurePosixPath(path).name.lower()
    for suffix in sorted(_SUFFIXES, key=len, reverse=True):
        if name.endswith(suffix):
            found = _SUFFIXES[suffix]
            plain_text = found[0] is not FileFormat.PARQUET and found[1] is Compression.NONE
            return found if plain_text or archive_of(path) is None else None
    return None


def archive_of(path: str) -> tuple[str, str] | None:
    """The archive that a file lies in and its name there; None for a file of its own."""
    parts = PurePosixPath(path).parts
    for n, part in enumerate(parts[:-1], start=1):
        if part.lower().endswith(_ARCHIVE):
            return "/".join(parts[:n]), "/".join(parts[n:])
    return None


def is_archive(path: str) -> bool:
    """Whether a file is a zip, by its name."""
    return path.lower().endswith(_ARCHIVE)


@dataclass(frozen=True, slots=True)
class DeliveredFile:
    """One declared file."""

    path: str
    table: str
    sha256: str
    n_rows: int
    encoding: Encoding
    separator: str
    quote: str
    decimal: str = "."
    """The decimal sign: a point or a comma."""
    dates: tuple[tuple[str, DateWriting], ...] = ()
    """How dates are written, by column; ``*`` stands for all others; nothing declared is ISO."""
    aliases: tuple[tuple[str, str], ...] = ()
    """Names of the sender's own, with the official column each stands for."""

    def date_writing(self, column: str) -> DateWriting:
        """How the dates of a column are written."""
        declared = dict(self.dates)
        return declared.get(column, declared.get("*", DateWriting.ISO))

    @property
    def format(self) -> FileFormat:
        """How its rows are written."""
        found = format_of(self.path)
        if found is None:
            raise ValueError("a declared file has a known format")
        return found[0]

    @property
    def compression(self) -> Compression:
        """How the file is packed."""
        return (format_of(self.path) or (None, Compression.NONE))[1]


@dataclass(frozen=True, slots=True)
class Delivery:
    """A declared delivery; its id is the SHA-256 of its canonical document."""

    source: str
    kind: Kind
    period: tuple[date, date] | None
    files: tuple[DeliveredFile, ...]

    @property
    def document(self) -> dict[str, Any]:
        """The document as JSON values, fields with a default left out."""
        return {
            "source": self.source,
            "kind": self.kind.value,
            **(
                {"period": {"start": self.period[0].isoformat(), "end": self.period[1].isoformat()}}
                if self.period
                else {}
            ),
            "files": [
                {
                    "path": file.path,
                    "table": file.table,
                    "sha256": file.sha256,
                    "n_rows": file.n_rows,
                    "encoding": file.encoding.value,
                    "separator": file.separator,
                    **({} if file.quote == default_quote(self.kind, file.separator) else {"quote": file.quote}),
                    **({} if file.decimal == "." else {"decimal": file.decimal}),
                    **({} if not file.dates else {"dates": _dates_document(file.dates)}),
                    **({} if not file.aliases else {"aliases": dict(file.aliases)}),
                }
                for file in sorted(self.files, key=lambda file: file.path)
            ],
        }

    @property
    def delivery_id(self) -> str:
        """The SHA-256 of the canonical document, in hexadecimal."""
        return sha256_hex(self.canonical())

    def canonical(self) -> bytes:
        """The one byte string that stands for the document."""
        return canonical_bytes(self.document)


def default_quote(kind: Kind, separator: str) -> str:
    """The quote sign of a CSV that declares none: Athena's tab-separated files use none, others the double quote."""
    return "" if kind is Kind.VOCABULARY and separator == "\t" else '"'


def _dates_document(dates: tuple[tuple[str, DateWriting], ...]) -> str | dict[str, str]:
    declared = {column: writing.value for column, writing in dates}
    return declared["*"] if set(declared) == {"*"} else declared


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


_Column = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
_ColumnOrAll = Annotated[str, Field(pattern=r"^(\*|[A-Za-z_][A-Za-z0-9_]{0,63})$")]
_DateWord = Literal["iso", "DD/MM/YYYY", "YYYYMMDD", "DDMMYYYY", "DDMONYYYY", "official"]


class _Period(_Model):
    start: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    end: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class _File(_Model):
    path: Annotated[str, Field(min_length=1, max_length=512)]
    table: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$")] | None = None
    resource: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$")] | None = None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    n_rows: Annotated[int, Field(ge=0)]
    encoding: str = "utf-8"
    separator: Literal[";", ",", "\t", ""] = ""
    quote: Literal['"', ""] | None = None
    decimal: Literal[".", ","] = "."
    dates: _DateWord | dict[_ColumnOrAll, _DateWord] | None = None
    aliases: Annotated[dict[_Column, _Column], Field(max_length=64)] = {}


class _Document(_Model):
    source: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    kind: Literal["snds-dcir", "snds-pmsi", "snds-ref", "fhir-bulk", "omop", "hospital-csv", "vocabulary", "link"]
    period: _Period | None = None
    files: Annotated[list[_File], Field(min_length=1)]


_NEXT = "Ask the sender for a corrected delivery.json, or write one with `enclos delivery make`."


def parse_delivery(document: Any) -> Delivery:
    """The delivery that a JSON document declares.

    Refuses: DELIVERY_MALFORMED with every fault by its place (never its value); ENCODING_UNKNOWN when the only
    faults are encodings.
    """
    if not isinstance(document, Mapping):
        raise refusal(Code.DELIVERY_MALFORMED, "delivery.json is not a JSON object.", _NEXT)
    try:
        parsed = _Document.model_validate(dict(document))
    except ValidationError as error:
        places = sorted({_place(fault["loc"], fault["type"]) for fault in error.errors()})
        raise refusal(Code.DELIVERY_MALFORMED, f"delivery.json is refused: {_listed(places)}.", _NEXT) from None
    kind = Kind(parsed.kind)
    faults, encodings = _faults(parsed, kind)
    if faults:
        raise refusal(Code.DELIVERY_MALFORMED, f"delivery.json is refused: {_listed(faults + encodings)}.", _NEXT)
    if encodings:
        raise refusal(
            Code.ENCODING_UNKNOWN,
            f"delivery.json declares encodings that are not read: {_listed(encodings)}.",
            "Deliver the files in utf-8 or iso-8859-1 and declare it.",
        )
    return Delivery(
        parsed.source,
        kind,
        _period(parsed.period),
        tuple(_file(file, kind) for file in parsed.files),
    )


def _file(file: _File, kind: Kind) -> DeliveredFile:
    quote = default_quote(kind, file.separator) if file.quote is None else file.quote
    table = file.table or file.resource or ""
    encoding = _ENCODING_NAMES[file.encoding.lower()]
    dates = {"*": file.dates} if isinstance(file.dates, str) else file.dates or {}
    return DeliveredFile(
        file.path,
        table,
        file.sha256,
        file.n_rows,
        encoding,
        file.separator,
        quote,
        file.decimal,
        tuple(sorted((column, DateWriting(word)) for column, word in dates.items())),
        tuple(sorted(file.aliases.items())),
    )


def _faults(parsed: _Document, kind: Kind) -> tuple[list[str], list[str]]:
    faults: list[str] = []
    encodings: list[str] = []
    if parsed.period is not None and not _is_period(parsed.period):
        faults.append("period (start and end are dates, start before end)")
    paths = [file.path for file in parsed.files]
    if len(set(paths)) < len(paths):
        faults.append("files (a path is listed twice)")
    for index, file in enumerate(parsed.files):
        place = f"files[{index}]"
        if not _is_inside(file.path):
            faults.append(f"{place}.path (a relative path inside the delivery)")
        found = format_of(file.path)
        if found is None:
            faults.append(f"{place}.path (csv, ndjson, each also as .gz, .zst or inside a .zip; parquet)")
        elif (found[0] is FileFormat.NDJSON) != (kind is Kind.FHIR_BULK):
            faults.append(f"{place}.path (ndjson goes with fhir-bulk)")
        elif (found[0] is FileFormat.CSV) == (file.separator == ""):
            faults.append(f"{place}.separator (a csv has one, other formats have none)")
        if (file.table is None) == (file.resource is None):
            faults.append(f"{place}.table (either table or resource)")
        if file.encoding.lower() not in _ENCODING_NAMES:
            encodings.append(f"{place}.encoding")
    commas = (f"files[{i}]" for i, file in enumerate(parsed.files) if file.decimal == file.separator == ",")
    faults += [f"{place}.decimal (a comma cannot separate both fields and decimals)" for place in commas]
    return faults, encodings


def _is_inside(path: str) -> bool:
    pure = PurePosixPath(path)
    return not pure.is_absolute() and ".." not in pure.parts and "\\" not in path and "\x00" not in path


def _is_period(period: _Period) -> bool:
    try:
        start, end = date.fromisoformat(period.start), date.fromisoformat(period.end)
    except ValueError:
        return False
    return start < end


def _period(period: _Period | None) -> tuple[date, date] | None:
    return None if period is None else (date.fromisoformat(period.start), date.fromisoformat(period.end))


def _place(location: tuple[int | str, ...], fault: str) -> str:
    words = {"missing": "missing", "extra_forbidden": "unknown field"}
    names = [f"[{part}]" if isinstance(part, int) else str(part) for part in location]
    if fault == "extra_forbidden":  # the name comes from the sender: show it only when it looks like a field's name
        names[-1] = names[-1] if re.fullmatch(r"[A-Za-z_]{1,32}", names[-1]) else "?"
    return f"{'.'.join(names).replace('.[', '[') or 'document'} ({words.get(fault, 'wrong value')})"


def _listed(faults: list[str], most: int = 20) -> str:
    more = f" and {len(faults) - most} more" if len(faults) > most else ""
    return "; ".join(faults[:most]) + more
