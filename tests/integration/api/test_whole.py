"""All of the interface alike: every list comes in pages, every command is there, and a fuzzer finds nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import reduce
from typing import Any
from urllib.parse import quote

import pytest
import requests
import schemathesis
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import enclos.cli.commands  # noqa: F401 - registers the commands
from enclos.cli.application import application
from enclos.portal.api.commands import BESIDE, COMMANDS, ELSEWHERE, WHOLE
from factories.api import ERIN, FAY, SECONDS, Api, jobs_of, nothing_runs
from factories.enclosure import ALICE, CAROL, DAN

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
    assert {"/api/snapshots", "/api/persons/link", "/api/conformity/assess", "/api/ledger/review"} <= let_in.keys()
    beginners = {who for who, _ in begun}
    assert {ERIN} <= beginners <= {ERIN, DAN, FAY}, "nobody else has what their long work needs"
    end = time.monotonic() + 20 * SECONDS
    while any(job["state"] in {"waiting", "running"} for who in beginners for job in jobs_of(api, who)):
        assert time.monotonic() < end
        time.sleep(0.5)
    ends = {job["state"] for who in beginners for job in jobs_of(api, who)}
    assert "failed" not in ends, "refused at most, by a rule"
