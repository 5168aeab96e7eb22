"""What intake must do with a text file, one character at a time; slow, and shares nothing with the engine."""

from __future__ import annotations

import re
from datetime import date, datetime

PATTERNS = {
    "BIGINT": re.compile(r"[-+]?[0-9]+"),
    "DOUBLE": re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?"),
    "DATE": re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})([ T]00:00:00(\.0+)?)?"),
    "TIMESTAMP": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?)?"),
}


MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]


def iso_of(text: str, sql_type: str, dates: str) -> str:
    """A date or an instant as ISO writes it, whatever way the sender declares; ValueError when it is not that way."""
    if dates == "iso":
        return text
    if dates == "DD/MM/YYYY":
        found = re.fullmatch(r"(\d\d)/(\d\d)/(\d{4})( \d\d:\d\d(:\d\d)?)?", text, re.ASCII)
        day, month, year, hour = found.group(1, 2, 3, 4) if found else ("", "", "", "")
    elif dates == "YYYYMMDD":
        found = re.fullmatch(r"(\d{4})(\d\d)(\d\d)", text, re.ASCII)
        year, month, day, hour = (*found.groups(), "") if found else ("", "", "", "")
    elif dates == "DDMMYYYY":
        found = re.fullmatch(r"(\d\d)(\d\d)(\d{4})", text, re.ASCII)
        day, month, year, hour = (*found.groups(), "") if found else ("", "", "", "")
    else:
        found = re.fullmatch(r"(\d\d)([A-Z]{3})(\d{4})(:\d\d:\d\d:\d\d)?", text, re.ASCII)
        if not found or found.group(2) not in MONTHS:
            raise ValueError
        day, year, month = found.group(1), found.group(3), f"{MONTHS.index(found.group(2)) + 1:02d}"
        hour = " " + found.group(4)[1:] if found.group(4) else ""
    if not found:
        raise ValueError
    hour = hour or ""
    if sql_type == "DATE" and len(hour) == len(" 00:00"):
        hour += ":00"
    return f"{year}-{month}-{day}{hour}"


def value_of(text: str, sql_type: str, dates: str = "iso", decimal: str = "."):
    """The typed value, or ValueError."""
    if sql_type == "VARCHAR":
        return text
    if sql_type in ("DATE", "TIMESTAMP"):
        text = iso_of(text, sql_type, dates)
    if sql_type == "DOUBLE" and decimal == ",":
        if "." in text:
            raise ValueError
        text = text.replace(",", ".")
    if not PATTERNS[sql_type].fullmatch(text):
        raise ValueError
    if sql_type == "BIGINT":
        number = int(text)
        if not -(2**63) <= number < 2**63:
            raise ValueError
        return number
    if sql_type == "DOUBLE":
        return float(text)
    if sql_type == "DATE":
        return date.fromisoformat(text[:10])
    return datetime.fromisoformat(text)


def records_of(text: str, separator: str, quote: str):  # noqa: C901 - one loop over the characters, on purpose
    """Records after the header with their number; a record is its fields. Blank lines are no records but count."""
    records, fields, field, quoted, i = [], [], "", False, 0
    number, started = 0, False

    def end_record():
        nonlocal fields, field, number, started
        number += 1
        if started or fields or field:
            records.append((number, [*fields, field]))
        fields, field, started = [], "", False

    while i < len(text):
        c = text[i]
        if quoted:
            if c == quote and text[i + 1 : i + 2] == quote:
                field, i = field + quote, i + 1
            elif c == quote:
                quoted = False
            else:
                field += c
        elif c == quote and quote and not field:
            quoted, started = True, True
        elif c == separator:
            fields.append(field)
            field = ""
        elif c == "\n":
            field = field.removesuffix("\r")
            end_record()
        else:
            field += c
        i += 1
    if started or fields or field:
        end_record()
    return [(number, fields) for number, fields in records if number > 1]


def land(content: bytes, columns, keys, separator: str, quote: str, encoding: str, dates="iso", decimal="."):
    """(landed: line -> values, rejected: line -> reason) of a CSV with a header.

    In: columns — (name, type) in the file's order; dates, decimal — how the sender declares to write them
    """
    landed, rejected = {}, {}
    if encoding == "utf-8" and not quote:  # undecodable lines stay apart
        lines = content.split(b"\n")
        for line, raw in enumerate(lines, start=1):
            try:
                raw.decode("utf-8")
            except UnicodeDecodeError:
                rejected[line] = "encoding"
        text = "\n".join("" if i in rejected else raw.decode() for i, raw in enumerate(lines, start=1))
    else:
        text = content.decode(encoding)
    for line, fields in records_of(text, separator, quote):
        values, reason = judged(fields, columns, keys, dates, decimal)
        if reason:
            rejected[line] = reason
        else:
            landed[line] = values
    return landed, rejected


def judged(fields, columns, keys, dates="iso", decimal="."):
    """The typed values of a record and why it is rejected, if it is; an empty key comes before a wrong value."""
    if len(fields) != len(columns):
        return {}, "field_count"
    values, reason = {}, None
    for (name, sql_type), field in zip(columns, fields, strict=True):
        try:
            values[name] = None if field == "" else value_of(field, sql_type, dates, decimal)
        except ValueError:
            reason = reason or "value"
        if field == "" and name in keys:
            reason = "missing_key"
    return values, reason
