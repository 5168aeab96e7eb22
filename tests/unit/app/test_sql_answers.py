"""What an answer of people's SQL may hold, and how REST writes it."""

from __future__ import annotations

import csv
import io
import json
from datetime import date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from enclos.app.sql import in_the_calendar
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.portal.api.sql import _csv, _plain

DAY, INSTANT = pa.date32(), pa.timestamp("us")
FIRST, LAST = datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999_999)  # noqa: DTZ001 - without a zone
AFTER = (LAST - datetime(1970, 1, 1)) // timedelta(microseconds=1) + 1  # noqa: DTZ001
BEFORE = (FIRST - datetime(1970, 1, 1)) // timedelta(microseconds=1) - 1  # noqa: DTZ001


def column(kind: pa.DataType, *parts: int | None) -> pa.Table:
    """A column of days since 1970, or of microseconds."""
    return pa.table({"x": pa.array(parts, pa.int64() if kind == INSTANT else pa.int32()).cast(kind)})


def test_days_and_instants_of_the_calendar_are_told() -> None:
    for table in (
        *(column(DAY, -719_162, None, 2_932_896), column(DAY), column(DAY, None), pa.table({"n": [1]})),
        pa.table({"x": pa.array([[FIRST, LAST]], pa.list_(INSTANT))}),
    ):
        assert in_the_calendar(table) is table
        assert table.to_pylist() is not None


@pytest.mark.parametrize(
    "table",
    [
        *(column(DAY, 0, -719_163), column(DAY, 2_932_897), column(INSTANT, AFTER), column(INSTANT, BEFORE)),
        pa.table({"n": [1], "x": pa.array([[[0]], [[2_932_897]]][1:], pa.list_(pa.list_(pa.int32()))).cast(
            pa.list_(pa.list_(DAY))
        )}),
    ],
)  # fmt: skip
def test_others_are_refused(table: pa.Table) -> None:
    with pytest.raises(Refusal) as caught:
        in_the_calendar(table)
    assert caught.value.code is Code.SQL_FAILED


def test_rest_writes_spans_lists_and_what_is_no_number() -> None:
    spans = [pa.MonthDayNano([14, -3, 0]), pa.MonthDayNano([0, 0, -1_500_000_000]), pa.MonthDayNano([0, 0, 0])]
    assert [_plain(each) for each in spans] == ["P14M-3D", "PT-1.5S", "PT0S"]
    assert json.loads(json.dumps(_plain([1.5, float("inf"), None, [float("nan")]]))) == [1.5, "inf", None, ["nan"]]
    table = pa.table(
        {"a": spans[:1], "b": [[date(2020, 1, 2)]], "c": [["é", None]], "d": [Decimal("1.50")], "e": [True]}
    )
    (_, line) = csv.reader(io.StringIO(_csv(table).decode()))
    assert line == ["P14M-3D", '["2020-01-02"]', '["é", null]', "1.50", "True"]
