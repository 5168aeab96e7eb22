"""The description of the holdings from end to end: stated, counted, published, checked, and made again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from rdflib import Graph

from enclos.app.catalogue import publish_catalogue, sample_files
from enclos.app.enclosure import Enclosure
from enclos.holdings.document import draft_about
from enclos.ledger.model import Action, Outcome
from enclos.ledger.rules.acts import acts_of
from factories.enclosure import call, open_home, refused, run_cli
from factories.shapes import faults


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def stated(home: Path) -> Path:
    """An enclosure whose document about the holdings is in place."""
    (home / "catalogue.yaml").write_text(call("catalogue", home, "--draft").stdout, encoding="utf-8")
    return home


def test_what_is_published_is_valid_rounded_made_again_alike_and_tells_of_nobody(
    stated: Path, france: Path, tmp_path: Path
) -> None:
    out = tmp_path / "catalogue"
    answer = run_cli("catalogue", stated, out)
    assert (answer["persons_at_least"], answer["quality"]) == (1_500, None)
    assert answer["period"] == ["2019-01-01", "2020-12-31"]
    made = contents(out)
    assert sorted(made) == answer["files"]
    for name in ("catalogue.ttl", "dataset.ttl"):
        assert faults(Graph().parse(data=made[name].decode(), format="turtle")) == []
    assert run_cli("catalogue", stated, out)["content"] == answer["content"]
    assert contents(out) == made
    assert contents(out / "sample") == sample_files()
    everything = b"\n".join(made.values())
    identities = pq.read_table(france / "truth" / "identities.parquet").to_pylist()
    values = {str(value).encode() for row in identities for value in row.values() if len(str(value)) >= 13}
    assert len(values) > 1_000
    assert not [value for value in values if value in everything]
    with open_home(stated) as enclosure:
        acts = [act for act in acts_of(enclosure.ledger.entries()) if act.action is Action.CATALOGUE]
    assert [(act.outcome, act.facts["content"], act.facts["sample"]) for act in acts] == [
        (Outcome.DONE, answer["content"], answer["sample"])
    ] * 2


def test_the_sample_is_the_same_for_other_data_and_for_none(south: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "south"
    shutil.copytree(south, elsewhere)
    (elsewhere / "catalogue.yaml").write_text(draft_about(), encoding="utf-8")
    with open_home(elsewhere) as enclosure:
        there = publish_catalogue(enclosure, tmp_path / "there")
    assert there["persons_at_least"] == 250
    again = run_cli("sample", tmp_path / "again")
    assert there["sample"] == again["sample"]
    assert contents(tmp_path / "there" / "sample") == contents(tmp_path / "again") == sample_files()


def judged(enclosure: Enclosure, snapshot: int) -> None:
    """Write into the ledger what checks would have said."""
    facts = {"snapshot": snapshot, "cdm": "5.4", "checks": 30, "passed": 20, "failed": 1, "not_applicable": 9}
    with enclosure.ledger.intent(Action.QUALITY, enclosure.operator, None, facts):
        pass


def test_what_the_checks_said_is_told_as_the_ledger_has_it(stated: Path, tmp_path: Path) -> None:
    with open_home(stated) as enclosure:
        snapshot = publish_catalogue(enclosure)["snapshot"]
        judged(enclosure, snapshot + 1)
        assert publish_catalogue(enclosure)["quality"] is None
        judged(enclosure, snapshot)
        assert publish_catalogue(enclosure, tmp_path / "out")["quality"] == {"passed": 20, "failed": 1}
    assert b"20 passed of 21 that apply" in (tmp_path / "out" / "dataset.ttl").read_bytes()


def test_nothing_is_published_without_a_document_by_a_stranger_or_over_other_things(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert refused("catalogue", home, out)[:2] == (4, "HLD-01")
    broken = tmp_path / "about.yaml"
    broken.write_text(draft_about().replace("health_categories: [HRAD, EHRS]", "health_categories: [X]"))
    assert refused("catalogue", home, out, "--about", broken)[:2] == (4, "HLD-01")
    done = call("catalogue", home, out, ENCLOS_PASSPHRASE="another passphrase")
    assert (done.returncode, "ENC-06" in done.stderr) == (3, True)
    assert not out.exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    assert refused("catalogue", home, tmp_path / "mine")[:2] == (4, "HLD-03")
    assert refused("sample", tmp_path / "mine")[:2] == (4, "HLD-03")
    assert contents(tmp_path / "mine") == {"thesis.txt": b"years of work"}


def test_the_register_carries_the_description_and_links_it(stated: Path, tmp_path: Path) -> None:
    out = tmp_path / "register"
    run_cli("register", stated, out, "--catalogue")
    for language in ("en", "fr"):
        assert f'href="catalogue/{language}.html"' in (out / f"{language}.html").read_text(encoding="utf-8")
        assert (out / "catalogue" / f"{language}.html").is_file()
    assert faults(Graph().parse(out / "catalogue" / "dataset.ttl")) == []
    run_cli("register", stated, out)
    assert "catalogue/" not in (out / "en.html").read_text(encoding="utf-8")
