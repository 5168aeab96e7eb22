"""Plainly written values: an expression that spares the casts must never promise more than the casts hold."""

from __future__ import annotations

import re
from datetime import date, timedelta

import duckdb
import pytest

from enclos.contracts.delivered.writing import DateWriting, plain_pattern

NEARLY = {
    "BIGINT": ["1.5", "1_000", " 1", "1 ", "+1", "--1", "1-1", "9223372036854775808", "1e3", "", "0x1"],
    "DOUBLE": ["1,5", "1.", ".5", "1e400", "inf", "nan", "1_0.5", "1.2.3", "+1.5", ""],
    "DATE": [
        "2019-02-29",
        "2019-02-30",
        "2019-04-31",
        "2019-13-01",
        "2019-00-10",
        "2019-01-00",
        "2019-1-1",
        "0000-01-01",
    ],
}
SURELY = {
    "BIGINT": ["0", "007", "-5", "9" * 18],
    "DOUBLE": ["0", "-1.5", "12.75", "9" * 15 + "." + "9" * 15],
    "DATE": [str(date(1999, 1, 1) + timedelta(days=n)) for n in range(365)],
}


@pytest.mark.parametrize("sql_type", sorted(NEARLY))
def test_what_is_plain_is_cast_by_the_engine_and_what_is_nearly_so_is_looked_at_with_care(sql_type):
    pattern = plain_pattern(sql_type, DateWriting.ISO, ".")
    for value in SURELY[sql_type]:
        assert re.fullmatch(pattern, value), value
        assert duckdb.execute(f"SELECT TRY_CAST(? AS {sql_type}) IS NOT NULL", [value]).fetchone() == (True,), value
    assert not [value for value in NEARLY[sql_type] if re.fullmatch(pattern, value)]


def test_no_day_that_the_calendar_lacks_is_plain():
    pattern = plain_pattern("DATE", DateWriting.ISO, ".")
    for month in range(14):
        for day in range(33):
            written = f"2019-{month:02d}-{day:02d}"
            if re.fullmatch(pattern, written):
                date.fromisoformat(written)


@pytest.mark.parametrize(("sql_type", "dates"), [("DATE", DateWriting.SLASHED), ("VARCHAR", DateWriting.ISO)])
def test_other_ways_of_writing_have_no_shortcut(sql_type, dates):
    assert plain_pattern(sql_type, dates, ".") is None


def test_a_decimal_comma_has_no_shortcut():
    assert plain_pattern("DOUBLE", DateWriting.ISO, ",") is None
