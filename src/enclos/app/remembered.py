"""What pages ask for again and again and takes a while to find, remembered while an enclosure is open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_MOST = 64
"""Things that are remembered; all go when there are more."""


class Remembered:
    """What was found, with the mark of the state that it was found in: of another state it is found anew."""

    def __init__(self) -> None:
        self._found: dict[object, tuple[object, dict[str, Any]]] = {}

    def once(self, what: object, mark: object, find: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What was found in the state of that mark; it is found now when nobody asked in it before.

        Two who ask at once may both find it. Refuses: what finding is refused for, which is not remembered
        """
        kept = self._found.get(what)
        if kept is not None and kept[0] == mark:
            return kept[1]
        found = find()
        if len(self._found) >= _MOST:
            self._found.clear()
        self._found[what] = (mark, found)
        return found
