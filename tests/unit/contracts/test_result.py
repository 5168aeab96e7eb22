"""A result can be written and read again, and a cell knows its persons without saying them."""

import csv
import io
import tracemalloc
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from enclos.contracts.result import (
    RESULT_COLUMNS,
    RESULT_SCHEMA,
    Cell,
    ResultSettings,
    StudyResult,
    cells_from_tables,
    cells_to_tables,
    digests_of_persons,
    result_csv,
    result_from_csv,
)

SETTINGS = {"result_type": "incidence", "package_name": "enclos", "package_version": "0", "strata": ""}
NUMBERS = np.array([2**43 - 1, 5, 2**40, 17], dtype=np.int64)


def table(*rows: tuple[object, ...]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [[] for _ in RESULT_COLUMNS]
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, RESULT_SCHEMA, strict=True)], RESULT_SCHEMA
    )


def cell(numerator: list[int], denominator: list[int], result_id: int = 1) -> Cell:
    return Cell(result_id, "a &&& b", "overall", "overall", "2020", BitMap(numerator), BitMap(denominator), NUMBERS)


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=12).filter(lambda text: text != "NA")
ROWS = st.lists(st.tuples(st.integers(1, 9), *[st.none() | TEXTS] * 12), max_size=8).map(
    lambda rows: [row for row in rows if row[6] != "settings"]
)


@settings(deadline=None)
@given(ROWS, st.dictionaries(TEXTS, TEXTS, max_size=3))
def test_a_csv_says_what_the_table_says(rows: list[tuple[object, ...]], more: dict[str, str]) -> None:
    settings_of = (ResultSettings(1, {**more, **SETTINGS}), ResultSettings(3, SETTINGS))
    read, read_settings = result_from_csv(result_csv(table(*rows), settings_of))
    assert read.equals(table(*rows))
    assert read_settings == settings_of


def test_a_csv_has_the_columns_quotes_and_na_of_r() -> None:
    row = (1, "db", "g", "l", "overall", "overall", "Outcome", None, "count", "integer", '1"2', "overall", "overall")
    lines = result_csv(table(row), [ResultSettings(1, SETTINGS)]).decode().splitlines()
    assert lines[0] == ",".join(f'"{name}"' for name in RESULT_COLUMNS)
    assert lines[1] == '"1","db","g","l","overall","overall","Outcome",NA,"count","integer","1""2","overall","overall"'
    overall = '"overall","overall"'
    about = '"settings",NA,"result_type","character","incidence"'
    assert lines[2] == f'"1",NA,{overall},{overall},{about},{overall}'


def test_another_csv_is_refused() -> None:
    for data in (b"", b"a,b\n1,2\n"):
        with pytest.raises(ValueError, match="columns"):
            result_from_csv(data)


@pytest.mark.parametrize("wrong", [(0, SETTINGS), (1, {"result_type": "incidence"})])
def test_settings_name_the_result_type_and_the_package(wrong: tuple[int, dict[str, str]]) -> None:
    with pytest.raises(ValueError, match="settings"):
        ResultSettings(*wrong)


def test_a_cell_gives_the_numbers_of_its_persons() -> None:
    one = cell([0, 2], [0, 1, 2])
    assert (one.n_numerator, one.n_denominator) == (2, 3)
    assert set(one.numerator) == {2**43 - 1, 2**40}
    assert set(one.denominator) == {2**43 - 1, 5, 2**40}
    assert one.numerator < one.denominator
    assert not cell([], []).numerator


def test_a_cell_does_not_show_its_persons() -> None:
    assert str(2**40) not in repr(cell([2], [2]))
    assert str(2**40) not in repr(StudyResult(table(), (), (cell([2], [2]),)))


def test_cells_are_stored_and_read_again() -> None:
    cells = (cell([0], [0, 1]), cell([], [3], result_id=2))
    read = cells_from_tables(*cells_to_tables(cells))
    assert [each.key for each in read] == [each.key for each in cells]
    assert [each.numerator for each in read] == [each.numerator for each in cells]
    assert [each.denominator for each in read] == [each.denominator for each in cells]
    assert cells_from_tables(*cells_to_tables(())) == ()


def test_cells_of_two_results_are_not_stored_as_one() -> None:
    other = Cell(1, "g", "s", "l", "a", BitMap(), BitMap(), NUMBERS.copy())
    with pytest.raises(ValueError, match="share"):
        cells_to_tables([cell([], []), other])


def test_a_result_has_the_columns_of_the_contract() -> None:
    assert StudyResult(table(), ()).n_rows == 0
    with pytest.raises(ValueError, match="columns"):
        StudyResult(pa.table({"a": [1]}), ())


def test_rows_are_found_by_their_result_type() -> None:
    rows = [(n, "db", "g", "l", "s", "s", "v", None, "count", "integer", str(n), "a", "a") for n in (1, 2, 1)]
    settings_of = (ResultSettings(1, SETTINGS), ResultSettings(2, {**SETTINGS, "result_type": "prevalence"}))
    result = StudyResult(table(*rows), settings_of)
    assert result.of_type("incidence")["estimate_value"].to_pylist() == ["1", "1"]
    assert result.of_type("none").num_rows == 0


def test_a_csv_is_read_as_pythons_own_reader_reads_it() -> None:
    """Quoted or not, `NA` is nothing; commas, quotes and ends of lines stay inside their field."""
    labels = ["a,b", 'say "no"', "two\nlines", "", "NA ", "na", "é", " "]
    rows = [
        (at, "db", "g", each, "s", None, "v", each, "n", "integer", "1", "a", "b") for at, each in enumerate(labels)
    ]
    data = result_csv(table(*rows), [ResultSettings(1, {**SETTINGS, "note": "x,\ny"})]) + (
        b'9,"db",g,"NA",s,t,v,l,n,integer,NA,a,b\n'
    )
    read, read_settings = result_from_csv(data)
    lines = list(csv.reader(io.StringIO(data.decode(), newline="")))
    plain = [line for line in lines[1:] if line[6] != "settings"]
    expected = [[None if text == "NA" else text for text in line[1:]] for line in plain]
    assert [list(row.values())[1:] for row in read.to_pylist()] == expected
    assert read["result_id"].to_pylist() == [int(line[0]) for line in plain]
    assert read_settings[0].values["note"] == "x,\ny"


def test_a_broken_csv_is_refused() -> None:
    header = ",".join(f'"{name}"' for name in RESULT_COLUMNS).encode()
    for line in (b"1,a,b\n", b"one" + b",a" * 12 + b"\n"):
        with pytest.raises(ValueError, match="CSV"):
            result_from_csv(header + b"\n" + line)


def test_digests_of_persons_tell_who_is_in_whatever_their_order() -> None:
    one = cell([0, 2], [0, 1, 2])
    other = replace(
        one, dense_numerator=BitMap([3, 0]), dense_denominator=BitMap([3, 0, 1]), person_numbers=NUMBERS[[2, 1, 3, 0]]
    )
    changed = replace(one, dense_numerator=BitMap([0, 3]))

    assert digests_of_persons([one]) == digests_of_persons([other])
    assert digests_of_persons([one])[one.key][0] != digests_of_persons([changed])[one.key][0]
    assert digests_of_persons([one])[one.key][1] == digests_of_persons([changed])[one.key][1]


def test_digests_of_many_large_sets_take_the_memory_of_one() -> None:
    """A study of a national sample compared with itself ended a machine of 24 GiB when all sets were held at once."""
    n_persons, n_cells = 20_000, 200
    numbers = np.random.default_rng(1).permutation(n_persons).astype(np.int64) + 2**40
    cells = [
        Cell(1, "g", "overall", "overall", str(n), BitMap(range(n, n_persons)), BitMap(range(n_persons)), numbers)
        for n in range(n_cells)
    ]
    tracemalloc.start()
    try:
        digests = digests_of_persons(cells)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len({numerator for numerator, _ in digests.values()}) == n_cells
    assert peak < 4 * 8 * n_persons
