"""A desk and an archive in memory."""

from __future__ import annotations

from collections.abc import Sequence

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.release.steps.documents import REQUEST


class MemoryDesk:
    """Requests in the order in which they were made."""

    def __init__(self) -> None:
        self._documents: dict[tuple[str, str], bytes] = {}

    def requests(self) -> Sequence[str]:
        return [request for request, name in self._documents if name == REQUEST]

    def read(self, request: str, name: str) -> bytes:
        if (request, name) not in self._documents:
            raise refusal(Code.RELEASE_UNKNOWN, "No such request was made.")
        return self._documents[request, name]

    def write(self, request: str, name: str, content: bytes) -> None:
        self._documents[request, name] = content


class MemoryArchive:
    """The persons behind requests, of permits whose keys are all there."""

    def __init__(self) -> None:
        self._persons: dict[tuple[str, str], bytes] = {}

    def keep(self, permit: str, request: str, content: bytes) -> None:
        self._persons[permit, request] = content

    def read(self, permit: str, request: str) -> bytes | None:
        return self._persons[permit, request]
