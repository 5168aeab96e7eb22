"""What a sender does before a table leaves: identities become level-one pseudonyms, and only what is named is kept."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from enclos.lexicon.codes import Code
from enclos.lexicon.keys import BlockCipher
from enclos.lexicon.refusals import Refusal, refusal
from enclos.pseudonyms.model import IdentityColumns
from enclos.pseudonyms.secret_functions.distinct import DistinctTags
from enclos.pseudonyms.secret_functions.identities import (
    BIRTH_RULE,
    LEVEL_ONE_FUNCTION,
    NIR_RULE,
    SEX_RULE,
    identity_messages,
    level_one_pseudonyms,
)

PSEUDONYM_COLUMN = "pseudonym_" + re.sub(r"\W", "_", LEVEL_ONE_FUNCTION)

_NIR_INSIDE = r"[1-478][0-9]{4}([0-9]{2}|2[AB])[0-9]{6}"
_NIR, _DATE = re.compile(NIR_RULE), re.compile(BIRTH_RULE)


def pseudonymise_rows(
    rows: pa.Table,
    first_line: int,
    columns: IdentityColumns,
    cipher: BlockCipher,
    *,
    seen: DistinctTags | None = None,
    table: str = "The file",
) -> pa.Table:
    """The rows with the pseudonym first, then the kept columns as they are, and nothing else.

    In: rows — all text; first_line — the line of the first row in its file; seen — the identities of the run so far
    Refuses: IDENTITY_INVALID with rule and line; IDENTITY_SHOWN when a kept column shows a NIR; PSEUDONYM_COLLISION
    """
    nir, birth, sex = (pc.utf8_trim_whitespace(rows[name]) for name in (columns.nir, columns.birth, columns.sex))
    _check(
        pc.match_substring_regex(nir, NIR_RULE), first_line, columns.nir, "a NIR of 13 characters, or 15 with its key"
    )
    _check(_has_right_key(nir), first_line, columns.nir, "a NIR whose key is 97 less its remainder by 97")
    _check(pc.match_substring_regex(birth, BIRTH_RULE), first_line, columns.birth, "a date YYYY-MM-DD")
    _check(_is_a_day(birth), first_line, columns.birth, "a day of the calendar")
    _check(pc.match_substring_regex(sex, SEX_RULE), first_line, columns.sex, "1 or M, 2 or F")
    for name in columns.kept:
        _check_shown(rows[name], nir, first_line, name, table)
    pseudonyms = level_one_pseudonyms(cipher, identity_messages(nir, birth, sex), seen)
    return pa.table([pseudonyms, *(rows[name] for name in columns.kept)], names=[PSEUDONYM_COLUMN, *columns.kept])


def holds_national_number(text: str) -> bool:
    """Whether the text is a NIR of 15 characters with its right key."""
    return len(text) == 15 and is_national_number(text)


def is_national_number(text: str) -> bool:
    """Whether the text is a NIR of 13 characters, or of 15 with its right key."""
    return bool(_NIR.fullmatch(text)) and bool(_has_right_key(pa.chunked_array([[text]]))[0].as_py())


def is_birth_date(text: str) -> bool:
    """Whether the text is a day of the calendar, YYYY-MM-DD."""
    return bool(_DATE.fullmatch(text)) and bool(_is_a_day(pa.chunked_array([[text]]))[0].as_py())


# -- tables


def _check(holds: pa.ChunkedArray, first_line: int, column: str, rule: str) -> None:
    at = pc.index(pc.fill_null(holds, fill_value=False), pa.scalar(value=False)).as_py()
    if at >= 0:
        raise refusal(
            Code.IDENTITY_INVALID,
            f"Line {first_line + at}, column {column}: this is not {rule}.",
            "Correct the line, or leave it out and account for it.",
        )


def _has_right_key(nir: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whether the last two of 15 characters are the key of the first 13; shorter ones have none."""
    digits = pc.replace_substring_regex(pc.utf8_slice_codeunits(nir, 0, 13), "^(.{5})2A", r"\119")
    number = pc.cast(pc.replace_substring_regex(digits, "^(.{5})2B", r"\118"), pa.int64())
    rest = pc.subtract(number, pc.multiply(pc.divide(number, 97), 97))
    with_key = pc.equal(pc.utf8_length(nir), 15)
    key = pc.cast(pc.if_else(with_key, pc.utf8_slice_codeunits(nir, 13, 15), "0"), pa.int64())
    return pc.or_(pc.invert(with_key), pc.equal(key, pc.subtract(97, rest)))


def _is_a_day(birth: pa.ChunkedArray) -> pa.ChunkedArray:
    year, month, day = (
        pc.cast(pc.utf8_slice_codeunits(birth, start, stop), pa.int64()) for start, stop in ((0, 4), (5, 7), (8, 10))
    )
    by_four, by_hundred, by_400 = (
        pc.equal(pc.subtract(year, pc.multiply(pc.divide(year, n), n)), 0) for n in (4, 100, 400)
    )
    leap = pc.or_(pc.and_(by_four, pc.invert(by_hundred)), by_400)
    short = pc.is_in(month, value_set=pa.array([4, 6, 9, 11]))
    last = pc.if_else(pc.equal(month, 2), pc.if_else(leap, 29, 28), pc.if_else(short, 30, 31))
    return pc.less_equal(day, last)


def _check_shown(values: pa.ChunkedArray, nir: pa.ChunkedArray, first_line: int, column: str, table: str) -> None:
    """A kept value holds neither its row's NIR nor any NIR with its key."""
    suspicious = pc.indices_nonzero(pc.fill_null(pc.match_substring_regex(values, _NIR_INSIDE), fill_value=False))
    for at in suspicious.to_pylist():
        text = values[at].as_py()
        if nir[at].as_py()[:13] in text or shows_nir(text):
            raise identity_shown(first_line + at, f"column {column}", table)


def shows_nir(text: str) -> bool:
    """Whether a NIR with its right key stands in the text."""
    found = re.findall(r"(?<![0-9])(?=([1-478][0-9]{4}(?:[0-9]{2}|2[AB])[0-9]{8})(?![0-9]))", text)
    return any(bool(_has_right_key(pa.chunked_array([[each]]))[0].as_py()) for each in found)


def identity_shown(line: int, where: str, table: str = "The file") -> Refusal:
    """The refusal of what would leave with an identity in it."""
    return refusal(
        Code.IDENTITY_SHOWN, f"{table}, line {line}: {where} shows an identity.", "Do not keep what holds identities."
    )


def check_columns(header: Sequence[str], columns: IdentityColumns) -> None:
    """The file has the columns that are named, each once.

    Refuses: SENDER_FILE
    """
    wanted = (columns.nir, columns.birth, columns.sex, *columns.kept)
    lacking = [name for name in wanted if list(header).count(name) != 1]
    if lacking:
        raise refusal(
            Code.SENDER_FILE,
            f"The header does not have each named column once: {', '.join(lacking)}.",
            "Name the columns as the header does.",
        )
