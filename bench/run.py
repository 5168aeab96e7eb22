"""Run the benchmarks, append one line to bench/history.jsonl, and draw bench/history.html from all lines.

    python bench/run.py [--only ledger move] [--large] [--page]

A line has the commit, facts of the machine, its load before and after, and of each benchmark its goals as ratios. A
benchmark that fails, or takes more than ten minutes, is in the line as one that failed, and the others go on.
``--large`` takes the sizes of the goals that need more than an hour together (ten million persons, a million to
build), without an end; without it smaller ones stand for them.
``--page`` draws the page and measures nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

from page import write_page

HERE = Path(__file__).resolve().parent
HISTORY, PAGE = HERE / "history.jsonl", HERE / "history.html"
LIBRARIES = ("duckdb", "pyarrow", "numpy")
LONGEST_SECONDS, GRACE_SECONDS = 600.0, 20.0
"""A benchmark that takes longer has failed, so that all of them end; with ``--large`` there is no such end."""


@dataclass(frozen=True)
class Bench:
    """One script, what it is run with, and the goal that it is for."""

    script: str
    goal: str
    better: str = "more"
    """Whether a larger ratio is better, or a smaller one."""
    arguments: tuple[str, ...] = ()
    large: tuple[str, ...] | None = None
    """What it is run with under ``--large``, where that differs."""
    large_persons: str = ""


SUITE = (
    Bench("ingest", "ETL against a sorted copy, its growth, memory and bytes", "less", large_persons="1000000"),
    Bench("pseudonyms", "pseudonyms through a token against one call a row"),
    Bench("linkage", "indirect linkage of stays", large=("--stays", "1000000", "--memory-mb", "6000")),
    Bench("permits", "opening a permit, and what it keeps", "less"),
    Bench("view_queries", "views against the open lake and a physical copy", "less"),
    Bench("incidence", "incidence and prevalence against R"),
    Bench("circe", "cohorts against Circe's own SQL", large=("--times", "50")),
    Bench("session", "a question in a held session against one that opens its engine"),
    Bench("analyses", "every kind of analysis against one scan of what it reads"),
    Bench("scale", "studies linear in persons", large=("--persons", "1000000", "10000000")),
    Bench("regression", "the propensity model against Cyclops and scikit-learn"),
    Bench("covariates", "covariates of a comparison"),
    Bench("differencing", "requests against all that left before"),
    Bench("beside", "what a checker is shown beside a request", "less", ("--releases", "3")),
    Bench("ledger", "what a query waits for the ledger"),
    Bench("move", "moving an enclosure against a plain copy"),
)


def machine() -> dict[str, Any]:
    """What the figures depend on, without a name of the machine."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    ]
    return {
        "cores": os.cpu_count(),
        "processor": models[0] if models else platform.machine(),
        "gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: version(name) for name in LIBRARIES},
    }


def rows_of(bench: Bench, *, large: bool) -> list[dict[str, Any]]:
    """What one benchmark says, each row with the script and which way is better; one row that it failed otherwise."""
    arguments = bench.large if large and bench.large is not None else bench.arguments
    environment = {"OPENBLAS_NUM_THREADS": "1", **os.environ}
    if large and bench.large_persons:
        environment["ENCLOS_BENCH_PERSONS"] = bench.large_persons
    command = [sys.executable, str(HERE / f"{bench.script}.py"), *arguments]
    said = within(command, environment, None if large else LONGEST_SECONDS)
    if said is None:
        return [{"script": bench.script, "name": f"{bench.script} failed", "failed": True}]
    return [in_history(row, bench) for row in printed(said)]


def within(command: Sequence[str], environment: Mapping[str, str], seconds: float | None) -> str | None:
    """What a command prints; None when it fails or takes longer, and then all that it started has ended."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True
    ) as process:
        try:
            said, _ = process.communicate(timeout=seconds)
        except BaseException as stopped:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)  # so that it can remove its data
            try:
                process.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            if not isinstance(stopped, subprocess.TimeoutExpired):
                raise
            print(f"{Path(command[1]).stem} took longer than {seconds:.0f} s", file=sys.stderr)
            return None
    return None if process.returncode else said


def printed(text: str) -> list[dict[str, Any]]:
    """The rows of a benchmark: one JSON list, or an object a line."""
    if text.lstrip().startswith("["):
        return list(json.loads(text))
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def in_history(row: dict[str, Any], bench: Bench) -> dict[str, Any]:
    """A row with a name, a ratio and which way is better; seconds with a goal of their own make a ratio."""
    row = {"script": bench.script, "better": bench.better, "goal": None, "met": None, **row}
    if "name" not in row:
        row["name"] = f"{bench.script}: {row.get('method', 'all')}"
    if row["goal"] is None and "seconds_goal" in row:
        row |= {"ratio": round(row["seconds_goal"] / row["seconds"], 2), "goal": 1.0, "better": "more"}
        row["met"] = row["ratio"] >= 1
    return row


def commit() -> str:
    """The commit that is measured; with a mark when files differ from it."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=HERE, stdout=subprocess.PIPE, text=True, check=False
    )
    return done.stdout.strip()


def main() -> int:
    """Run, print the goals, append the history, draw the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=[bench.script for bench in SUITE])
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--page", action="store_true", help="draw the page from the history alone")
    asked = parser.parse_args()
    failed = False
    if not asked.page:
        goals: list[dict[str, Any]] = []
        seconds: dict[str, float] = {}
        began, load = datetime.now(UTC), os.getloadavg()[0]
        for bench in SUITE:
            if asked.only is None or bench.script in asked.only:
                started = perf_counter()
                goals += rows_of(bench, large=asked.large)
                seconds[bench.script] = round(perf_counter() - started, 1)
        line = {
            "at": began.isoformat(timespec="seconds"),
            "commit": commit(),
            "machine": machine(),
            "load": [round(load, 1), round(os.getloadavg()[0], 1)],
            "seconds": seconds,
            "goals": goals,
        }
        with HISTORY.open("a", encoding="utf-8") as history:
            history.write(json.dumps(line) + "\n")
        print(json.dumps(line, indent=1))
        failed = any(row.get("failed") for row in goals)
    for said in write_page(HISTORY, PAGE, {bench.script: bench.goal for bench in SUITE}):
        print(said, file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
