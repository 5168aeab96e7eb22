"""`enclos protocol`: a study file in, its protocol out, without an enclosure."""

import json
from hashlib import sha256
from pathlib import Path

from enclos.lexicon.codes import Code
from enclos.studies.document import whole_study
from factories.circe import concept_set, definition
from factories.enclosure import refused, run_cli

STUDY = """study: bleeds
cohorts:
  bleed: {circe: bleed.json}
analyses:
  - incidence: {outcome: bleed, washout_days: 365}
"""


def write(folder: Path, study: str = STUDY) -> Path:
    document = definition("ConditionOccurrence", 0)
    document["ConceptSets"] = [concept_set(0, 192671)]
    (folder / "bleed.json").write_text(json.dumps(document), encoding="utf-8")
    (folder / "study.yaml").write_text(study, encoding="utf-8")
    return folder / "study.yaml"


def test_a_protocol_is_the_same_twice_and_names_its_version(tmp_path: Path) -> None:
    file = write(tmp_path)
    first, second = run_cli("protocol", file)["protocol"], tmp_path / "protocol.md"
    run_cli("protocol", file, "-o", second)
    assert second.read_text(encoding="utf-8") == first
    whole = whole_study(STUDY, lambda name: (tmp_path / name).read_text(encoding="utf-8"))
    assert sha256(whole.encode()).hexdigest() in first
    assert "- Washout after an outcome: 365 days." in first
    assert "192671" in first
    assert "**[TO FILL IN: " in first


def test_a_wrong_study_is_refused_with_its_line(tmp_path: Path) -> None:
    file = write(tmp_path, STUDY.replace("washout_days: 365", "washout: 365"))
    out = tmp_path / "protocol.md"
    _, code, printed = refused("protocol", file, "-o", out)
    assert code == Code.STUDY_UNKNOWN_NAME.id
    assert "line 5, analyses[0].incidence.washout" in printed
    assert not out.exists()
