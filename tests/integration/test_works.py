"""Each kind of long work calls the function of its command, and what it answers can be kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from enclos.app.jobs.works import WORKS, Told
from enclos.app.progress import silent
from enclos.holdings.document import draft_about
from factories.circe import definition
from factories.enclosure import ALICE, open_home
from factories.working_home import working_home

SQL = "SELECT gender_concept_id, count(*) AS n FROM person GROUP BY 1"
BLEED = {
    "id": 0,
    "name": "bleed",
    "expression": {"items": [{"concept": {"CONCEPT_ID": 192671}, "includeDescendants": True}]},
}
CIRCE = json.dumps(definition("ConditionOccurrence", 0, ConceptSets=[BLEED]))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return working_home(tmp_path_factory.mktemp("works"), {"FR-1": (ALICE,)})


@pytest.mark.parametrize(
    ("work", "permit", "given", "told"),
    [
        ("cohort", "FR-1", {"definitions": {"bleed": CIRCE}, "save": True}, "cohorts"),
        ("sql-keep", "FR-1", {"query": SQL}, "run"),
        ("permit-open", "", {"permit": "FR-1"}, "n_persons"),
        ("link", "", {}, "hospitals"),
        ("hosting-verify", "", {}, "n_objects"),
        ("ledger-verify", "", {}, "size"),
    ],
)
def test_work_is_done_and_told(home: Path, work: str, permit: str, given: dict[str, Any], told: str) -> None:
    answer, files = done(home, work, permit, given)
    assert (told in answer, files) == (True, {}), sorted(answer)


PAGES = ["page-en.html", "page-fr.html"]
TABLES = ["achilles_analysis.csv", "achilles_results.csv", "achilles_results_dist.csv"]


@pytest.mark.parametrize(
    ("work", "given", "names", "told"),
    [
        ("profile", {}, [*TABLES, *PAGES], "analysis_id"),
        ("ledger-review", {"month": None}, PAGES, "<html"),
        ("conformity", {"frameworks": ["secnumcloud"]}, ["assessment.json", "report.csv", "report.html"], "catalogue"),
        ("catalogue", {}, ["catalogue.ttl", "en.html", "fr.html", "sample-person.csv"], "dcat:Catalog"),
    ],
)
def test_what_the_command_would_write_is_handed_over(
    home: Path, work: str, given: dict[str, Any], names: list[str], told: str
) -> None:
    (home / "catalogue.yaml").write_text(draft_about(), encoding="utf-8")
    _, files = done(home, work, "", given)
    assert set(names) <= files.keys()
    assert work in {"conformity", "catalogue"} or len(files) == len(names)
    assert not [name for name in files if "/" in name]
    assert any(told in content.decode() for content in files.values())
    if "page-fr.html" in files:
        assert ['lang="fr"' in files[name].decode() for name in PAGES] == [False, True]


def done(home: Path, work: str, permit: str, given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, bytes]]:
    """What a piece of work answers, and the files that it hands over."""
    files: dict[str, bytes] = {}
    with open_home(home) as enclosure:
        answer = WORKS[work].act(Told(enclosure, ALICE, permit, given, silent, lambda: None, files.__setitem__))
    kept: dict[str, Any] = json.loads(json.dumps(answer, default=str))
    return kept, files
