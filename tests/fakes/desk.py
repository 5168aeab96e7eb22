"""A desk and an archive in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from enclos.lexicon.canonical import sha256_hex
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

    def mark(self, request: str, names: Sequence[str]) -> str:
        return sha256_hex(b"".join(self.read(request, name) for name in names))


class MemoryArchive:
    """The persons behind requests, of permits whose keys are all there."""

    def __init__(self) -> None:
        self._persons: dict[tuple[str, str], bytes] = {}
        self._segments: dict[str, dict[str, bytes]] = {}
        self._beside: dict[tuple[str, str], bytes] = {}

    def keep(self, permit: str, request: str, content: bytes) -> None:
        self._persons[permit, request] = content

    def read(self, permit: str, request: str) -> bytes | None:
        return self._persons[permit, request]

    def mark(self, permit: str, request: str) -> str:
        return sha256_hex(self._persons[permit, request])

    def has_key(self, permit: str) -> bool:  # noqa: ARG002 - all are there
        return True

    def indexed(self) -> Sequence[str]:
        return list(self._segments)

    def segments(self, permit: str) -> Mapping[str, bytes]:
        return dict(self._segments.get(permit, {}))

    def keep_segment(self, permit: str, content: bytes) -> None:
        self._segments.setdefault(permit, {})[sha256_hex(content)] = content

    def drop_segments(self, permit: str, names: Sequence[str]) -> None:
        for name in names:
            del self._segments[permit][name]

    def beside(self, permit: str, request: str) -> bytes:
        return self._beside.get((permit, request), b"")

    def keep_beside(self, permit: str, request: str, content: bytes) -> None:
        self._beside[permit, request] = content
