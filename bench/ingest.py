"""Ingest, link and build against a sorted copy of the same rows.

The yardstick is what the machine itself takes: DuckDB reads the delivered files and writes their rows, sorted by person
or by record, as zstd Parquet, with the same threads and memory, all as text and without a look at what they say. Both
are run as processes of their own; times are processor seconds (user and system), so that a busy machine changes the
ratio little. ``ENCLOS_BENCH_PERSONS`` (20 000, 500 at least) says how many persons; five years of care each.

A fifth of them is measured too: five times the persons should take no more than 5.75 times as long. Fixed costs (some
700 files) weigh on the smaller size and make small populations look better than linear; large ones tell.

All data lie in one temporary folder (``ENCLOS_BENCH_DIR`` says where), which goes when the run ends, whether it failed,
was interrupted or terminated; deliveries take about 10 kB a person and the enclosure as much again.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

PERSONS = int(os.environ.get("ENCLOS_BENCH_PERSONS", "20000"))
YEARS = "2019-2023"
PERSONS_A_BUCKET = 25_000
"""As docs/warehouse.md advises: a pass holds at least one bucket."""
GOAL_RATIO, GOAL_GIB, GOAL_LAKE, GOAL_LINEAR = 4.0, 6.0, 0.25, 5.75
SORTED_BY = (
    *("BEN_NIR_PSA", "NIR_ANO_17", "BEN_IDT_ANO", "person_id", "patient_id", "ETA_NUM", "RSA_NUM"),
    *("ORG_CLE_NUM", "DCT_ORD_NUM", "PRS_ORD_NUM", "EXE_SOI_DTD", "concept_id", "concept_id_1"),
)
"""Columns that say whose or which record a row is of, as far as a table has them."""


def measured(*command: str, out: Path | None = None) -> dict[str, float]:
    """Run a process: its processor seconds, its seconds, its peak memory in GiB.

    In: out — where to keep what it prints.
    Refuses: a RuntimeError when it fails.
    """
    began = time.perf_counter()
    with (out or Path(os.devnull)).open("wb") as kept:
        process = subprocess.Popen(command, env={**os.environ, "ENCLOS_PASSPHRASE": "bench"}, stdout=kept)
    try:
        _, status, used = os.wait4(process.pid, 0)
    except BaseException:  # interrupted or terminated: nothing runs on without us
        process.kill()
        process.wait()
        raise
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[:6]} failed")
    return {
        "cpu": used.ru_utime + used.ru_stime,
        "seconds": time.perf_counter() - began,
        "gib": used.ru_maxrss / (1 << 20),
    }


def copy_sorted(deliveries: Path, out: Path) -> None:
    """The yardstick: every delivered table as one sorted Parquet file."""
    import duckdb

    out.mkdir(parents=True)
    limits = {"threads": "2", "memory_limit": "4GiB", "temp_directory": str(out / "spill")}
    engine = duckdb.connect(config={**limits, "autoload_known_extensions": "false"})
    engine.execute("SET preserve_insertion_order = false")
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted(deliveries.rglob("*")):
        name, _, form = path.name.partition(".")
        if form in ("csv", "csv.gz", "ndjson", "ndjson.gz"):
            groups[name if form.startswith("csv") else f"{name}.ndjson"].append(str(path))
    for number, (name, paths) in enumerate(sorted(groups.items())):
        # One look at one file gives the layout: sniffing every file again would make the yardstick longer than it is.
        if name.endswith(".ndjson"):
            layout = "columns = {'line': 'VARCHAR'}, delim = '\x01', quote = '', header = false"
            names = ["line"]
        else:
            found = engine.execute(f"SELECT Delimiter, Columns FROM sniff_csv('{paths[0]}')").fetchone()
            if found is None:
                raise RuntimeError("a delivered file has no layout")
            names = [column["name"] for column in found[1]]
            columns = ", ".join(f"'{column}': 'VARCHAR'" for column in names)
            layout = f"columns = {{{columns}}}, delim = '{found[0]}', header = true, auto_detect = false"
        order = ", ".join(f'"{column}"' for column in SORTED_BY if column in names) or "ALL"
        engine.execute(
            f"COPY (SELECT * FROM read_csv({paths}, {layout}) ORDER BY {order}) "
            f"TO '{out / str(number)}.parquet' (COMPRESSION zstd)"
        )


def delivered_bytes(deliveries: Path) -> int:
    """Bytes of the delivered files, uncompressed."""
    total = 0
    for path in deliveries.rglob("*"):
        if path.suffix == ".gz":
            with gzip.open(path) as stream:
                while block := stream.read(1 << 22):
                    total += len(block)
        elif path.is_file():
            total += path.stat().st_size
    return total


def measure(folder: Path, persons: int, *, again: bool, copy: bool = True) -> dict[str, Any]:
    """All measures of one size; its data are removed.

    In: again — whether to build once more with nothing new; copy — whether to measure the yardstick.
    """
    enclos = [sys.executable, "-c", "from enclos.cli import main; main()"]
    france, home = folder / "france", folder / "home"
    made = measured(*enclos, "synth", str(france), "--persons", str(persons), "--years", YEARS, "--seed", "3", "--json")
    deliveries = france / "deliveries"
    yardstick, copied = {}, 0
    if copy:
        yardstick = measured(
            sys.executable, str(Path(__file__).resolve()), "copy", str(deliveries), str(folder / "copy")
        )
        copied = sum(path.stat().st_size for path in (folder / "copy").glob("*.parquet"))
        shutil.rmtree(folder / "copy")
    measured(*enclos, "init", str(home), "--buckets", str(max(16, -(-persons // PERSONS_A_BUCKET))))
    landed = folder / "landed.json"
    steps = {
        "ingest": measured(*enclos, "ingest", str(home), *map(str, sorted(deliveries.iterdir())), "--json", out=landed),
        "link": measured(*enclos, "link", str(home), "--json"),
        "build": measured(*enclos, "build", str(home), "--json"),
    }
    if again:
        steps["again"] = measured(*enclos, "build", str(home), "--json")
    found = {
        "steps": steps,
        "synth": made,
        "copy": yardstick,
        "copied_bytes": copied,
        "n_rows": json.loads(landed.read_text())["n_delivered"],
        "lake_bytes": sum(path.stat().st_size for path in (home / "lake").rglob("*") if path.is_file()),
        "kept_bytes": sum(path.stat().st_size for path in home.rglob("*") if path.is_file()),
        "delivered_bytes": delivered_bytes(deliveries),
    }
    shutil.rmtree(france)
    shutil.rmtree(home)
    return found


def total(found: dict[str, Any], what: str) -> float:
    """The sum of ingest, link and build."""
    return sum(float(found["steps"][name][what]) for name in ("ingest", "link", "build"))


def run(folder: Path) -> list[dict[str, object]]:
    """All figures of the two sizes, as goals."""
    few, many = measure(folder, PERSONS // 5, again=False), measure(folder, PERSONS, again=True)
    cpu, steps = total(many, "cpu"), many["steps"]
    memory = {
        n: max(step["gib"] for step in found["steps"].values()) for n, found in ((PERSONS // 5, few), (PERSONS, many))
    }
    ratio, share, growth = (
        cpu / many["copy"]["cpu"],
        many["lake_bytes"] / many["delivered_bytes"],
        cpu / total(few, "cpu"),
    )
    size = f"{PERSONS} persons, {YEARS}"
    return [
        {
            "name": f"ingest and build against a sorted copy ({size})",
            "ratio": round(ratio, 2),
            "goal": GOAL_RATIO,
            "met": ratio <= GOAL_RATIO,
            "processor_seconds": {name: round(step["cpu"], 1) for name, step in steps.items()},
            "seconds": {name: round(step["seconds"], 1) for name, step in steps.items()},
            "copy": {"processor_seconds": round(many["copy"]["cpu"], 1), "seconds": round(many["copy"]["seconds"], 1)},
            "copied_bytes": many["copied_bytes"],
            "rows": many["n_rows"],
            "rows_per_second": round(many["n_rows"] / total(many, "seconds")),
            "rows_per_processor_second": round(many["n_rows"] / cpu),
        },
        {
            "name": f"time of five times the persons ({PERSONS // 5} to {size})",
            "ratio": round(growth, 2),
            "goal": GOAL_LINEAR,
            "met": growth <= GOAL_LINEAR,
            "copy": round(many["copy"]["cpu"] / few["copy"]["cpu"], 2),
            "rows": round(many["n_rows"] / few["n_rows"], 2),
        },
        {
            "name": f"peak memory of ingest and build, GiB ({size})",
            "ratio": round(memory[PERSONS], 2),
            "goal": GOAL_GIB,
            "met": memory[PERSONS] <= GOAL_GIB,
            "by_step": {name: round(step["gib"], 2) for name, step in steps.items()},
            "of_a_fifth": round(memory[PERSONS // 5], 2),
        },
        {
            "name": f"lake against delivered bytes ({size})",
            "ratio": round(share, 3),
            "goal": GOAL_LAKE,
            "met": share <= GOAL_LAKE,
        },
        {
            "name": f"build with nothing new against a whole build ({size})",
            "ratio": round(steps["again"]["cpu"] / steps["build"]["cpu"], 2),
            "goal": None,
            "met": None,
        },
    ]


def main() -> int:
    """Print the goals as JSON."""
    if sys.argv[1:2] == ["copy"]:
        copy_sorted(Path(sys.argv[2]), Path(sys.argv[3]))
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # leaves through the folder's end
    with tempfile.TemporaryDirectory(dir=os.environ.get("ENCLOS_BENCH_DIR")) as folder:
        print(json.dumps(run(Path(folder))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
