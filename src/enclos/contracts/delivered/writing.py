"""How dates and decimals may be written in a delivered file: declared by the sender, never guessed.

Source: schema-snds, column ``format`` (%d%m%Y for twelve text columns, %d%b%Y:%H:%M:%S for Oracle dates); the other
ways are those of spreadsheets (DD/MM/YYYY) and of Athena (YYYYMMDD).
"""

from __future__ import annotations

from enum import Enum


class DateWriting(Enum):
    """How a file writes dates and instants."""

    ISO = "iso"
    """2019-01-31, an instant 2019-01-31 10:20:30."""
    SLASHED = "DD/MM/YYYY"
    """31/01/2019, an instant 31/01/2019 10:20:30."""
    COMPACT = "YYYYMMDD"
    """20190131; an instant cannot be written so and stands at midnight."""
    DAY_FIRST = "DDMMYYYY"
    """31012019."""
    ORACLE = "DDMONYYYY"
    """31JAN2019, an instant 31JAN2019:10:20:30, as Oracle and SAS export them; English months."""
    OFFICIAL = "official"
    """Each column as the SNDS schema says: DDMMYYYY where it is text of eight digits, DDMONYYYY elsewhere."""
    ATHENA = "athena"
    """20190131 or 2019-01-31: what vocabularies use; not declared, their kind says it."""


_DAY_FIRST_COLUMNS = frozenset({"ENT_DAT", "SOR_DAT"})
"""Text of eight digits, day first, in every table of stays that has them. Source: schema-snds, format %d%m%Y."""

_MONTHS = "(JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)"
_PATTERNS = {
    DateWriting.ISO: {
        "DATE": "[0-9]{4}-[0-9]{2}-[0-9]{2}([ T]00:00:00(\\.0+)?)?",
        "TIMESTAMP": "[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]+)?)?)?",
    },
    DateWriting.SLASHED: {
        "DATE": "[0-9]{2}/[0-9]{2}/[0-9]{4}( 00:00(:00)?)?",
        "TIMESTAMP": "[0-9]{2}/[0-9]{2}/[0-9]{4}( [0-9]{2}:[0-9]{2}(:[0-9]{2})?)?",
    },
    DateWriting.COMPACT: {"DATE": "[0-9]{8}", "TIMESTAMP": "[0-9]{8}"},
    DateWriting.DAY_FIRST: {"DATE": "[0-9]{8}", "TIMESTAMP": "[0-9]{8}"},
    DateWriting.ORACLE: {
        "DATE": f"[0-9]{{2}}{_MONTHS}[0-9]{{4}}(:00:00:00)?",
        "TIMESTAMP": f"[0-9]{{2}}{_MONTHS}[0-9]{{4}}(:[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}})?",
    },
    DateWriting.ATHENA: {
        "DATE": "[0-9]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2}([ T]00:00:00(\\.0+)?)?",
        "TIMESTAMP": "[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]+)?)?)?",
    },
}
_STRPTIME = {
    DateWriting.SLASHED: ("%d/%m/%Y", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M"),
    DateWriting.COMPACT: ("%Y%m%d",),
    DateWriting.DAY_FIRST: ("%d%m%Y",),
    DateWriting.ORACLE: ("%d%b%Y", "%d%b%Y:%H:%M:%S"),
}


def writing_of(declared: DateWriting, column: str) -> DateWriting:
    """How one column is written in a file that declares this."""
    if declared is not DateWriting.OFFICIAL:
        return declared
    return DateWriting.DAY_FIRST if column in _DAY_FIRST_COLUMNS else DateWriting.ORACLE


def written_pattern(sql_type: str, dates: DateWriting, decimal: str) -> str | None:
    """The regular expression of several values of a type joined by ';', each of which may be empty; None: any text."""
    if sql_type == "BIGINT":
        return "[-+0-9;]*"
    if sql_type == "DOUBLE":
        return "[-+0-9.eE;]*" if decimal == "." else "[-+0-9,eE;]*"
    if sql_type in ("DATE", "TIMESTAMP"):
        return f"(({_PATTERNS[dates][sql_type]})?;?)*"
    return None


_PLAIN_DATE = "[1-9][0-9]{3}-((0[13-9]|1[0-2])-(0[1-9]|[12][0-9]|30)|(0[13578]|1[02])-31|02-(0[1-9]|1[0-9]|2[0-8]))"


def plain_pattern(sql_type: str, dates: DateWriting, decimal: str) -> str | None:
    """The regular expression of a value of a type that is surely written and cast as declared.

    None where no such expression is known. What it leaves out (29 February, 19 digits) is looked at with care.
    """
    if sql_type == "BIGINT":
        return "-?[0-9]{1,18}"
    if sql_type == "DOUBLE" and decimal == ".":
        return "-?[0-9]{1,15}(\\.[0-9]{1,15})?"
    if sql_type == "DATE" and dates is DateWriting.ISO:
        return _PLAIN_DATE
    return None


def cast_sql(value: str, sql_type: str, dates: DateWriting, decimal: str) -> str:
    """SQL text that gives the typed value of a text, NULL where it is none."""
    if sql_type == "VARCHAR":
        return value
    if sql_type == "DOUBLE" and decimal == ",":
        return f"TRY_CAST(replace({value}, ',', '.') AS DOUBLE)"
    if sql_type in ("DATE", "TIMESTAMP"):
        if dates is DateWriting.ATHENA and sql_type == "DATE":
            return f"coalesce(TRY_CAST({value} AS DATE), CAST(TRY_STRPTIME({value}, '%Y%m%d') AS DATE))"
        if dates in _STRPTIME:
            forms = ", ".join(f"'{form}'" for form in _STRPTIME[dates])
            return f"CAST(TRY_STRPTIME({value}, [{forms}]) AS {sql_type})"
    return f"TRY_CAST({value} AS {sql_type})"
