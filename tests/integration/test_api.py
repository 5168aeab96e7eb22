"""REST over a real server: who may see what, refusals as problems, and a fuzzer that finds nothing."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import requests
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enclos.app.enclosure import create_enclosure
from enclos.app.permits import sign
from enclos.app.sign_in import token_for
from enclos.portal.opened import Opened
from enclos.portal.people import People
from enclos.signin.model import Person, Role
from factories.enclosure import ALICE, CAROL, DAN, PASSPHRASE, open_home, permit_text
from factories.people import NOW, person

SECONDS = 30
BOB = "bob@example.org"


@dataclass
class Api:
    """The interface as it answers, and a token for each person."""

    root: str
    tokens: dict[str, str]

    def ask(self, who: str, path: str, method: str = "GET", **given: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.tokens[who]}"} | given.pop("headers", {})
        return requests.request(method, self.root + path, headers=headers, timeout=SECONDS, **given)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    home = tmp_path_factory.mktemp("api") / "home"
    create_enclosure(home, passphrase=PASSPHRASE, buckets=1)
    roles = {ALICE: Role.RESEARCHER, BOB: Role.RESEARCHER, CAROL: Role.CHECKER, DAN: Role.AUDITOR}
    with open_home(home) as enclosure:
        for permit, user in (("FR-1", ALICE), ("FR-2", BOB), ("FR-3", ALICE)):
            sign(enclosure, permit_text(permit, users=(user,)))
        _name_provider(home)
    with open_home(home) as enclosure:
        now = enclosure.ledger.now()
        tokens = {who: token_for(enclosure, _signed_in(who, role, now)) for who, role in roles.items()}
    opened = Opened(home, PASSPHRASE)
    listening = socket.create_server(("127.0.0.1", 0))
    root = f"http://127.0.0.1:{listening.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(People(opened, root).application(), lifespan="off", log_config=None))
    answering = Thread(target=server.run, kwargs={"sockets": [listening]})
    answering.start()
    yield Api(root, tokens)
    server.should_exit = True
    answering.join()
    opened.close()
    listening.close()


def _name_provider(home: Path) -> None:
    path = home / "enclos.toml"
    text = path.read_text()
    section = '[sign_in]\nissuer = "http://127.0.0.1:9"\nclient = "portal"\n'
    path.write_text(text[: text.index("[sign_in]")] + section)


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
    assert [row["permit"] for row in api.ask(ALICE, "/api/permits").json()["permits"]] == ["FR-1", "FR-3"]
    assert [row["permit"] for row in api.ask(DAN, "/api/permits").json()["permits"]] == ["FR-1", "FR-2", "FR-3"]
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
    assert ([row["permit"] for row in rest["permits"]], rest["next"]) == (["FR-3"], "")


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


def test_what_is_not_understood_is_not_repeated(api: Api) -> None:
    for body in (b"{", b'{"permit": "a secret"}', b'{"a secret": 1}', b"[]", b"\xff"):
        headers = {"Content-Type": "application/json"}
        answer = api.ask(ALICE, "/api/releases", "POST", data=body, headers=headers)
        assert problem(answer)["status"] == (400 if body == b"\xff" else 422)
        assert "secret" not in answer.text
    assert problem(api.ask(ALICE, "/api/nothing"))["status"] == 404
    assert problem(api.ask(ALICE, "/api/permits", "DELETE"))["status"] == 405


def test_the_interface_is_described_and_keeps_to_it_whatever_is_sent(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("enclos.portal.pace._AT_ONCE", 1e9)
    schema = schemathesis.openapi.from_url(f"{api.root}/openapi.json")
    assert requests.get(f"{api.root}/openapi.json", timeout=SECONDS).json()["openapi"].startswith("3.1")
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) == 10
    for operation in operations:

        @settings(max_examples=4, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy(), who=st.sampled_from(sorted(api.tokens)))
        def keeps_to_it(case: Any, who: str) -> None:
            case.call_and_validate(headers={"Authorization": f"Bearer {api.tokens[who]}"}, timeout=SECONDS)

        keeps_to_it()
