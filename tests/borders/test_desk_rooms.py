"""Who must not do it: a researcher signs nothing, a steward grants nothing, nobody by another's form."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from enclos.app.applications import Hand, ask_for, keep_application, show_application
from enclos.app.enclosure import create_enclosure
from enclos.app.permits import list_all, newest, sign
from enclos.signin.model import Role
from factories.enclosure import ALICE, CAROL, PASSPHRASE, open_home, permit_text
from factories.portal import Browser, Portal, portal_of

OTHERS = (Role.RESEARCHER, Role.STEWARD, Role.CHECKER, Role.AUDITOR)


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    home = tmp_path_factory.mktemp("rooms") / "home"
    create_enclosure(home, passphrase=PASSPHRASE, buckets=1)
    with open_home(home) as enclosure:
        sign(enclosure, permit_text("FR-1"))
    with portal_of(home) as answering:
        yield answering


@pytest.fixture(scope="module")
def application(portal: Portal) -> str:
    with open_home(portal.home) as enclosure:
        hand = Hand(ALICE, for_access_body=False)
        kept = keep_application(enclosure, hand, permit_text("FR-2"))["application"]
        return str(ask_for(enclosure, hand, kept)["application"])


def acts(application: str) -> dict[str, dict[str, str]]:
    return {
        f"/access/applications/{application}/grant": {"digest": ""},
        f"/access/applications/{application}/refuse": {"why": "not for us"},
        f"/access/applications/{application}/keep": {"document": "permit: other"},
        "/access/permits/FR-1/amend": {"document": permit_text("FR-1"), "reason": "wider", "version": "1"},
        "/access/permits/FR-1/renew": {"until": "2030-01-01", "reason": "longer", "version": "1"},
        "/access/permits/FR-1/revoke": {"confirm": "FR-1", "reason": "over", "version": "1"},
        "/access/permits/FR-1/open": {},
    }


def unchanged(portal: Portal, application: str) -> None:
    with open_home(portal.home) as enclosure:
        assert [row["permit"] for row in list_all(enclosure)["permits"]] == ["FR-1"]
        assert newest(enclosure, "FR-1").version == 1
        shown = show_application(enclosure, Hand(CAROL, for_access_body=True), application)
        assert (shown["stage"], len(shown["steps"])) == ("asked", 2)


@pytest.mark.parametrize("role", OTHERS, ids=[role.value for role in OTHERS])
def test_no_other_role_does_what_is_the_access_body_s(portal: Portal, application: str, role: Role) -> None:
    browser = portal.browser(ALICE, role)
    browser.get("/me")
    for path, form in acts(application).items():
        answer = browser.post(path, form)
        assert (answer.status_code, "SGN-05" in answer.text) == (403, True), path
    for path in ("/access", "/access/calendar", "/access/reviews?month=2026-01", "/access/permits/FR-1"):
        assert browser.get(path).status_code == 403, path
    unchanged(portal, application)


def test_an_applicant_s_own_pages_decide_nothing(portal: Portal, application: str) -> None:
    browser = portal.browser(ALICE, Role.RESEARCHER)
    browser.get(f"/applications/{application}")
    for act in ("grant", "refuse", "count"):
        assert browser.post(f"/applications/{application}/{act}", {"why": "not for us"}).status_code == 404
    assert browser.post(f"/applications/{application}/keep", {"document": "permit: wider"}).status_code == 403
    unchanged(portal, application)


def test_the_data_are_the_steward_s_to_look_at(portal: Portal) -> None:
    for role in (Role.RESEARCHER, Role.ACCESS_BODY, Role.CHECKER, Role.AUDITOR):
        browser = portal.browser(ALICE, role)
        for path in ("/data", "/data/deliveries", "/data/account", "/data/objections", "/data/quality"):
            assert browser.get(path).status_code == 403, path


def test_forms_of_elsewhere_and_of_another_session_do_nothing(portal: Portal, application: str) -> None:
    browser, other = (portal.browser(CAROL, Role.ACCESS_BODY) for _ in range(2))
    browser.get("/access")
    other.get("/access")
    for path, form in acts(application).items():
        assert browser.post(path, form, Origin="https://elsewhere.example").status_code == 403, path
        assert browser.post(path, {**form, "csrf": "guessed"}).status_code == 403, path
        assert Browser(portal.root, browser.session, other.opened).post(path, form).status_code == 403, path
        assert browser.get(path).status_code != 200 or not path.endswith(("grant", "open")), path
    unchanged(portal, application)


def test_a_signature_is_of_what_was_looked_at(portal: Portal, application: str) -> None:
    browser = portal.browser(CAROL, Role.ACCESS_BODY)
    browser.get(f"/access/applications/{application}")
    for digest in ("", "0" * 64):
        answer = browser.post(f"/access/applications/{application}/grant", {"digest": digest})
        assert (answer.status_code, "PRM-19" in answer.text) == (403, True)
    unchanged(portal, application)
