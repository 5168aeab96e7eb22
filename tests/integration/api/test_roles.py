"""Over REST people see and do what their roles and permits let them; refusals are those of the command line."""

from __future__ import annotations

import requests

from enclos.app.sign_in import token_for
from enclos.portal.api.examples import PERMIT
from enclos.signin.model import Role
from factories.api import BOB, ERIN, FAY, SECONDS, Api, problem, sent, signed_in
from factories.enclosure import ALICE, CAROL, DAN, open_home, permit_text
from factories.working_home import PERIOD


def test_researchers_see_their_own_permits_and_who_audits_all(api: Api) -> None:
    assert [row["permit"] for row in api.ask(ALICE, "/api/permits").json()["permits"]] == ["FR-1", PERMIT]
    every = [row["permit"] for row in api.ask(DAN, "/api/permits").json()["permits"]]
    assert {"FR-1", "FR-2", PERMIT} <= set(every)
    assert api.ask(CAROL, "/api/permits").json()["permits"] == []
    assert api.ask(ALICE, "/api/permits/FR-1").json()["document"]["permit"] == "FR-1"
    assert api.ask(DAN, "/api/permits/FR-2").json()["permit"] == "FR-2"
    hidden, absent = (problem(api.ask(ALICE, f"/api/permits/{permit}")) for permit in ("FR-2", "FR-9"))
    assert hidden == absent, "another's permit looks like none"
    assert (hidden["status"], hidden["code"]) == (404, "PRM-02")
    assert problem(api.ask(CAROL, "/api/permits/FR-1"))["code"] == "SGN-05"


def test_lists_come_in_pages(api: Api) -> None:
    every = [row["permit"] for row in api.ask(DAN, "/api/permits").json()["permits"]]
    seen: list[str] = []
    after = "-"  # before all others
    while after:
        page = api.ask(DAN, f"/api/permits?limit=2&after={after}").json()
        assert len(page["permits"]) == 2 or not page["next"]
        seen += [row["permit"] for row in page["permits"]]
        after = page["next"]
    assert seen == every


def test_a_review_is_made_once_for_all_its_pages(api: Api) -> None:
    def pages(who: str) -> list[str]:
        found, after = [], ""
        while True:
            told = api.ask(who, f"/api/permit-review?limit=1&after={after}").json()
            found += [row["permit"] for row in told["permits"]]
            after = told["next"]
            if not after:
                return found

    head = api.ask(DAN, "/api/ledger").json()["size"]
    permits = pages(DAN)
    assert len(permits) >= 3
    assert pages(FAY) == permits
    asked = f"/api/ledger/entries?start={head}&limit=200"
    acts = [row["action"] for row in api.ask(DAN, asked).json()["entries"]]
    assert acts.count("permit.review") == 4, "what was meant and how it ended, for each of two persons"
    assert problem(api.ask(ALICE, f"/api/permit-review?after={permits[0]}"))["code"] == "SGN-05"


def test_the_ledger_is_the_auditor_s_and_its_head_everybody_s(api: Api) -> None:
    head = api.ask(ALICE, "/api/ledger").json()
    assert head["checkpoint"].startswith(f"{head['origin']}\n{head['size']}\n")
    page = api.ask(DAN, "/api/ledger/entries?start=1&limit=3").json()
    assert [row["index"] for row in page["entries"]] == [1, 2, 3]
    assert ALICE not in str(page)
    assert api.ask(DAN, f"/api/ledger/entries?start={2**53}").json()["entries"] == []
    assert problem(api.ask(ALICE, "/api/ledger/entries"))["code"] == "SGN-05"


def test_nobody_without_a_token_of_this_place_is_told_anything(api: Api) -> None:
    for headers in ({}, {"Authorization": "Bearer x.y.z"}, {"Authorization": "Basic YTpi"}):
        for path in ("/api/me", "/api/permits", "/api/ledger", "/api/releases/x"):
            answer = requests.get(api.root + path, headers=headers, timeout=SECONDS)
            assert problem(answer)["code"] in {"SGN-03", "SGN-10"}
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_a_person_is_one_by_whichever_token_and_says_no_name_to_who_shares_out_places(api: Api) -> None:
    with open_home(api.portal.home) as enclosure:
        other = token_for(enclosure, signed_in(ALICE, Role.RESEARCHER, enclosure.ledger.now()))
    browser = api.portal.browser(ALICE, Role.RESEARCHER)
    words = {requests.get(f"{api.root}/asker", headers={"Authorization": f"Bearer {other}"}, timeout=SECONDS).text}
    words |= {api.ask(ALICE, "/asker").text, browser.get("/asker").text}
    assert len(words) == 1
    assert api.ask(BOB, "/asker").text not in words
    assert "alice" not in words.pop()
    for headers in ({}, {"Authorization": "Bearer x.y.z"}, {"Cookie": "enclos=guessed"}):
        assert requests.get(f"{api.root}/asker", headers=headers, timeout=SECONDS).status_code == 401


def test_refusals_are_the_same_as_on_the_command_line(api: Api) -> None:
    asked = {"permit": "FR-1", "run": "no-such-run", "purpose": "a paper"}
    assert problem(api.ask(ALICE, "/api/releases", "POST", json=asked))["code"] == "ENC-10"
    other = problem(api.ask(ALICE, "/api/releases", "POST", json={**asked, "permit": "FR-2"}))
    assert (other["status"], other["code"], other["branch"]) == (403, "PRM-09", "not allowed")
    assert problem(api.ask(CAROL, "/api/releases", "POST", json=asked))["code"] == "SGN-05"
    vote = {"accept": True, "reason": "it fits"}
    assert problem(api.ask(CAROL, "/api/releases/none/votes", "POST", json=vote))["code"] == "REL-01"
    assert problem(api.ask(ALICE, "/api/releases/none/votes", "POST", json=vote))["code"] == "SGN-05"


def test_a_study_file_is_kept_read_and_removed_by_users_of_its_permit(api: Api) -> None:
    place, text = "/api/permits/FR-1/study-files", "study: half\n# not done\n"
    sent = {"json": {"name": "half.yaml", "text": text}, "headers": {"Idempotency-Key": "keep-half"}}
    kept = api.ask(ALICE, place, "POST", **sent).json()
    assert (kept["name"], kept["user"]) == ("half.yaml", ALICE)
    assert api.ask(ALICE, place, "POST", **sent).json() == kept, "done once"
    assert api.ask(ALICE, place).json()["files"] == [kept]
    assert api.ask(ALICE, f"{place}/half.yaml").json() == {**kept, "text": text}
    for path, method, more in ((place, "GET", {}), (place, "POST", sent), (f"{place}/half.yaml", "GET", {})):
        assert problem(api.ask(BOB, path, method, **more))["code"] == "PRM-09"
    assert problem(api.ask(BOB, f"{place}/half.yaml/remove", "POST"))["code"] == "PRM-09"
    assert api.ask(ALICE, f"{place}/half.yaml/remove", "POST").json() == {"removed": "half.yaml"}
    assert problem(api.ask(ALICE, f"{place}/half.yaml"))["code"] == "ENC-10"
    assert api.ask(ALICE, "/api/permits/FR-1/cohorts").json() == {"permit": "FR-1", "saved": [], "next": ""}
    assert problem(api.ask(BOB, "/api/permits/FR-1/cohorts"))["code"] == "PRM-09"


def test_what_is_not_understood_is_not_repeated(api: Api) -> None:
    for body in (b"{", b'{"permit": "a secret"}', b'{"a secret": 1}', b"[]", b"\xff"):
        headers = {"Content-Type": "application/json"}
        answer = api.ask(ALICE, "/api/releases", "POST", data=body, headers=headers)
        assert problem(answer)["status"] == (400 if body == b"\xff" else 422)
        assert "secret" not in answer.text
    for path in ("/api/nothing", "/api/me/sign-ins/a%0Ab/end", "/api/%0A"):
        assert problem(api.ask(ALICE, path, "POST"))["status"] == 404
    assert problem(api.ask(ALICE, "/api/permits", "DELETE"))["status"] == 405


def test_the_access_body_grants_and_ends_permits(api: Api) -> None:
    text = permit_text("FR-9", period=PERIOD, min_count=1, users=(BOB,))
    signed = sent(api, FAY, "/api/permits", 201, key="s", document=text)
    assert sent(api, FAY, "/api/permits", 201, key="s", document=text) == signed
    assert problem(api.ask(FAY, "/api/permits", "POST", json={"document": text}))["code"] == "PRM-11"
    change = {"document": text.replace("whole chain", "whole long chain"), "reason": "a word"}
    assert sent(api, FAY, "/api/permits/FR-9/amend", 200, **change)["version"] == 2
    assert problem(api.ask(FAY, "/api/permits/FR-1/amend", "POST", json=change))["code"] == "PRM-01"
    ended = sent(api, FAY, "/api/permits/FR-9/revoke", 200, reason="the holder asked", of_version=2)
    assert ended["state"] == "REVOKED"
    for who in (ALICE, ERIN, CAROL):
        assert problem(api.ask(who, "/api/permits/FR-1/revoke", "POST", json={"reason": "x"}))["code"] == "SGN-05"
    assert api.ask(ALICE, "/api/permits/FR-1").json()["state"] == "GRANTED"
    assert "FR-1" in {row["permit"] for row in api.ask(DAN, "/api/permit-review").json()["permits"]}
    assert "permit:" in api.ask(FAY, "/api/permit-draft").json()["document"]


def test_an_application_is_written_asked_for_and_granted_by_another(api: Api) -> None:
    text = permit_text("FR-7", period=PERIOD, min_count=1, users=(BOB,))
    draft = sent(api, BOB, "/api/applications", 201, key="a", document=text)
    at = f"/api/applications/{draft['application']}"
    assert problem(api.ask(FAY, at))["status"] == 404, "a draft is its applicant's alone"
    assert problem(api.ask(ALICE, at))["status"] == 404
    sent(api, BOB, f"{at}/ask", 200, key="asked")
    headers = {"Idempotency-Key": "asked"}
    assert problem(api.ask(BOB, f"{at}/withdraw", "POST", headers=headers))["code"] == "JOB-05", "another address"
    assert problem(api.ask(BOB, f"{at}/grant", "POST", json={}))["code"] == "SGN-05"
    granted = sent(api, FAY, f"{at}/grant", 200, digest=draft["digest"])
    assert granted["permit"] == "FR-7"
    assert "FR-7" in {row["permit"] for row in api.ask(BOB, "/api/permits").json()["permits"]}
    assert [row["stage"] for row in api.ask(BOB, "/api/applications").json()["applications"]] == [granted["stage"]]


def test_the_steward_keeps_objections_and_the_auditor_proves_the_ledger(api: Api) -> None:
    lines = "source;pseudonym;rank\ngibleed;ABC123;\n"
    kept = sent(api, ERIN, "/api/objections", 201, key="o", lines=lines)
    assert sent(api, ERIN, "/api/objections", 201, key="o", lines=lines) == kept
    listed = api.ask(ERIN, "/api/objections").json()
    assert (listed["standing"], "ABC123" in str(listed)) == (1, False)
    assert sent(api, ERIN, "/api/objections/withdraw", 200, receipts=kept["receipts"])["withdrawn"] == 1
    assert problem(api.ask(ALICE, "/api/objections"))["code"] == "SGN-05"
    assert len(api.ask(ERIN, "/api/snapshots").json()["snapshots"]) == 1
    assert api.ask(ERIN, "/api/deliveries").json()["n_landed"] > 0
    assert api.ask(ERIN, "/api/snapshots/account").json()["account"]
    verified = api.ask(DAN, "/api/ledger/verify").json()
    assert verified["size"] > 10
    proof = api.ask(DAN, "/api/ledger/entries/3/proof").json()
    assert proof
    assert problem(api.ask(DAN, "/api/ledger/entries/999999/proof"))["code"] == "LDG-02"
    assert api.ask(DAN, "/api/ledger/entries/3").json()["proof"]
    assert problem(api.ask(DAN, "/api/ledger/entries/999999"))["code"] == "LDG-02"
    acts = api.ask(DAN, "/api/ledger/acts?action=permit.sign").json()["acts"]
    assert {act["action"] for act in acts} == {"permit.sign"}
    assert problem(api.ask(ALICE, "/api/ledger/acts"))["code"] == "SGN-05"
    assert api.ask(DAN, "/api/ledger/review").json()["month"]
