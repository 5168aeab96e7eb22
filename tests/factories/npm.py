"""Packages of npm that tests use, installed as their lock says."""

from __future__ import annotations

import shutil
import subprocess
from fcntl import LOCK_EX, flock
from pathlib import Path


def npm_installed(folder: Path) -> Path:
    """The packages of a folder's lock, with their digests, once for all workers."""
    with (folder / ".lock").open("w") as lock:
        flock(lock, LOCK_EX)
        wanted, have = folder / "package-lock.json", folder / "node_modules" / ".of"
        if not have.exists() or have.read_bytes() != wanted.read_bytes():
            command = [npm_program("npm"), "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
            subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=300)
            have.write_bytes(wanted.read_bytes())
    return folder / "node_modules"


def npm_program(name: str) -> str:
    """Where node or npm is."""
    found = shutil.which(name)
    assert found, f"{name} is not there: make test installs it"
    return found
