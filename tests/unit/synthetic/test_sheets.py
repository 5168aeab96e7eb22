import gzip
import hashlib
import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from enclos.synthetic.sheets import (
    DAY_1600,
    DAY_2099,
    MISSING_DAY,
    Deliveries,
    block,
    day,
    digits,
    euros,
    line,
    number,
    render,
    signed,
    texts,
)


def array(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def test_rows_hold_each_field_and_end_with_a_line_feed() -> None:
    names = texts(["ab", "c", ""])
    rows = render(3, line((names, array(0, 1, 2)), number(array(7, 0, 9999)), b"x", signed(array(-3, 0, 12))))
    assert rows == b"ab;7;x;-3\nc;0;x;0\n;9999;x;12\n"


def test_no_rows_give_no_bytes() -> None:
    assert render(0, line(number(array()), b"x")) == b""


@pytest.mark.parametrize(
    ("cents", "text"),
    [(0, b"0.00"), (5, b"0.05"), (2500, b"25.00"), (-17185, b"-171.85"), (999_999, b"9999.99"), (-1, b"-0.01")],
)
def test_amounts_are_written_in_euros(cents: int, text: bytes) -> None:
    assert render(1, list(euros(array(cents)))) == text


@pytest.mark.parametrize(("width", "value", "text"), [(2, 5, b"05"), (8, 10_000_321, b"10000321"), (6, 41, b"000041")])
def test_digits_keep_their_zeros(width: int, value: int, text: bytes) -> None:
    assert render(1, list(digits(array(value), width))) == text


def test_days_are_dates_and_the_missing_ones_are_written_as_the_snds_does() -> None:
    days = array(0, 17_897, MISSING_DAY, DAY_1600, DAY_2099, -25_567)
    assert render(6, [day(days), b"|"]) == b"1970-01-01|2019-01-01||1600-01-01|2099-12-31|1900-01-01|"


def test_a_block_is_a_column_that_several_files_share() -> None:
    keys = block(2, [(texts(["a", "bcd"]), array(0, 1)), b"-", number(array(1, 22))])
    assert render(3, [(keys, array(1, 1, 0)), b"\n"]) == b"bcd-22\nbcd-22\na-1\n"


def test_a_delivery_declares_what_its_files_hold(tmp_path: Path) -> None:
    deliveries = Deliveries(tmp_path)
    deliveries.open("some", "snds", "snds-dcir", (date(2019, 2, 1), date(2019, 3, 1)))
    for _ in range(3):
        sheet = deliveries.sheet("some", "T.csv.gz", "T", ["a", "b"])
        deliveries.write(sheet, b"1;2\n3;4\n", 2)
    deliveries.sheet("some", "E.csv", "E", ["c"])
    assert deliveries.close() == {"E": 0, "T": 6}
    document = json.loads((tmp_path / "some" / "delivery.json").read_text())
    assert document["period"] == {"start": "2019-02-01", "end": "2019-03-01"}
    empty, whole = document["files"]
    assert (empty["path"], empty["n_rows"], whole["path"], whole["n_rows"]) == ("E.csv", 0, "T.csv.gz", 6)
    content = (tmp_path / "some" / "T.csv.gz").read_bytes()
    assert hashlib.sha256(content).hexdigest() == whole["sha256"]
    assert gzip.decompress(content) == b"a;b\n" + b"1;2\n3;4\n" * 3
    assert content[4:8] == bytes(4), "the gzip says no time"
