"""Nouns of a build: what was delivered, what became of each line, what the snapshot holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any


class Fate(Enum):
    """Why a delivered line is not in the snapshot."""

    FILTERED = "filtered"
    """A named trap of the source says that the line is no care of its own."""
    REJECTED = "rejected"
    """The line lacks what OMOP needs: a person, a date, a code, its stay."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The persons of one pass: those of some buckets, or a slice of the persons of one bucket."""

    buckets: tuple[int, ...]
    n_buckets: int
    slice: int = 0
    n_slices: int = 1


@dataclass(frozen=True, slots=True)
class DeliveredPeriod:
    """The days that a delivery covers.

    Units: end_on is exclusive.
    """

    source: str
    kind: str
    start_on: date
    end_on: date

    def __post_init__(self) -> None:
        if self.end_on <= self.start_on:
            raise ValueError("a delivery covers at least one day")


@dataclass(frozen=True, slots=True)
class TableAccount:
    """What became of the lines of one pseudonymised table.

    A line is mapped when it contributes to a row of the snapshot, counted once however many rows it makes.
    """

    table: str
    sources: tuple[str, ...]
    delivered: int
    mapped: int
    cancelled: int
    filtered: int
    rejected: int
    reasons: Mapping[str, int] = field(default_factory=dict)
    """Lines by trap or reason; the traps add up to ``filtered``, the reasons to ``rejected``."""

    @property
    def adds_up(self) -> bool:
        """Whether every delivered line is accounted for."""
        return self.delivered == self.mapped + self.cancelled + self.filtered + self.rejected

    def as_json(self) -> dict[str, Any]:
        """The account as the command line prints it."""
        return {
            "table": self.table,
            "sources": list(self.sources),
            "delivered": self.delivered,
            "mapped": self.mapped,
            "cancelled": self.cancelled,
            "filtered": self.filtered,
            "rejected": self.rejected,
            "reasons": dict(sorted(self.reasons.items())),
        }


@dataclass(frozen=True, slots=True)
class UnmappedCode:
    """A source code without a standard concept, kept with concept 0, and how many rows bear it."""

    vocabulary: str
    code: str
    n_rows: int


@dataclass(frozen=True, slots=True)
class VocabularyShare:
    """How many rows bear codes of a vocabulary, and how many of them have no standard concept."""

    vocabulary: str
    n_rows: int
    n_unmapped: int
    n_unmapped_codes: int
    """Different codes without a standard concept."""

    def as_json(self) -> dict[str, Any]:
        """The share as the command line prints it."""
        return {
            "vocabulary": self.vocabulary,
            "n_rows": self.n_rows,
            "n_unmapped": self.n_unmapped,
            "unmapped_percent": round(100 * self.n_unmapped / self.n_rows, 2) if self.n_rows else 0.0,
            "n_unmapped_codes": self.n_unmapped_codes,
        }


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build made."""

    snapshot: int
    tables: Mapping[str, int]
    account: tuple[TableAccount, ...]
    unmapped: tuple[UnmappedCode, ...]
    seconds: Mapping[str, float]
    """Seconds by phase; ``total`` is the whole build."""
    vocabularies: tuple[VocabularyShare, ...] = ()
    full: bool = True
    """Whether there was nothing that could be kept."""
    rebuilt: Mapping[str, int] = field(default_factory=dict)
    """By table, how many buckets were made anew (1 for a table without persons); the others were kept."""

    def as_json(self) -> dict[str, Any]:
        """The report as the command line prints it."""
        return {
            "snapshot": self.snapshot,
            "tables": dict(self.tables),
            "account": [line.as_json() for line in self.account],
            "unmapped": [
                {"vocabulary": code.vocabulary, "code": code.code, "n_rows": code.n_rows} for code in self.unmapped
            ],
            "vocabularies": [share.as_json() for share in self.vocabularies],
            "mode": "full" if self.full else "incremental",
            "rebuilt": dict(sorted(self.rebuilt.items())),
            "kept": sorted(table for table in self.tables if table not in self.rebuilt),
            "seconds": round(self.seconds.get("total", 0.0), 3),
            "phases": {phase: round(seconds, 3) for phase, seconds in self.seconds.items() if phase != "total"},
        }


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What the rules say of the lines of one pseudonymised table that made a row."""

    table: str
    rule: str
    """Mapping, pseudonymised table and OMOP table."""
    n_lines: int
    mapped: int
    reasons: Mapping[str, int]
    """Lines that a trap left out and that are in the row all the same, such as charges in a cost."""
    passed: tuple[tuple[str, str], ...]
    """The traps that no line met: name and meaning."""

    def as_json(self) -> dict[str, Any]:
        """The verdicts as the command line prints them."""
        return {
            "table": self.table,
            "rule": self.rule,
            "n_lines": self.n_lines,
            "mapped": self.mapped,
            "cancelled": self.n_lines - self.mapped - sum(self.reasons.values()),
            "reasons": dict(sorted(self.reasons.items())),
            "passed": [{"trap": name, "meaning": meaning} for name, meaning in self.passed],
        }


@dataclass(frozen=True, slots=True)
class VocabularyStep:
    """One step from a code to its standard concept."""

    step: str
    """``source concept``, a relationship, ``SOURCE_TO_CONCEPT_MAP``, ``as delivered`` or ``no standard concept``."""
    concept_id: int
    vocabulary: str | None = None
    code: str | None = None
    standard: bool = False
    valid: bool = True

    def as_json(self) -> dict[str, Any]:
        """The step as the command line prints it."""
        return {
            "step": self.step,
            "concept_id": self.concept_id,
            "vocabulary": self.vocabulary,
            "code": self.code,
            "standard": self.standard,
            "valid": self.valid,
        }
