"""What a re-identification is: a reason, a life, decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any


@dataclass(frozen=True, slots=True)
class Desk:
    """Who knows identities and asks for their holders: a source, and its public keys in hexadecimal.

    ``public_key``: X25519, answers are sealed to it; ``signing_key``: Ed25519, questions bear its signature.
    """

    source: str
    public_key: str
    signing_key: str

    def as_json(self) -> dict[str, Any]:
        """The desk as JSON values."""
        return {"source": self.source, "public_key": self.public_key, "signing_key": self.signing_key}


@dataclass(frozen=True, slots=True)
class Question:
    """Whether somebody is in, and which projects used their data; whom it is about lies sealed in it.

    ``origin``: the ledger of the enclosure that is asked; ``key``: its public key that whom it is about is sealed to.
    """

    id: str
    origin: str
    key: str
    desk: Desk
    asked_at: datetime
    expires_at: datetime
    sealed: bytes = field(repr=False)

    def as_json(self) -> dict[str, Any]:
        """The question as JSON values, but for what is sealed."""
        return {
            "id": self.id,
            "origin": self.origin,
            "key": self.key,
            "desk": self.desk.as_json(),
            "asked_at": self.asked_at.isoformat(),
            "expires_at": self.expires_at.isoformat(),
        }


class Place(Enum):
    """What a permit's perimeter tells of somebody. The words are in answers: they are never changed."""

    IN = "in"
    OUT = "out"
    UNCLEAR = "unclear"
    """The pseudonym has several holders; who of them asks is not said."""
    UNOPENED = "not-opened"
    """No perimeter of a build that is kept."""
    DESTROYED = "destroyed"
    """The permit's key is gone, and with it who was in."""


class Reason(Enum):
    """Why a person may be found again; the list is closed."""

    MEDICAL_EMERGENCY = "medical-emergency"
    SIGNIFICANT_FINDING = "significant-finding"
    RIGHTS_REQUEST = "rights-request"
    RESEARCH_PROPOSAL = "research-proposal"


@dataclass(frozen=True, slots=True)
class ReasonRule:
    """Where a reason is in the law, and for how long a request may live. Units: max_hours — from the request on."""

    source: str
    max_hours: int


class State(Enum):
    """Where a request stands."""

    ASKED = "asked"
    HALF = "approved-once"
    APPROVED = "approved"
    CARRIED_OUT = "carried-out"
    REFUSED = "refused"
    EXPIRED = "expired"


class Event(Enum):
    """What may happen to a request."""

    APPROVE = "approve"
    REFUSE = "refuse"
    CARRY_OUT = "carry-out"
    EXPIRE = "expire"


@dataclass(frozen=True, slots=True)
class Decision:
    """What a named person decided, and why."""

    user: str
    approve: bool
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Reidentification:
    """A request to let a source know which of its persons stands behind a permit's number.

    ``involved``: the permit's people when it was made; ``recipient``: the source's public key, 64 hexadecimal digits.
    """

    id: str
    permit: str
    person: int = field(repr=False)
    source: str
    recipient: str
    reason: Reason
    text: str
    requester: str
    involved: tuple[str, ...]
    asked_at: datetime
    expires_at: datetime
    decisions: tuple[Decision, ...] = ()
    carried_out_at: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """The request as JSON values, whole."""
        return {
            "id": self.id,
            "permit": self.permit,
            "person": self.person,
            "source": self.source,
            "recipient": self.recipient,
            "reason": self.reason.value,
            "text": self.text,
            "requester": self.requester,
            "involved": list(self.involved),
            "asked_at": self.asked_at.isoformat(),
            "expires_at": self.expires_at.isoformat(),
            "decisions": [
                {"user": each.user, "approve": each.approve, "why": each.why, "at": each.at.isoformat()}
                for each in self.decisions
            ],
            "carried_out_at": self.carried_out_at.isoformat() if self.carried_out_at else None,
        }


def reidentification_from_json(document: Mapping[str, Any]) -> Reidentification:
    """The request that ``as_json`` wrote."""
    decisions = tuple(
        Decision(each["user"], each["approve"], each["why"], datetime.fromisoformat(each["at"]))
        for each in document["decisions"]
    )
    done = document["carried_out_at"]
    return Reidentification(
        document["id"],
        document["permit"],
        document["person"],
        document["source"],
        document["recipient"],
        Reason(document["reason"]),
        document["text"],
        document["requester"],
        tuple(document["involved"]),
        datetime.fromisoformat(document["asked_at"]),
        datetime.fromisoformat(document["expires_at"]),
        decisions,
        datetime.fromisoformat(done) if done else None,
    )
