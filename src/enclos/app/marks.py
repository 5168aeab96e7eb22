"""What the ledger remembers: permits' versions, objections, desks and their questions, the newest build."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from enclos.ledger.model import Action, Entry, Kind, Outcome
from enclos.ledger.steps import Ledger
from enclos.permits.model import VersionMark

_SIGNINGS = {Action.PERMIT_SIGN, Action.PERMIT_AMEND, Action.PERMIT_RENEW, Action.PERMIT_REVOKE}
_SHOW_COUNTS = {Action.SQL, Action.COHORT}
_WRITE_SNAPSHOTS = {Action.BUILD, Action.MOVE, Action.RESTORE}
_PROBE = {Action.RELEASE_CHECK, Action.RELEASE_REQUEST}
_WRITE_OBJECTIONS = {Action.OPT_OUT, Action.BUILD}


@dataclass(frozen=True, slots=True)
class Probe:
    """What was checked or asked for: when it was last answered, and when that it differs by a few from what left."""

    at: datetime
    differed_at: datetime | None = None


class PermitMarks:
    """Reads the ledger once and then only what is new, so that it can be asked between any two buckets.

    It catches what permit files alone cannot: somebody who puts back a whole folder as it was before a revocation.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._one_reads = Lock()
        self._n_read = 0
        self._marks: dict[str, VersionMark] = {}
        self._questions: dict[str, int] = {}
        self._probes: dict[str, dict[str, Probe]] = {}
        self._objections = 0
        self._broken_off = False
        self._desks: dict[str, str] = {}
        self._answered: set[str] = set()
        self._build: tuple[int, str] | None = None

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
        for index, entry in self._ledger.entries(self._n_read):
            self._n_read = index + 1
            if entry.action is Action.OPT_OUT and entry.outcome:
                self._broken_off = entry.outcome in {Outcome.INTERRUPTED, Outcome.FAILED}
            if entry.kind is not Kind.OUTCOME or entry.outcome is not Outcome.DONE:
                continue
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
