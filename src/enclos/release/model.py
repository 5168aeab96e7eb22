"""What is asked to leave, what was found about it, and who decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from pyroaring import BitMap

from enclos.contracts.disclosure import NOTHING_MORE, Demands, RuleSets
from enclos.contracts.result import PersonNumbers, StudyResult
from enclos.lexicon.verdicts import Verdict, worst

Renumber = Callable[[PersonNumbers], PersonNumbers]
"""The warehouse's number of each person of a permit."""


class Role(Enum):
    """What an estimate is in its cell; it decides with what it is hidden."""

    DENOMINATOR = "denominator"
    """Distinct persons who could have the outcome; hidden, the whole cell is."""
    NUMERATOR = "numerator"
    """Persons or events with the outcome."""
    TIME = "time"
    """Days at risk of the denominator."""
    OF_TIME = "of_time"
    """Computed from the time; hidden with it."""
    RATIO = "ratio"
    """Numerator over denominator or time; hidden with any of them, since it would give them back."""
    LOWER = "lower"
    """The lower end of the ratio's interval; hidden with it."""
    UPPER = "upper"
    """The upper end of the ratio's interval; hidden with it."""
    LEFT_RECORDS = "left_records"
    LEFT_PERSONS = "left_persons"
    TAKEN_RECORDS = "taken_records"
    TAKEN_PERSONS = "taken_persons"


class Rule(Enum):
    """The checks that every request goes through; each gives a finding."""

    TYPED = "typed"
    """Every estimate is of a known kind, with labels from closed lists."""
    BACKED = "backed"
    """Every estimate has the persons behind it, and agrees with them."""
    MINIMUM = "minimum-count"
    """No shown count, complement or difference rests on fewer persons than the permit's minimum."""
    PLACES = "small-places"
    """No number of a small place is told of a few days."""
    SECONDARY = "secondary"
    """What totals would give away is hidden as well."""
    ATTACK = "attack"
    """Who knows all that is shown cannot narrow what is hidden."""
    STEPS = "curve-steps"
    """Each step of a survival curve rests on the minimum or on nobody, and the curve follows from what is shown."""
    SEARCH = "search"
    """Said where not all sums and rests within the request were sought."""
    PROBES = "probes"
    """Said where checks came before: how many, and how many of them told that numbers differ by a few."""
    HISTORY = "history"
    """No released set of persons, and no sum or rest of some, differs from a new one by fewer than the minimum."""
    ROUNDING = "rounding"
    """Counts are rounded as the permit, the enclosure or a source demands."""
    DEMANDS = "demands"
    """What sources, the enclosure and the permit demand beyond the platform's rules."""
    VOLUME = "volume"
    """With all that left under the permit, it is no more than the policy lets out."""
    CONTENT = "content"
    """Something is left to release."""


NOTHING_HIDDEN = "Nothing had to be hidden."


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check says."""

    rule: Rule
    verdict: Verdict
    sentence: str


def told_outside(findings: Sequence[Finding], min_count: int) -> list[Finding]:
    """The findings without how many numbers were small and how many protect them: the two would tell them apart."""
    hiding = [each for each in findings if each.rule in {Rule.MINIMUM, Rule.SECONDARY}]
    others = [each for each in findings if each not in hiding]
    if all(each.verdict is Verdict.PASS for each in hiding):
        return [*hiding, *others]
    said = f"numbers are hidden that rest on fewer than {min_count} persons, or would give away one that does"
    return [Finding(Rule.MINIMUM, worst(each.verdict for each in hiding), said), *others]


@dataclass(frozen=True, slots=True)
class CellEvidence:
    """How many persons are behind one cell, and what of it is hidden; stays inside."""

    result_id: int
    group_level: str
    additional_level: str
    n_numerator: int
    n_denominator: int
    hidden: tuple[str, ...]
    table: str
    """The kind of interval, or of description."""


@dataclass(frozen=True, slots=True, repr=False)
class Told:
    """Persons whose number the safe version shows: places in ``person_numbers``, which a result's cells share."""

    persons: BitMap
    person_numbers: PersonNumbers

    def __repr__(self) -> str:
        return "Told()"


@dataclass(frozen=True, slots=True, repr=False)
class Owed:
    """What a number that the safe version shows, and that is no count of persons, owes to the persons behind it.

    ``persons`` are told too; ``total`` is the sum of their parts' magnitudes, ``largest`` the two largest.
    """

    persons: BitMap
    of: str
    total: float
    largest: tuple[float, float]
    around: tuple[float, float] | None = None
    """Of a deviation: how many values it is of, and their mean; the parts are squares of distances to it."""

    def __repr__(self) -> str:
        return f"Owed({self.of})"


@dataclass(frozen=True, slots=True, repr=False)
class Stretch:
    """Days that told persons lost, or events that they had, in a stretch of days that the safe version shows."""

    persons: BitMap
    kind: str
    first: int
    last: int
    amount: int

    def __repr__(self) -> str:
        return f"Stretch({self.kind})"


@dataclass(frozen=True, slots=True, repr=False)
class Assessment:
    """What the machine found about a result, and the nearest version of it that is safe."""

    min_count: int
    findings: tuple[Finding, ...]
    safe: StudyResult | None
    evidence: tuple[CellEvidence, ...]
    summary: Mapping[str, Any]
    told: tuple[Told, ...] = ()
    owed: tuple[Owed, ...] = ()
    stretches: tuple[Stretch, ...] = ()
    demands: RuleSets = ()
    """What held beyond the platform's rules."""

    @property
    def verdict(self) -> Verdict:
        """The worst of the findings."""
        return worst(finding.verdict for finding in self.findings)

    @property
    def reasons(self) -> list[str]:
        """Why the verdict is not a pass, or that nothing had to be hidden."""
        told = told_outside(self.findings, self.min_count)
        return [f"{f.rule.value}: {f.sentence}" for f in told if f.verdict is not Verdict.PASS] or [NOTHING_HIDDEN]

    def __repr__(self) -> str:
        return f"Assessment({self.verdict.word})"


class RequestState(Enum):
    """Where a request stands."""

    OPEN = "open"
    """Waits for the first of two votes."""
    HALF_FOR = "half, for"
    """One person accepted; nobody else is told."""
    HALF_AGAINST = "half, against"
    """One person refused; nobody else is told."""
    ACCEPTED = "accepted"
    """Two persons accepted, or policy calls it safe; it may leave."""
    REFUSED = "refused"
    """A person refused, and both have voted; another request is needed."""
    QUARANTINED = "quarantined"
    """A check failed; nobody can vote on it and nothing of it leaves."""
    EXPORTED = "exported"
    """It has left; it may leave to each other recipient once."""

    @property
    def word(self) -> str:
        """What others are told: not how the first of two voted."""
        return "half" if self in {RequestState.HALF_FOR, RequestState.HALF_AGAINST} else self.value

    @property
    def is_decided(self) -> bool:
        """Whether nobody is waited for."""
        return self.word not in {"open", "half"}


class RequestEvent(Enum):
    """What can happen to a request."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    RELEASE = "release automatically"
    FAIL = "fail a check"
    EXPORT = "export"


@dataclass(frozen=True, slots=True)
class PermitFacts:
    """What release has to know of the permit that a result was made under."""

    id: str
    version: int
    digest: str
    users: frozenset[str]
    min_count: int
    valid_until: datetime
    round_to: int = 1
    """To what the permit has counts rounded; 1 for not at all."""
    demands: Demands = NOTHING_MORE
    """What the permit demands beyond the platform's rules."""
    project: str = ""
    """What the permit is for, and whose it is, in its own words."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the desk does by itself, and how much leaves: the strictest of the platform's and the enclosure's policy."""

    automatic: frozenset[str]
    """Result types that leave without votes where nothing of them had to be hidden."""
    max_estimates: int
    max_bytes: int
    """Of all tables that leave under one permit."""
    round_to: int = 1
    """To what the enclosure and its sources have counts rounded, whatever a permit says; 1 for not at all."""
    demands: RuleSets = ()
    """What the enclosure and its sources demand beyond the platform's rules."""
    min_count: int = 1
    """The least number of persons that the enclosure and its sources demand of what leaves today."""
    max_collisions: int = 1
    """Distinct checks and requests under one permit that may be told, in a day, of numbers that differ by a few."""
    max_checks: int = 1
    """The same of all that are answered, whether anything differs or not."""


@dataclass(frozen=True, slots=True)
class Probes:
    """What a permit was told before: distinct runs and tables that were checked or asked for.

    Who asks for one version after the other learns from each answer whether it differs by a few from what left.
    """

    n_checked: int = 0
    n_collided: int = 0
    """Of these, how many were told of numbers that differ by a few from released ones."""
    n_lately: int = 0
    """Of these, how many in the last thirty days."""


NOTHING_PROBED = Probes()


@dataclass(frozen=True, slots=True)
class Question:
    """What a reviewer wants to know of the project, and what it answered."""

    user: str
    at: str
    text: str
    answer: str = ""
    answered_by: str = ""
    answered_at: str = ""


@dataclass(frozen=True, slots=True)
class Course:
    """What happened to a request beside votes: whether it began to leave, to whom it left, which check it failed."""

    begun_at: str = ""
    exports: tuple[tuple[str, str], ...] = ()
    """Recipient and instant of each export."""
    failed: str = ""
    """The rule that it failed after it was asked for."""
    automatic: str = ""
    """The content that policy let go without votes."""


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's decision on one content."""

    user: str
    accept: bool
    reason: str
    at: str
    content: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request answers at once."""

    request: str
    state: RequestState
    verdict: Verdict
    reasons: tuple[str, ...]
    nearest_safe: Mapping[str, Any]
    differs: bool = False
    """Whether it tells of numbers that differ by a few from released ones."""

    def as_json(self) -> dict[str, Any]:
        """As scripts read it."""
        return {
            "request": self.request,
            "state": self.state.word,
            "verdict": self.verdict.word,
            "reasons": list(self.reasons),
            "nearest_safe": dict(self.nearest_safe),
        }


Package = Mapping[str, bytes]
"""A released package: the content of each file by its name."""


@dataclass(frozen=True, slots=True)
class PackageReport:
    """What verifying a package showed; every statement was checked with the public key and the files alone."""

    request: str
    permit: str
    content: str
    n_files: int
    n_estimates: int
    n_accepted: int
    released: str
    """By two persons, or automatically."""
    exported_at: str

    def as_json(self) -> dict[str, Any]:
        """As scripts read it."""
        return {
            "sound": True,
            "request": self.request,
            "permit": self.permit,
            "content": self.content,
            "n_files": self.n_files,
            "n_estimates": self.n_estimates,
            "n_accepted": self.n_accepted,
            "released": self.released,
            "exported_at": self.exported_at,
        }
