"""The interface over a real server, with a token for each of seven persons, and what tests ask of it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from threading import Event
from types import SimpleNamespace
from typing import Any

import requests

from enclos.portal.api.commands import KEYLESS
from enclos.signin.model import Person, Role
from factories.people import NOW, person
from factories.portal import Portal

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
        """What somebody is answered."""
        headers = {"Authorization": f"Bearer {self.tokens[who]}"} | given.pop("headers", {})
        return requests.request(method, self.root + path, headers=headers, timeout=SECONDS, **given)


def signed_in(who: str, role: Role, now: Any) -> Person:
    """Somebody of a role who signed in at that time."""
    ends = now + (person().expires_at - NOW)
    made = person(subject=who, name=who, roles=frozenset({role}), provider="http://127.0.0.1:9")
    return replace(made, authenticated_at=now, expires_at=ends, token=f"of-{who}")


def problem(answer: requests.Response) -> dict[str, Any]:
    """What was answered as a problem, whose status is the answer's."""
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert told["status"] == answer.status_code
    return told


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


@contextmanager
def nothing_runs(api: Api) -> Iterator[None]:
    """Others have all places of long work, so that what is begun waits."""
    with ExitStack() as places:
        for who in ("someone", "someone else"):
            asker = SimpleNamespace(user=who, permit=who)
            places.enter_context(api.portal.people._opened.jobs._queue.turn(asker, Event()))
        yield


def over(api: Api, who: str, job: dict[str, Any]) -> dict[str, Any]:
    """A piece of work once it is over."""
    end = time.monotonic() + 2 * SECONDS
    while (told := api.ask(who, f"/api/jobs/{job['job']}").json())["state"] in {"waiting", "running"}:
        assert time.monotonic() < end
        time.sleep(0.5)
    found: dict[str, Any] = told
    return found


def jobs_of(api: Api, who: str) -> list[dict[str, Any]]:
    """Somebody's long work."""
    told: list[dict[str, Any]] = api.ask(who, "/api/jobs?limit=200").json()["jobs"]
    return told
