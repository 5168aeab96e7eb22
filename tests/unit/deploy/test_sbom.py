"""The bill of materials: valid CycloneDX, all that is installed, the same bytes again."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

ROOT = Path(__file__).resolve().parents[3]
LIBRARIES = sysconfig.get_path("purelib")
STATUS = """\
Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.36-9+deb12u14

Package: tzdata
Status: install ok installed
Architecture: all
Version: 1:2026b-0+deb12u1
Description: time zones
 and more of them

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1.0
"""


def made(folder: Path) -> str:
    (folder / "status").write_text(STATUS)
    command = [sys.executable, str(ROOT / "tools" / "sbom.py"), LIBRARIES, "--debian", str(folder / "status")]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_it_is_valid_whole_and_the_same_again(tmp_path: Path) -> None:
    text = made(tmp_path)
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(text) is None
    assert validator.validate_str(text.replace('"specVersion": "1.6"', '"specVersion": 16')) is not None
    assert made(tmp_path) == text
    bill: dict[str, Any] = json.loads(text)
    parts = [PackageURL.from_string(part["purl"]) for part in bill["components"]]
    installed = {
        (re.sub(r"[-_.]+", "-", each.name).lower(), each.version) for each in metadata.distributions(path=[LIBRARIES])
    }
    whole = bill["metadata"]["component"]
    assert {(part.name, part.version) for part in parts if part.type == "pypi"} == {
        each for each in installed if each[0] != "enclos"
    }
    assert (whole["name"], whole["licenses"]) == ("enclos", [{"expression": "Apache-2.0"}])
    debian = {(part.name, part.version, part.qualifiers["arch"]) for part in parts if part.type == "deb"}  # type: ignore[index]
    assert debian == {("libc6", "2.36-9+deb12u14", "amd64"), ("tzdata", "1:2026b-0+deb12u1", "all")}


def test_it_tells_what_wants_what(tmp_path: Path) -> None:
    wants = {one["ref"]: one["dependsOn"] for one in json.loads(made(tmp_path))["dependencies"]}
    named = {
        ref.split("@")[0].removeprefix("pkg:pypi/"): {w.split("@")[0] for w in all_} for ref, all_ in wants.items()
    }
    assert "pkg:pypi/duckdb" in named["enclos"]
    assert "pkg:pypi/pytest" not in named["enclos"]
    assert "pkg:pypi/h11" in named["uvicorn"]
