"""Tests that start a system package say so; where it is absent, only CI insists on it."""

from __future__ import annotations

import importlib.util
import os
import shutil

import pytest

PROGRAMS = {
    "softhsm2": "softhsm2-util",
    "bubblewrap": "bwrap",
    "r-cran-survival": "Rscript",
    "chromium": "chromium",
    "radosgw": "radosgw",
    "swift-proxy": "swift-proxy-server",
    "postgresql": "pg_ctlcluster",
    "odbc-postgresql": "isql",
    "libpostgresql-jdbc-java": "java",
    "default-jre-headless": "java",
    "systemd": "systemd-analyze",
    "mmdebstrap": "mmdebstrap",
    "buildah": "buildah",
    "podman": "podman",
    "strace": "strace",
    "kubectl": "kubectl",
    "npm": "npm",
    "glewlwyd": "glewlwyd",
}
"""By Debian package, a program that it brings."""

PYTHON_PACKAGES = ("pyspark",)
"""Those of extras, which `make test` installs."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what cannot be started, outside CI; ``make test`` has said which packages are missing."""
    absent = {package for package, program in PROGRAMS.items() if shutil.which(program) is None}
    absent |= {package for package in PYTHON_PACKAGES if importlib.util.find_spec(package) is None}
    if os.environ.get("CI") or not absent:
        return
    left_out = [item for item in items if absent & {mark.args[0] for mark in item.iter_markers("system")}]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)
