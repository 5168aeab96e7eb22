"""Who is turned away over REST or by the portal is in the ledger; what was broken off is not done again unseen."""

from __future__ import annotations

from hashlib import sha256

import requests

from enclos.app.answered import files_of
from enclos.app.jobs.model import digest_of
from enclos.ledger.model import Action
from enclos.lexicon.codes import Code
from enclos.signin.model import Role
from factories.api import BOB, FAY, GUS, HAL, IVY, JAN, SECONDS, Api, problem
from factories.enclosure import open_home, permit_text
from factories.working_home import PERIOD


def test_who_is_turned_away_is_in_the_ledger_but_nobody_can_fill_it(api: Api) -> None:
    with open_home(api.portal.home) as enclosure:
        before = enclosure.ledger.size()
    for _ in range(20):
        assert problem(api.ask(GUS, "/api/permits/FR-1"))["code"] == "SGN-05"
    with open_home(api.portal.home) as enclosure:
        told = [entry for _, entry in enclosure.ledger.entries(before) if entry.action is Action.DENIED]
    assert len(told) == 1
    assert (told[0].facts["code"], told[0].facts["via"]) == ("SGN-05", "rest")
    browser = api.portal.browser(HAL, Role.CHECKER)
    assert {browser.get("/research/permits").status_code for _ in range(5)} == {403}
    with open_home(api.portal.home) as enclosure:
        told = [entry for _, entry in enclosure.ledger.entries(before) if entry.action is Action.DENIED]
    assert [entry.facts["via"] for entry in told] == ["rest", "portal"]


def test_what_strangers_try_and_forms_of_elsewhere_are_in_the_ledger_but_nobody_can_fill_it(api: Api) -> None:
    with open_home(api.portal.home) as enclosure:
        before = enclosure.ledger.size()
    for number in range(5):
        headers = {"Authorization": f"Bearer none-{number}"}
        assert requests.get(f"{api.root}/api/me", headers=headers, timeout=SECONDS).status_code == 401
    browser = api.portal.browser(IVY, Role.CHECKER)
    browser.get("/me")
    for _ in range(5):
        assert browser.post("/sign-out", {}, Origin="https://elsewhere.example").status_code == 403
    marked = api.portal.browser(JAN, Role.CHECKER)
    marked.get("/me")
    assert marked.post("/sign-out", {"csrf": "guessed"}).status_code == 403
    with open_home(api.portal.home) as enclosure:
        told = [(at, entry) for at, entry in enclosure.ledger.entries(0) if entry.action is Action.DENIED]
        nobody, *digests = [enclosure.ledger.digests(who) for who in ("nobody", IVY, JAN)]
    new = [entry for at, entry in told if at >= before]
    by_portal = [entry for entry in new if entry.facts["via"] == "portal"]
    assert [entry.facts["code"] for entry in by_portal] == [Code.SIGN_IN_ANSWER.id] * 2
    assert all(entry.actor in known for entry, known in zip(by_portal, digests, strict=True))
    strangers = [entry for _, entry in told if (entry.facts["via"], entry.facts["code"]) == ("rest", "SGN-03")]
    assert strangers and all(entry.actor in nobody for entry in strangers)
    assert len(new) - len(by_portal) <= 1  # none where another test's strangers were told of a moment ago


def test_a_request_that_was_broken_off_is_not_done_again_unseen(api: Api) -> None:
    text = permit_text("FR-8", period=PERIOD, min_count=1, users=(BOB,))
    asked = {"document": text, "files": {}}
    name = sha256(f"{FAY}\nbroken".encode()).hexdigest()[:16]
    with open_home(api.portal.home) as enclosure:
        files_of(enclosure, FAY).keep(name, {"asked": digest_of(["POST /api/permits", asked]), "said": None})
    headers = {"Idempotency-Key": "broken"}
    assert problem(api.ask(FAY, "/api/permits", "POST", json=asked, headers=headers))["code"] == "JOB-05"
    assert "FR-8" not in {row["permit"] for row in api.ask(FAY, "/api/permits").json()["permits"]}
