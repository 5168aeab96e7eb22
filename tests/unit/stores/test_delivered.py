"""What is wrong with a folder that is no delivery is told; what a delivery unpacks to is bounded."""

from __future__ import annotations

import gzip
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.stores.delivered import DeliveredFolder

LINES = b"person;day\n" + b"1;2019-01-31\n" * 400_000
"""5.2 MB that pack to some kilobytes."""
MB = 1e-3


def gzipped(folder: Path) -> str:
    (folder / "rows.csv.gz").write_bytes(gzip.compress(LINES))
    return "rows.csv.gz"


def zstandard(folder: Path) -> str:
    with pa.CompressedOutputStream(str(folder / "rows.csv.zst"), "zstd") as out:
        out.write(LINES)
    return "rows.csv.zst"


def zipped(folder: Path) -> str:
    with zipfile.ZipFile(folder / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rows.csv", LINES)
    return "all.zip/rows.csv"


def parquet(folder: Path) -> str:
    pq.write_table(
        pa.table({"person": pa.array(range(650_000), pa.int64())}), folder / "rows.parquet", use_dictionary=False
    )
    return "rows.parquet"


@pytest.mark.parametrize("write", [gzipped, zstandard, zipped, parquet])
def test_what_unpacks_to_more_than_the_bound_is_refused_and_the_same_within_it_is_read(
    tmp_path: Path, write: Callable[[Path], str]
) -> None:
    path = write(tmp_path)
    with pytest.raises(Refusal) as caught:
        DeliveredFolder(tmp_path, largest_gb=5 * MB).inspect(path)
    assert caught.value.code is Code.DELIVERY_TOO_LARGE
    facts = DeliveredFolder(tmp_path, largest_gb=6 * MB).inspect(path)
    assert facts is not None
    assert (facts.whole, facts.n_records) == (True, 400_001 if path != "rows.parquet" else 650_000)


def test_the_bound_is_of_all_files_together_and_of_how_many_there_are(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"rows{number}.csv").write_bytes(LINES)
    folder = DeliveredFolder(tmp_path, largest_gb=11 * MB, most_files=3)
    assert folder.data_files() == ["rows0.csv", "rows1.csv", "rows2.csv"]
    assert folder.inspect("rows0.csv")
    assert folder.inspect("rows1.csv")
    assert folder.inspect("rows1.csv"), "a file that is looked at again counts once"
    with pytest.raises(Refusal) as caught:
        folder.inspect("rows2.csv")
    assert caught.value.code is Code.DELIVERY_TOO_LARGE
    with pytest.raises(Refusal) as caught:
        DeliveredFolder(tmp_path, most_files=2).data_files()
    assert caught.value.code is Code.DELIVERY_TOO_LARGE


def test_an_archive_is_refused_by_what_it_says_before_anything_of_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zipped(tmp_path)
    monkeypatch.setattr("enclos.stores.delivered.blocks", lambda *_: pytest.fail("it was unpacked"))
    with pytest.raises(Refusal) as caught:
        DeliveredFolder(tmp_path, largest_gb=5 * MB).inspect(path)
    assert caught.value.code is Code.DELIVERY_TOO_LARGE


def test_a_line_without_end_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress(bytes(300 << 20), compresslevel=1))
    tracemalloc.start()
    with pytest.raises(Refusal) as caught:
        DeliveredFolder(tmp_path).inspect("rows.csv.gz")
    assert caught.value.code is Code.DELIVERY_TOO_LARGE
    assert tracemalloc.get_traced_memory()[1] < 200 << 20
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("name", "what", "following"),
    [
        ("absent", "There is no folder absent here.", "Look at its path; a delivery is a folder."),
        ("rows.csv", "rows.csv is a file.", "Name the folder of the delivery."),
        ("all", "The folder all holds deliveries and is none.", "Name each of them: all/*"),
        ("plain", "The folder plain has no delivery.json.", "Write one with `enclos delivery make`."),
    ],
)
def test_what_is_wrong_with_a_folder_and_what_was_meant(tmp_path, name, what, following):
    (tmp_path / "rows.csv").write_text("a\n1\n", encoding="utf-8")
    (tmp_path / "plain").mkdir()
    (tmp_path / "all" / "one").mkdir(parents=True)
    (tmp_path / "all" / "one" / "delivery.json").write_text("{}", encoding="utf-8")
    folder = DeliveredFolder(tmp_path / name)
    assert folder.why_undeclared() == (what, following)
