"""Files that appear whole, whoever else writes them at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from enclos.stores.files import write_atomically


def test_threads_that_write_one_file_at_once_each_put_it_whole(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    contents = [bytes([65 + number]) * (1 + number) * 50_000 for number in range(4)]
    write_atomically(path, contents[0])

    def write(content: bytes) -> bool:
        was_whole = []
        for _ in range(40):
            write_atomically(path, content)
            was_whole.append(path.read_bytes() in contents)
        return all(was_whole)

    with ThreadPoolExecutor(len(contents)) as threads:
        assert all(threads.map(write, contents))
    assert [each.name for each in tmp_path.iterdir()] == ["kept"]
