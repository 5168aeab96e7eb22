"""Quality on a real, encrypted lake: judged, written, compared with the snapshot before, and told to the ledger."""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from enclos.app.enclosure import Enclosure, create_enclosure
from enclos.app.handed import page_to, written_to
from enclos.app.ledger import show_last
from enclos.app.pages.words import Language
from enclos.app.profile import profile_snapshot, tables_to
from enclos.app.quality import RESULTS, judge_quality
from enclos.contracts.omop import OMOP_53_NAMES, PERSON_TABLES, omop_tables
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.lexicon.refusals import NotAsPromised
from enclos.stores.engine import Engine
from enclos.stores.lake import attach_lake
from enclos.warehouse.quality.steps import run_quality
from factories.dirty_cdm import as_relations, composed, small_cdm
from factories.enclosure import PASSPHRASE, open_home
from oracle.quality import Cdm, count_all

HELD = set(omop_tables()) - {"cost", "note_nlp", "metadata", "cohort", "cohort_definition"}
PARTLY_MADE = {"concept", "concept_ancestor"}
"""The factory makes only the columns that checks look up; the lake has them all."""


@pytest.fixture
def enclosure(tmp_path: Path) -> Iterator[Enclosure]:
    create_enclosure(tmp_path / "home", passphrase=PASSPHRASE, buckets=4)
    with open_home(tmp_path / "home") as opened:
        yield opened


def build(enclosure: Enclosure, cdm: Cdm) -> int:
    """Commit the tables as a build would."""
    catalog = enclosure.keys.secret(KeyName(KeyRole.CATALOG))
    with enclosure.engine() as engine, as_relations(engine, cdm, "5.4") as relation:
        lake = attach_lake(engine, enclosure.paths.catalog, enclosure.paths.lake, catalog)
        lake.begin()
        for table in cdm:
            insert(engine, lake.create(omop_tables()[table], by_bucket=table in PERSON_TABLES), table, relation(table))
        return lake.commit({"n_buckets": 4, "tables": {table: len(rows) for table, rows in cdm.items()}})


def insert(engine: Engine, name: str, table: str, relation: str | None) -> None:
    bucket = "coalesce(abs(person_id) % 4, 0) AS bucket, " if table in PERSON_TABLES else ""
    engine.execute(f"INSERT INTO {name} BY NAME SELECT {bucket}* FROM {relation}")


def dirty(seed: int) -> Cdm:
    return {table: rows for table, rows in small_cdm(seed, 8, "5.4").items() if table in HELD}


def test_a_snapshot_is_judged_and_told(enclosure: Enclosure, tmp_path: Path) -> None:
    cdm = dirty(3)
    built = build(enclosure, cdm)
    out = tmp_path / "results.json"
    answer = judge_quality(enclosure, keep=written_to({RESULTS: out}))
    assert answer["snapshot"] == built
    assert answer["checks"] == answer["passed"] + answer["failed"] + answer["not_applicable"] == 2536
    results = json.loads(out.read_text(encoding="utf-8"))["CheckResults"]
    assert Counter(result["failed"] for result in results)[1] == answer["failed"] == len(answer["failing"])
    today = enclosure.ledger.now().date()
    slow = count_all(cdm, "5.4", today)
    written = {result["checkId"]: (result["numViolatedRows"], result["numDenominatorRows"]) for result in results}
    for (check, table, field, concepts), counts in slow.items():
        if not concepts and table in cdm and table not in PARTLY_MADE:
            level = "field" if field else "table"
            name = "_".join(part for part in (level, check, table, field) if part).lower()
            assert written[name] == counts, name
    last = show_last(enclosure, 3)
    assert "quality" in json.dumps(last, default=str)


def test_a_snapshot_is_judged_the_same_some_buckets_at_a_time(enclosure: Enclosure) -> None:
    """Also where a number is in two buckets, and where a row names one of another bucket."""
    build(enclosure, composed(dirty(3), "5.4"))
    with enclosure.reading_data(), enclosure.engine() as engine:
        snapshot = enclosure.lake(engine).snapshot()
        whole, parts = (
            run_quality(
                engine,
                lambda table: snapshot.relation(table) if table in snapshot.tables else None,
                cdm_version="5.4",
                checked_on=enclosure.ledger.now().date(),
                french=True,
                n_buckets=snapshot.n_buckets,
                keys_per_part=keys,
            )
            for keys in (1000, 1)
        )
    assert parts.results == whole.results
    assert parts.marginals == whole.marginals
    assert parts.n_scans > 2 * whole.n_scans


def test_a_snapshot_is_judged_by_the_older_list_with_older_names(enclosure: Enclosure, tmp_path: Path) -> None:
    cdm = dirty(5)
    build(enclosure, cdm)
    out = tmp_path / "results.json"
    assert judge_quality(enclosure, keep=written_to({RESULTS: out}), cdm_version="5.3")["cdm"] == "5.3"
    document = json.loads(out.read_text(encoding="utf-8"))
    written = {r["checkId"]: (r["numViolatedRows"], r["numDenominatorRows"]) for r in document["CheckResults"]}
    older = {table: {new: old for old, new in names.items()} for table, names in OMOP_53_NAMES.items()}
    renamed = {
        table: [{older.get(table, {}).get(name, name): value for name, value in row.items()} for row in rows]
        for table, rows in cdm.items()
    }
    slow = count_all(renamed, "5.3", enclosure.ledger.now().date())
    asked = {key: n for key, n in slow.items() if not key[3] and key[1] in OMOP_53_NAMES and key[2]}
    assert {("cdmField", table, old, "") for table, names in OMOP_53_NAMES.items() for old in names} <= asked.keys()
    for (check, table, field, _), counts in asked.items():
        assert written[f"field_{check}_{table}_{field}".lower()] == counts, (check, table, field)


def test_drift_is_told_between_two_snapshots(enclosure: Enclosure) -> None:
    cdm = dirty(3)
    first = build(enclosure, cdm)
    assert judge_quality(enclosure, against=first)["drift"] == []
    build(enclosure, cdm | {"visit_occurrence": cdm["visit_occurrence"] * 2})
    moved = judge_quality(enclosure, against=first)["drift"]
    assert [(drift["table"], drift["concept_id"], drift["change"]) for drift in moved] == [
        ("visit_occurrence", None, 1)
    ]


@pytest.mark.parametrize(
    ("language", "title", "verdict"),
    [
        (Language.EN, "Quality of snapshot", "not applicable"),
        (Language.FR, "Qualité de l&#39;instantané", "sans objet"),
    ],
)
def test_the_pages_are_whole_and_ask_for_nothing(
    enclosure: Enclosure, tmp_path: Path, language: Language, title: str, verdict: str
) -> None:
    cdm = dirty(6)
    first = build(enclosure, cdm)
    answer = judge_quality(enclosure, against=first, keep=written_to(page_to(tmp_path / "q.html", language)))
    profile_snapshot(enclosure, keep=written_to(page_to(tmp_path / "p.html", language)))
    for name in ("q.html", "p.html"):
        html = (tmp_path / name).read_text(encoding="utf-8")
        asked = [link for link in re.findall(r"https?://[^\"' <]+", html) if not link.startswith("http://www.w3.org/")]
        assert asked == []
        assert "<script" not in html
        assert f'<html lang="{language.value}">' in html
        # every picture is there for wide and for narrow screens
        assert html.count('<figure class="wide">') == html.count('<figure class="narrow">') > 0
        assert html.count("<svg") == 2 * html.count('<figure class="wide">')
    quality = (tmp_path / "q.html").read_text(encoding="utf-8")
    assert title in quality
    assert verdict in quality
    assert len(answer["failing"]) >= 1
    assert quality.count('<th scope="row" class="text">') >= min(200, len(answer["failing"]))


def test_without_a_build_there_is_nothing_to_judge(enclosure: Enclosure) -> None:
    with pytest.raises(NotAsPromised) as caught:
        judge_quality(enclosure)
    assert caught.value.code is Code.LAKE_EMPTY


def test_a_snapshot_is_profiled_and_told(enclosure: Enclosure, tmp_path: Path) -> None:
    cdm = dirty(4)
    cdm["person"] = list({row["person_id"]: row for row in cdm["person"]}.values())
    built = build(enclosure, cdm)
    answer = profile_snapshot(enclosure, keep=written_to(tables_to(tmp_path / "profile")))
    assert answer["snapshot"] == built
    named = {analysis["analysis_id"]: analysis for analysis in answer["analyses"]}
    assert named[2]["strata"] == ["gender_concept_id"]
    by_sex = {row["stratum_1"]: row["count_value"] for row in named[2]["rows"]}
    wanted = Counter(row["gender_concept_id"] for row in cdm["person"] if row["person_id"] is not None)
    assert by_sex == {None if sex is None else str(sex): n for sex, n in wanted.items()}
    with (tmp_path / "profile" / "achilles_results.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    with (tmp_path / "profile" / "achilles_results_dist.csv").open(encoding="utf-8") as lines:
        rows += list(csv.DictReader(lines))
    assert len(rows) == answer["rows"]
    assert {int(row["analysis_id"]) for row in rows} <= named.keys()
    assert "profile" in json.dumps(show_last(enclosure, 3), default=str)
