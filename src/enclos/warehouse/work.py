"""The seam of a build over several processes: what a pass is told, and what it answers, in plain values and tables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

import pyarrow as pa

from enclos.lexicon.spans import Span

Told: TypeAlias = tuple[str, str, str]
"""A part of a build: its name, its signature and what it told (steps/records.py)."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What holds for all passes of a build; it names no key and no place."""

    n_buckets: int
    n_passes: int
    rules: str
    """What everything depends on beside what it reads."""
    duration: str
    """The name of the rule for days of supply."""
    days: Span | None
    """The days that the national deliveries cover."""
    intents: tuple[str, ...]
    domains: Mapping[str, frozenset[str]]
    """By vocabulary, the domains that its codes lead to."""
    names: Mapping[str, str]
    """How statements name the tables of the lake."""
    shared: Mapping[str, tuple[str, pa.Table]]
    """Rows that every pass reads, such as codes and places, each with what it depends on."""

    def told(self) -> tuple[bytes, list[pa.Table]]:
        """The ground in bytes and tables; ``Ground.of`` makes it again."""
        head = {
            "n_buckets": self.n_buckets,
            "n_passes": self.n_passes,
            "rules": self.rules,
            "duration": self.duration,
            "days": None if self.days is None else [f"{self.days.start_on}", f"{self.days.end_on}"],
            "intents": list(self.intents),
            "domains": {name: sorted(domains) for name, domains in self.domains.items()},
            "names": dict(self.names),
            "shared": {name: signature for name, (signature, _) in self.shared.items()},
        }
        return json.dumps(head).encode(), [rows for _, rows in self.shared.values()]

    @classmethod
    def of(cls, head: bytes, tables: Sequence[pa.Table]) -> Ground:
        """The ground that was told."""
        told: dict[str, Any] = json.loads(head)
        days = told["days"]
        shared = zip(told["shared"].items(), tables, strict=True)
        return cls(
            n_buckets=told["n_buckets"],
            n_passes=told["n_passes"],
            rules=told["rules"],
            duration=told["duration"],
            days=None if days is None else Span(date.fromisoformat(days[0]), date.fromisoformat(days[1])),
            intents=tuple(told["intents"]),
            domains={name: frozenset(domains) for name, domains in told["domains"].items()},
            names=told["names"],
            shared={name: (signature, rows) for (name, signature), rows in shared},
        )


@dataclass(frozen=True, slots=True)
class PassAsked:
    """One pass, and what its parts told in the snapshot before."""

    number: int
    before: tuple[Told, ...] = ()

    def told(self) -> bytes:
        """The question in bytes."""
        return json.dumps([self.number, self.before]).encode()

    @classmethod
    def of(cls, told: bytes) -> PassAsked:
        """The question that was told."""
        number, before = json.loads(told)
        return cls(number, tuple((part, signature, what) for part, signature, what in before))


@dataclass(frozen=True, slots=True)
class PassMade:
    """What a pass answers: what its parts tell, which of them are as they were, and the seconds of its phases."""

    parts: tuple[Told, ...]
    kept: frozenset[str]
    seconds: Mapping[str, float]

    def told(self) -> bytes:
        """The answer in bytes."""
        return json.dumps([self.parts, sorted(self.kept), dict(self.seconds)]).encode()

    @classmethod
    def of(cls, told: bytes) -> PassMade:
        """The answer that was told."""
        parts, kept, seconds = json.loads(told)
        return cls(tuple((part, signature, what) for part, signature, what in parts), frozenset(kept), seconds)
