"""How fast an enclosure's lake is carried under new keys, against a plain copy of the same bytes in the same run.

Usage: move.py [MB] [folder]; prints one JSON list. The plain copy reads each file and puts it durably, file by
file, as a move does; it neither encrypts nor reads back. Both start from files that the machine has in its cache.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from enclos.app.carrying import Journal, Throttle, carry_lake
from enclos.app.progress import silent
from enclos.hosting.model import Manifest
from enclos.hosting.steps import seal_objects
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.stores.engine import open_engine
from enclos.stores.objects import LocalObjects
from enclos.stores.sealed import sealed_copy_sql

GOAL = 0.5
N_FILES, RUNS = 16, 3
BYTES_PER_ROW = 40
KEY = KeyName(KeyRole.CHECK, "bench")


def main() -> int:
    """Measure, print."""
    n_mb = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as name:
        root = Path(name)
        key = os.urandom(32)
        _make(root / "lake", key, n_mb)
        objects = LocalObjects(root / "lake")
        names = list(objects.names())
        n_bytes = sum((root / "lake" / each).stat().st_size for each in names)
        manifest = seal_objects(objects, names, Manifest(), 1)
        moved, copied = [], []
        for _ in range(RUNS):
            began = perf_counter()
            _copy(objects, LocalObjects(root / "copy"), names)
            copied.append(perf_counter() - began)
            shutil.rmtree(root / "copy")
            journal, keys = Journal(root / "journal", SecretKey(KEY, key)), dict.fromkeys(names, key)
            began = perf_counter()
            carry_lake(objects, LocalObjects(root / "moved"), keys, manifest, journal, Throttle(None), silent)
            moved.append(perf_counter() - began)
            shutil.rmtree(root / "moved")
            (root / "journal").unlink()
    ratio = median(copied) / median(moved)
    row = {
        "name": "move",
        "mb": round(n_bytes / 1e6),
        "files": len(names),
        "copy_mb_per_second": round(n_bytes / 1e6 / median(copied)),
        "move_mb_per_second": round(n_bytes / 1e6 / median(moved)),
        "ratio": round(ratio, 2),
        "goal": GOAL,
        "met": ratio >= GOAL,
    }
    print(json.dumps([row]))
    return 0


def _make(folder: Path, key: bytes, n_mb: int) -> None:
    folder.mkdir()
    n_rows = n_mb * 1_000_000 // BYTES_PER_ROW // N_FILES
    with open_engine() as engine:
        engine.add_parquet_key(SecretKey(KEY, key))
        for number in range(N_FILES):
            rows = f"SELECT i, hash(i + {number}) AS a, hash(i * 3) AS b, hash(i * 7) AS c, hash(i * 11) AS d"
            engine.execute(sealed_copy_sql(f"{rows} FROM range({n_rows}) AS t(i)", folder / f"{number}.parquet", KEY))


def _copy(objects: LocalObjects, to: LocalObjects, names: list[str]) -> None:
    for name in names:
        to.put(name, b"".join(objects.read(name)))


if __name__ == "__main__":
    sys.exit(main())
