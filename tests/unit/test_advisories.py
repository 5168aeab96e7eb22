"""The measure of what waits to be mended: documents as OSV publishes them against a lock."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import advisories
import pytest

LOCK = "Some_Lib==2.1.0 \\\n    --hash=sha256:00\nother==1.0\nthird==3.0 ; python_version > '3'\n"


def document(id_: str, published: str, severity: str | None, *events: dict[str, str], **more: Any) -> dict[str, Any]:
    package = {"ecosystem": "PyPI", "name": more.pop("name", "some-lib")}
    affected = {"package": package, "ranges": [{"type": "ECOSYSTEM", "events": list(events)}], **more.pop("part", {})}
    weight = {"database_specific": {"severity": severity}} if severity else {}
    return {"id": id_, "published": published, "affected": [affected], **weight, **more}


FROM = {"introduced": "0"}
REACHES = document("A-1", "2026-11-01T00:00:00Z", "HIGH", FROM, {"fixed": "2.1.1"})
MENDED = document("A-2", "2026-01-01T00:00:00Z", "CRITICAL", FROM, {"fixed": "2.1.0"})
LATER = document("A-3", "2026-01-01T00:00:00Z", "CRITICAL", {"introduced": "2.2"})
AGAIN = document("A-4", "2026-11-20T00:00:00Z", "LOW", FROM, {"fixed": "1.0"}, {"introduced": "2.0"})
WITHDRAWN = document("A-5", "2026-01-01T00:00:00Z", "HIGH", FROM, withdrawn="2026-01-02T00:00:00Z")
UNWEIGHED = document("A-6", "2026-11-20T00:00:00Z", None, FROM, {"last_affected": "1.0"}, name="Other")
NAMED = document("A-7", "2026-11-28T00:00:00Z", "CRITICAL", name="third", part={"versions": ["3.0"], "ranges": []})
ABSENT = document("A-8", "2026-01-01T00:00:00Z", "CRITICAL", FROM, name="not-here")
ALL = [REACHES, MENDED, LATER, AGAIN, WITHDRAWN, UNWEIGHED, NAMED, ABSENT]


def test_what_reaches_a_locked_version_is_due_by_its_weight() -> None:
    found = advisories.faults(iter(ALL), advisories.locked(LOCK))
    assert [(each.id, each.library, each.due.isoformat()) for each in found] == [
        ("A-1", "some-lib", "2026-11-15"),
        ("A-7", "third", "2026-12-01"),
        ("A-6", "other", "2026-12-04"),
        ("A-4", "some-lib", "2027-01-19"),
    ]


def test_what_is_overdue_fails_until_it_is_mended_or_known_not_to_reach(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock, known, osv = tmp_path / "lock", tmp_path / "known.csv", tmp_path / "all.zip"
    lock.write_text(LOCK)
    with zipfile.ZipFile(osv, "w") as archive:
        for each in ALL:
            archive.writestr(f"{each['id']}.json", json.dumps(each))
    asked = [str(osv), "--lock", str(lock), "--known", str(known), "--on"]
    assert advisories.main([*asked, "2026-11-15"]) == 0
    assert advisories.main([*asked, "2026-11-29"]) == 1
    assert "some-lib: A-1 (HIGH), 14 days overdue" in capsys.readouterr().out
    known.write_text('A-1,"its parser is never called"\n')
    assert advisories.main([*asked, "2026-11-29"]) == 0
    assert advisories.main([*asked, "2026-12-02"]) == 1


def test_the_times_are_those_that_are_documented() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "security.md").read_text(encoding="utf-8")
    for weight, said in (("CRITICAL", "3 days"), ("HIGH", "14 days (7 and above)"), ("LOW", "60 days (the rest)")):
        assert said in text
        assert said.startswith(f"{advisories.DAYS[weight]} days")
