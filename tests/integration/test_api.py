"""REST over a real server: who may see what, refusals as problems, and a fuzzer that finds nothing."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import reduce
from hashlib import sha256
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pytest
import requests
import schemathesis
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import enclos.cli.commands  # noqa: F401 - registers the commands
from enclos.app.answered import files_of
from enclos.app.jobs.model import digest_of
from enclos.app.sign_in import token_for
from enclos.cli.application import application
from enclos.ledger.model import Action
from enclos.lexicon.codes import Code
from enclos.portal.api.commands import BESIDE, COMMANDS, ELSEWHERE, KEYLESS, WHOLE
from enclos.portal.api.examples import PERMIT, STUDY, as_curl, as_python
from enclos.signin.model import Person, Role
from factories.enclosure import ALICE, CAROL, DAN, open_home, permit_text
from factories.people import NOW, person
from factories.portal import Portal, portal_of
from factories.working_home import PERIOD, working_home

SECONDS = 60
BOB, ERIN, FAY, GUS, HAL, IVY, JAN = (
    f"{name}@example.org" for name in ("bob", "erin", "fay", "gus", "hal", "ivy", "jan")
)


@dataclass
class Api:
    """The interface as it answers, and a token for each person."""

    root: str
    tokens: dict[str, str]
    portal: Portal

    def ask(self, who: str, path: str, method: str = "GET", **given: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.tokens[who]}"} | given.pop("headers", {})
        return requests.request(method, self.root + path, headers=headers, timeout=SECONDS, **given)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    permits = {"FR-1": (ALICE,), "FR-2": (BOB,), PERMIT: (ALICE,)}
    home = working_home(tmp_path_factory.mktemp("api"), permits)
    roles = {ALICE: Role.RESEARCHER, BOB: Role.RESEARCHER, CAROL: Role.CHECKER, GUS: Role.CHECKER, DAN: Role.AUDITOR}
    roles |= {ERIN: Role.STEWARD, FAY: Role.ACCESS_BODY}
    with portal_of(home) as portal, pytest.MonkeyPatch.context() as patch:
        patch.setattr("enclos.portal.pace._AT_ONCE", 1e9)  # tests ask faster than people may
        with open_home(home) as enclosure:
            now = enclosure.ledger.now()
            tokens = {who: token_for(enclosure, _signed_in(who, role, now)) for who, role in roles.items()}
        yield Api(portal.root, tokens, portal)


def _signed_in(who: str, role: Role, now: Any) -> Person:
    ends = now + (person().expires_at - NOW)
    made = person(subject=who, name=who, roles=frozenset({role}), provider="http://127.0.0.1:9")
    return replace(made, authenticated_at=now, expires_at=ends, token=f"of-{who}")


def problem(answer: requests.Response) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert told["status"] == answer.status_code
    return told


def test_researchers_see_their_own_permits_and_who_audits_all(api: Api) -> None:
    assert [row["permit"] for row in api.ask(ALICE, "/api/permits").json()["permits"]] == ["FR-1", PERMIT]
    assert [row["permit"] for row in api.ask(DAN, "/api/permits").json()["permits"]] == ["FR-1", "FR-2", PERMIT]
    assert api.ask(CAROL, "/api/permits").json()["permits"] == []
    assert api.ask(ALICE, "/api/permits/FR-1").json()["document"]["permit"] == "FR-1"
    assert api.ask(DAN, "/api/permits/FR-2").json()["permit"] == "FR-2"
    hidden, absent = (problem(api.ask(ALICE, f"/api/permits/{permit}")) for permit in ("FR-2", "FR-9"))
    assert hidden == absent, "another's permit looks like none"
    assert (hidden["status"], hidden["code"]) == (404, "PRM-02")
    assert problem(api.ask(CAROL, "/api/permits/FR-1"))["code"] == "SGN-05"


def test_lists_come_in_pages(api: Api) -> None:
    first = api.ask(DAN, "/api/permits?limit=2").json()
    rest = api.ask(DAN, f"/api/permits?limit=2&after={first['next']}").json()
    assert ([row["permit"] for row in first["permits"]], first["next"]) == (["FR-1", "FR-2"], "FR-2")
    assert ([row["permit"] for row in rest["permits"]], rest["next"]) == ([PERMIT], "")


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
    assert problem(api.ask(ALICE, "/api/nothing"))["status"] == 404
    assert problem(api.ask(ALICE, "/api/permits", "DELETE"))["status"] == 405


def sent(api: Api, who: str, path: str, status: int, key: str = "", **body: Any) -> dict[str, Any]:
    """What was answered to a body, with the status that it must have; where a key is taken, it is asked for again."""
    is_keyed = f"POST {path}" not in KEYLESS
    headers = {"Idempotency-Key": key or secrets.token_hex(8)} if is_keyed else {}
    answer = api.ask(who, path, "POST", json=body, headers=headers)
    assert answer.status_code == status, answer.text
    told: dict[str, Any] = answer.json()
    if is_keyed:
        again = api.ask(who, path, "POST", json=body, headers=headers)
        assert (again.status_code, _lasting(again.json())) == (status, _lasting(told)), "the first answer"
        word = next((name for name in ("document", "purpose", "reason", "text", "why", "query") if name in body), None)
        other = api.ask(who, path, "POST", json=body | {word: f"{body[word]} "}, headers=headers) if word else None
        assert other is None or problem(other)["code"] == "JOB-05", "another body"
    return told


def _lasting(told: dict[str, Any]) -> dict[str, Any]:
    """An answer; of long work what does not change while it runs."""
    return {"job": told["job"]} if "job" in told else told


def test_a_study_runs_in_the_background_and_its_results_leave_by_two_votes(api: Api) -> None:
    judged = sent(api, ALICE, "/api/studies/validate", 200, study=STUDY)
    assert (judged["study"], judged["cohorts"]) == ("quick", ["gibleed"])
    assert problem(api.ask(ALICE, "/api/studies/validate", "POST", json={"study": "a: ["}))["code"] == "STU-01"
    assert sent(api, ALICE, "/api/studies/validate", 200, permit=PERMIT, study="study: none\n")["is_valid"] is False
    assert "# " in sent(api, ALICE, "/api/studies/protocol", 200, study=STUDY)["protocol"]
    begun = sent(api, ALICE, "/api/studies", 202, key="first-study", permit=PERMIT, study=STUDY)
    end = time.monotonic() + SECONDS
    while (job := api.ask(ALICE, f"/api/jobs/{begun['job']}").json())["state"] in {"waiting", "running"}:
        assert time.monotonic() < end
        time.sleep(0.5)
    assert (job["state"], job["title"]) == ("done", "quick")
    assert sent(api, ALICE, "/api/studies", 202, key="first-study", permit=PERMIT, study=STUDY)["job"] == job["job"]
    assert problem(api.ask(BOB, f"/api/jobs/{job['job']}"))["status"] == 404
    result = api.ask(ALICE, f"/api/jobs/{job['job']}/result").json()
    at = f"/api/permits/{PERMIT}/runs/{result['run']}"
    assert [run["run"] for run in api.ask(ALICE, f"/api/permits/{PERMIT}/runs").json()["runs"]] == [result["run"]]
    shown = api.ask(ALICE, at).json()
    assert (shown["summary"], shown["n_rows"]) == (result["summary"], result["n_rows"])
    table = api.ask(ALICE, f"{at}/files/{next(name for name in shown['files'] if name.endswith('.csv'))}")
    assert table.headers["content-type"].startswith("text/csv")
    assert b"gibleed" in table.content
    page = api.ask(ALICE, f"{at}/page?lang=fr")
    assert (page.status_code, "<script" in page.text) == (200, False)
    assert problem(api.ask(BOB, at))["code"] == "PRM-09"
    assert problem(api.ask(ALICE, f"{at}/files/none.csv"))["status"] == 404

    wish = {"permit": PERMIT, "run": result["run"]}
    assert sent(api, ALICE, "/api/releases/check", 200, **wish)["verdict"] in {"pass", "review"}
    asked = sent(api, ALICE, "/api/releases", 201, key="two", purpose="a paper", **wish)
    assert sent(api, ALICE, "/api/releases", 201, key="two", purpose="a paper", **wish) == asked
    other = api.ask(ALICE, "/api/releases", "POST", json={**wish, "purpose": "x"}, headers={"Idempotency-Key": "two"})
    assert problem(other)["code"] == "JOB-05"
    assert [row["request"] for row in api.ask(DAN, "/api/releases").json()["requests"]] == [asked["request"]]
    own = f"/api/releases/{asked['request']}"
    assert problem(api.ask(BOB, own))["status"] == 404
    assert problem(api.ask(ALICE, f"{own}/export", "POST"))["status"] in {403, 409}
    sent(api, CAROL, f"{own}/questions", 201, text="Why are these years shown?")
    sent(api, ALICE, f"{own}/questions/1/answer", 201, text="They are those of the protocol.")
    numbers = api.ask(CAROL, f"{own}/numbers").json()
    for voter in (CAROL, GUS):
        sent(api, voter, f"{own}/votes", 201, accept=True, reason="counts and context fit", content=numbers["content"])
    once = {"headers": {"Idempotency-Key": "package"}}
    package = api.ask(ALICE, f"{own}/export", "POST", **once)
    assert (package.status_code, package.headers["content-type"]) == (200, "application/zip")
    for more in (once, {}):
        assert api.ask(ALICE, f"{own}/export", "POST", **more).content == package.content, "it broke on its way"
    assert problem(api.ask(ALICE, f"{own}/votes", "POST", json={"accept": True, "reason": "x"}))["code"] == "SGN-05"
    assert problem(api.ask(ALICE, f"{own}/questions/1/answer", "POST", json={"text": "x"}, **once))["code"] == "JOB-05"
    zipped = {"Content-Type": "application/zip"}
    assert api.ask(BOB, "/api/releases/verify", "POST", data=package.content, headers=zipped).json()["request"]
    forged = package.content[:-30] + bytes(30)
    assert problem(api.ask(BOB, "/api/releases/verify", "POST", data=forged, headers=zipped))["code"] == "REL-08"
    with open_home(api.portal.home) as enclosure:
        told = [entry for _, entry in enclosure.ledger.entries(0) if entry.action.value.startswith("release.")]
    left = [entry.action for entry in told if entry.facts.get("copy") or entry.facts.get("package")]
    assert left == [Action.RELEASE_EXPORT, Action.RELEASE_AGAIN, Action.RELEASE_AGAIN]


def test_the_examples_of_the_docs_are_those_of_the_description_and_run(api: Api, tmp_path: Path) -> None:
    described = requests.get(f"{api.root}/openapi.json", timeout=SECONDS).json()
    page = (Path(__file__).parents[2] / "docs" / "rest.md").read_text(encoding="utf-8")
    known = {"PATH": os.environ["PATH"], "ENCLOS_ROOT": api.root, "TOKEN": api.tokens[ALICE]}
    for program, text in (("bash", as_curl(described)), (sys.executable, as_python(described))):
        assert text.rstrip() in page
        file = tmp_path / "example"
        file.write_text(text if program != "bash" else f"set -eu\n{text}", encoding="utf-8")
        done = subprocess.run([program, file], env=known, capture_output=True, text=True, timeout=SECONDS, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.splitlines()[-1] in {"pass", "review"}
        assert "n\n40\n" in done.stdout


def test_a_statement_is_answered_in_three_forms_and_guarded_as_on_the_command_line(api: Api) -> None:
    said = {"permit": "FR-1", "query": "SELECT gender_concept_id, count(*) AS n FROM person GROUP BY 1 ORDER BY 1"}
    told = sent(api, ALICE, "/api/sql", 200, **said)
    assert sum(row["n"] for row in told["rows"]) == 40
    lines = api.ask(ALICE, "/api/sql?form=csv", "POST", json=said).text.splitlines()
    assert lines == ["gender_concept_id,n", *(f"{row['gender_concept_id']},{row['n']}" for row in told["rows"])]
    arrow = api.ask(ALICE, "/api/sql?form=arrow", "POST", json=said).content
    assert pa.ipc.open_stream(arrow).read_all().to_pylist() == told["rows"]
    evil = {"permit": "FR-1", "query": "SELECT * FROM read_csv('/etc/passwd')"}
    assert problem(api.ask(ALICE, "/api/sql", "POST", json=evil))["code"] == "SQL-01"
    assert problem(api.ask(ALICE, "/api/sql", "POST", json={**said, "permit": "FR-2"}))["code"] == "PRM-09"
    assert problem(api.ask(CAROL, "/api/sql", "POST", json=said))["code"] == "SGN-05"
    tables = api.ask(ALICE, "/api/permits/FR-1/tables").json()["tables"]
    assert "year_of_birth" in tables["person"]


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
        files_of(enclosure).keep(name, {"asked": digest_of(["POST /api/permits", asked]), "said": None})
    headers = {"Idempotency-Key": "broken"}
    assert problem(api.ask(FAY, "/api/permits", "POST", json=asked, headers=headers))["code"] == "JOB-05"
    assert "FR-8" not in {row["permit"] for row in api.ask(FAY, "/api/permits").json()["permits"]}


SAMPLES = {"{permit}": "FR-1", "{name}": "half.yaml", "{index}": "3"}
"""Addresses with other names in them are those of one thing, which other tests look at."""


def test_every_list_comes_in_pages_or_it_is_said_why_not(api: Api) -> None:
    """Whoever may sees the same rows one by one as at once."""
    described = requests.get(f"{api.root}/openapi.json", timeout=SECONDS).json()["paths"]
    paged, whole = set(), set()
    for path, methods in described.items():
        at = reduce(lambda text, name: text.replace(name, SAMPLES[name]), SAMPLES, path)
        if "get" not in methods or "{" in at:
            continue
        who, answer = next(
            (who, answer) for who in (DAN, ERIN, ALICE, FAY, CAROL) if (answer := api.ask(who, at)).status_code != 403
        )
        told = answer.json()
        lists = {name for name, value in told.items() if isinstance(value, list)}
        taken = {each["name"] for each in methods["get"].get("parameters", ())}
        if {"limit", "after"} <= taken:
            paged.add(path)
            assert lists and "next" in told, path
            _one_by_one(api, who, at, told)
        elif lists:
            whole.add(f"GET {path}")
    assert whole <= WHOLE.keys()
    assert len(paged) > 12


def _one_by_one(api: Api, who: str, at: str, told: dict[str, Any]) -> None:
    name = next(name for name, value in told.items() if isinstance(value, list))
    first = api.ask(who, f"{at}?limit=1").json()
    if len(told[name]) < 2:
        return
    second = api.ask(who, f"{at}?limit=1&after={quote(first['next'])}").json()
    if name not in {"entries", "acts"}:  # asking is an entry, too
        assert [first[name], second[name]] == [told[name][:1], told[name][1:2]], at
    assert len(first[name]) == len(second[name]) == 1
    assert first[name] != second[name]


LONG_ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "/api/permits/FR-1/dictionary": (ALICE, {}),
    "/api/permits/FR-1/open": (FAY, {}),
    "/api/studies": (ALICE, {"permit": "FR-1", "study": STUDY}),
    "/api/permits/FR-1/runs/0123/rerun": (ALICE, {}),
    "/api/cohorts": (ALICE, {"permit": "FR-1", "definitions": {"a": "{}"}}),
    "/api/sql/keep": (ALICE, {"permit": "FR-1", "query": "SELECT 1"}),
    "/api/tables": (ALICE, {"permit": "FR-1", "rows": "a", "form": "b"}),
    "/api/deliveries/ingest": (ERIN, {"deliveries": ["none"]}),
    "/api/persons/link": (ERIN, {}),
    "/api/snapshots": (ERIN, {}),
    "/api/quality": (ERIN, {}),
    "/api/profile": (ERIN, {}),
    "/api/hosting/verify": (ERIN, {}),
    "/api/conformity/assess": (ERIN, {}),
}


@contextmanager
def nothing_runs(api: Api) -> Iterator[None]:
    """Others have all places of long work, so that what is begun waits."""
    with ExitStack() as places:
        for who in ("someone", "someone else"):
            asker = SimpleNamespace(user=who, permit=who)
            places.enter_context(api.portal.people._opened.jobs._queue.turn(asker, Event()))
        yield


def test_long_work_is_begun_once_under_a_key_and_by_who_may_now(api: Api) -> None:
    described = requests.get(f"{api.root}/openapi.json", timeout=SECONDS).json()["paths"]
    long = {path for path, methods in described.items() if "202" in methods.get("post", {"responses": ()})["responses"]}
    known = {path.replace("FR-1", "{permit}").replace("0123", "{run}") for path in LONG_ASKED}
    assert long == known | {"/api/jobs/{job}/again"}
    with nothing_runs(api):
        for path, (who, body) in LONG_ASKED.items():
            begun = sent(api, who, path, 202, key=path, **body)
            assert begun["state"] == "waiting"
            at, once = f"/api/jobs/{begun['job']}", {"headers": {"Idempotency-Key": path}}
            assert problem(api.ask(who, f"{at}/cancel", "POST", **once))["code"] == "JOB-05", "a key of long work"
            assert sent(api, who, f"{at}/cancel", 200, key=f"end {path}")["state"] == "cancelled"
            assert problem(api.ask(who, f"{at}/again", "POST", **once))["code"] == "JOB-05", "it is another piece"
            anew = sent(api, who, f"{at}/again", 202)
            assert anew["job"] != begun["job"]
            sent(api, who, f"/api/jobs/{anew['job']}/cancel", 200)
        used = {"headers": {"Idempotency-Key": f"end {path}"}}
        assert problem(api.ask(who, path, "POST", json=body, **used))["code"] == "JOB-05", "a key of something else"
        with open_home(api.portal.home) as enclosure:
            token = token_for(enclosure, _signed_in(ERIN, Role.AUDITOR, enclosure.ledger.now()))
        lost = requests.post(f"{api.root}{at}/again", headers={"Authorization": f"Bearer {token}"}, timeout=SECONDS)
        assert problem(lost)["code"] == "SGN-05", "who was a steward then"


def test_long_work_is_told_what_the_command_is_told(api: Api) -> None:
    link = sent(api, ERIN, "/api/persons/link", 202, indirect=True, method="deterministic", threshold=6)
    alone = {"threshold": 6.0}
    assert problem(api.ask(ERIN, "/api/persons/link", "POST", json=alone))["status"] == 422
    named = {"permit": PERMIT, "study": STUDY, "on": "spark:spark://elsewhere:7077"}
    assert problem(api.ask(ALICE, "/api/studies", "POST", json=named))["status"] == 422, "the host names clusters"
    assert over(api, ERIN, link)["state"] == "done"
    assert "indirect" in api.ask(ERIN, f"/api/jobs/{link['job']}/result").json()


def over(api: Api, who: str, job: dict[str, Any]) -> dict[str, Any]:
    """A piece of work once it is over."""
    end = time.monotonic() + 2 * SECONDS
    while (told := api.ask(who, f"/api/jobs/{job['job']}").json())["state"] in {"waiting", "running"}:
        assert time.monotonic() < end
        time.sleep(0.5)
    found: dict[str, Any] = told
    return found


def commands_of(command: Any, before: str = "") -> Iterator[str]:
    if hasattr(command, "commands"):
        for name, below in command.commands.items():
            yield from commands_of(below, f"{before} {name}".strip())
    else:
        yield before


def test_every_command_is_there_or_it_is_said_why_not(api: Api) -> None:
    paths = requests.get(f"{api.root}/openapi.json", timeout=SECONDS).json()["paths"]
    served = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    known = set(commands_of(typer.main.get_command(application)))
    assert known == COMMANDS.keys() | ELSEWHERE.keys()
    assert not COMMANDS.keys() & ELSEWHERE.keys()
    assert served == {place for places in COMMANDS.values() for place in places} | BESIDE.keys()


@pytest.mark.parametrize("n_examples", [2, pytest.param(40, marks=pytest.mark.slow)])
def test_the_interface_is_described_and_keeps_to_it_whatever_is_sent(api: Api, n_examples: int) -> None:
    """Each request is sent by one person after the other, until somebody's role lets them."""
    schema = schemathesis.openapi.from_url(f"{api.root}/openapi.json")
    assert requests.get(f"{api.root}/openapi.json", timeout=SECONDS).json()["openapi"].startswith("3.1")
    schema.validate()
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 50
    let_in: dict[str, set[str]] = {}
    with nothing_runs(api):
        for operation in operations:
            if operation.path in {"/api/me/sign-out", "/api/releases/verify"}:  # it ends the token; it takes no JSON
                continue

            @settings(max_examples=n_examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
            @given(case=operation.as_strategy(), people=st.permutations(sorted(api.tokens)))
            def keeps_to_it(case: Any, people: list[str]) -> None:
                for who in people:
                    headers = {"Authorization": f"Bearer {api.tokens[who]}"}
                    answer = case.call_and_validate(headers=headers, timeout=SECONDS)
                    if answer.status_code != 403:
                        let_in.setdefault(case.operation.path, set()).add(who)
                        break

            keeps_to_it()
        begun = {(who, job["job"]) for who in api.tokens for job in jobs_of(api, who) if job["state"] == "waiting"}
        for who, job in begun if n_examples == 2 else ():
            assert api.ask(who, f"/api/jobs/{job}/cancel", "POST").status_code == 200
    assert {"/api/snapshots", "/api/persons/link", "/api/conformity/assess"} <= let_in.keys()
    assert {who for who, _ in begun} == {ERIN}, "nobody else has what their long work needs"
    end = time.monotonic() + 20 * SECONDS
    while any(job["state"] in {"waiting", "running"} for job in jobs_of(api, ERIN)):
        assert time.monotonic() < end
        time.sleep(0.5)
    assert "failed" not in {job["state"] for job in jobs_of(api, ERIN)}, "refused at most, by a rule"


def jobs_of(api: Api, who: str) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = api.ask(who, "/api/jobs?limit=200").json()["jobs"]
    return told
