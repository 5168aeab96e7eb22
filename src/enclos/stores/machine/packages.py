"""The Python packages that run here: against a bill of materials, and against known vulnerabilities.

Nothing is fetched: vulnerabilities are a folder of OSV files that somebody put there, and its age is part of what is
said.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from enclos.conformity.model import Finding, Sight
from enclos.conformity.ports import Look

_FRESH_DAYS = 7


def package_probes(sbom: Path | None, vulnerabilities: Path | None, today: date) -> list[Look]:
    """The probes of packages. In: what conformity.toml names, None where it names nothing."""
    return [
        Look(("vuln.sbom",), lambda: [_bill(sbom)]),
        Look(("vuln.deps",), lambda: [_known(vulnerabilities, today)]),
    ]


def installed() -> dict[str, str]:
    """Every package that runs here, by its normal name, with its version. Source: PEP 503."""
    return {normal(each.name): each.version for each in distributions() if each.name}


def normal(name: str) -> str:
    """The one spelling of a package's name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _bill(path: Path | None) -> Finding:
    if path is None:
        return Finding("vuln.sbom", Sight.BLIND, "conformity.toml names no bill of materials")
    document = json.loads(path.read_bytes())
    if document.get("bomFormat") != "CycloneDX":
        return Finding("vuln.sbom", Sight.BLIND, "the bill of materials is not CycloneDX in JSON")
    listed = {
        normal(each["name"]): str(each.get("version", ""))
        for each in document.get("components", ())
        if str(each.get("purl", "")).startswith("pkg:pypi/")
    }
    here = {name: version for name, version in installed().items() if name != "enclos"}
    unlisted = sorted(name for name, version in here.items() if listed.get(name) != version)
    shown = ", ".join(unlisted[:5]) + (" …" if len(unlisted) > 5 else "")
    said = f"{len(here) - len(unlisted)} of {len(here)} packages that run here are listed as they are"
    sight = Sight.FAILS if unlisted else Sight.HOLDS
    return Finding("vuln.sbom", sight, f"{said}{f'; not: {shown}' if unlisted else ''}", len(here))


def _known(folder: Path | None, today: date) -> Finding:
    if folder is None:
        return Finding("vuln.deps", Sight.BLIND, "conformity.toml names no folder of known vulnerabilities (OSV)")
    newest, n_files, hits = "", 0, set()
    here = installed()
    for advisory in _advisories(folder):
        n_files += 1
        newest = max(newest, str(advisory.get("modified", "")))
        if "withdrawn" not in advisory:
            hits |= {name for name in _names_of(advisory) & set(here) if _is_affected(advisory, name, here[name])}
    if not n_files or not newest:
        return Finding("vuln.deps", Sight.BLIND, "the folder holds no OSV file")
    age = (today - datetime.fromisoformat(newest).astimezone(UTC).date()).days
    if hits:
        said = f"known vulnerabilities in {', '.join(sorted(hits))}"
        return Finding("vuln.deps", Sight.FAILS, said, n_files)
    if age > _FRESH_DAYS:
        said = f"the newest of {n_files} advisories is {age} days old: it cannot show what came since"
        return Finding("vuln.deps", Sight.BLIND, said, n_files)
    said = f"none of {n_files} advisories, the newest of {age} days, is about the {len(here)} packages as they run here"
    return Finding("vuln.deps", Sight.HOLDS, said, n_files)


def _advisories(folder: Path) -> Iterator[Mapping[str, Any]]:
    for path in sorted(folder.glob("*.json")):
        yield json.loads(path.read_bytes())


def _names_of(advisory: Mapping[str, Any]) -> set[str]:
    packages = [each.get("package", {}) for each in advisory.get("affected", ())]
    return {normal(each["name"]) for each in packages if each.get("ecosystem") == "PyPI"}


def _is_affected(advisory: Mapping[str, Any], name: str, version: str) -> bool:
    """Whether a version is listed, or lies between events of a range. Source: OSV schema 1.6, evaluation."""
    for affected in advisory["affected"]:
        if normal(affected.get("package", {}).get("name", "")) != name:
            continue
        if version in affected.get("versions", ()):
            return True
        for each in affected.get("ranges", ()):
            if each.get("type") == "ECOSYSTEM" and _is_between(each.get("events", ()), version):
                return True
    return False


def _is_between(events: list[Mapping[str, str]], version: str) -> bool:
    try:
        own, hit = Version(version), False
        for event in sorted(events, key=_place):
            for kind, at in event.items():
                begins = kind == "introduced" and own >= _version(at)
                ends = (kind == "fixed" and own >= _version(at)) or (kind == "last_affected" and own > _version(at))
                hit = (hit or begins) and not ends
    except InvalidVersion:
        return True  # what cannot be compared is not known to be safe
    return hit


def _place(event: Mapping[str, str]) -> tuple[Version, bool]:
    kind, at = next(iter(event.items()))
    return _version(at), kind != "introduced"


def _version(text: str) -> Version:
    return Version("0.dev0") if text == "0" else Version(text)
