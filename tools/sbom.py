"""Print the bill of materials of an installed Enclos as CycloneDX 1.6: Python libraries, Debian packages below them.

usage: sbom.py LIBRARIES [--debian DPKG_STATUS]

LIBRARIES is a folder of installed packages; what it holds is read, not what a lock says. The same input gives the
same bytes.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import uuid
from datetime import UTC, datetime
from email.parser import HeaderParser
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import quote

_ENCLOS = "enclos"


def libraries(folder: Path) -> tuple[list[dict[str, Any]], dict[str, set[str]]]:
    """The components of a folder of packages, and by reference those that each wants."""
    found = {normal(each.name): each for each in metadata.distributions(path=[str(folder)])}
    refs = {name: f"pkg:pypi/{name}@{quote(each.version)}" for name, each in found.items()}
    components = [
        {
            "type": "application" if name == _ENCLOS else "library",
            "bom-ref": refs[name],
            "name": name,
            "version": each.version,
            **licence(each),
            "purl": refs[name],
        }
        for name, each in sorted(found.items())
    ]
    wants = {
        refs[name]: {
            refs[wanted]
            for line in each.requires or []
            if "extra ==" not in line and (wanted := normal(re.split(r"[^A-Za-z0-9._-]", line)[0])) in refs
        }
        for name, each in found.items()
    }
    return components, wants


def licence(each: metadata.Distribution) -> dict[str, Any]:
    """What a package says of its licence: an SPDX expression where it gives one, else its own words."""
    said: Any = each.metadata  # a message with headers; its protocol promises no get
    if expression := said.get("License-Expression"):
        return {"licenses": [{"expression": expression}]}
    classified = [line.split(" :: ")[-1] for line in said.get_all("Classifier") or [] if line.startswith("License ::")]
    named = classified or [line for line in [(said.get("License") or "").strip().split("\n")[0]] if line]
    return {"licenses": [{"license": {"name": name}} for name in named]} if named else {}


def normal(name: str) -> str:
    """A name as indexes write it. Source: PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def debian(status: Path) -> list[dict[str, Any]]:
    """The components of a dpkg status file that are installed."""
    packages = [
        HeaderParser().parsestr(text) for text in status.read_text(encoding="utf-8").split("\n\n") if text.strip()
    ]
    components = []
    for package in packages:
        if not str(package["Status"]).endswith(" installed"):
            continue
        name, version, architecture = (str(package[field]) for field in ("Package", "Version", "Architecture"))
        ref = f"pkg:deb/debian/{quote(name)}@{quote(version)}?arch={architecture}"
        part = {"type": "library", "bom-ref": ref, "name": name, "version": version, "purl": ref}
        components.append(part | {"supplier": {"name": "Debian"}})
    return sorted(components, key=lambda each: each["bom-ref"])


def bill(folder: Path, status: Path | None) -> dict[str, Any]:
    """The whole document; its time is SOURCE_DATE_EPOCH."""
    components, wants = libraries(folder)
    (whole,) = [each for each in components if each["name"] == _ENCLOS]
    parts = [each for each in components if each is not whole] + (debian(status) if status else [])
    at = datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), UTC)
    content = json.dumps([whole, parts], sort_keys=True)
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, content)}",
        "version": 1,
        "metadata": {"timestamp": at.isoformat().replace("+00:00", "Z"), "component": whole},
        "components": parts,
        "dependencies": [{"ref": ref, "dependsOn": sorted(wanted)} for ref, wanted in sorted(wants.items())],
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("libraries", type=Path)
    parser.add_argument("--debian", type=Path)
    given = parser.parse_args()
    sys.stdout.write(json.dumps(bill(given.libraries, given.debian), indent=1, ensure_ascii=False) + "\n")
