"""Tests that start a system package say so; where it is absent, only CI insists on it."""

from __future__ import annotations

import gc
import importlib.util
import os
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest

from factories import derived_once, loaded_once

PROGRAMS = {
    "softhsm2": "softhsm2-util",
    "bubblewrap": "bwrap",
    "r-cran-survival": "Rscript",
    "chromium": "chromium",
    "radosgw": "radosgw",
    "swift-proxy": "swift-proxy-server",
    "postgresql": "pg_ctlcluster",
    "odbc-postgresql": "isql",
    "r-cran-rpostgresql": "/usr/lib/R/site-library/RPostgreSQL",
    "r-cran-dbplyr": "/usr/lib/R/site-library/dbplyr",
    "libpostgresql-jdbc-java": "/usr/share/java/postgresql.jar",
    "default-jre-headless": "java",
    "default-jdk-headless": "javac",
    "systemd": "systemd-analyze",
    "mmdebstrap": "mmdebstrap",
    "buildah": "buildah",
    "podman": "podman",
    "strace": "strace",
    "kubectl": "kubectl",
    "npm": "npm",
    "glewlwyd": "glewlwyd",
}
"""By Debian package, a program that it brings, or a place."""

PYTHON_PACKAGES = ("pyspark",)
"""Those of extras, which `make test` installs."""


def _is_there(program: str) -> bool:
    return Path(program).exists() if program.startswith("/") else shutil.which(program) is not None


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect thousands of tests without looking through them for garbage meanwhile, nor ever after."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what cannot be started, outside CI; ``make test`` has said which packages are missing."""
    absent = {package for package, program in PROGRAMS.items() if not _is_there(program)}
    absent |= {package for package in PYTHON_PACKAGES if importlib.util.find_spec(package) is None}
    if os.environ.get("CI") or not absent:
        return
    left_out = [item for item in items if absent & {mark.args[0] for mark in item.iter_markers("system")}]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="session")
def shared_root(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all workers of this run have."""
    base = tmp_path_factory.getbasetemp()
    return base if worker_id == "master" else base.parent


@pytest.fixture(scope="session", autouse=True)
def _do_once(shared_root: Path) -> None:
    folder = shared_root / "derived"
    folder.mkdir(mode=0o700, exist_ok=True)
    os.environ[derived_once.PLACE] = str(folder)
    derived_once.derive_once(folder)
    loaded_once.load_once(folder)
