"""What the interface's own description promises of all its operations alike; nobody is served."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from enclos.portal.api import _NOUNS, api_application
from enclos.portal.api.commands import KEYLESS

API = api_application(None)  # type: ignore[arg-type]
DESCRIBED: dict[str, Any] = API.openapi()


def operations(method: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in DESCRIBED["paths"].items():
        if method in methods:
            yield f"{method.upper()} {path}", methods[method]


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
