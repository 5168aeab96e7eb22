"""What the gateway needs of others, and what a door may ask of the gateway's keeper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import pyarrow as pa

from enclos.app.turns import Stop
from enclos.gateway.model import Caller, Verifier


class Who(Protocol):
    """Persons and their short-lived credentials; the sign-in provides it."""

    def verifiers(self, user: str) -> Sequence[Verifier]:
        """Of each credential of the person that holds now, what SCRAM checks; none for a stranger."""

    def person_of(self, token: str, user: str) -> tuple[str, str] | None:
        """The person whose token this is, or whose password where a name is given, and the credential; if it holds."""

    def require(self, credential: str) -> None:
        """Whether a credential still holds.

        Refuses: GATE_CREDENTIAL when it has ended or was revoked.
        """


class Keeper(Protocol):
    """Answers for an enclosure; a door knows nothing else of it."""

    @property
    def origin(self) -> str:
        """The enclosure's name, which the salts of its passwords are made of."""

    def verifiers(self, user: str) -> Sequence[Verifier]:
        """As ``Who.verifiers``."""

    def enter(self, user: str, permit: str, credential: str) -> Caller:
        """Let in a person who has shown the credential.

        Refuses: GATE_CREDENTIAL; what permits refuse of the user.
        """

    def known(self, user: str, shown: str) -> tuple[str, str]:
        """The person who bears a token, or knows the password of the name, and the credential.

        Refuses: GATE_CREDENTIAL.
        """

    def turned_away(self, user: str) -> None:
        """Keep in the ledger that somebody failed to show a credential of a person."""

    def ask(self, caller: Caller, text: str, stop: Stop) -> pa.Table:
        """The answer of ``enclos sql``, in turn.

        Refuses: as ``enclos.app.sql.ask``; GATE_BUSY, GATE_STOPPED, GATE_CREDENTIAL.
        """

    def shape(self, caller: Caller, text: str, stop: Stop) -> pa.Schema:
        """The columns that an answer will have."""

    def names(self, caller: Caller) -> dict[str, dict[str, str]]:
        """The tables of the permit with their columns and the engine's types."""

    def catalog(self, caller: Caller, text: str, stop: Stop) -> pa.Table:
        """What a PostgreSQL catalog that holds the permit's names answers.

        Refuses: GATE_CATALOG.
        """
