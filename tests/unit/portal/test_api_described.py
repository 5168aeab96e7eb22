"""What the interface's own description promises of all its operations alike; nobody is served."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import click
import pytest
import typer

import enclos.cli.commands  # noqa: F401 - registers the commands
from enclos.cli.application import application
from enclos.portal.api import _NOUNS, api_application
from enclos.portal.api.commands import COMMANDS, KEYLESS, OPTIONS_ELSEWHERE, RENAMED

API = api_application(None)  # type: ignore[arg-type]
DESCRIBED: dict[str, Any] = API.openapi()


def operations(method: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in DESCRIBED["paths"].items():
        if method in methods:
            yield f"{method.upper()} {path}", methods[method]


def _commands(command: Any, before: str = "") -> Iterator[tuple[str, click.Command]]:
    if hasattr(command, "commands"):
        for name, below in command.commands.items():
            yield from _commands(below, f"{before} {name}".strip())
    else:
        yield before, command


def parameters(operation: dict[str, Any]) -> set[str]:
    return {each["name"] for each in operation.get("parameters", ())}


def test_whatever_changes_something_takes_a_key() -> None:
    keyed = {place for place, operation in operations("post") if "Idempotency-Key" in parameters(operation)}
    every = {place for place, _ in operations("post")}
    assert len(every) > 40
    assert every - keyed == KEYLESS.keys()
    assert not [place for place, operation in operations("get") if "Idempotency-Key" in parameters(operation)]


def test_who_takes_a_key_asks_whether_it_was_used() -> None:
    posts = {f"POST /api{each.path}": each.endpoint for noun in _NOUNS for each in noun.router.routes if _is_post(each)}
    assert posts.keys() == {place for place, _ in operations("post")}
    words = ("ask.once(", "ask.begin(", "ask.begin_again(")
    asking = {place for place, endpoint in posts.items() if any(word in inspect.getsource(endpoint) for word in words)}
    assert posts.keys() - asking == KEYLESS.keys()


def _is_post(route: Any) -> bool:
    return "POST" in route.methods


def fields(place: str) -> set[str]:
    """What an operation takes: parameters, and the fields of what is sent, or its kind where it has none."""
    method, _, path = place.partition(" ")
    operation = DESCRIBED["paths"][path][method.lower()]
    found = parameters(operation)
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        schemas = [content["schema"], *content["schema"].get("anyOf", ())]
        names = [each["$ref"].rpartition("/")[2] for each in schemas if "$ref" in each]
        found |= {field for name in names for field in DESCRIBED["components"]["schemas"][name]["properties"]}
        found |= set() if names else {kind}
    return found


def asked_of(command: click.Command) -> Iterator[str]:
    """Arguments by their names and options by their long ones."""
    for each in command.params:
        name = str(each.name) if each.param_type_name == "argument" else max(each.opts, key=len)
        if name not in {"directory", "--json", "--help"}:
            yield name


COMMANDS_BY_NAME: dict[str, click.Command] = dict(_commands(typer.main.get_command(application)))


@pytest.mark.parametrize("command", COMMANDS)
def test_what_a_command_can_be_asked_can_be_asked_over_rest_or_it_is_said_why_not(command: str) -> None:
    taken = set().union(*map(fields, COMMANDS[command]))
    for name in asked_of(COMMANDS_BY_NAME[command]):
        full = f"{command} {name}"
        own = {RENAMED[full]} if full in RENAMED else {name.strip("-").replace("-", "_"), f"{name}_id", name[:-3]}
        is_there, is_excused = bool(own & taken), {name, full} & OPTIONS_ELSEWHERE.keys()
        assert is_there or is_excused, full
        assert not (is_there and full in OPTIONS_ELSEWHERE), f"{full} is there"


def test_no_name_and_no_excuse_is_left_of_what_is_gone() -> None:
    every = {f"{name} {each}" for name in COMMANDS for each in asked_of(COMMANDS_BY_NAME[name])}
    some = {each.rpartition(" ")[2] for each in every}
    assert RENAMED.keys() <= every
    assert OPTIONS_ELSEWHERE.keys() <= every | some


def test_every_list_comes_in_pages_of_the_same_two_parameters() -> None:
    paging = {place for place, operation in operations("get") if {"limit", "after"} & parameters(operation)}
    assert len(paging) > 15
    for place in paging:
        assert {"limit", "after"} <= fields(place), place
