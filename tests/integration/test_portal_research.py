"""The researcher's pages over real HTTP: from a study that is written to a package that is taken out."""

from __future__ import annotations

import io
import json
import re
import time
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from enclos.app import cohorts, dictionary, drafts, permits, releases
from enclos.app.pages.study import StudyPages
from enclos.app.runs import results
from enclos.app.sql import ask
from enclos.app.tables import keep_answer
from enclos.lexicon.refusals import Refusal
from enclos.signin.model import Role
from factories.circe import concept_set, definition
from factories.enclosure import ALICE, CAROL, DAN, open_home, permit_text, run_cli
from factories.portal import Browser, Portal, portal_of
from factories.released_home import PERMIT, STUDY, released_home

BOB, OTHERS = "bob@example.org", "FR-TEST-0002"
AT = f"/research/permits/{PERMIT}"
PATIENCE = 180
"""Seconds that work of two seconds may take on a machine with much other work."""
COUNTED = "SELECT gender_concept_id, count(DISTINCT person_id) AS n FROM person GROUP BY gender_concept_id"
CIRCE = definition("ConditionOccurrence", 0, ConceptSets=[concept_set(0, 260139)])
OTHER_STUDY = STUDY.replace("ages", "other-ages")


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    home = released_home(tmp_path_factory.mktemp("research"))
    with open_home(home) as enclosure:
        permits.sign(enclosure, permit_text(OTHERS, users=(BOB,), min_count=3))
    with portal_of(home) as answering:
        yield answering


@pytest.fixture(scope="module")
def alice(portal: Portal) -> Browser:
    return portal.browser(ALICE, Role.RESEARCHER)


@pytest.fixture(scope="module")
def run(alice: Browser) -> str:
    return re.findall(rf'{AT}/runs/(\w+)">ages<', alice.get(AT).text)[0]


def test_a_permit_tells_its_runs_requests_and_versions(alice: Browser, run: str) -> None:
    page = alice.get(AT).text
    for said in (
        run[:8],
        "Requests for release",
        "has left",
        "Write a study",
        "28 days left",
        "everybody in the enclosure",
    ):
        assert said in page


def test_a_picture_is_drawn_once_for_who_looks_and_a_part_of_its_time_whenever_it_is_chosen(
    alice: Browser, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[tuple[str, int, bool]] = []

    def counted(name: str) -> None:
        draw = getattr(StudyPages, name)

        def drawing(pages: StudyPages, number: int, *, is_narrow: bool = False, **given: Any) -> Any:
            drawn.append((name, number, is_narrow))
            return draw(pages, number, is_narrow=is_narrow, **given)

        monkeypatch.setattr(StudyPages, name, drawing)

    for name in ("drawn", "live"):
        counted(name)
    pictures = [
        f"{AT}/runs/{run}/figures/0/{width}{kind}.svg" for width in ("wide", "narrow") for kind in ("", "/live")
    ]
    first, again = ([alice.get(path) for path in pictures] for _ in range(2))
    assert [each.content for each in first] == [each.content for each in again]
    assert {each.status_code for each in first} == {200} and len({each.content for each in first}) == len(first)
    once = sorted([("drawn", 0, False), ("drawn", 0, True), ("live", 0, False), ("live", 0, True)])
    assert sorted(drawn) == once
    for _ in range(2):
        assert alice.get(f"{AT}/runs/{run}/figures/0/wide/live.svg?axis=number&from=1&to=2").status_code == 200
    assert sorted(drawn) == sorted([*once, *[("live", 0, False)] * 2]), "what one person chose is not kept"
    assert alice.get(pictures[1]).content == first[1].content


def test_a_study_is_checked_and_its_faults_name_their_lines(alice: Browser) -> None:
    assert "It can run" in alice.get(f"{AT}/studies/write").text
    wrong = STUDY.replace("interval: overall", "interval: year").replace("limit:", "limitt:")
    for path in (f"{AT}/studies/write/check", f"{AT}/studies/write"):
        page = alice.post(path, {"text": wrong, "do": "check"})
        assert (page.status_code, "It cannot run yet" in page.text) == (200, True)
        assert re.findall(r'data-line="(\d+)"', page.text) == ["3", "5"]
        assert wrong.strip().splitlines()[2] in page.text.replace("&#34;", '"'), "what was written is not lost"
    part = alice.post(f"{AT}/studies/write/check", {"text": "study: ["}, **{"HX-Request": "true"})
    assert "not YAML" in part.text
    assert "<html" not in part.text


def told_by(*command: object) -> dict[str, Any]:
    """What a command tells of the permit to its user."""
    return run_cli(*command, "--permit", PERMIT, "--user", ALICE)


def test_a_study_is_kept_for_all_users_of_the_permit_and_removed(portal: Portal, alice: Browser) -> None:
    alice.get(f"{AT}/studies/write")
    kept = alice.post(f"{AT}/studies/write", {"text": OTHER_STUDY, "name": "", "do": "keep"})
    assert (kept.status_code, kept.headers["location"]) == (303, AT)
    assert "other-ages" in alice.get(AT).text
    assert "study: other-ages" in alice.get(f"{AT}/studies/write?file=other-ages").text
    folder = portal.home / "permits" / PERMIT / "studies"
    assert all(b"other-ages" not in file.read_bytes() for file in folder.iterdir())
    refused = alice.post(f"{AT}/studies/write", {"text": "x", "name": "../x", "do": "keep"})
    assert (refused.status_code, "STU-01" in refused.text) == (409, True)
    with open_home(portal.home) as enclosure:
        listed = drafts.list_all(enclosure, permit=PERMIT, user=ALICE)
    assert told_by("study-file", "list", portal.home) == {"files": listed}
    assert told_by("study-file", "show", portal.home, "other-ages")["text"].strip() == OTHER_STUDY.strip()
    alice.post(f"{AT}/studies/remove", {"file": "other-ages"})
    assert "other-ages" not in alice.get(AT).text
    assert alice.get(f"{AT}/studies/write?file=other-ages").status_code == 404


def test_a_study_runs_in_the_background_and_leads_to_its_results(alice: Browser) -> None:
    alice.get(f"{AT}/studies/write")
    begun = alice.post(f"{AT}/studies/write", {"text": OTHER_STUDY, "do": "run"})
    assert begun.status_code == 303
    work, until = begun.headers["location"], time.monotonic() + PATIENCE
    while "See what came of it" not in (page := alice.get(work).text):
        assert time.monotonic() < until, page
        time.sleep(0.3)
    to = re.findall(rf'href="({AT}/runs/\w+)"', page)[0]
    assert alice.get(work, **{"HX-Request": "true"}).headers["hx-redirect"] == to
    running, _, over = alice.get("/research/work").text.partition("What is over")
    assert "Nothing of yours runs now" in running and "other-ages" not in running and "other-ages" in over
    assert "Results of other-ages" in alice.get(to).text


def test_the_dictionary_tells_each_column_and_nothing_of_few(portal: Portal, alice: Browser) -> None:
    assert "Nothing was counted yet" in alice.get(f"{AT}/data").text
    begun = alice.post(f"{AT}/data", {}).headers["location"]
    assert f'It is being counted now. <a href="{begun}">' in alice.get(f"{AT}/data").text
    assert alice.post(f"{AT}/data", {}).headers["location"] == begun, "asked for twice, it is counted once"
    alice.get(begun)
    assert alice.post(f"{begun}/cancel", {}).status_code == 303
    with open_home(portal.home) as enclosure:
        dictionary.count(enclosure, permit=PERMIT, user=ALICE)
    whole = alice.get(f"{AT}/data").text
    assert "never told below 10" in whole
    assert 'href="?table=condition_occurrence"' in whole
    with open_home(portal.home) as enclosure:
        assert told_by("dictionary", portal.home)["dictionary"] == dictionary.show(enclosure, permit=PERMIT, user=ALICE)
    page = alice.get(f"{AT}/data?table=condition_occurrence").text
    for said in ("condition_concept_id", "Most frequent concepts of condition_concept_id", "≥ ", "The numbers"):
        assert said in page


def test_results_are_tables_and_figures_with_what_is_withheld(alice: Browser, run: str) -> None:
    page = alice.get(f"{AT}/runs/{run}").text
    for said in ("What is withheld, and why", "1. Incidence", "study: ages", "Not released"):
        assert said in page
    figures = re.findall(rf'src="{run}/(figures/\d+/wide.svg)"', page)
    assert figures
    for each in (figures[0], figures[0].replace("wide", "narrow")):
        drawn = alice.get(f"{AT}/runs/{run}/{each}")
        assert drawn.headers["content-type"] == "image/svg+xml"
        assert drawn.content.startswith(b"<svg")
    assert alice.get(f"{AT}/runs/{run}/figures/999/wide.svg").status_code == 404
    assert "Ce qui est masqué, et pourquoi" in alice.get(f"{AT}/runs/{run}?lang=fr").text
    alice.get("/research?lang=en")
    assert alice.get(f"{AT}/runs/0123456789abcdef").status_code == 404


def test_a_table_from_sql_is_a_run_like_others(portal: Portal, alice: Browser) -> None:
    text = "SELECT gender_concept_id, count(DISTINCT person_id) AS n FROM person GROUP BY gender_concept_id"
    with open_home(portal.home) as enclosure:
        kept = keep_answer(enclosure, permit=PERMIT, user=ALICE, text=text, unconfined_for_trying_out=True)
    page = alice.get(f"{AT}/runs/{kept['run']}")
    assert (page.status_code, "GROUP BY" in page.text) == (200, True)


def followed(browser: Browser, work: str, to: str) -> str:
    """The address that long work leads to when it is done."""
    until = time.monotonic() + PATIENCE
    while not (found := re.findall(rf'href="({to}/\w+)"', page := browser.get(work).text)):
        assert time.monotonic() < until, page
        time.sleep(0.3)
    return str(found[0])


def test_a_statement_is_answered_on_its_page_as_the_command_answers(portal: Portal, alice: Browser) -> None:
    text = "SELECT year_of_birth // 20 AS decades, count(DISTINCT person_id) AS n FROM person GROUP BY 1 ORDER BY 1"
    with open_home(portal.home) as enclosure:
        table = ask(enclosure, permit=PERMIT, user=ALICE, text=text).table
    place = f"{AT}/sql"
    assert re.search(r'<code data-insert data-type="\w+">condition_concept_id</code>', alice.get(place).text)
    one = alice.post(place, {"text": text, "do": "run"}).headers["location"]
    page = answered(alice, one)
    cells = re.findall(r'<td class="n">(\w+)</td>', page.partition('class="given"')[2].partition("</table>")[0])
    assert cells == [str(value) for row in table.to_pylist() for value in row.values()]
    assert "fewer than 3 persons" in page
    assert re.search(r"lignes, \d+,\d\d\ss, instantané", alice.get(f"{one}?lang=fr").text), "numbers as French has them"
    alice.get(f"{one}?lang=en")
    assert one in alice.get(place).text, "what was asked lately is there"
    assert not [file for file in portal.home.rglob("*") if file.is_file() and b"decades" in file.read_bytes()]
    assert "done" in alice.get(f"{place}/ledger").text


def answered(browser: Browser, one: str) -> str:
    until = time.monotonic() + PATIENCE
    while "every 1s" in (page := browser.get(one).text):
        assert time.monotonic() < until
        time.sleep(0.3)
    return page


def test_a_statement_that_is_refused_says_why_and_keeps_what_was_written(alice: Browser) -> None:
    place = f"{AT}/sql"
    alice.get(place)
    page = answered(alice, alice.post(place, {"text": "SELECT person_id FROM person", "do": "run"}).headers["location"])
    assert "SQL-01" in page
    assert "SELECT person_id FROM person</textarea>" in page
    kept = followed(alice, alice.post(place, {"text": COUNTED, "do": "keep"}).headers["location"], f"{AT}/runs")
    assert "GROUP BY" in alice.get(kept).text


def test_a_cohort_definition_is_refused_by_its_path_or_counted_and_saved(portal: Portal, alice: Browser) -> None:
    place = f"{AT}/cohorts"
    alice.get(place)
    wrong = {**CIRCE, "PrimaryCriteria": {**CIRCE["PrimaryCriteria"], "Foo": 1}}
    page = alice.post(place, {"name": "coughs", "text": json.dumps(wrong)})
    assert (page.status_code, "PrimaryCriteria.Foo is not known to Circe" in page.text) == (409, True)
    assert 'value="coughs"' in page.text
    assert "STU-07" in alice.post(place, {"name": "../x", "text": json.dumps(CIRCE)}).text
    assert "No cohort is saved" in alice.get(place).text
    sent = {"name": "coughs", "text": json.dumps(CIRCE), "more": ["save", "inclusion"]}
    page_of_it = alice.get(followed(alice, alice.post(place, sent).headers["location"], place)).text
    with open_home(portal.home) as enclosure:
        (told,) = cohorts.count(enclosure, permit=PERMIT, user=ALICE, texts={"coughs": json.dumps(CIRCE)})["cohorts"]
        assert cohorts.saved(enclosure, permit=PERMIT, user=ALICE) == [
            {"name": "coughs", "cohort_definition_id": 1_000_000}
        ]
    assert told_by("cohort", portal.home)["saved"] == [{"name": "coughs", "cohort_definition_id": 1_000_000}]
    numbers = re.findall(r'<th scope="row">([^<]*)</th><td class="n">(\d+)</td><td class="n">(\d+)</td>', page_of_it)
    assert numbers == [(row["reason"], str(row["n_events"]), str(row["n_persons"])) for row in told["attrition"]]
    assert "1000000" in alice.get(place).text


def test_what_was_found_about_a_run_is_kept_beside_it_and_said_again_alike(portal: Portal, run: str) -> None:
    kept = portal.home / "permits" / PERMIT / "runs" / run / "found.sealed"
    kept.unlink(missing_ok=True)
    with open_home(portal.home) as enclosure:
        (first, pages), (second, again) = (results(enclosure, permit=PERMIT, user=ALICE, run_id=run) for _ in range(2))
        assert kept.is_file()
        assert b"incidence" not in kept.read_bytes()
        assert first == second
        assert pages.contents() == again.contents()
        content = kept.read_bytes()
        kept.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        with pytest.raises(Refusal):
            results(enclosure, permit=PERMIT, user=ALICE, run_id=run)
    kept.unlink()


def test_a_result_is_checked_asked_for_answered_for_and_taken_out_once(
    portal: Portal, alice: Browser, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = f"{AT}/runs/{run}/release"
    assert 'value="incidence" checked' in alice.get(asking).text
    checked = alice.post(asking, {"tables": ["incidence"], "do": "check", "purpose": "a paper"})
    assert "What would be answered" in checked.text
    assert "a paper" in checked.text
    nothing = alice.post(asking, {"do": "ask", "purpose": "A paper on ages"})
    assert (nothing.status_code, 'id="tables-error"' in nothing.text, " checked>" in nothing.text) == (422, True, False)
    without = alice.post(asking, {"tables": ["incidence"], "do": "ask", "purpose": ""})
    assert (without.status_code, "REL-" in without.text) == (409, True)
    made = alice.post(asking, {"tables": ["incidence"], "do": "ask", "purpose": "A paper on ages"})
    request = made.headers["location"]
    assert "waits for two votes" in alice.get(request).text
    id_ = request.rpartition("/")[2]
    with open_home(portal.home) as enclosure:
        releases.ask(enclosure, id_, user=CAROL, text="Which ages?")
    assert "Which ages?" in alice.get(request).text
    alice.post(f"{request}/answer", {"question": "1", "text": "All of them"})
    assert "All of them" in alice.get(request).text
    with open_home(portal.home) as enclosure:
        releases.review(enclosure, id_, user=CAROL, accept=True, reason="Counts are fine")
    assert "Counts are fine" not in alice.get(request).text, "a first vote is blind"
    early = alice.post(f"{request}/package", {})
    assert "REL-" in early.text
    with open_home(portal.home) as enclosure:
        releases.review(enclosure, id_, user=DAN, accept=True, reason="Seen as well")
    assert "Counts are fine" in alice.get(request).text
    assert "Take the package out" in alice.get(request).text
    package = alice.post(f"{request}/package", {})
    assert package.headers["content-disposition"] == f'attachment; filename="{id_}.zip"'
    assert zipfile.ZipFile(io.BytesIO(package.content)).testzip() is None
    page = alice.get(request).text
    assert f"{ALICE} took the package out: 20" in page
    assert "Take the same file once more" in page and "Take the package out" not in page
    assert alice.post(f"{request}/package", {}).content == package.content, "it may have been lost on its way"
    monkeypatch.setattr("enclos.release.rules.life.AGAIN_MINUTES", -1)  # later
    page = alice.get(request).text
    assert "it is not given a second time" in page and f'action="{request}/package"' not in page
    assert "REL-12" in alice.post(f"{request}/package", {}).text, "once for each person"


def test_what_is_another_s_looks_like_what_is_not_there(portal: Portal, alice: Browser, run: str) -> None:
    bob = portal.browser(BOB, Role.RESEARCHER)
    request = re.findall(r"/research/releases/(\w+)", alice.get("/research/releases").text)[0]
    alice.get(f"{AT}/sql")
    statement = alice.post(f"{AT}/sql", {"text": COUNTED, "do": "run"}).headers["location"]
    alice.get(f"{AT}/studies/write")
    work = alice.post(f"{AT}/studies/write", {"text": STUDY, "do": "run"}).headers["location"]
    assert bob.get("/research").status_code == 200
    pairs = [
        (f"/research/permits/{PERMIT}", "/research/permits/FR-TEST-0009"),
        (f"/research/releases/{request}", "/research/releases/0123456789abcdef"),
        (work, "/research/work/0123456789abcdef"),
    ]
    for theirs, none in pairs:
        first, second = bob.get(theirs), bob.get(none)
        assert first.status_code == second.status_code == 404
        assert _told(first.text) == _told(second.text)
    for path in (
        f"{AT}/runs/{run}",
        f"{AT}/runs/{run}/release",
        f"{AT}/studies/write",
        f"{AT}/runs/{run}/figures/0/wide.svg",
        f"{AT}/runs/{run}/figures/0/wide/live.svg",
        f"{AT}/sql",
        f"{AT}/sql/ledger",
        f"{AT}/cohorts",
        statement,
    ):
        page = bob.get(path)
        assert page.status_code in {403, 404}, path
        assert "bronchitis" not in page.text
    bob.get("/research")
    for path in (
        f"/research/releases/{request}/package",
        f"/research/releases/{request}/answer",
        f"{work}/cancel",
        f"{statement}/cancel",
    ):
        assert bob.post(path, {"question": "1", "text": "x"}).status_code == 404
    for path in (
        f"{AT}/data",
        f"{AT}/studies/write",
        f"{AT}/studies/write/check",
        f"{AT}/studies/remove",
        f"{AT}/runs/{run}/release",
        f"{AT}/sql",
        f"{AT}/cohorts",
    ):
        sent = bob.post(path, {"text": STUDY, "do": "run", "file": "x", "purpose": "y"})
        assert (sent.status_code, "PRM-09" in sent.text) == (403, True), path
    alice.get(work)
    assert alice.post(f"{work}/cancel", {}).status_code == 303


def _told(page: str) -> list[str]:
    return re.findall(r"<strong[^>]*>([^<]*)</strong>", page)
