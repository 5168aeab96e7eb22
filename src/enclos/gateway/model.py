"""Who is at a door, and what doors and statements may use."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verifier:
    """What is kept of a password so that SCRAM can check it and nobody can use it.

    Source: RFC 5802, § 3 (StoredKey, ServerKey)
    """

    credential: str
    stored_key: bytes
    server_key: bytes

    def __repr__(self) -> str:
        return "Verifier()"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who signed in, by which credential, and the permit that they chose."""

    user: str
    permit: str
    credential: str

    def __repr__(self) -> str:
        return "Caller()"


@dataclass(frozen=True, slots=True)
class GateLimits:
    """What the doors bear at once. Units: statements, persons' waiting statements, connections of all and of
    one person, seconds, bytes.
    """

    n_at_once: int = 2
    n_per_permit: int = 1
    n_waiting: int = 16
    n_connections: int = 100
    n_connections_each: int = 25
    sign_in_seconds: float = 15.0
    idle_seconds: float = 3600.0
    stalled_seconds: float = 60.0
    first_bytes: int = 10_000
    message_bytes: int = 1 << 20
