"""What an entry of the ledger says, and what can be said about a ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import TypeAlias

from enclos.lexicon.codes import Code

HASH_BYTES = 32
KEY_BYTES = 32


class Action(Enum):
    """What was done or asked for. The words are part of the format: they are never changed or reused."""

    INIT = "init"
    """An enclosure was set up."""
    INGEST = "ingest"
    """A delivery was verified and landed, or refused."""
    LINK = "link"
    """Records of one person were matched across sources."""
    BUILD = "build"
    """A snapshot of the warehouse was built."""
    QUALITY = "quality"
    """The quality of a snapshot was measured."""
    PROFILE = "profile"
    """The content of a snapshot was counted."""
    EXPLAIN = "explain"
    """A row was traced back to its sources."""
    PERMIT_SIGN = "permit.sign"
    """A permit was granted."""
    PERMIT_OPEN = "permit.open"
    """A permit's perimeter was computed for a snapshot."""
    PERMIT_AMEND = "permit.amend"
    """A permit's content was changed by a new version."""
    PERMIT_RENEW = "permit.renew"
    """A permit's validity was prolonged."""
    PERMIT_REVOKE = "permit.revoke"
    """A permit was withdrawn."""
    PERMIT_REVIEW = "permit.review"
    """Who had access to what, and what they used, was reviewed."""
    PERMIT_PREVIEW = "permit.preview"
    """What a permit's document would open was counted, before it is signed."""
    APPLICATION = "application"
    """An application for a permit was written, asked for, taken back or decided."""
    PERMIT_EXPIRE = "permit.expire"
    """A permit's last day passed."""
    COHORT = "cohort"
    """A cohort was counted or saved under a permit."""
    STUDY = "study"
    """A study ran under a permit."""
    SQL = "sql"
    """A person's query ran under a permit."""
    RELEASE_REQUEST = "release.request"
    """A result was proposed for release."""
    RELEASE_CHECK = "release.check"
    """The machine checked a proposed result."""
    RELEASE_LOOK = "release.look"
    """A reviewer was shown the numbers of a proposed result."""
    RELEASE_REVIEW = "release.review"
    """A person accepted or refused a proposed result."""
    RELEASE_ASK = "release.ask"
    """A reviewer asked the project about a proposed result."""
    RELEASE_ANSWER = "release.answer"
    """The project answered a reviewer."""
    RELEASE_EXPORT = "release.export"
    """A released result left the enclosure."""
    RELEASE_AGAIN = "release.again"
    """The same bytes were sent once more to a person to whom they had just left."""
    KEY_CREATE = "key.create"
    """A key was made."""
    KEY_USE = "key.use"
    """A key was opened for use: which one, and within what."""
    KEY_ROTATE = "key.rotate"
    """A key was replaced by its next generation, and what it held was moved."""
    KEY_DESTROY = "key.destroy"
    """A key was destroyed, and with it all that it sealed."""
    OPT_OUT = "opt-out"
    """A person's objection was recorded or withdrawn."""
    REIDENTIFY = "reidentify"
    """A person's re-identification was asked for, decided or carried out."""
    QUESTION = "question"
    """A desk was let ask for citizens, or a citizen's question was answered."""
    DENIED = "denied"
    """Someone was turned away before anything could begin."""
    LEDGER_REVIEW = "ledger.review"
    """The ledger was reviewed."""
    LEDGER_FORGET = "ledger.forget"
    """Salts were destroyed, so that nobody can tell whose digests they were."""
    LEDGER_WITNESS = "ledger.witness"
    """A witness looked at the ledger."""
    CONFORMITY = "conformity"
    """The enclosure was assessed against a catalogue of requirements."""
    CATALOGUE = "catalogue"
    """A description of the holdings was made."""
    REGISTER = "register"
    """The public register was exported."""
    SERVE = "serve"
    """The portal or the gateway was started or stopped."""
    LOGIN = "login"
    """Someone signed in, or out."""
    ACCOUNT = "account"
    """A local account was made, changed or ended."""
    MOVE = "move"
    """The enclosure was moved to another host."""
    BACKUP = "backup"
    """A backup was made."""
    RESTORE = "restore"
    """A backup was restored."""
    HOSTING_VERIFY = "hosting.verify"
    """Whether the host still has all that it was given was verified."""
    DESTROY = "destroy"
    """Data of a permit, or all data, were destroyed."""


class Kind(Enum):
    """Which of the three forms an entry has."""

    INTENT = "intent"
    """Something is about to be done; written before it begins."""
    OUTCOME = "outcome"
    """How an intent ended."""
    EVENT = "event"
    """Something that happened at once."""


class Outcome(Enum):
    """How an intent ended."""

    DONE = "DONE"
    """It was done."""
    REFUSED = "REFUSED"
    """A rule refused it; the entry names the code."""
    FAILED = "FAILED"
    """It broke off by a fault."""
    INTERRUPTED = "INTERRUPTED"
    """Its process died before it could say how it ended."""


@dataclass(frozen=True, slots=True)
class Personal:
    """A value about a person; the ledger keeps its salted digest only."""

    value: str = field(repr=False)


Fact: TypeAlias = "str | int | float | bool | Code | Personal | Sequence[Fact] | Mapping[str, Fact] | None"
"""What a caller may state. Text that is not a plain token, and Personal, are kept as salted digests."""

Written: TypeAlias = "str | int | bool | list[Written] | dict[str, Written] | None"
"""What stands in an entry: no fractions, so that every reader hashes the same bytes."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger.

    An intent names the session that holds it; an outcome names its intent by its index; an event stands alone.
    Refuses: ValueError when the fields do not make one of the three kinds.
    """

    kind: Kind
    action: Action
    at: datetime
    actor: str
    permit: str | None = None
    session: str | None = None
    intent: int | None = None
    outcome: Outcome | None = None
    code: str | None = None
    facts: Mapping[str, Written] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.at.utcoffset() != timedelta(0) or self.at.microsecond % 1000:
            raise ValueError("an entry's instant is UTC, to the millisecond")
        if not self.actor:
            raise ValueError("an entry has an actor")
        if (self.session is not None) != (self.kind is Kind.INTENT):
            raise ValueError("an intent, and only an intent, names its session")
        is_outcome = self.kind is Kind.OUTCOME
        if (self.intent is not None) != is_outcome or (self.outcome is not None) != is_outcome:
            raise ValueError("an outcome, and only an outcome, names its intent and how it ended")
        if self.intent is not None and self.intent < 0:
            raise ValueError("an index is not negative")
        if (self.code is not None) != (self.outcome is Outcome.REFUSED):
            raise ValueError("a refused outcome, and only that, names the code")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The tree's size and root, as signed under an origin. Source: C2SP tlog-checkpoint."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.root) != HASH_BYTES or not self.origin or "\n" in self.origin:
            raise ValueError("a checkpoint has an origin of one line, a size and a root of 32 bytes")


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A checkpoint that a witness found to contain all it had seen; ``note`` bears its signature, made at ``at``."""

    checkpoint: Checkpoint
    at: datetime
    note: bytes


@dataclass(frozen=True, slots=True)
class Proof:
    """That an entry is in the tree of a checkpoint; checked without the ledger. Source: C2SP tlog-proof."""

    index: int
    path: tuple[bytes, ...]
    note: bytes
    """The signed checkpoint, verbatim."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is not as it was signed; names a place in the ledger, never a value."""

    code: Code
    what: str


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """What a ledger holds and what is wrong with it.

    ``n_entries`` counts intents and events by action (an outcome belongs to its intent); ``n_open`` counts intents
    that have no outcome yet; ``n_seals`` the days whose seal holds.
    """

    origin: str
    size: int
    root: bytes
    n_entries: Mapping[Action, int]
    n_open: int
    last_at: datetime | None
    n_seals: int
    faults: tuple[Fault, ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


@dataclass(frozen=True, slots=True)
class Session:
    """One process that wrote intents: its id, the tree's size when it began, and whether it still lives."""

    id: str
    size: int
    is_alive: bool
