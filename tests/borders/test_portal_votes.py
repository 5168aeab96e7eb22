"""What pages of checkers and auditors let nobody do: see another's vote, judge one's own, write as an auditor."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from enclos.app import looks
from enclos.ledger.model import Action
from enclos.lexicon.codes import Code
from enclos.signin.model import Role
from factories.asked_home import CAROL, DAN, ERIN, AskedHome, ask, asked_home
from factories.enclosure import ALICE, open_home
from factories.portal import Portal, portal_of
from factories.results import crowd, result_of

VOTE = {"vote": "accept", "reason": "Counts are fine"}
_OWN_TO_A_PAGE = re.compile(r'name="csrf" value="[^"]+"|\b[0-9a-f]{64}\b|\d\d:\d\d UTC|\d+ min')


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> AskedHome:
    return asked_home(tmp_path_factory.mktemp("votes"))


@pytest.fixture(scope="module")
def portal(made: AskedHome) -> Iterator[Portal]:
    with portal_of(made.home) as answering:
        yield answering


def content_of(portal: Portal, request: str) -> str:
    with open_home(portal.home) as enclosure:
        return str(looks.show_one(enclosure, request)["content"])


def n_votes(portal: Portal, request: str) -> int:
    with open_home(portal.home) as enclosure:
        return len(looks.show_one(enclosure, request)["votes"])


def test_neither_author_nor_project_sees_the_numbers_or_votes(portal: Portal, made: AskedHome) -> None:
    for who, request in ((ALICE, made.waits), (CAROL, made.own), (ALICE.upper(), made.waits)):
        browser = portal.browser(who, Role.CHECKER)
        page = browser.get(f"/check/{request}")
        assert (page.status_code, Code.RELEASE_REVIEWER.id in page.text) == (403, True)
        assert "denominator_count" not in page.text
        browser.get("/check")
        content = content_of(portal, request)
        assert browser.post(f"/check/{request}/vote", {**VOTE, "content": content}).status_code == 403
        assert browser.post(f"/check/{request}/question", {"text": "Why these ages?"}).status_code == 403
        assert n_votes(portal, request) == 0


def test_a_vote_for_and_a_vote_against_look_the_same_to_who_votes_second(portal: Portal, made: AskedHome) -> None:
    with open_home(made.home) as enclosure:
        result = result_of(crowd(500, 3))
        requests = [ask(enclosure, result, "FR-TEST-0001", f"For table number {n}") for n in ("one", "two")]
    dan, erin = portal.browser(DAN, Role.CHECKER), portal.browser(ERIN, Role.CHECKER)
    for request, vote in zip(requests, ("accept", "refuse"), strict=True):
        dan.get(f"/check/{request}")
        reason = f"I {vote} it after a look"
        fields = {"vote": vote, "reason": reason, "content": content_of(portal, request)}
        assert dan.post(f"/check/{request}/vote", fields).status_code == 303
    seen = []
    for request, number in zip(requests, ("one", "two"), strict=True):
        page = erin.get(f"/check/{request}").text + erin.get("/check").text
        assert "after a look" not in page and DAN not in page
        mine = erin.get(f"/check/{request}").text
        seen.append(_OWN_TO_A_PAGE.sub("", mine).replace(request, "R").replace(f"number {number}", "number N"))
    assert seen[0] == seen[1]
    own = dan.get(f"/check/{requests[1]}").text
    assert "after a look" not in own, "nor does one's own vote show what the other could be shown"


CHECKING = ("/check", "/check/voted", "/check/waits", "/check/{waits}")
AUDITING = ("/audit", "/audit/broken", "/audit/entry/1", "/audit/entry/1/proof", "/audit/verify", "/audit/month")
VOTING = ("/check/{waits}/vote", "/check/{waits}/question")


@pytest.mark.parametrize(
    ("role", "pages", "forms"),
    [
        (Role.CHECKER, AUDITING, ("/audit/verify", "/audit/month")),
        (Role.AUDITOR, CHECKING, VOTING),
        (Role.RESEARCHER, CHECKING + AUDITING, (*VOTING, "/audit/verify", "/audit/month")),
        (Role.ACCESS_BODY, CHECKING + AUDITING, (*VOTING, "/audit/verify", "/audit/month")),
    ],
)
def test_roles_open_their_own_rooms_alone(
    portal: Portal, made: AskedHome, role: Role, pages: tuple[str, ...], forms: tuple[str, ...]
) -> None:
    browser = portal.browser("somebody@example.org", role)
    fields = {**VOTE, "text": "Why these ages?", "content": content_of(portal, made.waits)}
    for path in pages:
        page = browser.get(path.format(waits=made.waits))
        assert (page.status_code, Code.SIGN_IN_ROLE.id in page.text) == (403, True), path
        assert "salted:" not in page.text and "denominator" not in page.text
    for path in forms:
        answer = browser.post(path.format(waits=made.waits), fields)
        assert (answer.status_code, Code.SIGN_IN_ROLE.id in answer.text) == (403, True), path
    assert n_votes(portal, made.waits) == 0


def test_an_auditor_reads_everything_and_writes_nothing_but_that_a_month_was_reviewed(
    portal: Portal, made: AskedHome
) -> None:
    browser = portal.browser(DAN, Role.AUDITOR)
    with open_home(made.home) as enclosure:
        before = enclosure.ledger.size()
    files = {path: path.read_bytes() for path in (made.home / "release").rglob("*") if path.is_file()}
    for path in AUDITING:
        assert browser.get(path).status_code == 200, path
    assert browser.post("/audit/verify", {"key": "", "note": "", "witness": ""}).status_code == 303
    with open_home(made.home) as enclosure:
        assert {entry.action for _, entry in enclosure.ledger.entries(before)} <= {Action.KEY_USE}
    assert browser.reviewed("/audit/month", {"month": "2026-01"}).status_code == 200
    with open_home(made.home) as enclosure:
        written = {entry.action for _, entry in enclosure.ledger.entries(before)}
    assert written <= {Action.LEDGER_REVIEW, Action.KEY_USE}
    assert files == {path: path.read_bytes() for path in (made.home / "release").rglob("*") if path.is_file()}


def test_a_vote_without_the_page_s_own_mark_or_from_elsewhere_is_none(portal: Portal, made: AskedHome) -> None:
    browser = portal.browser(DAN, Role.CHECKER)
    browser.get(f"/check/{made.waits}")
    vote = {**VOTE, "content": content_of(portal, made.waits)}
    assert browser.post(f"/check/{made.waits}/vote", {**vote, "csrf": "x"}).status_code == 403
    assert browser.post(f"/check/{made.waits}/vote", vote, Origin="https://elsewhere.example").status_code == 403
    told = browser.get(f"/check/{made.waits}/vote")  # leads to the page of the form
    assert (told.status_code, told.headers["Location"]) == (303, f"/check/{made.waits}")
    assert n_votes(portal, made.waits) == 0
