"""The portal in a real browser: every page by axe, keyboard and a small screen, and a story of six persons."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from enclos.app import studies
from enclos.app.sql import names_of
from factories.browsing import Tab, chromium, tab
from factories.circe import concept_set, definition
from factories.enclosure import ALICE, CAROL, DAN, open_home, run_cli
from factories.examples import drawn
from factories.french_text import GIVEN, french_forms, walked_in_french
from factories.lively_home import AUD, BEA, PERMIT, ROLES, STEW, Lively, lively_home
from factories.serving import serving
from factories.walking import NO_PAGE, patterns_of, walk
from factories.working_home import QUICK

pytestmark = [pytest.mark.system("chromium"), pytest.mark.system("npm")]
MOST_BYTES = 200_000
EACH = drawn(2)
"""Of pages that differ only in what they are about, so many are looked at."""
WIDTHS = (390, 768, 1600)
"""Beside 1280, on which a page is opened."""
NARROW = ["target-size", "color-contrast", "scrollable-region-focusable", "link-in-text-block", "aria-hidden-focus"]
"""Those of axe's rules whose answer can be another at another width: by what is beside, over or out of something."""
OK, FORBIDDEN, ABSENT = 200, 403, 404
PATIENCE = 120_000
"""Milliseconds that a study may take on a machine with other work."""
DEFINITION = definition("ConditionOccurrence", 0, ConceptSets=[concept_set(0, 192671)])
SERIES = QUICK.replace("study: quick", "study: series").replace(
    "washout_days: 0", "washout_days: 0, sex: [both, female]"
)
_FILE = (".json", ".svg")
SENT_TWICE = """() => {
  const form = document.querySelector("form[action='/sign-out']");
  return [1, 2].map(() => form.dispatchEvent(new Event("submit", {bubbles: true, cancelable: true})));
}"""
"""Whether a form is sent, and sent again."""


@dataclass
class Walk:
    """Where somebody can go by links, and what was found there."""

    person: str
    reached: set[str] = field(default_factory=set)
    found: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def lively(tmp_path_factory: pytest.TempPathFactory) -> Lively:
    made = lively_home(tmp_path_factory.mktemp("lively"))
    with open_home(made.home) as enclosure:
        studies.run(enclosure, permit=PERMIT, user=ALICE, text=SERIES)
    return made


@pytest.fixture(scope="module")
def root(lively: Lively) -> Iterator[str]:
    with serving(lively.home) as (_, told):
        yield told["address"].rstrip("/")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def entered(browser: Browser, root: str, lively: Lively) -> dict[str, Any]:
    """Everybody's browser once they have signed in by the page; of nobody too."""
    kept: dict[str, Any] = {"": None}
    for who in ROLES:
        with tab(browser, root) as opened:
            opened.sign_in(who, lively.authenticators[who])
            kept[who] = opened.kept()
    return kept


@pytest.fixture(scope="module")
def patterns(lively: Lively) -> dict[str, re.Pattern[str]]:
    return patterns_of(lively.home)


@pytest.fixture(scope="module")
def walks(browser: Browser, root: str, entered: dict[str, Any], patterns: dict[str, re.Pattern[str]]) -> list[Walk]:
    return [walked(browser, root, who, kept, patterns) for who, kept in entered.items()]


def walked(browser: Browser, root: str, who: str, kept: Any, patterns: dict[str, re.Pattern[str]]) -> Walk:
    """Follow every link that somebody is shown, from the page that they come to first."""
    found = Walk(who)
    with tab(browser, root, locale="en-GB", storage_state=kept) as opened:
        if who == ALICE:
            opened.go(f"/research/permits/{PERMIT}/studies/write")
            opened.page.fill("#text", QUICK)
            opened.page.click("button[value=run]")
            opened.page.wait_for_url("**/research/work/*")
            opened.go(f"/research/permits/{PERMIT}/sql")
            opened.page.get_by_role("button", name="Ask", exact=True).click()
            opened.page.wait_for_url("**/sql/*")
            opened.go(f"/research/permits/{PERMIT}/cohorts")
            opened.page.fill("#name", "bleeds")
            opened.page.fill("#text", json.dumps(DEFINITION))
            opened.page.get_by_role("button", name="Count the cohort").click()
            opened.page.wait_for_url("**/cohorts/*", timeout=PATIENCE)

        def look(path: str, _name: str, is_first: bool) -> bool:
            return looks(opened, path, found, thoroughly=is_first)

        found.reached = walk(opened, ["/me", "/"] if who else ["/", "/sign-in"], patterns, EACH, look)
    return found


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
        page.evaluate("document.activeElement.blur()")  # the way to the content, which covers the head while it has it
        for width in WIDTHS:
            wrong += [f"wider than {width}: {each}" for each in opened.overflow(width)]
            wrong += [f"at {width}: {each}" for each in opened.axe(NARROW)]
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
    pages = {name for name in patterns if not name.startswith(NO_PAGE) and not name.endswith(_FILE)}
    assert pages - reached == set()


def test_french_pages_say_nothing_in_english_that_is_not_marked_as_english(
    root: str, entered: dict[str, Any], patterns: dict[str, re.Pattern[str]]
) -> None:
    """Without the browser: every page of everybody, and what some forms answer."""
    found = []
    for who, kept in entered.items():
        cookies = {each["name"]: each["value"] for each in kept["cookies"]} if kept else {}
        found += walked_in_french(root, cookies, patterns, EACH, french_forms(who), GIVEN)
    assert found == [], "\n".join(found)


def test_a_picture_of_results_is_gone_through_by_keys_and_mouse_and_its_table_put_in_order(
    browser: Browser, root: str, entered: dict[str, Any]
) -> None:
    with tab(browser, root, locale="en-GB", storage_state=entered[ALICE]) as opened:
        page = opened.page
        opened.go(f"/research/permits/{PERMIT}")
        page.get_by_role("link", name="series", exact=True).click()
        table = page.locator("table.dense").first
        rows = [row.split("\t") for row in table.locator("tbody").inner_text().splitlines()]
        page.get_by_role("button", name="Go through the values").first.click()
        page.get_by_role("application").wait_for()
        told = page.locator("output.told")
        heard = []
        for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft", "Home", "End"):
            page.keyboard.press(key)
            heard.append(told.inner_text())
        both = {row[3]: row[8].partition(".")[0] for row in rows if row[1] == "Both"}
        female = {row[3]: row[8].partition(".")[0] for row in rows if row[1] == "Female"}
        first, second = sorted(both)[:2]
        for said, (who, day, rate) in zip(
            heard[:4],
            [
                ("Both", first, both[first]),
                ("Both", second, both[second]),
                ("Female", second, female[second]),
                ("Female", first, female[first]),
            ],
            strict=True,
        ):
            assert said.startswith(f"{who}: {day}; events per 100 000 person-years: {rate[:3]}")
        assert heard[4:] == [heard[3], heard[2]]
        page.get_by_role("application").hover(position={"x": 80, "y": 120})
        assert told.inner_text().partition(": ")[2].startswith(first)

        both_button = page.get_by_role("button", name="Both", exact=True)
        both_button.press("Space")
        assert both_button.get_attribute("aria-pressed") == "false"
        page.get_by_role("application").press("ArrowRight")
        assert told.inner_text().startswith("Female")
        assert (
            min(each.bounding_box()["height"] for each in page.locator("main button").all() if each.is_visible()) >= 24
        )
        with page.expect_response("**/live.svg?axis=date&from=*") as drawn_anew:
            page.get_by_label("To", exact=True).fill(f"{first[:4]}-06-01")
            page.get_by_label("To", exact=True).press("Tab")
        assert drawn_anew.value.status == OK
        page.locator(".plot svg .role-axis-label text", has_text="June").first.wait_for(state="attached")
        page.get_by_role("application").press("End")
        assert told.inner_text().startswith(f"Female: {first}")

        person_years = table.get_by_role("button", name="person-years", exact=True)
        for way, sign in (("ascending", 1), ("descending", -1)):
            person_years.press("Enter")
            head = table.locator("th[aria-sort]")
            years = [float(text) for text in table.locator("tbody td:nth-child(8)").all_inner_texts()]
            assert (head.get_attribute("aria-sort"), head.inner_text()[:12]) == (way, "person-years")
            assert [sign * each for each in years] == sorted(sign * each for each in years)
        wrong = opened.axe() + opened.overflow(390)
        page.emulate_media(color_scheme="dark")
        assert wrong + opened.axe(["color-contrast"]) + opened.faults == []


def test_names_of_the_permit_s_view_are_offered_while_a_statement_is_written(
    browser: Browser, root: str, entered: dict[str, Any], lively: Lively
) -> None:
    with open_home(lively.home) as enclosure:
        _, tables = names_of(enclosure, permit=PERMIT, user=ALICE)
    with tab(browser, root, locale="en-GB", storage_state=entered[ALICE]) as opened:
        page, offers = opened.page, opened.page.get_by_role("option")
        opened.go(f"/research/permits/{PERMIT}/sql")
        text = page.locator("#text")
        assert page.locator("[data-offers-hint]").is_visible()

        def offered(statement: str) -> list[str]:
            text.fill(statement)
            text.press("Control+Space")
            page.wait_for_timeout(50)
            return [each.split()[0] for each in offers.all_inner_texts()]

        assert offered("SELECT 1 FROM ") == sorted(tables)[:40]
        assert offered("SELECT 1 FROM person p, ") == sorted(tables)[:40]
        assert offered("SELECT 1 FROM person AS p WHERE p.") == list(tables["person"])
        assert offered("WITH few AS (SELECT 1) SELECT 1 FROM f")[0] == "few"
        assert offered("SELECT 1 FROM person p JOIN visit_occurrence v ON v.visit_start") == [
            each for each in tables["visit_occurrence"] if each.startswith("visit_start")
        ]
        for silent in (
            "SELECT 'per",
            "SELECT 1 -- per",
            "SELECT /* per",
            "SELECT 12",
            "SELECT 1 FROM none n WHERE n.",
        ):
            assert offered(silent) == []
        everything = {each for columns in tables.values() for each in columns} | set(tables)
        assert set(offered("SELECT ")) <= everything
        hidden = {"note", "note_nlp", "episode", "metadata", "cohort"} - everything
        assert [offered(f"SELECT 1 FROM {each[:-1]}") for each in sorted(hidden)] == [[]] * len(hidden)
        assert hidden, "the permit does not open all tables"

        text.fill("SELECT count(*) AS n FROM person p WHERE ")
        text.press_sequentially("gen")
        offers.first.wait_for()
        assert text.get_attribute("aria-activedescendant") is None, "nothing is taken that was not asked for"
        assert page.get_by_role("status").inner_text() == f"{offers.count()} may stand here"
        text.press("Escape")
        assert offers.count() == 0
        text.press("Control+Space")
        for key, at in (("ArrowDown", 1 % offers.count()), ("ArrowUp", 0)):
            text.press(key)
            chosen = page.get_by_role("option", selected=True)
            assert chosen.get_attribute("id") == text.get_attribute("aria-activedescendant") == f"offer-{at}"
        name = chosen.locator("code").inner_text()
        assert opened.axe() + opened.overflow(390) + opened.axe(NARROW) == []
        text.press("Enter")
        assert text.input_value() == f"SELECT count(*) AS n FROM person p WHERE {name}"
        assert (offers.count(), page.evaluate("document.activeElement.id")) == (0, "text")
        text.press_sequentially(" = 8507")
        page.get_by_role("button", name="Ask", exact=True).click()
        page.wait_for_url("**/sql/*")
        page.locator("table.given").wait_for(timeout=PATIENCE)

        opened.go(f"/research/permits/{PERMIT}/studies/write")
        text.fill("study: one\nana")
        text.press("Control+Space")
        offers.first.wait_for()
        text.press("Enter")
        assert text.input_value() == "study: one\nanalyses: "
        assert opened.faults == []
    with tab(browser, root, storage_state=entered[ALICE], java_script_enabled=False) as opened:
        opened.go(f"/research/permits/{PERMIT}/sql")
        assert [opened.page.locator(each).is_visible() for each in ("#text", "[data-offers-hint]")] == [True, False]


def test_from_an_application_to_a_package_that_left(
    browser: Browser, root: str, entered: dict[str, Any], lively: Lively, tmp_path: Path
) -> None:
    """Who applies, who grants, two who vote and who audits, each in their own browser; two of them without scripts."""
    permit = "FR-2026-0099"
    people = {ALICE: True, BEA: False, CAROL: False, DAN: True, AUD: True}
    with ExitStack() as stack:
        tabs = {
            who: stack.enter_context(tab(browser, root, java_script_enabled=on, storage_state=entered[who]))
            for who, on in people.items()
        }
        stranger = stack.enter_context(tab(browser, root))
        for path in ("/research", "/access", "/check", "/data", "/audit", "/applications"):
            stranger.go(path)
            assert urlsplit(stranger.page.url).path == "/sign-in"
        alice, bea, carol, dan, aud = (each.page for each in tabs.values())

        tabs[ALICE].go("/applications/new")
        fields = {"permit": permit, "organisation": "CHU de Demain", "purpose": "Bleeding under two drugs"}
        for name, value in {**fields, "start": "1900-01-01", "end": "2030-01-01"}.items():
            alice.fill(f"#{name}", value)
        assert alice.evaluate(SENT_TWICE) == [True, False], "a second click sends nothing"
        alice.get_by_label("Who lives in some departments").check()
        alice.fill("#departments", "75, 2Z")
        alice.locator("#opens a[href='#departments']").wait_for()
        alice.get_by_label("Everybody in the enclosure").check()
        alice.locator("#opens dd", has_text="everybody in the enclosure").wait_for()
        alice.get_by_role("button", name="Make the document").click()
        alice.get_by_role("button", name="Hand it to the access body").click()
        application = urlsplit(alice.url).path.rpartition("/")[2]
        assert tabs[ALICE].go(f"/access/applications/{application}") == FORBIDDEN

        tabs[BEA].go(f"/access/applications/{application}")
        bea.get_by_role("button", name="Count what it opens").click()
        assert "CHU de Demain" in bea.inner_text("main")
        bea.get_by_role("button", name="Sign as a permit").click()
        bea.get_by_role("link", name=f"Permit {permit}").click()
        bea.get_by_role("link", name="Amend").click()
        bea.fill("#users", f"{ALICE}\nzoe@example.org data-manager")
        bea.get_by_role("button", name="Count what it opens").first.click()
        assert bea.locator("#opens tbody tr").first.inner_text().split() == [
            "User",
            "zoe@example.org",
            "–",
            "data",
            "manager",
        ]
        bea.fill("#reason", "Zoe keeps the data")
        bea.get_by_role("button", name="Sign the amendment").click()
        bea.locator(f"form[action='/access/permits/{permit}/open'] button").click()
        assert tabs[BEA].go(f"/research/permits/{permit}") == FORBIDDEN

        assert tabs[ALICE].go(f"/research/permits/{permit}/data") == OK
        tabs[ALICE].go(f"/research/permits/{permit}/studies/write")
        alice.fill("#text", "study: wrong\ncohorts: {}\n")
        alice.get_by_role("button", name="Check", exact=True).click()
        assert "cannot run yet" in alice.inner_text("#found")
        alice.fill("#text", QUICK)
        alice.get_by_role("button", name="Run", exact=True).click()
        alice.wait_for_url("**/runs/*", timeout=PATIENCE)
        alice.get_by_role("link", name="Ask for release").click()
        alice.fill("#purpose", "For the yearly report")
        alice.get_by_role("button", name="Check", exact=True).click()
        alice.fill("#purpose", "For the yearly report")
        alice.get_by_role("button", name="Ask for release").click()
        request = urlsplit(alice.url).path.rpartition("/")[2]
        assert tabs[ALICE].go(f"/check/{request}") == FORBIDDEN
        assert tabs[ALICE].go("/research/permits/FR-2026-0043") == ABSENT, "another's permit looks like none"

        tabs[CAROL].go(f"/check/{request}")
        carol.fill("#text", "Which years are meant?")
        carol.get_by_role("button", name="Ask", exact=True).click()
        tabs[ALICE].go(f"/research/releases/{request}")
        alice.get_by_label("Your answer to question").fill("All of them")
        alice.get_by_role("button", name="Answer", exact=True).click()
        for who, page in ((CAROL, carol), (DAN, dan)):
            tabs[who].go(f"/check/{request}")
            assert ("All of them" in page.inner_text("main"), "Counts hold" in page.inner_text("main")) == (True, False)
            page.get_by_label("Yes: I accept").check()
            page.fill("#reason", "Counts hold")
            page.get_by_role("button", name="Vote", exact=True).click()
        assert "Counts hold" in dan.inner_text("main"), "when both have voted, both are shown"
        tabs[ALICE].go(f"/research/releases/{request}")
        with alice.expect_download() as taken:
            alice.get_by_role("button", name="Take the package out").click()
        taken.value.save_as(tmp_path / "package.zip")
        run_cli("release", "verify", tmp_path / "package.zip", "--key", lively.release_key)

        tabs[AUD].go("/audit/verify")
        aud.locator("form[action='/audit/verify'] button").click()
        aud.get_by_role("heading", name="It holds", exact=True).wait_for(timeout=PATIENCE)
        tabs[AUD].go(f"/audit?permit={permit}")
        told = aud.inner_text("main")
        assert [word for word in ("PERMIT", "STUDY", "RELEASE") if word not in told.upper()] == []
        assert tabs[AUD].go(f"/check/{request}") == FORBIDDEN
        tabs[CAROL].go("/audit")
        assert "Refused" in carol.inner_text("main")
        assert [
            fault for each in tabs.values() for fault in each.faults if "403" not in fault and "404" not in fault
        ] == []


def test_a_form_without_the_session_s_mark_or_from_elsewhere_does_nothing(
    browser: Browser, root: str, entered: dict[str, Any]
) -> None:
    with tab(browser, root, storage_state=entered[STEW]) as opened:
        asked = opened.context.request
        origin = {"Origin": root}
        assert asked.post(f"{root}/sign-out", headers=origin).status == FORBIDDEN
        assert asked.post(f"{root}/sign-out", headers={"Origin": "https://elsewhere.example"}).status == FORBIDDEN
        assert opened.go("/data") == OK
        opened.page.get_by_role("button", name="Sign out").click()
        opened.go("/data")
        assert urlsplit(opened.page.url).path == "/sign-in"
