"""Print the part of requirements.lock that runs Enclos, hashes included; not what only its tests and checks need.

What wants what is read from the metadata of the packages that are installed here, for every system and Python; an extra
counts where it is asked for.
"""

from __future__ import annotations

import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
_NAME = re.compile(r"^([a-z0-9][a-z0-9._-]*)==")


def blocks(lock: str) -> dict[str, str]:
    """By package, its lines of the lock: versions, hashes, and what it is there for."""
    found: dict[str, str] = {}
    name = ""
    for line in lock.splitlines(keepends=True):
        if start := _NAME.match(line):
            name = start[1]
        if name:
            found[name] = found.get(name, "") + line
    return found


def wanted(asked: list[str]) -> set[str]:
    """The packages that these requirements want, and what those want."""
    found: set[tuple[str, str]] = set()
    left = [("", Requirement(line)) for line in asked]
    while left:
        extra, requirement = left.pop()
        marker = requirement.marker
        if marker and "extra" in str(marker) and not marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        for each in {"", *requirement.extras}:
            if (name, each) not in found:
                found.add((name, each))
                left += [(each, Requirement(line)) for line in requirements(name)]
    return {name for name, _ in found}


def requirements(name: str) -> list[str]:
    """What an installed package asks for; what another system wants is not installed here, and asks for nothing."""
    try:
        return metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return []


def main() -> None:
    """Print the blocks of what Enclos imports, in the lock's order."""
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    names = wanted(asked)
    lock = blocks((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    sys.stdout.write("".join(block for name, block in lock.items() if name in names))


if __name__ == "__main__":
    main()
