"""What the ledger remembers: permits' versions, objections, desks and their questions, the newest build."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from threading import Lock

from enclos.app.named import Named
from enclos.app.recent import Recent
from enclos.ledger.model import Action, Entry, Kind, Outcome
from enclos.ledger.rules.entries import instant_of, instant_text
from enclos.ledger.rules.tiles import WIDTH
from enclos.ledger.steps import Ledger
from enclos.lexicon.canonical import canonical_bytes, sha256_hex
from enclos.permits.model import VersionMark

_SIGNINGS = {Action.PERMIT_SIGN, Action.PERMIT_AMEND, Action.PERMIT_RENEW, Action.PERMIT_REVOKE}
_SHOW_COUNTS = {Action.SQL, Action.COHORT}
_WRITE_SNAPSHOTS = {Action.BUILD, Action.MOVE, Action.RESTORE}
_PROBE = {Action.RELEASE_CHECK, Action.RELEASE_REQUEST}
_WRITE_OBJECTIONS = {Action.OPT_OUT, Action.BUILD}
_NAME = "marks"
_WORTH_KEEPING = 4 * WIDTH
"""Entries since the last ones of which it was kept what they say."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What was checked or asked for: when it was last answered, and when that it differs by a few from what left."""

    at: datetime
    differed_at: datetime | None = None


class PermitMarks:
    """Reads the ledger once and then only what is new, so that it can be asked between any two buckets. What it read is
    kept beside the ledger for the next process, which reads on from there.

    It catches what permit files alone cannot: somebody who puts back a whole folder as it was before a revocation.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.recent = Recent(ledger)
        self.named = Named()
        self._one_reads = Lock()
        self._n_read = 0
        self._marks: dict[str, VersionMark] = {}
        self._n_signings = 0
        self._questions: dict[str, int] = {}
        self._probes: dict[str, dict[str, Probe]] = {}
        self._objections = 0
        self._broken_off = False
        self._desks: dict[str, str] = {}
        self._answered: set[str] = set()
        self._build: tuple[int, str] | None = None
        self._n_kept = 0
        self._is_resumed = False

    def build(self) -> tuple[int, str] | None:
        """The newest snapshot and the digest of its manifest, as the ledger knows it; None before the first.

        A build makes it, a move seals it anew, a restoration may put an earlier one in its place. It catches a host
        that puts back another catalog.
        """
        self._read()
        return self._build

    def questions(self, permit_id: str) -> int:
        """The number of the permit's newest question that showed counts; 0 when there never was one."""
        self._read()
        return self._questions.get(permit_id, 0)

    def probes(self, permit_id: str) -> Mapping[str, Probe]:
        """What was checked or asked for under a permit, each by its digest."""
        self._read()
        return dict(self._probes.get(permit_id, {}))

    def newest(self, permit_id: str) -> VersionMark | None:
        """The newest version of the permit that the ledger knows, or None."""
        self._read()
        return self._marks.get(permit_id)

    def newest_of_all(self) -> Mapping[str, VersionMark]:
        """Of every permit that the ledger knows the newest version."""
        self._read()
        return dict(self._marks)

    def signings(self) -> int:
        """A number that grows while this is open whenever a version of a permit is signed, or is not in the end."""
        self._read()
        return self._n_signings

    def objections(self) -> int:
        """The newest revision of the table of objections that the ledger knows; 0 when there never was one."""
        self._read()
        return self._objections

    def objections_broken_off(self) -> bool:
        """Whether the last change of objections was stopped before its end."""
        self._read()
        return self._broken_off

    def desk_of(self, source: str) -> str | None:
        """The digest of the desk that may ask for a source's persons, or None."""
        self._read()
        return self._desks.get(source)

    def is_answered(self, question: str) -> bool:
        """Whether a citizen's question was answered."""
        self._read()
        return question in self._answered

    def _read(self) -> None:
        with self._one_reads:
            self._read_on()

    def _read_on(self) -> None:
        if not self._is_resumed:
            self._is_resumed = True
            self._resume()
        for index, entry in self._ledger.entries(self._n_read):
            self._n_read = index + 1
            self._take(entry)
            is_worth_it = self._n_read - self._n_kept >= _WORTH_KEEPING and self._n_read % WIDTH == 0
            if is_worth_it and self._ledger.put_bookmark(_NAME, self._n_read, self._as_bytes):
                self._n_kept = self._n_read

    def _take(self, entry: Entry) -> None:
        self._n_signings += entry.action in _SIGNINGS
        if entry.action is Action.OPT_OUT and entry.outcome:
            self._broken_off = entry.outcome in {Outcome.INTERRUPTED, Outcome.FAILED}
        if entry.kind is not Kind.OUTCOME or entry.outcome is not Outcome.DONE:
            return
        if entry.action in _SIGNINGS:
            self._note(entry)
        if entry.action in _WRITE_SNAPSHOTS and "snapshot" in entry.facts:
            self._build = int(str(entry.facts["snapshot"])), str(entry.facts.get("manifest", ""))
        if entry.action in _SHOW_COUNTS and entry.permit:
            number = int(str(entry.facts.get("question", 0)))
            self._questions[entry.permit] = max(number, self._questions.get(entry.permit, 0))
        if entry.action in _PROBE and entry.permit and "of" in entry.facts:
            own = self._probes.setdefault(entry.permit, {})
            of = str(entry.facts["of"])
            before = own[of].differed_at if of in own else None
            own[of] = Probe(entry.at, entry.at if entry.facts.get("differs") else before)
        if entry.action is Action.QUESTION:
            self._note_question(entry)
        if entry.action in _WRITE_OBJECTIONS:
            self._objections = max(self._objections, int(str(entry.facts.get("objections", 0))))

    def _note(self, entry: Entry) -> None:
        permit_id = entry.permit or str(entry.facts["permit"])
        self._marks[permit_id] = VersionMark(int(str(entry.facts["version"])), str(entry.facts["digest"]))

    def _note_question(self, entry: Entry) -> None:
        match entry.facts.get("what"):
            case "accept":
                self._desks[str(entry.facts["source"])] = str(entry.facts["desk"])
            case "dismiss":
                self._desks.pop(str(entry.facts["source"]), None)
            case "answer":
                self._answered.add(str(entry.facts["question"]))

    def _as_bytes(self) -> bytes:
        """All that it knows, for ``_resume``."""
        probes = {
            permit: {
                of: [instant_text(at) if at else None for at in (one.at, one.differed_at)] for of, one in own.items()
            }
            for permit, own in self._probes.items()
        }
        known = {
            "code": _code(),
            "marks": {permit: [mark.version, mark.digest] for permit, mark in self._marks.items()},
            "questions": self._questions,
            "probes": probes,
            "objections": self._objections,
            "broken_off": self._broken_off,
            "desks": self._desks,
            "answered": sorted(self._answered),
            "build": None if self._build is None else list(self._build),
        }
        return canonical_bytes(known)

    def _resume(self) -> None:
        """Know what a process before this one knew, if it read as this code does."""
        n_read, content = self._ledger.bookmark(_NAME)
        known = json.loads(content) if content else {}
        if known.get("code") != _code():
            return
        self._n_read = self._n_kept = n_read
        self._marks = {permit: VersionMark(version, digest) for permit, (version, digest) in known["marks"].items()}
        self._questions = known["questions"]
        self._probes = {
            permit: {
                of: Probe(instant_of(at), instant_of(differed) if differed else None)
                for of, (at, differed) in own.items()
            }
            for permit, own in known["probes"].items()
        }
        self._objections, self._broken_off = known["objections"], known["broken_off"]
        self._desks, self._answered = known["desks"], set(known["answered"])
        self._build = None if known["build"] is None else (known["build"][0], known["build"][1])


@cache
def _code() -> str:
    """Which code read: what other code kept is not taken for what this one would know."""
    return sha256_hex(Path(__file__).read_bytes())
