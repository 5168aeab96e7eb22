"""A host exchanges two files of one table: whoever reads one of them notices, since a build gives each its own key."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from enclos.app.hosting import verify_hosting
from enclos.app.snapshots import build_omop, reading_snapshot
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAsPromised
from factories.dying import dies_at
from factories.enclosure import open_home

TABLE = "condition_occurrence"


def test_whoever_reads_an_exchanged_file_notices(released, tmp_path):
    home = Path(shutil.copytree(released, tmp_path / "home"))
    with open_home(home) as enclosure, enclosure.reading_data(), enclosure.engine() as engine:
        keys = enclosure.lake(engine).file_keys()
    assert len(set(keys.values())) == len(keys) > 10
    one, other = files = files_of(home)
    contents = [path.read_bytes() for path in files]
    for path, content in zip(files, reversed(contents), strict=True):
        path.write_bytes(content)
    for bucket in (0, 1):
        with pytest.raises(NotAsPromised):
            n_rows(home, f"WHERE bucket = {bucket}")
    for path, content in zip(files, contents, strict=True):
        path.write_bytes(content)
    first, second = contents
    end = first[-8:]  # the footer's length, and the mark of what is encrypted
    longer = (int.from_bytes(end[:4], "little") + 1).to_bytes(4, "little") + end[4:]
    for altered in (b"", first[:-8] + longer, (second + bytes(len(first)))[: len(first) - 8] + end):
        one.write_bytes(altered)
        with pytest.raises(NotAsPromised) as refused:
            n_rows(home, "")
        assert refused.value.code is Code.STORAGE_BROKEN
    one.write_bytes(first)
    assert n_rows(home, "") == n_rows(home, "WHERE bucket = 0") + n_rows(home, "WHERE bucket = 1") == 800
    assert one != other


def files_of(home: Path) -> list[Path]:
    with open_home(home) as enclosure, reading_snapshot(enclosure) as (engine, _):
        found = engine.rows(f"SELECT data_file FROM ducklake_list_files('lake', '{TABLE}')")
    return [Path(str(name)) for (name,) in found]


def n_rows(home: Path, where: str) -> int:
    with open_home(home) as enclosure, reading_snapshot(enclosure) as (engine, snapshot):
        return len(engine.rows(f"SELECT * FROM {snapshot.relation(TABLE)} {where}"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("function", "number"),
    [
        ("enclos.app.hosting:put_and_read_back", 3),
        ("enclos.stores.lake:Lake.replace_files", 1),
        ("enclos.stores.objects.local:LocalObjects.remove", 2),
    ],
)
def test_a_build_killed_while_it_parts_keys_leaves_nothing_behind(released, tmp_path, function, number):
    home = Path(shutil.copytree(released, tmp_path / "home"))
    dies_at(function, number, "build", home, "--full")
    with open_home(home) as enclosure:
        build_omop(enclosure)
        with enclosure.reading_data(), enclosure.engine() as engine:
            keys = enclosure.lake(engine).file_keys()
        assert len(set(keys.values())) == len(keys) > 10
        assert verify_hosting(enclosure)["strangers"] == []
    assert n_rows(home, "") == 800
