"""What a result is read as: strata, windows, cells with their persons, counts of attrition."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TypeAlias

from enclos.contracts.result import Cell
from enclos.lexicon.verdicts import Verdict
from enclos.release.model import Finding, Role, Rule

Family: TypeAlias = tuple[tuple[str, str], ...]

NO_END = 10**6
STAYS = "prevalence_of_records"
"""The result type whose counts are stays; persons decide."""
_OF_STAYS = ("type", STAYS)


@dataclass(frozen=True, slots=True)
class Stratum:
    """Whom estimates are about: the analysis with its options, and the part of the population."""

    family: Family
    outcome: str
    age: tuple[int, int]
    sex: str
    prior_days: int
    at_risk: tuple[int, int] = (0, NO_END)
    """Days after entering the target cohort."""
    part: frozenset[tuple[str, str]] = frozenset()
    """What the persons also have in common on their first day at risk, by name."""


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """The days that an estimate covers, both included, and the kind of interval."""

    first_on: date
    last_on: date
    interval: str

    @property
    def n_days(self) -> int:
        """Number of days."""
        return (self.last_on - self.first_on).days + 1

    def holds(self, other: Window) -> bool:
        """Whether the other lies within and is not the same days."""
        same = (self.first_on, self.last_on) == (other.first_on, other.last_on)
        return not same and other.lies_in(self)

    def lies_in(self, other: Window) -> bool:
        """Whether all its days are days of the other."""
        return other.first_on <= self.first_on and self.last_on <= other.last_on


@dataclass(slots=True)
class ReadCell:
    """One cell: where its estimates stand in the table, what they say, and who is in it."""

    stratum: Stratum
    window: Window
    cell: Cell
    rows: dict[Role, list[int]] = field(default_factory=dict)
    numerator: int = 0
    denominator: int = 0
    time: int | None = None
    has_ratio: bool = True
    """Whether a ratio of its numbers stands beside them, which would give one back from the other."""

    @property
    def n_days_lost(self) -> int | None:
        """Days after their entry that its persons lost; None where the stretch after entry has no end."""
        first, last = self.stratum.at_risk
        if self.time is None or last == NO_END:
            return None
        return self.denominator * (last - first + 1) - self.time

    @property
    def counts_persons(self) -> bool:
        """Whether the numerator counts persons, each once, rather than events."""
        return not self.counts_stays and self.numerator == self.cell.n_numerator

    @property
    def counts_stays(self) -> bool:
        """Whether stays are counted, of which a person can have several, rather than persons."""
        return _OF_STAYS in self.stratum.family


@dataclass(frozen=True, slots=True)
class ReadCount:
    """One count of attrition."""

    stratum: Stratum
    group_level: str
    result_id: int
    reason_id: int
    reason: str
    role: Role
    row: int
    value: int


@dataclass(frozen=True, slots=True)
class ReadStandardised:
    """Estimates computed from whole cells: nothing new is told by them where these are shown."""

    rows: tuple[int, ...]
    parts: tuple[ReadCell, ...]
    weights: tuple[int, ...] = ()
    """Of a standardised rate, in the order of its parts; none of an effect."""


@dataclass(slots=True)
class Reading:
    """What was read, and what could not be."""

    cells: list[ReadCell] = field(default_factory=list)
    standardised: list[ReadStandardised] = field(default_factory=list)
    counts: list[ReadCount] = field(default_factory=list)
    n_untyped: int = 0
    n_unbacked: int = 0

    @property
    def findings(self) -> list[Finding]:
        """The findings on type and backing."""
        typed = Finding(Rule.TYPED, Verdict.PASS, "every estimate is of a known kind with labels from lists")
        if self.n_untyped:
            said = f"{self.n_untyped} line(s) are not estimates of a known kind with labels and values of known form"
            typed = Finding(Rule.TYPED, Verdict.REFUSE, said)
        backed = Finding(Rule.BACKED, Verdict.PASS, "every estimate agrees with the persons behind it")
        if self.n_unbacked:
            said = f"{self.n_unbacked} cell(s) have no persons behind them or do not agree with them"
            backed = Finding(Rule.BACKED, Verdict.REFUSE, said)
        return [typed, backed]
