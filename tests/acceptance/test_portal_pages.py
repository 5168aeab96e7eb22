"""Every page of the portal in a real browser: what axe, the keyboard and a small screen have to say of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser
from starlette.routing import Route

from enclos.portal.opened import Opened
from enclos.portal.people import People
from factories.browsing import Tab, chromium, tab
from factories.enclosure import ALICE, PASSPHRASE
from factories.lively_home import PERMIT, ROLES, Lively, lively_home
from factories.serving import serving
from factories.working_home import QUICK

pytestmark = [pytest.mark.system("chromium"), pytest.mark.system("npm")]
MOST_BYTES = 200_000
EACH = 2
"""Of pages that differ only in what they are about, so many are looked at."""
_FILE = (".json", ".svg")
_NO_PAGE = ("/api/", "/openapi.json", "/assets/", "/ledger/", "/sign-in/answer")


@dataclass
class Walk:
    """Where somebody can go by links, and what was found there."""

    person: str
    reached: set[str] = field(default_factory=set)
    found: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def lively(tmp_path_factory: pytest.TempPathFactory) -> Lively:
    return lively_home(tmp_path_factory.mktemp("lively"))


@pytest.fixture(scope="module")
def root(lively: Lively) -> Iterator[str]:
    with serving(lively.home) as (_, told):
        yield told["address"].rstrip("/")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def patterns(lively: Lively) -> dict[str, re.Pattern[str]]:
    """The addresses of pages that the application has, by what they are called in its routes."""
    application = People(Opened(lively.home, PASSPHRASE), "http://127.0.0.1").application()
    routes = [each for each in application.routes if isinstance(each, Route) and "GET" in (each.methods or ())]
    return {each.path: each.path_regex for each in routes if "{rest:path}" not in each.path}


@pytest.fixture(scope="module")
def walks(browser: Browser, root: str, lively: Lively, patterns: dict[str, re.Pattern[str]]) -> list[Walk]:
    return [walked(browser, root, who, lively.authenticators.get(who, ""), patterns) for who in ("", *ROLES)]


def walked(browser: Browser, root: str, who: str, authenticator: str, patterns: dict[str, re.Pattern[str]]) -> Walk:
    """Follow every link that somebody is shown, from the page that they come to first."""
    walk, seen, looked_at = Walk(who), set(), dict[str, int]()
    with tab(browser, root, locale="en-GB") as opened:
        if who:
            opened.sign_in(who, authenticator)
        if who == ALICE:
            opened.go(f"/research/permits/{PERMIT}/studies/write")
            opened.page.fill("#text", QUICK)
            opened.page.click("button[value=run]")
            opened.page.wait_for_url("**/research/work/*")
        ahead = ["/me", "/"] if who else ["/", "/sign-in"]
        while ahead:
            path = ahead.pop(0)
            name = next((each for each, pattern in patterns.items() if pattern.match(path)), path)
            shape = name + "?" * ("?" in path)
            if path in seen or looked_at.get(shape, 0) >= EACH or path.startswith(_NO_PAGE):
                continue
            seen.add(path)
            looked_at[shape] = looked_at.get(shape, 0) + 1
            is_page = looks(opened, path, walk, thoroughly=looked_at[shape] == 1)
            walk.reached.add(name)
            if is_page:
                links = opened.page.eval_on_selector_all("a[href]", "all => all.map(each => each.href)")
                ahead += [inner(link) for link in links if link.startswith(root + "/")]
    return walk


def inner(address: str) -> str:
    parts = urlsplit(address)
    query = "&".join(each for each in parts.query.split("&") if each and not each.startswith("lang="))
    return parts.path + (f"?{query}" if query else "")


def looks(opened: Tab, path: str, walk: Walk, *, thoroughly: bool) -> bool:
    """Open a page and note what is wrong with it; whether it is one."""
    page = opened.page
    page.set_viewport_size({"width": 1280, "height": 900})
    opened.faults.clear()
    status = opened.go(path)
    if not status or page.evaluate("document.contentType") != "text/html":
        return False
    wrong = [f"status {status}"] * (status != 200)
    weight = page.evaluate("performance.getEntries().reduce((sum, each) => sum + (each.encodedBodySize || 0), 0)")
    wrong += [f"weighs {weight} bytes"] * (weight >= MOST_BYTES)
    if thoroughly:
        wrong += opened.axe()
        wrong += [f"keyboard: {each}" for each in opened.unreached()]
        wrong += [f"wider than 390: {each}" for each in opened.overflow(390)]
        page.set_viewport_size({"width": 1280, "height": 900})
        page.emulate_media(color_scheme="dark")
        wrong += [f"dark: {each}" for each in opened.axe(["color-contrast"])]
        page.emulate_media(color_scheme="light")
    wrong += opened.faults
    walk.found += [f"{path}: {each}" for each in wrong]
    return True


def test_nothing_is_wrong_with_any_page(walks: list[Walk]) -> None:
    found = [f"{walk.person.partition('@')[0]} {each}" for walk in walks for each in walk.found]
    assert found == [], "\n".join(found)


def test_every_page_can_be_reached_by_links(walks: list[Walk], patterns: dict[str, re.Pattern[str]]) -> None:
    reached = {name for walk in walks for name in walk.reached}
    pages = {name for name in patterns if not name.startswith(_NO_PAGE) and not name.endswith(_FILE)}
    assert pages - reached == set()
