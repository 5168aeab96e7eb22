"""A long list is made for its first page and kept for the next ones of the same person."""

from __future__ import annotations

from typing import Any

from enclos.portal.api.continued import Continued


def test_next_pages_are_of_what_was_found_for_the_first_for_a_while_and_for_one_person() -> None:
    now, made = [0.0], list[int]()
    continued = Continued(lambda: now[0])

    def make() -> dict[str, Any]:
        made.append(len(made))
        return {"n": made[-1]}

    def found(user: str, what: str, *, goes_on: bool) -> int:
        return int(continued.found(user, what, make, goes_on=goes_on)["n"])

    assert found("alice", "2026", goes_on=False) == 0
    assert found("alice", "2026", goes_on=True) == 0
    assert found("bob", "2026", goes_on=True) == 1, "another's is not shown"
    assert found("alice", "2025", goes_on=True) == 2
    assert found("alice", "2026", goes_on=False) == 3, "a first page is made anew"
    now[0] += 601
    assert found("alice", "2026", goes_on=True) == 4
    for number in range(40):
        found(f"u{number}", "2026", goes_on=False)
    assert found("alice", "2026", goes_on=True) == 45, "the oldest go"
