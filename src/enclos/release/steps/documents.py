"""A request as it lies on the desk: its documents, and the hash that votes are bound to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from enclos.lexicon.canonical import canonical_bytes, sha256_hex
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.release.model import RequestState, Vote
from enclos.release.ports import Desk
from enclos.release.rules.life import state_of

REQUEST, RESULT, STUDY, EVIDENCE = "request.json", "results.csv", "study.yaml", "evidence.json"
VOTES, EXPORTED = "votes.json", "exported.json"
BOUND = (REQUEST, RESULT, STUDY, EVIDENCE)
"""The documents that a vote is about."""


@dataclass(frozen=True, slots=True, repr=False)
class Request:
    """One request with its documents, votes and state."""

    id: str
    facts: Mapping[str, Any]
    result: bytes
    study: bytes
    evidence: Mapping[str, Any]
    votes: tuple[Vote, ...]
    is_exported: bool
    content: str

    def __repr__(self) -> str:
        return f"Request({self.id})"

    @property
    def state(self) -> RequestState:
        """Where the request stands."""
        return state_of(is_safe=bool(self.facts["safe"]), votes=self.votes, is_exported=self.is_exported)

    @property
    def involved(self) -> frozenset[str]:
        """Those who cannot judge it: its author and the people of its permit."""
        return frozenset((*self.facts["users"], self.facts["author"]))


def content_of(documents: Mapping[str, bytes]) -> str:
    """The hash of all that a vote is about."""
    return sha256_hex(canonical_bytes({name: sha256_hex(documents[name]) for name in BOUND}))


def load(desk: Desk, request_id: str) -> Request:
    """A request from the desk.

    Refuses: RELEASE_UNKNOWN; RELEASE_ALTERED when a document is not what was voted on.
    """
    if request_id not in desk.requests():
        raise refusal(Code.RELEASE_UNKNOWN, "There is no such request.", "List them: enclos release list DIR.")
    documents = {name: desk.read(request_id, name) for name in BOUND}
    votes = tuple(Vote(**vote) for vote in json.loads(desk.read(request_id, VOTES)))
    content = content_of(documents)
    if any(vote.content != content for vote in votes):
        raise refusal(
            Code.RELEASE_ALTERED,
            "This request is not what its reviewers saw.",
            "Make a new request; report this to the security officer.",
        )
    return Request(
        id=request_id,
        facts=json.loads(documents[REQUEST]),
        result=documents[RESULT],
        study=documents[STUDY],
        evidence=json.loads(documents[EVIDENCE]),
        votes=votes,
        is_exported="at" in (json.loads(desk.read(request_id, EXPORTED)) or {}),
        content=content,
    )


def votes_bytes(votes: tuple[Vote, ...]) -> bytes:
    """The votes as a document."""
    return canonical_bytes(
        [
            {"user": vote.user, "accept": vote.accept, "reason": vote.reason, "at": vote.at, "content": vote.content}
            for vote in votes
        ]
    )
