"""Say which libraries of the lock have known faults, and which of these should have been mended by now.

    python tools/advisories.py OSV [--lock requirements.lock] [--known docs/advisories.csv] [--on 2026-11-29]

OSV is a folder or a zip of documents in the format of OSV (https://ossf.github.io/osv-schema/), such as the whole of
its PyPI part. How long each may wait is what docs/security.md says ("Libraries with known faults"). One that does not
reach Enclos, with why, has a line ``id,why`` in the file of known ones. Ends with 1 when one is overdue.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

DAYS = {"CRITICAL": 3, "HIGH": 14, "MODERATE": 60, "LOW": 60}
"""Source: docs/security.md. A fault whose weight nobody says counts as HIGH."""
_LINE = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """A known fault of a library in the lock: which, of what weight, and until when it should be mended."""

    due: date
    library: str
    id: str
    weight: str


def locked(text: str) -> dict[str, str]:
    """The version of each library in a lock."""
    return {normal(name): version for name, version in _LINE.findall(text)}


def normal(name: str) -> str:
    """A library's name as PyPI compares it. Source: PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def faults(documents: Iterator[Mapping[str, Any]], versions: Mapping[str, str]) -> list[Found]:
    """The faults that reach a locked version, the most urgent first; those that were withdrawn are none."""
    found = set()
    for each in documents:
        names = {
            normal(part["package"]["name"])
            for part in each.get("affected", ())
            if part["package"].get("ecosystem") == "PyPI"
            and normal(part["package"]["name"]) in versions
            and reaches(part, versions[normal(part["package"]["name"])])
        }
        if names and "withdrawn" not in each:
            weight = str(each.get("database_specific", {}).get("severity") or "HIGH").upper()
            published = datetime.fromisoformat(str(each["published"])).date()
            due = published + timedelta(days=DAYS.get(weight, DAYS["HIGH"]))
            found |= {Found(due, name, str(each["id"]), weight) for name in names}
    return sorted(found)


def reaches(part: Mapping[str, Any], version: str) -> bool:
    """Whether a version is among those that a document names, by themselves or from one to the next."""
    if version in part.get("versions", ()):
        return True
    at = Version(version)
    for each in part.get("ranges", ()):
        inside = False
        if each["type"] != "ECOSYSTEM":
            continue
        for event in each["events"]:
            try:
                if "introduced" in event and (event["introduced"] == "0" or at >= Version(event["introduced"])):
                    inside = True
                if ("fixed" in event and at >= Version(event["fixed"])) or _is_after(at, event):
                    inside = False
            except InvalidVersion:
                continue
        if inside:
            return True
    return False


def _is_after(at: Version, event: Mapping[str, str]) -> bool:
    return "last_affected" in event and at > Version(event["last_affected"])


def documents(place: Path) -> Iterator[Mapping[str, Any]]:
    """The documents of a folder or of a zip."""
    if place.is_dir():
        for path in sorted(place.rglob("*.json")):
            yield json.loads(path.read_bytes())
        return
    with zipfile.ZipFile(place) as archive:
        for name in archive.namelist():
            if name.endswith(".json"):
                yield json.loads(archive.read(name))


def main(arguments: list[str]) -> int:
    """Print what is found; 1 when something is overdue."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("osv", type=Path)
    parser.add_argument("--lock", type=Path, default=Path("requirements.lock"))
    parser.add_argument("--known", type=Path, default=Path("docs/advisories.csv"))
    parser.add_argument("--on", type=date.fromisoformat, default=datetime.now(UTC).date())
    given = parser.parse_args(arguments)
    known = dict(csv.reader(given.known.read_text(encoding="utf-8").splitlines())) if given.known.exists() else {}
    found = [each for each in faults(documents(given.osv), locked(given.lock.read_text())) if each.id not in known]
    for each in found:
        late = (given.on - each.due).days
        said = f"{late} days overdue" if late > 0 else f"to be mended by {each.due}"
        print(f"{each.library}: {each.id} ({each.weight}), {said}")
    print(f"{len(found)} known faults, {sum(each.due < given.on for each in found)} overdue on {given.on}")
    return int(any(each.due < given.on for each in found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
