"""Two files under one key, exchanged: the engine does not notice, the manifest does."""

from __future__ import annotations

from pathlib import Path

from enclos.hosting.model import Fault, Manifest
from enclos.hosting.steps import seal_objects, verify_objects
from enclos.stores.objects import LocalObjects
from factories.lakes import attached, build


def test_files_of_one_key_that_are_exchanged_are_found(tmp_path: Path) -> None:
    catalog, lake = tmp_path / "catalog.ducklake", tmp_path / "lake"
    report = build(catalog, lake, 20)
    with attached(catalog, lake) as (engine, attached_lake):
        named = attached_lake.objects()
        found = engine.rows(
            "SELECT table_.path || file.path, encryption_key FROM __ducklake_metadata_lake.ducklake_data_file AS file "
            "JOIN __ducklake_metadata_lake.ducklake_table AS table_ USING (table_id) WHERE table_name = 'person'"
        )
    (one, key), (other, same_key) = found
    assert key == same_key
    manifest = seal_objects(LocalObjects(lake), named, Manifest(), report.snapshot)
    assert not verify_objects(LocalObjects(lake), named, manifest).findings
    paths = [lake / "main" / name for name in (one, other)]
    contents = [path.read_bytes() for path in paths]
    assert contents[0] != contents[1]
    for path, content in zip(paths, reversed(contents), strict=True):
        path.write_bytes(content)
    with attached(catalog, lake) as (engine, attached_lake):
        relation = attached_lake.snapshot().relation("person")
        read = engine.rows(f"SELECT * FROM {relation} WHERE bucket = 0")
    assert read == [], "the engine notices by now: say so in docs/hosting.md and decision 0081"
    findings = verify_objects(LocalObjects(lake), named, manifest).findings
    assert {(finding.name, finding.fault) for finding in findings} == {
        (f"main/{name}", Fault.ALTERED) for name in (one, other)
    }
