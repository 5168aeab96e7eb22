"""Print the part of requirements.lock that runs Enclos, hashes included; not what only its tests and checks need."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.lock"
_NAME = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^ ;\\]+)")
_FOR = re.compile(r"^\s+# (?:via )?\s*([a-z0-9][^ ]*.*)$")
_ENCLOS = "enclos (pyproject.toml)"


def blocks(lock: str) -> dict[str, str]:
    """By package, its lines of the lock: version, hashes, and what it is there for."""
    found: dict[str, str] = {}
    name = ""
    for line in lock.splitlines(keepends=True):
        if start := _NAME.match(line):
            name = start[1]
        if name:
            found[name] = found.get(name, "") + line
    return found


def asked_by(block: str) -> set[str]:
    """What wants a package, as the lock's comments say."""
    return {said[1].strip() for line in block.splitlines() if (said := _FOR.match(line)) and said[1].strip() != "via"}


def runtime(lock: str) -> dict[str, str]:
    """The blocks of what Enclos imports, and of what that wants, in the lock's order."""
    all_blocks = blocks(lock)
    wanted = {_ENCLOS}
    while more := {name for name, block in all_blocks.items() if name not in wanted and asked_by(block) & wanted}:
        wanted |= more
    return {name: block for name, block in all_blocks.items() if name in wanted}


if __name__ == "__main__":
    sys.stdout.write("".join(runtime(LOCK.read_text(encoding="utf-8")).values()))
