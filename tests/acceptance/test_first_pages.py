"""Whoever opens the first page of a kind after a service began waits for nothing that could be done before."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from factories.lively_home import PERMIT
from factories.portal import name_provider

TESTS = Path(__file__).resolve().parents[1]
LASTING = 100_000
"""Objects of loaded modules, by far."""
A_FEW = 40
"""Entries; the ledger has more than twice as many."""


def test_first_pages_import_and_compile_nothing_and_wait_for_no_key_and_no_engine(lively: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(lively, home)
    name_provider(home)
    run = next(path.name for path in (home / "permits" / PERMIT / "runs").iterdir() if path.name.isalnum())
    at = f"/research/permits/{PERMIT}"
    paths = ["/research", at, f"{at}/studies/write", f"{at}/runs/{run}", f"{at}/sql", f"{at}/cohorts", "/research/work"]
    paths += ["/applications", "/access", "/access/calendar", f"/access/permits/{PERMIT}", "/check", "/check/waits"]
    paths += ["/data", "/data/deliveries", "/data/account", "/data/links", "/data/snapshots", "/audit", "/audit/month"]
    known = {**os.environ, "PYTHONPATH": os.pathsep.join([os.environ.get("PYTHONPATH", ""), str(TESTS)])}
    command = [sys.executable, "-m", "factories.first_pages", str(home), *paths]
    told = json.loads(subprocess.run(command, env=known, check=True, stdout=subprocess.PIPE).stdout)
    assert told["kept"] > LASTING, "the collector of garbage looks through what was loaded no more"
    assert told["drawn"] == [1, 1], "what draws began, before the first page: nothing can be answered meanwhile"
    (own, *others) = told["pages"]
    assert (own["path"], own["status"], own["imported"], own["open_enclosure"]) == ("/me", 200, [], 0)
    assert own["compile"] == 1, "a page's own template; what stands around it was compiled"
    assert [page["path"] for page in others if page["status"] != 200] == []
    assert {page["path"]: page["imported"] for page in others if page["imported"]} == {}
    assert max(page["parse_entry"] for page in others) < A_FEW, "entries that came since"
    for done in ("compile", "verified", "open_enclosure", "open_engine"):
        assert {page["path"]: page[done] for page in others if page[done]} == {}, done
