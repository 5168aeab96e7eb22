"""Packages as they run here, against a bill of materials and against advisories."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from enclos.conformity.model import Sight
from enclos.conformity.steps import look
from enclos.stores.machine.packages import installed, package_probes

TODAY = date(2026, 11, 28)


def sight(probe: str, sbom: Path | None = None, advisories: Path | None = None) -> Sight:
    return look(package_probes(sbom, advisories, TODAY), [probe])[probe].sight


def test_a_bill_of_materials_lists_every_package_in_its_version(tmp_path: Path) -> None:
    file = tmp_path / "sbom.json"
    components = [
        {"name": name, "version": version, "purl": f"pkg:pypi/{name}@{version}"}
        for name, version in installed().items()
    ]
    file.write_text(json.dumps({"bomFormat": "CycloneDX", "components": components}))
    assert sight("vuln.sbom", file) is Sight.HOLDS
    other = [each | {"version": "0"} if each["name"] == "duckdb" else each for each in components]
    for wrong in (other, components[1:], []):
        file.write_text(json.dumps({"bomFormat": "CycloneDX", "components": wrong}))
        assert sight("vuln.sbom", file) is Sight.FAILS
    file.write_text("{}")
    assert sight("vuln.sbom", file) is sight("vuln.sbom") is sight("vuln.sbom", tmp_path / "none") is Sight.BLIND


def advisory(folder: Path, modified: str, **affected: object) -> None:
    package = {"ecosystem": "PyPI", "name": "DuckDB"}
    document = {"id": "X", "modified": modified, "affected": [{"package": package, **affected}]}
    (folder / "X.json").write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("affected", "is_hit"),
    [
        ({"versions": [installed()["duckdb"]]}, True),
        ({"versions": ["0.0.1"]}, False),
        ({"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99"}]}]}, True),
        ({"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.0"}]}]}, False),
        ({"ranges": [{"type": "ECOSYSTEM", "events": [{"fixed": "1.0"}, {"introduced": "1.2"}]}]}, True),
        ({"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"last_affected": "99"}]}]}, True),
        ({"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "not a version"}]}]}, True),
    ],
)
def test_an_advisory_hits_by_version_or_range(tmp_path: Path, affected, is_hit) -> None:
    advisory(tmp_path, "2026-11-27T00:00:00Z", **affected)
    assert sight("vuln.deps", None, tmp_path) is (Sight.FAILS if is_hit else Sight.HOLDS)


def test_no_advisories_or_old_ones_show_nothing_and_an_old_hit_stays_one(tmp_path: Path) -> None:
    assert sight("vuln.deps") is sight("vuln.deps", None, tmp_path) is Sight.BLIND
    advisory(tmp_path, "2026-10-01T00:00:00Z", versions=["0.0.1"])
    assert sight("vuln.deps", None, tmp_path) is Sight.BLIND
    advisory(tmp_path, "2026-10-01T00:00:00Z", versions=[installed()["duckdb"]])
    assert sight("vuln.deps", None, tmp_path) is Sight.FAILS
