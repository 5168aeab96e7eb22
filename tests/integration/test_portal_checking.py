"""The checker's pages over real HTTP: the queue, the evidence, the picture of what left, questions, and a vote."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from enclos.app import looks, releases
from enclos.lexicon.codes import Code
from enclos.signin.model import Role
from factories.asked_home import CAROL, DAN, ERIN, AskedHome, ask, asked_home
from factories.enclosure import ALICE, open_home
from factories.portal import Portal, portal_of
from factories.results import crowd, result_of

PAGES = ("/check", "/check/voted", "/check/waits")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> AskedHome:
    return asked_home(tmp_path_factory.mktemp("checking"))


@pytest.fixture(scope="module")
def portal(made: AskedHome) -> Iterator[Portal]:
    with portal_of(made.home) as answering:
        yield answering


def test_a_queue_has_what_waits_and_nothing_of_one_s_own_project(portal: Portal, made: AskedHome) -> None:
    erin = portal.browser(ERIN, Role.CHECKER).get("/check").text
    assert f"/check/{made.waits}" in erin and f"/check/{made.own}" in erin
    assert made.left in portal.browser(ERIN, Role.CHECKER).get("/check/voted").text
    carol = portal.browser(CAROL, Role.CHECKER).get("/check").text
    assert f"/check/{made.waits}" in carol and made.own not in carol
    assert "1 more are of your own projects" in carol
    assert made.waits not in portal.browser(ALICE, Role.CHECKER).get("/check").text


def test_one_request_is_shown_whole_with_what_left_before_and_is_written_nowhere_as_html(
    portal: Portal, made: AskedHome
) -> None:
    browser = portal.browser(CAROL, Role.CHECKER)
    page = browser.get(f"/check/{made.waits}").text
    assert "For the &lt;em&gt;steering&lt;/em&gt; committee" in page
    for rule in ("typed", "backed", "minimum-count", "history", "volume"):
        assert f"<code>{rule}</code>" in page
    with open_home(made.home) as enclosure:
        found = looks.look(enclosure, made.waits, user=CAROL)
        size = enclosure.ledger.size()
    assert found["content"] in page and found["result_sha256"] in page
    lines = [line for line in found["lines"] if line["table"] == "incidence"]
    n_hidden = sum(line.get("estimate_value") == "-" for line in lines)
    n_pages = -(-len(lines) // 60)
    pages = [browser.get(f"/check/{made.waits}?table=incidence&page={1 + n}").text for n in range(n_pages)]
    assert sum(each.count("</span> hidden</span>") - 1 for each in pages) == n_hidden > 0, "and once in the legend"
    assert made.left in page and "<svg" in page and "Who is in both" in page
    with open_home(made.home) as enclosure:
        told = [entry for _, entry in enclosure.ledger.entries(size) if entry.action.value == "release.look"]
    assert len(told) == 2 * n_pages, "the ledger says each time what was shown to whom"


@pytest.mark.parametrize("language", ["en", "fr"])
def test_pages_are_small_run_nothing_and_speak_both_languages(portal: Portal, made: AskedHome, language: str) -> None:
    browser = portal.browser(CAROL, Role.CHECKER)
    for path in (*PAGES, f"/check/{made.waits}"):
        page = browser.get(path, language)
        assert (page.status_code, f'lang="{language}"' in page.text) == (200, True)
        assert len(page.content) < 200_000
        assert not re.search(r"<script(?! src=)|<style|\sstyle=|\son\w+=|javascript:", page.text)
        assert len(re.findall("<h1>", page.text)) == 1
    assert f'<th scope="row">{ {"en": "by year", "fr": "par année"}[language] }</th>' in page.text


def test_a_question_is_put_and_answered_and_a_vote_falls_on_what_was_shown(portal: Portal, made: AskedHome) -> None:
    with open_home(made.home) as enclosure:
        request = ask(enclosure, result_of(crowd(500, 3)), "FR-TEST-0001", "For one more table")
    carol, dan = (portal.browser(who, Role.CHECKER) for who in (CAROL, DAN))
    carol.get(f"/check/{request}")
    assert carol.post(f"/check/{request}/question", {"text": "Why these ages?"}).status_code == 303
    page = carol.get(f"/check/{request}").text
    assert "Why these ages?" in page and "not answered yet" in page and CAROL not in page.split("<main")[1]
    (content,) = set(re.findall(r'name="content" value="(\w+)"', page))
    vote = {"vote": "accept", "reason": "Counts are fine", "content": content}
    early = carol.post(f"/check/{request}/vote", vote)
    assert (early.status_code, "not answered yet" in early.text, "Counts are fine" in early.text) == (403, True, True)
    with open_home(made.home) as enclosure:
        releases.answer(enclosure, request, 1, user=ALICE, text="As the protocol says.")
    for wrong in ({**vote, "content": "0" * 64}, {**vote, "content": ""}):
        assert Code.RELEASE_ALTERED.id in carol.post(f"/check/{request}/vote", wrong).text
        with open_home(made.home) as enclosure:
            assert looks.show_one(enclosure, request)["votes"] == []
    assert carol.post(f"/check/{request}/vote", vote).headers["location"] == f"/check/{request}"
    page = carol.get(f"/check/{request}").text
    assert "Your vote is in" in page and 'name="vote"' not in page
    assert carol.post(f"/check/{request}/vote", vote).status_code == 403, "once"
    dan.get(f"/check/{request}")
    assert dan.post(f"/check/{request}/vote", {**vote, "reason": "It is clear to me"}).status_code == 303
    page = dan.get(f"/check/{request}").text
    assert "Counts are fine" in page and "It is clear to me" in page
    with open_home(made.home) as enclosure:
        assert looks.show_one(enclosure, request)["state"] == "accepted"


def test_a_column_of_labels_that_say_nothing_is_left_out(portal: Portal, made: AskedHome) -> None:
    page = portal.browser(CAROL, Role.CHECKER).get(f"/check/{made.waits}").text
    table = page[page.index('id="numbers"') :].partition("</table>")[0]
    heads = re.findall(r'<th scope="col"[^>]*>([^<]+)</th>', table)
    rows = [
        re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL)
        for row in re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
    ]
    told = [row for row in rows if len(row) == len(heads)][1:]
    assert heads[0] == "Group" and heads[-3:] == ["Estimate", "Value", "Mark"]
    assert len(heads) < 8, "this study has labels that are overall everywhere"
    assert told and all(any(row[at].strip() for row in told) for at in range(len(heads) - 3))
