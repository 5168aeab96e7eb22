"""What is required, what was seen, what was declared, and what follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from typing import TypeAlias

Key: TypeAlias = tuple[str, str]
"""Catalogue and requirement: the same number means different things in two frameworks."""


class Need(Enum):
    """What the source makes of a requirement."""

    MANDATORY = "mandatory"
    RECOMMENDED = "recommended"
    OPTIONAL = "optional"


class Kind(Enum):
    """What can show that a requirement is met."""

    AUTO = "auto"
    """Probes alone."""
    DOCUMENT = "document"
    """Documents alone."""
    BOTH = "both"
    """Probes and documents, neither alone."""


class Status(Enum):
    """How much of its source a catalogue is."""

    FINAL = "final"
    DRAFT = "draft"
    PARTIAL = "partial"
    TITLES = "titles"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement of one catalogue, in our words.

    ``probes``: all must have seen it hold; ``documents``: types, one document of each; ``weight``: of its share.
    """

    catalogue: str
    id: str
    title: str
    paraphrase: str
    need: Need
    weight: int
    kind: Kind
    probes: tuple[str, ...]
    documents: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.weight < 0:
            raise ValueError("a weight is not negative")
        if (self.kind is Kind.DOCUMENT) == bool(self.probes):
            raise ValueError("probes stand where they can show something, and only there")
        if self.kind is Kind.AUTO and self.documents:
            raise ValueError("what probes alone can show asks for no document")

    @property
    def key(self) -> Key:
        """Catalogue and number."""
        return self.catalogue, self.id

    @property
    def wanted(self) -> tuple[str, ...]:
        """The types of documents that must cover it; one of any type where the catalogue names none."""
        if self.kind is Kind.AUTO:
            return ()
        return self.documents or (ANY_DOCUMENT,)


ANY_DOCUMENT = "doc"
"""A document of whatever type."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The requirements of one framework; ``floor`` says in words which of them are mandatory."""

    id: str
    framework: str
    title: str
    status: Status
    source: str
    licence: str
    note: str
    floor: str
    requirements: tuple[Requirement, ...]


class Sight(Enum):
    """What a probe saw."""

    HOLDS = "holds"
    FAILS = "fails"
    BLIND = "blind"
    """It could not look, or had nothing to look at: nothing is shown."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one probe saw, in words without a person's value; ``n_seen`` how many things it looked at."""

    probe: str
    sight: Sight
    said: str
    n_seen: int = 0
    ready_on: date | None = None
    """When it can be shown at the earliest, where only time is missing."""


class Standing(Enum):
    """Whether a declared document counts. Only ``IN_FORCE`` does."""

    IN_FORCE = "in force"
    EXPIRED = "expired"
    NOT_YET = "not yet in force"
    UNSIGNED = "unsigned"
    """No signature, or one that does not fit: it was altered, or another key signed."""
    STRANGER = "owner unknown"
    """Nobody accepted this owner's key here."""
    ELSEWHERE = "about another enclosure"
    MISSING = "file missing or altered"
    """What it vouches for is not there, or is not what was signed."""


class Claim(Enum):
    """What a document says of the requirements that it names."""

    COVERS = "covers"
    EXCLUDES = "not applicable"


@dataclass(frozen=True, slots=True)
class Declared:
    """A signed statement of a named owner: this document says that of these requirements.

    ``reason``: why what it excludes does not apply; ``sha256``: of the file that it vouches for, if there is one.
    """

    id: str
    type: str
    title: str
    owner: str
    dated_on: date
    expires_on: date
    claim: Claim
    requirements: frozenset[Key]
    reason: str = ""
    sha256: str = ""
    standing: Standing = Standing.UNSIGNED

    def __post_init__(self) -> None:
        if not self.type.startswith(ANY_DOCUMENT) or not self.owner or not self.requirements:
            raise ValueError("a statement has a type, an owner and requirements")
        if self.expires_on <= self.dated_on:
            raise ValueError("a statement expires after its date")
        if (self.claim is Claim.EXCLUDES) != bool(self.reason):
            raise ValueError("what does not apply has a reason, and nothing else has one")


class Verdict(Enum):
    """What is known of a requirement."""

    MET = "met"
    NOT_MET = "not met"
    NOT_DEMONSTRATED = "not demonstrated"
    NOT_APPLICABLE = "not applicable"


class Ground(Enum):
    """What a verdict rests on."""

    PROBES = "probes"
    DOCUMENTS = "documents"
    BOTH = "probes and documents"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A requirement, its verdict, why, and on what it rests; ``contradicted``: documents that a probe belies."""

    requirement: Requirement
    verdict: Verdict
    why: str
    ground: Ground
    findings: tuple[Finding, ...] = ()
    documents: tuple[str, ...] = ()
    contradicted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """A catalogue's verdicts as numbers.

    ``score``: weight that is met over weight that applies, 0 where none does; ``floor_reached``: all that is mandatory
    is met or does not apply, and something mandatory is met; ``blocking``: what is mandatory and keeps it from that;
    ``rests_on``: the applicable weight by ground, in shares that sum to 1 with what was found not to be met.
    """

    counts: Mapping[Verdict, int]
    score: float
    floor_reached: bool
    has_floor: bool
    blocking: tuple[str, ...]
    rests_on: Mapping[Ground, float] = field(default_factory=dict)
    refuted: float = 0.0


@dataclass(frozen=True, slots=True)
class Assessed:
    """One catalogue, judged."""

    catalogue: Catalogue
    judgements: tuple[Judgement, ...]
    score: Score


@dataclass(frozen=True, slots=True)
class Assessment:
    """What an enclosure and its host were found to meet at an instant."""

    enclosure: str
    origin: str
    at: datetime
    assessed: tuple[Assessed, ...]
    findings: tuple[Finding, ...]
    documents: tuple[Declared, ...]
