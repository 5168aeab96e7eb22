"""A session in a real browser: its end empties every page of it, said before; and people end their own sign-ins."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, expect

from enclos.app.accounts import add_account
from enclos.app.enclosure import create_enclosure
from enclos.app.sign_in import sign_out_everywhere
from enclos.signin.model import Role
from factories.browsing import Tab, chromium, tab
from factories.enclosure import ALICE, PASSPHRASE, open_home
from factories.people import PASSWORD, local_account, shown_code
from factories.portal import Portal, portal_of

pytestmark = [pytest.mark.system("chromium"), pytest.mark.system("npm")]
PATIENCE = 60_000


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    home = tmp_path_factory.mktemp("sessions") / "home"
    create_enclosure(home, passphrase=PASSPHRASE, buckets=1)
    with portal_of(home) as opened:
        yield opened


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@contextmanager
def entered(browser: Browser, portal: Portal, **options: Any) -> Iterator[Tab]:
    """A browser in which Alice signed in a moment ago."""
    (cookie,) = portal.browser(ALICE, Role.RESEARCHER).session.cookies
    with tab(browser, portal.root, locale="en-GB", **options) as opened:
        opened.context.add_cookies([{"name": cookie.name, "value": str(cookie.value), "url": portal.root}])
        yield opened


def idle(patch: pytest.MonkeyPatch, seconds: float) -> None:
    patch.setattr("enclos.portal.sessions.IDLE", timedelta(seconds=seconds))


def test_a_page_says_that_its_session_ends_and_is_emptied_when_it_does(
    browser: Browser, portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle(monkeypatch, 124)
    with entered(browser, portal) as opened:
        page = opened.page
        opened.go("/me")
        dialog = page.get_by_role("dialog", name="Your session is about to end")
        dialog.wait_for(timeout=PATIENCE)
        assert opened.axe() == []
        page.keyboard.press("Enter")  # "Go on", which has the focus
        dialog.wait_for(state="hidden")
        assert ALICE in page.inner_text("main"), "it goes on"
        idle(monkeypatch, 1)
        page.wait_for_url("**/sign-in/ended", timeout=PATIENCE)
        assert (ALICE in page.content(), page.inner_text("h1")) == (False, "Your session has ended")
        assert opened.axe() + opened.unreached() + opened.overflow(390) == []
        page.go_back()
        page.wait_for_load_state()
        assert ALICE not in page.content(), "nothing comes back"
        assert opened.faults == []


def test_without_scripts_a_page_goes_to_its_end_by_itself(
    browser: Browser, portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle(monkeypatch, 2)
    with entered(browser, portal, java_script_enabled=False) as opened:
        opened.go("/me")
        opened.page.wait_for_url("**/sign-in/ended", timeout=PATIENCE)
        assert opened.page.inner_text("h1") == "Your session has ended"


def test_a_session_that_ended_elsewhere_empties_the_pages_that_are_open(browser: Browser, portal: Portal) -> None:
    with entered(browser, portal) as opened:
        other = opened.context.new_page()
        for page in (opened.page, other):
            page.goto(portal.root + "/me")
        with open_home(portal.home) as enclosure:
            sign_out_everywhere(enclosure, ALICE)
        assert ALICE in other.inner_text("main")
        other.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # as when somebody comes back to it
        other.wait_for_url("**/sign-in/ended", timeout=PATIENCE)
        assert ALICE not in other.content()


def test_asking_how_long_a_session_goes_on_does_not_make_it_last(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = portal.browser(ALICE, Role.RESEARCHER)
    assert 890 < asked.get("/me/session").json()["seconds"] <= 900
    idle(monkeypatch, 2)
    ends = datetime.now(UTC) + timedelta(seconds=3)
    while datetime.now(UTC) < ends:
        last = asked.get("/me/session").json()
    assert last == {"seconds": 0, "is_last": True}
    ended = asked.get("/sign-in/ended")
    assert "Your session has ended" in ended.text
    assert ended.headers["clear-site-data"] == '"cache", "storage"'
    idle(monkeypatch, 900)
    going = portal.browser(ALICE, Role.RESEARCHER).get("/sign-in/ended")
    assert ("Your session goes on" in going.text, "clear-site-data" in going.headers) == (True, False)


def test_people_see_where_they_are_signed_in_and_end_it(browser: Browser, portal: Portal) -> None:
    with open_home(portal.home) as enclosure:
        authenticator = local_account(enclosure, "carol@example.org", "Carol", [Role.CHECKER])
    with tab(browser, portal.root, locale="en-GB") as first, tab(browser, portal.root, locale="en-GB") as second:
        first.sign_in("carol@example.org", authenticator)
        _signs_in(second, "carol@example.org", shown_code(authenticator, datetime.now(UTC) + timedelta(seconds=30)))
        second.go("/me")
        page, rows = second.page, second.page.locator("table tbody tr")
        expect(rows).to_have_count(3)  # one of the command line chose the password
        assert re.findall(r"this one|portal|command line", rows.all_inner_texts()[0]) == ["portal", "this one"]
        rows.filter(has_text="command line").get_by_role("button").click()
        expect(rows).to_have_count(2)
        second.go("/me")
        assert second.axe() + second.unreached() + second.overflow(390) == []
        page.get_by_role("button", name="End all others").click()
        expect(rows).to_have_count(1)
        first.go("/check")
        assert "/sign-in" in first.page.url, "it was ended"
        assert second.faults == []


def test_others_are_ended_only_shortly_after_a_factor_was_shown(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = portal.browser("dan@example.org", Role.CHECKER)
    asked.get("/me")
    assert asked.post("/me/sign-ins", {"sign_in": "guessed"}).status_code == 409
    stranger = requests.post(
        portal.root + "/me/sign-ins", headers={"Origin": portal.root}, allow_redirects=False, timeout=60
    )
    assert (stranger.status_code, stranger.headers["location"]) == (303, "/sign-in")
    monkeypatch.setattr("enclos.signin.rules.tokens.RECENT", timedelta(0))
    refused = asked.post("/me/sign-ins", {})
    assert (refused.status_code, "too long ago" in refused.text) == (403, True)
    assert asked.get("/me").status_code == 200
    again = asked.post("/sign-in/provider", {"again": "1"})
    assert (again.status_code, "SGN-08" in again.text) == (503, True), "nobody listens where this provider would be"


def test_a_first_password_is_replaced_by_the_page_and_then_the_browser_is_known(
    browser: Browser, portal: Portal
) -> None:
    with open_home(portal.home) as enclosure:
        made = add_account(enclosure, "erin@example.org", "Erin", [Role.CHECKER])
    with tab(browser, portal.root, locale="en-GB") as opened:
        page = opened.page
        code = shown_code(made["authenticator"], datetime.now(UTC))
        _signs_in(opened, "erin@example.org", code, made["first_password"])
        assert "SGN-11" in page.inner_text("main")
        assert made["first_password"] not in page.content()
        assert opened.axe() + opened.unreached() == []
        for new, said in (("manchesterunited", "one that many have used"), (PASSWORD, "")):
            page.fill("[name=password]", made["first_password"])
            page.fill("[name=code]", shown_code(made["authenticator"], datetime.now(UTC)))
            page.fill("[name=new]", new)
            page.click("form[action^='/sign-in/account'] button")
            page.wait_for_load_state()
            assert said in page.inner_text("main")
        assert page.url.endswith("/check")
        (known,) = [each for each in opened.context.cookies() if each["name"].endswith("enclos-known")]
        assert (known["httpOnly"], known["sameSite"], len(known["value"]) >= 43) == (True, "Lax", True)


def _signs_in(opened: Tab, account: str, code: str, password: str = PASSWORD) -> None:
    opened.go("/sign-in")
    for name, value in (("account", account), ("password", password), ("code", code)):
        opened.page.fill(f"[name={name}]", value)
    opened.page.click("form[action^='/sign-in/account'] button")
    opened.page.wait_for_load_state()
