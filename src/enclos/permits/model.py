"""A permit, its versions and its states."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum

from enclos.contracts.disclosure import NOTHING_MORE, Demands
from enclos.contracts.view import ViewTerms

PERMIT_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?")
SOURCE_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
USER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+@-]{1,126}[A-Za-z0-9]")
ARTICLE = re.compile(r"53\(1\)\([a-f]\)")
"""Source: Regulation (EU) 2025/327, Art. 53(1), points (a) to (f)."""


class State(Enum):
    """Where a permit stands. Source: TEHDAS2 D6.4, permit statuses."""

    GRANTED = "GRANTED"
    AMENDED = "AMENDED"
    RENEWED = "RENEWED"
    REVOKED = "REVOKED"
    EXPIRED = "EXPIRED"


class Event(Enum):
    """What can happen to a permit."""

    AMEND = "amend"
    RENEW = "renew"
    REVOKE = "revoke"
    EXPIRE = "expire"


class Role(Enum):
    """What a listed person is for."""

    INVESTIGATOR = "investigator"
    RESEARCHER = "researcher"
    DATA_MANAGER = "data-manager"


class OptOutMoment(Enum):
    """Which objections bind: those made until now, or until the permit is opened.

    Source: EHDS Art. 71(3): an objection binds permits issued after it; a permit is opened after it was issued.
    """

    NOW = "now"
    PERMIT = "permit"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who answers for the use."""

    organisation: str
    investigator: str


@dataclass(frozen=True, slots=True)
class PermitUser:
    """A natural person whom the permit lists."""

    id: str
    role: Role


@dataclass(frozen=True, slots=True)
class Purpose:
    """What the data may be used for."""

    article: str
    text: str


@dataclass(frozen=True, slots=True)
class OptOut:
    """Whether objections apply, and as of when."""

    applied: bool
    as_of: OptOutMoment


@dataclass(frozen=True, slots=True)
class LegalBasis:
    """What a legal basis allows at most.

    ``wants_whys`` asks for a justification of each potential identifier.
    Units: max_years — calendar years of one grant or one renewal; max_past_years — whole calendar years of data before
    the year in which the permit begins, None without a bound.
    """

    id: str
    title: str
    max_years: int
    max_renewals: int
    max_past_years: int | None
    wants_whys: bool
    source: str


@dataclass(frozen=True, slots=True)
class Permit:
    """The content of an authorisation.

    ``whys`` says why a potential identifier is needed, by its name.
    Units: valid from (inclusive) until (exclusive), instants in UTC; min_count in distinct persons; round_to
    what released counts are rounded to, 1 for not at all.
    """

    holder: Holder
    users: tuple[PermitUser, ...]
    purpose: Purpose
    legal_basis: str
    terms: ViewTerms
    opt_out: OptOut
    min_count: int
    valid_from: datetime
    valid_until: datetime
    whys: Mapping[str, str] = field(default_factory=dict)
    round_to: int = 1
    demands: Demands = NOTHING_MORE

    def __post_init__(self) -> None:
        if any(at.utcoffset() != timedelta(0) for at in (self.valid_from, self.valid_until)):
            raise ValueError("a permit's instants are in UTC")
        if self.valid_until <= self.valid_from or not 1 <= self.round_to <= self.min_count or not self.users:
            raise ValueError("a permit lasts, lists someone and protects at least one person")
        if not PERMIT_ID.fullmatch(self.terms.permit_id):
            raise ValueError("a permit's id has letters, digits and inner hyphens only")

    @property
    def id(self) -> str:
        """The permit's id."""
        return self.terms.permit_id

    @property
    def user_ids(self) -> frozenset[str]:
        """The persons who may use the data."""
        return frozenset(user.id for user in self.users)

    @property
    def involved_ids(self) -> frozenset[str]:
        """The persons who cannot judge its results: users and investigator."""
        return self.user_ids | {self.holder.investigator}


@dataclass(frozen=True, slots=True)
class VersionMark:
    """A version of a permit, by number and digest: what a ledger remembers of it."""

    version: int
    digest: str


@dataclass(frozen=True, slots=True)
class SignedPermit:
    """One version of a permit whose signature was checked.

    ``state`` is the state that this version put the permit in; EXPIRED is never signed, the clock says it.
    ``supersedes`` is the digest of the version before, empty for the first.
    """

    permit: Permit
    version: int
    state: State
    supersedes: str
    active_from: datetime
    reason: str
    digest: str

    @property
    def version_id(self) -> str:
        """The id of this version: the permit's, which stays, and the version's number, which never comes again."""
        return f"{self.permit.id}/v{self.version}"

    @property
    def mark(self) -> VersionMark:
        """What a ledger remembers of this version."""
        return VersionMark(self.version, self.digest)

    @property
    def facts(self) -> Mapping[str, str | int]:
        """What the ledger may know of this version: no person, no purpose."""
        return {"version": self.version, "digest": self.digest, "state": self.state.value}


def instant(at: datetime) -> datetime:
    """The instant in UTC, whole seconds. Refuses: ValueError without a time zone."""
    if at.tzinfo is None:
        raise ValueError("an instant has a time zone")
    return at.astimezone(UTC).replace(microsecond=0)


class Stage(Enum):
    """Where an application for a permit stands. The words are kept: they are never changed."""

    DRAFT = "draft"
    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Move(Enum):
    """What can be done with an application."""

    KEEP = "keep"
    """Its document is written, or written anew."""
    ASK = "ask"
    """It is handed to the access body."""
    WITHDRAW = "withdraw"
    GRANT = "grant"
    """The access body signs the document as a permit."""
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done with an application, by whom and why; ``digest`` is of the document as it then was."""

    move: Move
    by: str
    at: datetime
    why: str
    digest: str


@dataclass(frozen=True, slots=True)
class Application:
    """Somebody asks for a permit: the document as it stands, and everything that was done with it."""

    id: str
    applicant: str
    text: str
    stage: Stage
    steps: tuple[Step, ...]
    permit: str = ""
    """The permit that was granted."""
