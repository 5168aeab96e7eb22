"""The frame of people's pages over real HTTP: who is led where, in which language, and what no page may do."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import requests

from enclos.app.enclosure import create_enclosure
from enclos.app.permits import sign
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
