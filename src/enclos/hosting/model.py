"""What was given to a host to keep, and what is found there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from enclos.lexicon.canonical import canonical_bytes


@dataclass(frozen=True, slots=True)
class Seal:
    """What the bytes of one object were when they were stored. Units: size in bytes; sha256 in hexadecimal."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The seals of all objects of the lake after a build, by the object's name."""

    snapshot: int = 0
    seals: Mapping[str, Seal] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """One spelling for one content, so that its digest stands for it."""
        return canonical_bytes(
            {"snapshot": self.snapshot, "objects": {name: [it.size, it.sha256] for name, it in self.seals.items()}}
        )

    @classmethod
    def from_bytes(cls, content: bytes) -> Manifest:
        """The manifest that was written so."""
        document = json.loads(content)
        return cls(document["snapshot"], {name: Seal(*values) for name, values in document["objects"].items()})


class Fault(Enum):
    """What can be wrong with an object that the catalog names."""

    MISSING = "missing"
    """The host does not give it."""
    ALTERED = "altered"
    """Its bytes are not those that were stored: changed, exchanged or an earlier version."""
    UNSEALED = "unsealed"
    """It was stored by a build that stopped before its end; the next build reads and seals it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One object and what is wrong with it."""

    name: str
    fault: Fault


@dataclass(frozen=True, slots=True)
class Verification:
    """What was looked at and what was found. Units: n_bytes read."""

    n_objects: int
    n_bytes: int
    findings: tuple[Finding, ...]
    strangers: tuple[str, ...] = ()
    """Objects that no catalog names: left by a build that was killed, or put there by somebody. Nothing reads them."""

    def named(self, faults: Iterable[Fault]) -> tuple[str, ...]:
        """The objects with one of these faults."""
        wanted = set(faults)
        return tuple(finding.name for finding in self.findings if finding.fault in wanted)
