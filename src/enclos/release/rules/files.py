"""Files do not leave: what a file is, told by its bytes, and the only kind that may even be counted.

No name and no declaration says what a file is. The rows of a code job come as text of the plainest kind: lines of whole
numbers, decimals, months, yes and no between commas, below the names that its form declares. Everything else that a
file can hold does not read as that, so that a picture, an archive or a program glued to a table is refused with it.

Source: threats C7 73, 76, 77, 82; magic numbers as in the formats' own specifications.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum

import pyarrow as pa

from enclos.contracts.tables import KeyKind
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal

MOST_BYTES = 256 << 20
_HEAD = 4096
_INSTEAD = (
    "Ask for a table that the platform counts: a study, `enclos sql --keep`, or the rows of a job with `enclos table`; "
    "figures are drawn from it anew."
)


class FileKind(Enum):
    """What a file is, in words."""

    PICTURE = "a picture"
    PICKLE = "a pickle"
    PARQUET = "a Parquet or Arrow file"
    OFFICE = "an office document"
    ARCHIVE = "an archive or a compressed file"
    PDF = "a PDF"
    PROGRAM = "a program"
    MODEL = "a model or a matrix of numbers"
    DATABASE = "a database"
    MARKUP = "a page, a drawing or other markup"
    SCRIPT = "a script or a notebook"
    DATA = "a document of data"
    TABLE = "a table that declares nothing"
    TEXT = "a text"
    UNKNOWN = "of no known kind"


_MAGIC: tuple[tuple[bytes, FileKind], ...] = (
    (b"\x89PNG", FileKind.PICTURE),
    (b"\xff\xd8\xff", FileKind.PICTURE),
    (b"GIF8", FileKind.PICTURE),
    (b"BM", FileKind.PICTURE),
    (b"II*\x00", FileKind.PICTURE),
    (b"MM\x00*", FileKind.PICTURE),
    (b"RIFF", FileKind.PICTURE),
    (b"%PDF-", FileKind.PDF),
    (b"%!PS", FileKind.PDF),
    (b"PAR1", FileKind.PARQUET),
    (b"ARROW1", FileKind.PARQUET),
    (b"FEA1", FileKind.PARQUET),
    (b"\xff\xff\xff\xff", FileKind.PARQUET),
    (b"ORC", FileKind.PARQUET),
    (b"Obj\x01", FileKind.PARQUET),
    (b"\xd0\xcf\x11\xe0", FileKind.OFFICE),
    (b"{\\rtf", FileKind.OFFICE),
    (b"\x1f\x8b", FileKind.ARCHIVE),
    (b"BZh", FileKind.ARCHIVE),
    (b"\xfd7zXZ", FileKind.ARCHIVE),
    (b"7z\xbc\xaf", FileKind.ARCHIVE),
    (b"Rar!", FileKind.ARCHIVE),
    (b"\x28\xb5\x2f\xfd", FileKind.ARCHIVE),
    (b"\x04\x22\x4d\x18", FileKind.ARCHIVE),
    (b"\x7fELF", FileKind.PROGRAM),
    (b"MZ", FileKind.PROGRAM),
    (b"\xcf\xfa\xed\xfe", FileKind.PROGRAM),
    (b"\x00asm", FileKind.PROGRAM),
    (b"\xca\xfe\xba\xbe", FileKind.PROGRAM),
    (b"\x89HDF", FileKind.MODEL),
    (b"\x93NUMPY", FileKind.MODEL),
    (b"RDX", FileKind.MODEL),
    (b"X\n\x00\x00", FileKind.MODEL),
    (b"<stata_dta>", FileKind.MODEL),
    (b"$FL2", FileKind.MODEL),
    (b"GGUF", FileKind.MODEL),
    (b"SQLite format 3\x00", FileKind.DATABASE),
)
"""What files of a kind begin with."""
_ANYWHERE: tuple[tuple[bytes, FileKind], ...] = (
    (b"PK\x05\x06", FileKind.ARCHIVE),
    (b"PK\x03\x04", FileKind.ARCHIVE),
    (b"%PDF-", FileKind.PDF),
    (b"\x89PNG\r\n\x1a\n", FileKind.PICTURE),
    (b"JFIF\x00", FileKind.PICTURE),
    (b"Exif\x00\x00", FileKind.PICTURE),
)
"""What gives a second file away that was put behind or between another one."""
_OFFICE = (b"[Content_Types].xml", b"word/", b"xl/workbook", b"ppt/", b"mimetypeapplication/vnd.oasis")
_PICKLE = re.compile(rb"\x80[\x02-\x05]|\(?c[a-z_.]+\n[A-Za-z_]+\n|\((?:lp|dp|i)[0-9]*\n")
_MARKUP = re.compile(rb"<(?:\?xml|!doctype|html|svg|script|head|body|table|iframe|math)\b", re.IGNORECASE)
_SCRIPT = re.compile(
    rb"\A#!|^(?:import |from \S+ import |def |library\(|function |using |proc )|\"nbformat\"|<-\s*function",
    re.MULTILINE,
)
_DATA = re.compile(rb"\A\s*[\[{]|\A---\s")
_TABLE = re.compile(r"[^\n]*[,;\t|][^\n]*\n")


def kind_of(content: bytes) -> FileKind:
    """What a file is by its bytes, whatever it is called; the part that would do most harm where it is several."""
    for mark, kind in _MAGIC:
        if content.startswith(mark):
            return FileKind.OFFICE if kind is FileKind.ARCHIVE and _is_office(content) else kind
    if content[128:132] == b"DICM" or content[4:8] == b"ftyp":
        return FileKind.PICTURE
    if content[4:8] == b"DUCK":
        return FileKind.DATABASE
    if content[257:262] == b"ustar":
        return FileKind.ARCHIVE
    for mark, kind in _ANYWHERE:
        if mark in content:
            return FileKind.OFFICE if _is_office(content) else kind
    return _kind_of_text(content)


def _is_office(content: bytes) -> bool:
    return content.startswith(b"PK") and any(mark in content for mark in _OFFICE)


def _kind_of_text(content: bytes) -> FileKind:
    for form, kind in (
        (_PICKLE, FileKind.PICKLE),
        (_MARKUP, FileKind.MARKUP),
        (_SCRIPT, FileKind.SCRIPT),
        (_DATA, FileKind.DATA),
    ):
        if form.match(content[:_HEAD]) if kind is FileKind.PICKLE else form.search(content):
            return kind
    try:
        text = content.decode("utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig")
    except UnicodeDecodeError:
        return FileKind.UNKNOWN
    if "\x00" in text or not text:
        return FileKind.UNKNOWN
    return FileKind.TABLE if _TABLE.match(text) else FileKind.TEXT


def file_refused(content: bytes) -> Refusal:
    """The refusal of a file that somebody asks to leave."""
    return refusal(Code.RELEASE_FILE, f"This is {kind_of(content).value}: files do not leave.", _INSTEAD)


_WHOLE, _NUMBER = r"-?(?:0|[1-9][0-9]{0,17})", r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,9})?"
_FIELDS: Mapping[KeyKind | None, str] = {
    KeyKind.CONCEPT: r"0|[1-9][0-9]{0,9}",
    KeyKind.YEAR: r"[12][0-9]{3}",
    KeyKind.MONTH: r"[12][0-9]{3}-(?:0[1-9]|1[0-2])",
    KeyKind.PART: r"[1-9]|1[0-2]",
    KeyKind.BAND: r"-?(?:0|[1-9][0-9]{0,8})",
    KeyKind.FLAG: r"yes|no",
    KeyKind.CHOICE: r"[1-9]|[1-4][0-9]|50",
    None: _NUMBER,
}
"""The form of a field: of a key's kind, or of a value; it may be empty."""


def rows_of(content: bytes, columns: Sequence[tuple[str, KeyKind | None]], person: str) -> pa.Table:
    """The rows of a job as text, read to the last sign.

    In:      columns — name and kind of each column in its order, None for values; person — the column of the person
    Out:     columns of the same names: persons and whole keys as numbers, flags as such, months as text
    Refuses: RELEASE_FILE for everything that is not exactly that, telling what the file is or which line is not.
    """
    if len(content) > MOST_BYTES or kind_of(content) not in {FileKind.TABLE, FileKind.TEXT}:
        raise file_refused(content)
    try:
        head, *lines = content.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise _not_rows("it holds other signs than digits, names, commas and the like") from None
    if head.split(",") != [name for name, _ in columns]:
        raise _not_rows("its first line is not the columns that the form declares, in their order, between commas")
    if not lines or lines.pop():
        raise _not_rows("its last line does not end")
    fields = [rf"({_WHOLE})" if name == person else f"({_FIELDS[kind]}|)" for name, kind in columns]
    form = re.compile(",".join(fields))
    found: list[tuple[str, ...]] = []
    for number, line in enumerate(lines, start=2):
        matched = form.fullmatch(line)
        if matched is None:
            raise _not_rows(f"line {number} is not of the kinds that the form declares")
        found.append(matched.groups())
    texts = zip(*found, strict=True) if found else ([] for _ in columns)
    return pa.table(
        {
            name: _column(KeyKind.CONCEPT if name == person else kind, list(values))
            for (name, kind), values in zip(columns, texts, strict=True)
        }
    )


def _column(kind: KeyKind | None, texts: Sequence[str]) -> pa.Array:
    if kind is KeyKind.FLAG:
        return pa.array([text == "yes" if text else None for text in texts], pa.bool_())
    if kind is KeyKind.MONTH:
        return pa.array([text or None for text in texts], pa.string())
    if kind is None:
        return pa.array([float(text) if text else None for text in texts], pa.float64())
    return pa.array([int(text) if text else None for text in texts], pa.int64())


def _not_rows(what: str) -> Refusal:
    return refusal(
        Code.RELEASE_FILE,
        f"The file is not the rows that its form declares: {what}.",
        "Write CSV of numbers, months (YYYY-MM), yes and no, without quotes, spaces or a byte order mark.",
    )
