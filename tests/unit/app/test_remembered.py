"""What was found once is found again when its state is another one, or when too much else was."""

from __future__ import annotations

from typing import Any

from enclos.app.remembered import Remembered


def test_each_thing_is_found_once_in_each_state() -> None:
    it, found = Remembered(), list[tuple[str, int]]()

    def asked(what: str, mark: int) -> dict[str, Any]:
        def find() -> dict[str, Any]:
            found.append((what, mark))
            return {"what": what, "mark": mark}

        return it.once(what, mark, find)

    for what, mark in (("a", 1), ("b", 1), ("a", 1), ("a", 2), ("b", 1), ("a", 1)):
        assert asked(what, mark) == {"what": what, "mark": mark}
    assert found == [("a", 1), ("b", 1), ("a", 2), ("a", 1)]
    for n in range(1_000):
        asked(f"another {n}", 1)
    found.clear()
    asked("a", 1)
    assert found == [("a", 1)], "memory is not for ever"
