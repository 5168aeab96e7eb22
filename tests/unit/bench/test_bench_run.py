"""The bench suite goes on when a benchmark fails or never ends, and nothing that it started stays."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def suite(bench: Callable[[str], ModuleType]) -> ModuleType:
    return bench("run")


def script(folder: Path, text: str) -> list[str]:
    path = folder / "asked.py"
    path.write_text(text, encoding="utf-8")
    return [sys.executable, str(path)]


def test_what_a_benchmark_prints_is_taken_and_one_that_fails_says_nothing(suite: ModuleType, tmp_path: Path) -> None:
    assert suite.within(script(tmp_path, "print('[]')"), os.environ, 20) == "[]\n"
    assert suite.within(script(tmp_path, "print('[]'); raise SystemExit(1)"), os.environ, 20) is None


def test_a_benchmark_that_takes_too_long_ends_with_all_that_it_started(suite: ModuleType, tmp_path: Path) -> None:
    said, began = tmp_path / "child", time.monotonic()
    command = ["/bin/sh", "-c", f"sleep 60 & echo $! > {said}; wait"]
    assert suite.within(command, os.environ, 3) is None
    assert time.monotonic() - began < 30
    child = Path("/proc") / said.read_text().strip() / "cmdline"
    until = time.monotonic() + 10
    while child.exists() and child.read_bytes() and time.monotonic() < until:
        time.sleep(0.02)
    assert not (child.exists() and child.read_bytes())  # ended, or its end only waits to be told


def test_every_benchmark_of_the_suite_is_there(suite: ModuleType, bench_folder: Path) -> None:
    assert all((bench_folder / f"{each.script}.py").is_file() for each in suite.SUITE)
