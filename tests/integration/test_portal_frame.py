"""The frame of people's pages over real HTTP: who is led where, in which language, and what no page may do."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import requests
from starlette.routing import Route

from enclos.app.applications import Hand, ask_for, keep_application
from enclos.app.enclosure import create_enclosure
from enclos.app.permits import revoke, sign
from enclos.portal.leaving import LOGOUT
from enclos.portal.people import People
from enclos.signin.model import Role
from factories.enclosure import ALICE, CAROL, PASSPHRASE, open_home, permit_text
from factories.portal import SECONDS, Portal, portal_of

BOB = "bob@example.org"


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    home = tmp_path_factory.mktemp("frame") / "home"
    create_enclosure(home, passphrase=PASSPHRASE, buckets=1)
    with open_home(home) as enclosure:
        sign(enclosure, permit_text("FR-1", users=(ALICE,)))
        sign(enclosure, permit_text("FR-2", users=(BOB,)))
    with portal_of(home) as answering:
        yield answering


def test_a_researcher_sees_their_permits_and_nobody_else_s(portal: Portal) -> None:
    page = portal.browser(ALICE, Role.RESEARCHER).get("/research")
    assert page.status_code == 200
    assert "FR-1" in page.text
    assert "FR-2" not in page.text
    assert "28 days left" in page.text
    assert re.findall(r"<h1>([^<]+)</h1>", page.text) == ["My permits"]


def test_who_had_a_permit_reads_what_comes_next(portal: Portal) -> None:
    with open_home(portal.home) as enclosure:
        sign(enclosure, permit_text("FR-REVOKED"))
        revoke(enclosure, "FR-REVOKED", reason="asked for", by="bea@example.org")
        until = datetime.now(UTC) + timedelta(seconds=4)
        day = timedelta(days=1)
        sign(enclosure, permit_text("FR-OVER", starts=until - day, lasts=day))
    time.sleep(max(0, (until - datetime.now(UTC)).total_seconds()))
    browser = portal.browser(ALICE, Role.RESEARCHER)
    over, gone = (browser.get(f"/research/permits/{each}").text for each in ("FR-OVER", "FR-REVOKED"))
    assert "This permit has ended" in over and 'href="/applications/new"' in over and "granted, expired" in over
    assert f"deleted by {delete_by(until)}" in over
    assert "This permit was revoked" in gone and "can tell you why" in gone
    assert "To go on, apply" not in gone
    assert "has ended" not in browser.get("/research/permits/FR-1").text


def delete_by(end: datetime) -> str:
    """Six months later, on the same day of the month where that has it."""
    months = end.year * 12 + end.month - 1 + 6
    days = [28 + n for n in range(4) if (date(months // 12, months % 12 + 1, 28) + timedelta(days=n)).day == 28 + n]
    return date(months // 12, months % 12 + 1, min(end.day, max(days))).isoformat()


def test_who_has_no_role_is_told_so_and_who_is_nobody_is_led_to_sign_in(portal: Portal) -> None:
    page = portal.browser(CAROL, Role.CHECKER).get("/research")
    assert (page.status_code, "SGN-05" in page.text) == (403, True)
    assert "My permits" not in page.text
    for path in ("/research", "/me", "/research/nothing"):
        led = requests.get(portal.root + path, allow_redirects=False, timeout=SECONDS)
        assert (led.status_code, led.headers["location"]) == (303, "/sign-in")
    asked = requests.get(f"{portal.root}/research", headers={"HX-Request": "true"}, timeout=SECONDS)
    assert (asked.headers["hx-redirect"], asked.text) == ("/sign-in", "")


def test_a_language_is_kept_that_was_chosen_once(portal: Portal) -> None:
    browser = portal.browser(ALICE, Role.RESEARCHER)
    assert 'lang="en"' in browser.get("/research").text
    assert "Mes autorisations" in browser.get("/research?lang=fr").text
    assert "Mes autorisations" in browser.get("/research").text
    assert "Rôles" in browser.get("/me").text
    assert 'href="/research?page=2&amp;lang=en"' in browser.get("/research?page=2").text
    assert "Mes autorisations" in browser.get("/research?lang=xx").text


OTHER = re.compile(r'<a href="([^"]+)" lang="fr" hreflang="fr">')


def forms_of(people: People) -> list[str]:
    """The paths of all forms of the portal; what a provider sends is none."""
    routes = [each for each in people.application().routes if isinstance(each, Route)]
    found = sorted({each.path for each in routes if "POST" in (each.methods or ())} - {LOGOUT})
    assert len(found) > 30
    return found


def filled(path: str, application: str) -> str:
    """A path with a permit and an application that are there, and a request, a run, work that are not."""
    known = {"permit": "FR-1", "application": application}
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda slot: known.get(slot[1], "nothing"), path)


def test_after_every_form_the_other_language_is_a_page(portal: Portal) -> None:
    """The link of a page that answers a form leads to a page in French, never to nothing or to what programs read."""
    with open_home(portal.home) as enclosure:
        hand = Hand(ALICE, for_access_body=False)
        application = str(keep_application(enclosure, hand, permit_text("FR-3"))["application"])
        ask_for(enclosure, hand, application)
    n_pages, hers = 0, portal.browser(ALICE, *Role)
    others = [portal.browser(f"dan{n}@example.org", *Role) for n in range(2)]  # so that nobody asks too fast
    for at, path in enumerate(forms_of(portal.people)):
        browser = hers if path.startswith(("/research", "/applications")) else others[at % 2]
        browser.get("/me?lang=en")
        answer = browser.post(filled(path, application), {"text": "SELECT 1", "vote": "accept", "month": "x"})
        if answer.status_code == 303:
            continue
        n_pages += 1
        assert answer.headers["content-type"].startswith("text/html"), path
        (way,) = OTHER.findall(answer.text)
        page = browser.get(way.replace("&amp;", "&"))
        page = browser.get(page.headers["location"]) if path == "/sign-out" else page
        assert page.headers["content-type"].startswith("text/html"), path
        assert page.status_code in {200, 403} or page.status_code == answer.status_code == 404, (path, way)
        assert '<html lang="fr">' in page.text, path
        assert "Cette page n" not in page.text, (path, way)
    assert n_pages > 20


def test_an_address_of_a_form_leads_back_to_its_page(portal: Portal) -> None:
    browser = portal.browser(ALICE, *Role)
    led = {}
    for path in (filled(each, "x") for each in forms_of(portal.people)):
        answer = browser.get(f"{path}?lang=fr")
        assert answer.status_code == 303 or '<html lang="fr">' in answer.text, path
        if answer.status_code == 303:
            to, query = answer.headers["location"].split("?")
            assert (path.startswith(to) or to == "/me", query) == (True, "lang=fr"), path
            led[path] = to
    assert led["/check/nothing/vote"] == "/check/nothing"
    assert led["/sign-in/account"] == led["/sign-in/provider"] == "/sign-in"
    assert led["/research/permits/FR-1/studies/write/check"] == "/research/permits/FR-1/studies/write"
    assert len(led) > 15
    for path in ("/me/x", "/sign-in/x", "/sign-out/x"):
        absent = browser.get(f"{path}?lang=en")
        assert (absent.status_code, "There is no such page" in absent.text) == (404, True)


def test_what_was_written_is_there_in_the_other_language_until_something_else_is_sent(portal: Portal) -> None:
    browser = portal.browser(ALICE, *Role)
    place = "/research/permits/FR-1/studies/write"
    browser.get(place)
    page = browser.post(place, {"text": "study: of-mine", "name": "mine", "do": "check"})
    way = OTHER.findall(page.text)[0].replace("&amp;", "&")
    french = browser.get(way)
    assert ("study: of-mine" in french.text, "Elle ne peut pas" in french.text or 'lang="fr"' in french.text) == (
        True,
        True,
    )
    assert "study: my-study" in browser.get(place).text, "who opens the page anew begins anew"
    browser.post("/me/token", {})
    assert "study: of-mine" in browser.get(way).text
    browser.get("/access/permits/FR-1/revoke")
    browser.post("/access/permits/FR-1/revoke", {"confirm": "no", "reason": "misuse of data"})
    assert "study: of-mine" not in browser.get(way).text
    assert "misuse of data" in browser.get("/access/permits/FR-1/revoke?sent=1").text
    assert "misuse of data" not in portal.browser(CAROL, *Role).get("/access/permits/FR-1/revoke?sent=1").text


def test_a_page_runs_our_scripts_alone_and_asks_nobody_else(portal: Portal) -> None:
    for path in ("/research", "/me", "/research/nothing"):
        page = portal.browser(ALICE, Role.RESEARCHER).get(path)
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
        assert {"object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"} <= set(policy.split("; "))
        assert "unsafe" not in policy
        assert '<form method="post" action="/sign-out">' in page.text
        assert '"historyCacheSize":0' in page.text  # nor is a page kept in the browser's own storage
        assert page.headers["cache-control"] == "no-store"
        assert not re.search(r"<script(?! src=)|<style|\sstyle=|\son\w+=|javascript:", page.text)
        assert not re.search(r'(?:src|href|action)="(?:https?:)?//', page.text)
        assert len(page.content) < 200_000


def test_an_address_that_is_not_there_is_a_page_of_the_room(portal: Portal) -> None:
    page = portal.browser(ALICE, Role.RESEARCHER).get("/research/nothing")
    assert (page.status_code, "There is no such page" in page.text) == (404, True)


def test_a_script_gets_the_page_s_own_part(portal: Portal) -> None:
    part = portal.browser(ALICE, Role.RESEARCHER).get("/research", **{"HX-Request": "true"})
    assert "FR-1" in part.text
    assert "<html" not in part.text


def test_a_fault_of_ours_is_said_without_its_text(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> list[object]:
        raise ValueError("a value that nobody may read")

    browser = portal.browser(ALICE, Role.RESEARCHER)
    monkeypatch.setattr("enclos.portal.rooms.research.permits.own_permits", broken)
    page = browser.get("/research")
    assert page.status_code == 500
    said = capfd.readouterr().err
    assert "portal: ValueError at" in said
    assert "nobody may read" not in page.text + said
