"""A request as it lies on the desk: its documents, and the hash that votes are bound to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from enclos.contracts.disclosure import Demands, RuleSets
from enclos.lexicon.canonical import canonical_bytes, sha256_hex
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.release.model import Course, Finding, Question, RequestState, Vote
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
    questions: tuple[Question, ...]
    course: Course
    content: str

    def __repr__(self) -> str:
        return f"Request({self.id})"

    @property
    def state(self) -> RequestState:
        """Where the request stands."""
        return state_of(is_safe=bool(self.facts["safe"]), votes=self.votes, course=self.course)

    @property
    def decided_at(self) -> str:
        """The instant from which nobody was waited for; empty before."""
        if not self.state.is_decided:
            return ""
        return self.votes[-1].at if self.votes else str(self.facts["asked_at"])

    @property
    def turnaround_seconds(self) -> int | None:
        """From asking to the decision."""
        if not self.decided_at:
            return None
        asked_at = datetime.fromisoformat(str(self.facts["asked_at"]))
        return int((datetime.fromisoformat(self.decided_at) - asked_at).total_seconds())

    @property
    def min_count(self) -> int:
        """The least number of persons, by its permit."""
        return int(self.facts["min_count"])

    @property
    def demands(self) -> RuleSets:
        """What it was judged by beyond the platform's rules."""
        return tuple(Demands(**each) for each in self.facts.get("demands", []))

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
    documents = {name: desk.read(request_id, name) for name in BOUND}
    facts = json.loads(documents[REQUEST])
    said = json.loads(desk.read(request_id, VOTES))
    said = {"votes": said, "questions": []} if isinstance(said, list) else said  # as it was before there were questions
    votes = tuple(Vote(**vote) for vote in said["votes"])
    course = _course(json.loads(desk.read(request_id, EXPORTED)) or {}, str(facts["author"]))
    content = content_of(documents)
    if any(seen != content for seen in (*(vote.content for vote in votes), course.automatic or content)):
        raise refusal(
            Code.RELEASE_ALTERED,
            "This request is not what was judged.",
            "Make a new request; report this to the security officer.",
        )
    return Request(
        id=request_id,
        facts=facts,
        result=documents[RESULT],
        study=documents[STUDY],
        evidence=json.loads(documents[EVIDENCE]),
        votes=votes,
        questions=tuple(Question(**question) for question in said["questions"]),
        course=course,
        content=content,
    )


def _course(said: Mapping[str, Any], author: str) -> Course:
    """What happened to a request; before there were recipients, it left to its author."""
    if "at" in said:
        return Course(begun_at=said["at"], exports=((author, said["at"]),))
    exports = tuple((to, at) for to, at in said.get("exports", []))
    return Course(said.get("begun", ""), exports, said.get("failed", ""), said.get("automatic", ""))


def has_begun(document: bytes) -> bool:
    """Whether a request left or was about to, by the document of its course."""
    said = json.loads(document) or {}
    return bool(said.get("at") or said.get("begun"))


def course_bytes(course: Course) -> bytes:
    """The course as a document."""
    said = {"begun": course.begun_at, "failed": course.failed, "automatic": course.automatic}
    return canonical_bytes({**said, "exports": [list(each) for each in course.exports]})


def findings_said(findings: Iterable[Finding]) -> list[dict[str, str]]:
    """Findings as a document says them."""
    return [{"rule": each.rule.value, "verdict": each.verdict.word, "sentence": each.sentence} for each in findings]


def votes_bytes(votes: tuple[Vote, ...], questions: tuple[Question, ...]) -> bytes:
    """The votes and the questions as a document."""
    return canonical_bytes({"votes": list(map(asdict, votes)), "questions": list(map(asdict, questions))})
