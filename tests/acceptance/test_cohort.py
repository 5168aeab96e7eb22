"""Circe definitions by the commands that a person types: counts with a floor, and cohorts of studies."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from enclos.app.cohorts import count
from enclos.app.permits import active, newest, open_one, perimeter_of, permit_key, revoke, sign
from enclos.app.python import OpenPermit
from enclos.app.runs import run_files
from enclos.app.snapshots import reading_snapshot
from enclos.app.sql import ask
from enclos.app.studies import run as run_study
from enclos.app.studies import whole_study
from enclos.contracts.result import result_csv
from enclos.contracts.view import InCohort
from enclos.ledger.model import Action, Kind
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAllowed, NotAsPromised
from enclos.stores.cohort_file import CohortFile
from enclos.studies.circe import circe_rows
from enclos.studies.circe.kept import Kept
from enclos.studies.document import study_from_yaml
from enclos.studies.steps import cohort_table
from enclos.views.steps import PermitCdm
from factories.built_in import OUTCOMES, built_in, write_tables
from factories.circe import concept_set, definition
from factories.enclosure import ALICE, open_home, permit_text, refused, run_cli
from oracle.derived import first_persons, matches
from oracle.histories import Cohort, History, spells

PERMIT, WIDE = "FR-TEST-0001", "{start: 1900-01-01, end: 2030-01-01}"
BLEED, COUGH = OUTCOMES["gibleed"], OUTCOMES["bronchitis"]
CANARY = 987654321
"""A concept that stands in a definition and nowhere else."""


def circe(*, rules: list[dict[str, Any]] | None = None, **more: Any) -> str:
    """Persons from each bleed to the day after it, with inclusion rules."""
    document = definition("ConditionOccurrence", 0, InclusionRules=rules or [], **more)
    document["ConceptSets"] = [concept_set(0, BLEED), concept_set(1, COUGH), concept_set(2, CANARY)]
    document["EndStrategy"] = {"DateOffset": {"DateField": "StartDate", "Offset": 1}}
    return json.dumps(document)


def soon(codeset: int, days: int, name: str) -> dict[str, Any]:
    """A rule: a record of a concept set within so many days after."""
    window = {"Start": {"Days": 0, "Coeff": -1}, "End": {"Days": days, "Coeff": 1}}
    criterion = {"Criteria": {"ConditionOccurrence": {"CodesetId": codeset}}, "StartWindow": window}
    counted = {**criterion, "Occurrence": {"Type": 2, "Count": 1}}
    return {"name": name, "expression": {"Type": "ALL", "CriteriaList": [counted]}}


def housed() -> list[History]:
    """The forty persons, each in one of three departments; nobody knows where the last one lives."""
    *some, last = built_in()
    return [*(replace(each, department=74 + n % 3) for n, each in enumerate(some)), last]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cohort")
    write_tables(folder / "delivery", housed())
    home = folder / "home"
    run_cli("init", home, "--min-count-floor", "5", "--buckets", "3")
    run_cli("delivery", "make", folder / "delivery", "--kind", "omop", "--source", "gibleed")
    run_cli("ingest", home, folder / "delivery")
    run_cli("build", home)
    permit = folder / "permit.yaml"
    permit.write_text(permit_text(PERMIT, period=WIDE, min_count=5), encoding="utf-8")
    run_cli("permit", "sign", home, permit)
    run_cli("permit", "open", home, PERMIT)
    (folder / "bleed.json").write_text(circe(), encoding="utf-8")
    rules = [soon(1, 30, "bronchitis soon"), soon(2, 1, "a canary")]
    (folder / "ruled.json").write_text(circe(rules=rules), encoding="utf-8-sig")  # as editors of Windows write
    return home


def having(concept: int) -> set[int]:
    """The persons of the forty with a record of a concept while they are observed."""
    return {
        each.person_id
        for each in built_in()
        for record in each.records
        if record.concept_id == concept and any(start <= record.start_on <= end for start, end in each.periods)
    }


def soon_after(days: int) -> set[int]:
    """The persons with bronchitis so soon after a bleed of the same time observed."""
    found = set()
    for each in built_in():
        for start, end in each.periods:
            within = [record for record in each.records if start <= record.start_on <= end]
            bleeds = [record.start_on for record in within if record.concept_id == BLEED]
            coughs = [record.start_on for record in within if record.concept_id == COUGH]
            if any(0 <= (cough - bleed).days <= days for bleed in bleeds for cough in coughs):
                found.add(each.person_id)
    return found


def cohort(home: Path, *files: str, user: str = ALICE) -> dict[str, Any]:
    texts = {Path(file).stem: (home.parent / file).read_text(encoding="utf-8") for file in files}
    with open_home(home) as enclosure:
        return count(enclosure, permit=PERMIT, user=user, texts=texts)


def test_persons_are_counted_after_each_rule_and_few_persons_are_not_shown(home: Path) -> None:
    files = (home.parent / "bleed.json", home.parent / "ruled.json")
    answer = run_cli("cohort", home, "--permit", PERMIT, "--user", ALICE, "--circe", *files)
    bleed, ruled = answer["cohorts"]
    assert (bleed["name"], bleed["n_persons"]) == ("bleed", len(having(BLEED)))
    assert [step["reason"] for step in ruled["attrition"]] == ["entry events", "bronchitis soon", "a canary"]
    n_soon = len(soon_after(30))
    assert 5 <= n_soon <= len(having(BLEED)) - 5
    assert [step["n_persons"] for step in ruled["attrition"]] == [len(having(BLEED)), n_soon, None]
    assert ruled["n_persons"] is None
    assert cohort(home, "ruled.json")["cohorts"][0]["attrition"] == ruled["attrition"]
    spread = run_cli("cohort", home, "--permit", PERMIT, "--user", ALICE, "--workers", 2, "--circe", *files)
    assert spread["cohorts"] == answer["cohorts"]


def test_a_cohort_that_differs_by_few_persons_from_one_that_was_shown_is_not_shown(home: Path) -> None:
    assert cohort(home, "bleed.json")["cohorts"][0]["n_persons"] == len(having(BLEED))
    assert 0 < len(having(BLEED) - soon_after(105)) < 5
    file = home.parent / "nearly.json"
    file.write_text(circe(rules=[soon(1, 105, "nearly all")]), encoding="utf-8")
    assert cohort(home, "nearly.json")["cohorts"][0]["n_persons"] is None


def test_definitions_asked_one_after_the_other_from_python_count_as_by_the_command(home: Path) -> None:
    texts = [{name: (home.parent / f"{name}.json").read_text(encoding="utf-8")} for name in ("bleed", "ruled")]
    with open_home(home) as enclosure:
        session = OpenPermit(enclosure, PERMIT, ALICE, unconfined_for_trying_out=False)
        found = [session.cohorts(each) for each in (*texts, *texts)]
        kept = session._kept
        assert kept.n_bytes > 0
        with pytest.raises(NotAsPromised):
            session.cohorts({"wrong": "{}"})
        assert kept.n_bytes == 0
    assert found == [cohort(home, f"{name}.json")["cohorts"] for name in ("bleed", "ruled")] * 2


def test_what_is_kept_for_the_next_definition_never_outlives_what_the_permit_shows(home: Path) -> None:
    texts, kept = {"bleed": circe(), "ruled": circe(rules=[soon(1, 30, "soon")])}, Kept(1 << 24)
    with open_home(home) as enclosure, reading_snapshot(enclosure) as (engine, snapshot):
        terms = active(enclosure, PERMIT, ALICE).permit.terms
        perimeter = perimeter_of(enclosure, PERMIT, engine, snapshot)

        def rows(
            opted_out: tuple[int, ...] = (), kept: Kept | None = None, lineage: str = "1 a"
        ) -> list[dict[str, Any]]:
            cdm = PermitCdm(
                terms,
                name="kept",
                engine=engine,
                snapshot=snapshot,
                perimeter=perimeter,
                opted_out=opted_out,
                check=lambda: None,
                lineage=lineage,
            )
            return circe_rows(texts, cdm, kept=kept).to_pylist()

        everyone = rows()
        numbers = perimeter.rows().to_pylist()
        bleeding = everyone[0]["subject_id"]
        (objecting,) = (each["person_id"] for each in numbers if each["permit_person"] == bleeding)
        others = rows((objecting,))
        assert 0 < len(others) < len(everyone) and bleeding not in {each["subject_id"] for each in others}
        for opted_out, expected in (((), everyone), ((objecting,), others), ((), everyone)):
            assert rows(opted_out, kept) == rows(opted_out, kept) == rows(opted_out, kept, "1 b") == expected
            assert kept.n_bytes > 0


def test_a_study_of_a_circe_cohort_counts_as_that_of_its_concept(home: Path) -> None:
    study = home.parent / "study.yaml"
    analyses = (
        "analyses:\n  - incidence: {outcome: X, interval: [years, overall], washout_days: 30, repeated_events: true}\n"
    )
    concepts = f"{{concepts: [{BLEED}], domain: condition, limit: all, end: {{days: 1}}}}"
    found = []
    for form in ("{circe: bleed.json}", concepts):
        study.write_text(f"study: two\ncohorts:\n  bleed: {form}\n{analyses.replace('X', 'bleed')}", encoding="utf-8")
        whole = whole_study(study.read_text(encoding="utf-8"), lambda name: (home.parent / name).read_text("utf-8"))
        with open_home(home) as enclosure:
            run = run_study(enclosure, permit=PERMIT, user=ALICE, text=whole)["run"]
            kept = run_files(enclosure, PERMIT).read(run)
            study.write_text(study.read_text("utf-8"), encoding="utf-8-sig")  # as editors of Windows do
            again = OpenPermit(enclosure, PERMIT, ALICE, unconfined_for_trying_out=False).study(study)
        assert (again["run"], again["already"]) == (run, True)
        assert ("gibleed" in kept.study) is False
        assert ('"PrimaryCriteria' in kept.study.replace("\\", "")) is (form != concepts)
        rows = list(csv.DictReader(io.StringIO(result_csv(kept.result.table, kept.result.settings).decode())))
        found.append([row for row in rows if row["variable_name"] != "settings"])
    assert len(found[0]) > 50
    assert found[0] == found[1]


def test_a_study_whose_definition_is_missing_or_wrong_is_refused(home: Path) -> None:
    study = home.parent / "wrong.yaml"
    (home.parent / "wrong.json").write_text('{"PrimaryCriteria": {"CriteriaList": [{"Dead": {}}]}}', encoding="utf-8")
    text = "study: s\ncohorts:\n  c: {circe: wrong.json}\nanalyses:\n  - incidence: {outcome: c}\n"
    study.write_text(text, encoding="utf-8")
    number, code, said = refused("study", home, study, "--permit", PERMIT, "--user", ALICE)
    assert (number, code) == (4, "STU-03")
    assert "line 3, cohorts.c.circe" in said and "PrimaryCriteria.CriteriaList[0].Dead" in said
    with pytest.raises(NotAsPromised, match=r"Cohort wrong: .*PrimaryCriteria\.CriteriaList\[0\]\.Dead") as caught:
        cohort(home, "wrong.json")
    assert caught.value.code is Code.CIRCE_INVALID


def test_who_is_not_named_by_the_permit_makes_no_cohort(home: Path) -> None:
    with pytest.raises(NotAllowed):
        cohort(home, "bleed.json", user="eve@example.org")


def test_the_ledger_has_every_cohort_with_the_hash_of_its_definition(home: Path) -> None:
    digest = cohort(home, "bleed.json")["cohorts"][0]["digest"]
    with open_home(home) as enclosure:
        entries = [entry for _, entry in enclosure.ledger.entries() if entry.action is Action.COHORT]
    intent = [entry for entry in entries if entry.kind is Kind.INTENT][-1]
    assert digest in str(intent.facts["definitions"])
    assert {str(CANARY)} & {word for entry in entries for word in str(entry.facts)} == set()


def test_a_permit_can_let_in_those_whom_a_definition_finds(home: Path) -> None:
    permit, start, end = "FR-TEST-0003", date(2016, 1, 1), date(2016, 7, 1)
    period = f"{{start: {start}, end: {end}}}"
    file = home.parent / "of-cohort.yaml"
    text = permit_text(permit, period=period, min_count=5, population="{circe: bleed.json}")
    file.write_text(text, encoding="utf-8")
    run_cli("permit", "sign", home, file)
    found = {
        each.person_id
        for each in built_in()
        for first, last in each.periods
        for record in each.records
        if record.concept_id == BLEED
        and first <= record.start_on <= last
        and start - timedelta(days=min(1, (last - record.start_on).days)) <= record.start_on < end
    }
    assert 0 < len(found) < 40
    with open_home(home) as enclosure:
        assert newest(enclosure, permit).permit.terms.population == InCohort(circe())
        assert open_one(enclosure, permit)["n_persons"] == len(found)
        # Persons of the cohort only, with their rows of the period.
        told = count(enclosure, permit=permit, user=ALICE, texts={"bleed": circe()})["cohorts"][0]["n_persons"]
        assert told is not None and told <= len(found)
        wrong = text.replace("FR-TEST-0003", "FR-TEST-0004").replace("{circe: bleed.json}", """{circe: '{"a": 1}'}""")
        with pytest.raises(NotAsPromised, match="a is not known to Circe"):
            sign(enclosure, wrong)


def test_the_first_use_after_a_permits_end_takes_its_saved_cohorts_away(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    permit = "FR-TEST-0005"
    with open_home(home) as enclosure:
        signed = sign(enclosure, permit_text(permit, period=WIDE, min_count=5))
        file = CohortFile(enclosure.paths.permits / permit, enclosure.keys.secret(permit_key(permit)))
        file.replace({"a": file.rows().drop_columns(["cohort_definition_id"])}, {"a": circe()})
        path = enclosure.paths.permits / permit / "cohorts" / "saved.sealed"
        assert active(enclosure, permit, ALICE).permit.id == permit and path.exists()
        end = datetime.fromisoformat(signed["valid_until"])
        monkeypatch.setattr(type(enclosure.ledger), "now", lambda _: end)
        with pytest.raises(NotAllowed) as caught:
            active(enclosure, permit, ALICE)
        assert caught.value.code is Code.PERMIT_EXPIRED and not path.exists()
        monkeypatch.undo()


def test_matches_are_drawn_through_a_permit_as_the_slow_oracle_draws_them(home: Path) -> None:
    text = f"""
study: drawn
cohorts:
  bleed: {{concepts: [{BLEED}], domain: condition, limit: all, end: {{days: 1}}}}
  few: {{sampled: {{cohort: bleed, number: 8, seed: 3}}}}
  alike: {{matched: {{cohort: few, traits: [sex, department], ratio: 2, seed: 4}}}}
analyses:
  - incidence: {{outcome: alike}}
"""
    study = study_from_yaml(text)
    with open_home(home) as enclosure, reading_snapshot(enclosure) as (engine, snapshot):
        terms = active(enclosure, PERMIT, ALICE).permit.terms
        perimeter = perimeter_of(enclosure, PERMIT, engine, snapshot)
        cdm = PermitCdm(
            terms,
            name="drawn",
            engine=engine,
            snapshot=snapshot,
            perimeter=perimeter,
            opted_out=(),
            check=lambda: None,
        )
        rows = cohort_table(study, cdm).to_pylist()
        number: dict[int, int] = {}
        for each in cdm.buckets:
            with cdm.bucket(each) as bucket:
                known = bucket.query("SELECT year_of_birth, person_id FROM person").to_pylist()
                number.update((row["year_of_birth"], row["person_id"]) for row in known)
    # Each of the forty was born in a year of their own: so the permit's number of each is known here.
    people = [replace(each, person_id=number[each.born[0] or 0]) for each in housed()]
    bleed = Cohort("bleed", frozenset({BLEED}), False, 1)
    entries = {each.person_id: spells(each, bleed) for each in people}
    few = first_persons([person for person, own in entries.items() if own], 8, 3)
    drawn = {person: own for person, own in entries.items() if person in few}
    pairs = matches(people, drawn, ("sex", "department"), 2, 4)
    for name, expected in (
        ("few", sorted((person, *entry) for person, own in drawn.items() for entry in own)),
        ("alike", sorted((other, *stretch) for _, _, other, stretch in pairs)),
    ):
        found = [
            (row["subject_id"], row["cohort_start_date"], row["cohort_end_date"])
            for row in rows
            if row["cohort_name"] == name
        ]
        assert sorted(found) == expected
    assert len(few) == 8 and len(pairs) > 8


def test_saved_rows_are_a_table_of_the_permits_own_sql_until_it_ends(home: Path) -> None:
    """It ends a permit of its own."""
    other = "FR-TEST-0002"
    (home.parent / "other.yaml").write_text(
        permit_text(other, period=WIDE, min_count=5).replace("access: aggregates", "access: rows"), encoding="utf-8"
    )
    texts = {"7": circe(), "ruled": circe(rules=[soon(1, 30, "soon")])}
    with open_home(home) as enclosure:
        sign(enclosure, (home.parent / "other.yaml").read_text(encoding="utf-8"))
        open_one(enclosure, other)
        saved = count(enclosure, permit=other, user=ALICE, texts=texts, save=True)["cohorts"]
        assert [(each["name"], each["cohort_definition_id"]) for each in saved] == [("7", 7), ("ruled", 1_000_000)]

        def asked(text: str, permit: str = other) -> list[dict[str, Any]]:
            return ask(
                enclosure, permit=permit, user=ALICE, text=text, unconfined_for_trying_out=True
            ).table.to_pylist()

        n_persons = (
            "SELECT cohort_definition_id AS id, count(DISTINCT subject_id) AS n FROM cohort GROUP BY 1 ORDER BY 1"
        )
        assert asked(n_persons) == [
            {"id": 7, "n": len(having(BLEED))},
            {"id": 1_000_000, "n": len(soon_after(30))},
        ]
        joined = "SELECT count(DISTINCT person_id) AS n FROM cohort JOIN condition_occurrence USING (person_id)"
        assert asked(joined) == [{"n": len(having(BLEED))}]
        # Without the right to exact days, a saved day shows as its month, as every day does.
        assert asked("SELECT count(*) AS n FROM cohort WHERE day(cohort_start_date) <> 1") == [{"n": 0}]
        # The same name is replaced, the other one stays; another permit sees nothing of either.
        count(enclosure, permit=other, user=ALICE, texts={"7": texts["ruled"]}, save=True)
        assert asked(n_persons) == [{"id": number, "n": len(soon_after(30))} for number in (7, 1_000_000)]
        assert asked("SELECT count(DISTINCT person_id) AS n FROM cohort", PERMIT) in ([], [{"n": None}])
        count(enclosure, permit=PERMIT, user=ALICE, texts={"7": texts["7"]}, save=True)
        assert asked("SELECT count(DISTINCT person_id) AS n FROM cohort", PERMIT) == [{"n": len(having(BLEED))}]

        file = enclosure.paths.permits / other / "cohorts" / "saved.sealed"
        assert b"PAR1" not in file.read_bytes()
        entries = [entry for _, entry in enclosure.ledger.entries() if entry.action is Action.COHORT]
        assert [entry.facts["saved"] for entry in entries if "saved" in entry.facts] == [[7, 1_000_000], [7], [7]]
        revoke(enclosure, other, reason="a test")
        assert not file.exists()
        with pytest.raises(NotAllowed):
            asked(n_persons)


def test_a_study_reads_a_saved_cohort_by_its_name_and_keeps_its_definition(home: Path) -> None:
    text = "study: s\ncohorts:\n  c: {saved: NAME}\nanalyses:\n  - incidence: {outcome: c, interval: overall}\n"
    written = circe(rules=[soon(1, 30, "soon")])
    with open_home(home) as enclosure:
        count(enclosure, permit=PERMIT, user=ALICE, texts={"kept one": written}, save=True)
        saved = run_study(enclosure, permit=PERMIT, user=ALICE, text=text.replace("NAME", "kept one"))
        kept = run_files(enclosure, PERMIT).read(saved["run"])
        of_file = whole_study(text.replace("saved: NAME", "circe: file.json"), lambda _: written)
        assert kept.study == of_file
        *_, ended = [entry for _, entry in enclosure.ledger.entries() if entry.action is Action.STUDY]
        assert ended.facts["study"] == sha256(of_file.encode("utf-8")).hexdigest()
        assert run_study(enclosure, permit=PERMIT, user=ALICE, text=of_file)["run"] == saved["run"]
        with pytest.raises(NotAsPromised) as caught:
            run_study(enclosure, permit=PERMIT, user=ALICE, text=text.replace("NAME", "another"))
    assert caught.value.code is Code.STUDY_UNKNOWN_NAME
    assert "line 3, cohorts.c.saved: the permit has no saved cohort of that name" in str(caught.value)


def passing(*days: int) -> tuple[Counter[str], Counter[str]]:
    """Of the bleeds of the forty: how many pass which rules of bronchitis so soon, and of persons, by their best."""
    events, persons = Counter[str](), Counter[str]()
    for each in built_in():
        own = []
        for start, end in each.periods:
            within = [record for record in each.records if start <= record.start_on <= end]
            coughs = [record.start_on for record in within if record.concept_id == COUGH]
            bleeds = [record.start_on for record in within if record.concept_id == BLEED]
            own += [
                "".join("01"[any(0 <= (cough - bleed).days <= n for cough in coughs)] for n in days) for bleed in bleeds
            ]
        events.update(own)
        persons.update(sorted(own, key=lambda passed: (-passed.count("1"), passed.find("1")))[:1])
    return events, persons


def test_atlas_report_of_rules_counts_events_and_persons_by_their_best(home: Path) -> None:
    permit = "FR-TEST-0006"
    (home.parent / "soon.json").write_text(circe(rules=[soon(1, 30, "soon")]), encoding="utf-8")
    (home.parent / "later.json").write_text(circe(rules=[soon(1, 30, "soon"), soon(1, 105, "later")]), encoding="utf-8")
    with open_home(home) as enclosure:
        sign(enclosure, permit_text(permit, period=WIDE, min_count=5))
        open_one(enclosure, permit)
    asked = ("cohort", home, "--permit", permit, "--user", ALICE, "--circe")
    (told,) = run_cli(*asked, home.parent / "soon.json", "--inclusion")["cohorts"]
    events, persons = passing(30)
    assert min(persons.values()) >= 5 and events["1"] > persons["1"]
    assert told["inclusion"] == [
        {"passed": passed, "n_persons": persons[passed], "n_events": events[passed]} for passed in ("1", "0")
    ]
    assert [(step["n_persons"], step["n_events"]) for step in told["attrition"]] == [
        (len(having(BLEED)), events.total()),
        (persons["1"], events["1"]),
    ]

    (told,) = run_cli(*asked, home.parent / "later.json", "--inclusion")["cohorts"]
    events, persons = passing(30, 105)
    assert 0 < persons["00"] < 5
    found = {row["passed"]: row for row in told["inclusion"]}
    assert found["11"]["n_persons"] == persons["11"]
    assert found.get("00", {"n_persons": None})["n_persons"] is None
    (told,) = run_cli(*asked, home.parent / "soon.json")["cohorts"]
    assert "inclusion" not in told
