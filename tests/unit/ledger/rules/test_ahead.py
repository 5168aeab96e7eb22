from datetime import UTC, datetime

import pytest

from enclos.ledger.rules.ahead import Head, bundle_of, file_name, head_bytes, read_head, record, records

KEY = b"k" * 32


def written(entries: list[bytes]) -> bytes:
    data, code = b"", b""
    for entry in entries:
        added = record(KEY, entry, code)
        data, code = data + added, added[-32:]
    return data


def test_records_read_as_written() -> None:
    data = written([b"head", b"", b"x" * 65535])
    found = records(KEY, data)
    assert [item.entry for item in found] == [b"head", b"", b"x" * 65535]
    assert found[-1].end == len(data)
    assert records(KEY, data[found[0].end :], found[0].code, found[0].end) == found[1:]


def test_a_record_that_was_cut_short_does_not_count() -> None:
    data = written([b"one", b"two"])
    first = len(written([b"one"]))
    for length in range(first, len(data)):
        assert [item.entry for item in records(KEY, data[:length])] == [b"one"]


def test_an_altered_record_does_not_count_nor_any_after_it() -> None:
    data = written([b"one", b"two", b"three"])
    for place in range(len(data)):
        altered = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        n_before = sum(item.end <= place for item in records(KEY, data))
        assert len(records(KEY, altered)) == n_before


def test_nobody_without_the_key_adds_a_record() -> None:
    data = written([b"one"])
    assert len(records(KEY, data + record(b"o" * 32, b"two", data[-32:]))) == 1
    assert records(b"o" * 32, data) == []


def test_records_do_not_count_in_another_order() -> None:
    one, two = record(KEY, b"one", b""), record(KEY, b"two", b"")
    assert [item.entry for item in records(KEY, two + one)] == [b"two"]


@pytest.mark.parametrize("last_at", [None, datetime(2026, 11, 2, 9, tzinfo=UTC)])
def test_the_head_reads_as_written(last_at: datetime | None) -> None:
    head = Head("ledger.example", 512, b"r" * 32, last_at)
    assert read_head(head_bytes(head)) == head


def test_names() -> None:
    assert bundle_of(file_name(12)) == 12
    assert bundle_of("private/ahead/012") is None
    assert bundle_of("private/ahead/x") is None
    assert bundle_of("private/next") is None
