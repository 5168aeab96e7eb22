"""Values as PostgreSQL writes them, read by psycopg, which is nobody's here."""

from __future__ import annotations

import struct
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from time import process_time
from typing import Any
from uuid import UUID

import psycopg
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.adapt import PyFormat, Transformer

from enclos.gateway.postgres.parameters import parameter
from enclos.gateway.postgres.types import column_of, data_rows
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal

DAYS = st.dates(date(1, 1, 1), date(9999, 12, 31))
INSTANTS = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31))  # noqa: DTZ001
KINDS: list[tuple[pa.DataType, st.SearchStrategy[Any]]] = [
    (pa.bool_(), st.booleans()),
    (pa.int8(), st.integers(-128, 127)),
    (pa.int32(), st.integers(-(2**31), 2**31 - 1)),
    (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    (pa.uint32(), st.integers(0, 2**32 - 1)),
    (pa.uint64(), st.integers(0, 2**64 - 1).map(Decimal)),
    (pa.float64(), st.floats(allow_nan=False)),
    (pa.decimal128(38, 0), st.integers(-(10**37), 10**37).map(Decimal)),
    (pa.decimal128(18, 6), st.decimals(-(10**11), 10**11, places=6)),
    (pa.string(), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)),
    (pa.date32(), DAYS),
    (pa.timestamp("us"), INSTANTS),
    (pa.timestamp("us", tz="UTC"), INSTANTS.map(lambda at: at.replace(tzinfo=UTC))),
    (pa.time64("us"), st.times()),
    (pa.list_(pa.int64()), st.lists(st.one_of(st.none(), st.integers(-9, 9)), max_size=4)),
    (pa.list_(pa.string()), st.lists(st.one_of(st.none(), st.text("a,{}\"\\ N'é", max_size=5)), max_size=4)),
]


def cells(rows: bytes) -> list[bytes | None]:
    """The first cell of each message."""
    found: list[bytes | None] = []
    at = 0
    while at < len(rows):
        (length,) = struct.unpack_from(">I", rows, at + 1)
        size = struct.unpack_from(">i", rows, at + 7)[0]
        found.append(None if size < 0 else rows[at + 11 : at + 11 + size])
        at += 1 + length
    return found


def read(values: list[Any], kind: pa.DataType, form: int) -> list[Any]:
    """A column as psycopg reads it from our messages."""
    table = pa.table({"x": pa.array(values, kind)})
    load = Transformer().get_loader(column_of(kind).oid, psycopg.pq.Format(form)).load
    found = [cell for part in data_rows(table, 0, len(values), [form]) for cell in cells(part)]
    return [None if cell is None else load(cell) for cell in found]


@pytest.mark.parametrize("form", [0, 1], ids=["text", "binary"])
@pytest.mark.parametrize(("kind", "values"), KINDS, ids=[str(kind) for kind, _ in KINDS])
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_a_client_reads_what_was_written(
    data: st.DataObject, kind: pa.DataType, values: st.SearchStrategy[Any], form: int
) -> None:
    drawn = data.draw(st.lists(st.one_of(st.none(), values), max_size=5))
    assert read(drawn, kind, form) == drawn


def test_what_equality_does_not_tell() -> None:
    for form in (0, 1):
        (nan,) = read([float("nan")], pa.float64(), form)
        assert nan != nan  # noqa: PLR0124
        assert [str(each) for each in read([Decimal("1.50"), Decimal("-0.05")], pa.decimal128(5, 2), form)] == [
            "1.50",
            "-0.05",
        ]
        interval = [pa.MonthDayNano([0, 3, 4_000_000_000])]
        assert read(interval, pa.month_day_nano_interval(), form) == [timedelta(days=3, seconds=4)]


@pytest.mark.parametrize("form", [PyFormat.TEXT, PyFormat.BINARY], ids=["text", "binary"])
@pytest.mark.parametrize(
    "value",
    [
        *(True, 5, -70_000, 2**40, 0.25, "it's é", date(2020, 2, 3), datetime(2020, 2, 3, 4, 5, 6)),  # noqa: DTZ001
        *(Decimal("-12.3400"), Decimal(10_000), Decimal("0.0001"), datetime(2020, 2, 3, tzinfo=UTC), [1, 2, None]),
        *(Decimal("-1234567890123456789012345678901234.5678"), Decimal("1E+40"), Decimal("0.00"), time(23, 59, 58, 7)),
        *(timedelta(days=-3, seconds=5), timedelta(microseconds=7), ["a b", 'q"{,}\\', "NULL", "", None, "é"]),
    ],
    ids=str,
)
def test_parameters_are_what_a_client_wrote(value: Any, form: PyFormat) -> None:
    dumper = Transformer().get_dumper(value, form)
    content = dumper.dump(value)
    assert content is not None
    oid = dumper.oid or (1009 if isinstance(value, list) else 0)
    assert parameter(bytes(content), oid, is_binary=form is PyFormat.BINARY) == value


@pytest.mark.parametrize(
    ("said", "read_as"),
    [
        *(("2019-02-03 +01", "2019-02-03"), ("2019-02-03 00:00:00+01", "2019-02-03 00:00:00")),
        *(("2019-02-03 01:02:03.5-03:30", "2019-02-03 01:02:03.5"), ("2019-02-03", "2019-02-03"), ("+01", "+01")),
        *(("a 2019-02-03 +01", "a 2019-02-03 +01"), ("2019-02-03 +01 b", "2019-02-03 +01 b")),
    ],
)
def test_pgjdbc_s_days_and_instants_are_those_that_were_set(said: str, read_as: str) -> None:
    assert parameter(said.encode(), 0, is_binary=False) == read_as


def test_a_zone_behind_a_type_without_one_is_left_out() -> None:
    assert parameter(b"2020-01-01 01:02:00+01", 1114, is_binary=False) == datetime(2020, 1, 1, 1, 2)  # noqa: DTZ001
    assert parameter(b"2020-01-01 01:02:00+01", 1184, is_binary=False) == datetime(2020, 1, 1, 0, 2, tzinfo=UTC)
    assert parameter(b"2020-01-01 +01", 1082, is_binary=False) == date(2020, 1, 1)
    assert parameter(b"01:02:00+01", 1083, is_binary=False) == time(1, 2)


def test_a_number_of_its_own_kind_is_a_text() -> None:
    assert parameter(UUID(int=5).bytes, 2950, is_binary=True) == str(UUID(int=5))


@pytest.mark.parametrize(
    ("content", "oid", "is_binary"),
    [
        *((b"x", 20, False), (b"\0", 20, True), (b"\xff", 25, False), (b"\xff", 25, True), (b"maybe", 16, False)),
        *((b"2020-13-01", 1082, False), (b"\x7f" * 8, 1114, True), (b"", 1700, True), (b"x", 999_999, True)),
        *((b"\0\0\0\1\0\0\0\0\0\0\0\x14\x7f\xff\xff\xff\0\0\0\1", 1016, True), (b"{{1}}", 1016, False)),
        *((struct.pack(">hhHh", 1, 0, 0xC000, 0), 1700, True), (struct.pack(">hhHhh", 1, 0, 0, 0, -1), 1700, True)),
        *((struct.pack(">q", 86_400_000_000), 1083, True), (struct.pack(">qii", 0, 0, 1), 1186, True)),
        *((b"1 mon", 1186, False), (b'{"a}', 1009, False), (b"{a,}", 1009, False), (b"{a b c", 1009, False)),
    ],
)
def test_what_is_no_value_of_its_type_is_refused(content: bytes, oid: int, is_binary: bool) -> None:
    with pytest.raises(Refusal) as caught:
        parameter(content, oid, is_binary=is_binary)
    assert caught.value.code is Code.GATE_PARAMETER


def test_a_list_that_is_none_is_refused_at_once() -> None:
    started = process_time()
    for text in ("{" + " " * 200_000 + '"x}', "{" + "a " * 100_000 + '"}', '{"' + "\\" * 200_001 + '"}'):
        with pytest.raises(Refusal):
            parameter(text.encode(), 1009, is_binary=False)
    assert process_time() - started < 1


def test_lists_of_lists_are_told_as_text_and_days_beyond_the_calendar_are_refused() -> None:
    for form in (0, 1):
        assert read([[[1, None], []], None], pa.list_(pa.list_(pa.int64())), form) == ["{{1,NULL},{}}", None]
        with pytest.raises(Refusal) as caught:
            read([10_000_000], pa.date32(), form)
        assert caught.value.code is Code.SQL_FAILED


def test_a_time_of_day() -> None:
    assert read([time(1, 2, 3, 4)], pa.time64("us"), 1) == [time(1, 2, 3, 4)]
