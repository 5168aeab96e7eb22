"""The lock of what runs: everything that Enclos wants, and what that wants; nothing that only its tests want."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def wanted(lines: list[str], found: set[str]) -> set[str]:
    """What these requirements name, and what those want, from the metadata of what is installed here."""
    for line in lines:
        asked, _, marker = line.partition(";")
        named = re.match(r"[A-Za-z0-9._-]+", asked.strip())
        assert named
        name = re.sub(r"[-_.]+", "-", named[0]).lower()
        if name not in found and "extra ==" not in marker and is_installed(name):
            found.add(name)
            wanted(metadata.requires(name) or [], found)
    return found


def is_installed(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def test_it_holds_what_enclos_wants_and_no_tool_of_its_tests() -> None:
    command = [sys.executable, str(ROOT / "tools" / "runtime_lock.py")]
    lock = "\n" + subprocess.run(command, capture_output=True, text=True, check=True).stdout
    names = set(re.findall(r"^([a-z0-9][a-z0-9._-]*)==", lock, re.MULTILINE))
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    needed = wanted(asked, set())
    assert len(needed) > 40
    assert needed <= names
    # beyond it only what another system, another Python or a named extra wants
    assert names - needed <= {"colorama", "importlib-metadata", "typing-extensions", "zipp"}
    assert all(block.count("--hash=sha256:") for block in re.split(r"\n(?=[a-z0-9])", lock.strip()))
