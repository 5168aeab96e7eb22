"""A piece of long work: who asked for what, how far it is, how it ended."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from hashlib import sha256
from typing import Any, Self

from enclos.lexicon.canonical import sha256_hex
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal

HOUSE = ""
"""The permit of work that no permit is needed for."""


class JobState(Enum):
    """Where a piece of work is."""

    WAITING = "waiting"
    """Its turn has not come."""
    RUNNING = "running"
    """A process does it."""
    DONE = "done"
    """Its result is kept."""
    REFUSED = "refused"
    """A rule refused it."""
    FAILED = "failed"
    """It broke off by a fault of the program."""
    CANCELLED = "cancelled"
    """Its person ended it."""
    INTERRUPTED = "interrupted"
    """It was cut off, as by the end of the process that serves; it can be started anew."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes."""
        return self not in {JobState.WAITING, JobState.RUNNING}


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of work as it is kept.

    In: given — what the work was told; runner — who had it in hand: unfinished work of another was interrupted
    """

    id: str
    work: str
    title: str
    user: str
    permit: str
    given: Mapping[str, Any] = field(repr=False)
    runner: str
    began_at: datetime
    state: JobState = JobState.WAITING
    ended_at: datetime | None = None
    refused: Mapping[str, str] | None = None
    anew: str = ""
    """The piece of work that this is anew."""
    run: str = ""
    """The run that came of it."""

    @property
    def asked(self) -> str:
        """The digest of what was asked for: the same work told the same things has the same."""
        asked = {"work": self.work, "permit": self.permit, "given": dict(self.given)}
        return digest_of(asked | ({"anew": self.anew} if self.anew else {}))

    def ended(self, state: JobState, at: datetime, refused: Refusal | None = None, run: str = "") -> Self:
        """The work as it ended."""
        said = None
        if refused is not None:
            said = {
                "code": refused.code.id,
                "rule": refused.rule,
                "what": refused.what,
                "next": refused.next_step,
            }
        return replace(self, state=state, ended_at=at, refused=said, run=run)

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "job": self.id,
            "work": self.work,
            "title": self.title,
            "user": self.user,
            "permit": self.permit,
            "given": dict(self.given),
            "runner": self.runner,
            "began_at": self.began_at.isoformat(),
            "state": self.state.value,
            "ended_at": self.ended_at.isoformat() if self.ended_at else None,
            "refused": dict(self.refused) if self.refused else None,
            "anew": self.anew,
            "run": self.run,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """What was kept."""
        return cls(
            id=kept["job"],
            work=kept["work"],
            title=kept["title"],
            user=kept["user"],
            permit=kept["permit"],
            given=kept["given"],
            runner=kept["runner"],
            began_at=datetime.fromisoformat(kept["began_at"]),
            state=JobState(kept["state"]),
            ended_at=datetime.fromisoformat(kept["ended_at"]) if kept["ended_at"] else None,
            refused=kept["refused"],
            anew=kept.get("anew", ""),
            run=kept.get("run", ""),
        )


def digest_of(asked: object) -> str:
    """The digest of what was asked for, as JSON has it: the same for the same."""
    return sha256_hex(json.dumps(asked, sort_keys=True, separators=(",", ":")).encode("ascii"))


def id_of_key(user: str, key: str) -> str:
    """What stands for a person's idempotency key: the id of the work, or of the answer, that is under it."""
    return sha256(f"{user}\n{key}".encode()).hexdigest()[:16]


def used_for_another() -> Refusal:
    """The refusal of an idempotency key under which something else was asked for."""
    return refusal(Code.JOB_KEY, "The idempotency key was used for another request.", "Choose a new one.")


def unknown() -> Refusal:
    """The refusal of work that is not there, or another's."""
    return refusal(Code.JOB_UNKNOWN, "You began no such work.", "See yours at /api/jobs.")


def stopped() -> Refusal:
    """The refusal of work that its person ended, or the end of the process that serves."""
    return refusal(Code.JOB_STOPPED, "The work was stopped.", "Start it anew when it shall run.")


def too_much() -> Refusal:
    """The refusal of one piece more of a person who has many waiting."""
    return refusal(Code.JOB_BUSY, "Too much of your work waits already.", "Wait until some is done, or cancel some.")


def unfinished() -> Refusal:
    """The refusal of a result that is not there."""
    return refusal(Code.JOB_UNFINISHED, "The work has no result.", "Wait for its end; see how it is at /api/jobs.")
