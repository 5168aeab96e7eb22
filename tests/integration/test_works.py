"""Each kind of long work calls the function of its command, and what it answers can be kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from enclos.app.jobs.works import WORKS, Told
from enclos.app.progress import silent
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
    ],
)
def test_work_is_done_and_told(home: Path, work: str, permit: str, given: dict[str, Any], told: str) -> None:
    with open_home(home) as enclosure:
        answer = WORKS[work].act(Told(enclosure, ALICE, permit, given, silent, lambda: None))
    assert told in json.loads(json.dumps(answer, default=str)), sorted(answer)
