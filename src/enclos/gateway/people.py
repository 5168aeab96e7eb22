"""Who comes: persons by the tokens of sign-in, or by passwords that stand for one."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from enclos.app.accounts import books_of
from enclos.app.enclosure import Enclosure
from enclos.app.sign_in import door_of, person_of
from enclos.gateway.model import Verifier
from enclos.gateway.scram import salt_of, verifier_of
from enclos.ledger.model import Action
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.lexicon.refusals import Refusal, refusal
from enclos.signin.model import Role
from enclos.signin.steps import demand_role
from enclos.stores.passwords import KeptPassword, SealedPasswords

_MOST_PASSWORDS = 8
"""Of one person at once."""


def draw_password(enclosure: Enclosure, token: str) -> dict[str, Any]:
    """A password for programs that can send nothing else: it is told once and ends with the token.

    Refuses: as person_of; SIGN_IN_ROLE.
    """
    person = person_of(enclosure, token)
    demand_role(person, Role.RESEARCHER)
    password, number = secrets.token_urlsafe(32), secrets.token_hex(8)
    verifier = verifier_of(number, password, salt_of(enclosure.settings.ledger.origin, person.subject))
    kept = KeptPassword(number, person.subject, token, verifier.stored_key, verifier.server_key, person.expires_at)
    with enclosure.ledger.intent(Action.LOGIN, person.subject, facts={"via": "password"}):
        _passwords(enclosure).add(kept, enclosure.ledger.now(), _MOST_PASSWORDS)
    return {"user": person.subject, "password": password, "until": person.expires_at.isoformat()}


class SignedIn:
    """Persons of one open enclosure, by what they show for it.

    A credential is the number of a password, or a token itself.
    """

    def __init__(self, enclosure: Enclosure) -> None:
        self._door = door_of(enclosure)
        self._passwords = _passwords(enclosure)
        self._origin = enclosure.settings.ledger.origin

    def __repr__(self) -> str:
        return "SignedIn()"

    def verifiers(self, user: str) -> Sequence[Verifier]:
        """Of each password of the person that holds now, what SCRAM checks; none for a stranger."""
        kept = [each for each in self._passwords.read(datetime.now(UTC)) if each.user == user]
        return [Verifier(each.id, each.stored_key, each.server_key) for each in kept]

    def person_of(self, token: str, user: str = "") -> tuple[str, str] | None:
        """The person whose token this is, or whose password where a name is given, and the credential."""
        try:
            if token.count(".") == 2:
                person = self._door.person_of(token, datetime.now(UTC))
                return (person.subject, token) if user in {"", person.subject} else None
        except Refusal:
            return None
        shown = verifier_of("", token, salt_of(self._origin, user)).stored_key
        held = (each for each in self.verifiers(user) if hmac.compare_digest(each.stored_key, shown))
        return next(((user, each.credential) for each in held), None)

    def require(self, credential: str) -> None:
        """Whether a credential still holds, and the person still is a researcher.

        Refuses: GATE_CREDENTIAL.
        """
        now = datetime.now(UTC)
        tokens = [credential] if "." in credential else []
        tokens += [each.token for each in self._passwords.read(now) if each.id == credential] if not tokens else []
        try:
            for token in tokens:
                demand_role(self._door.person_of(token, now), Role.RESEARCHER)
        except Refusal:
            tokens = []
        if not tokens:
            raise not_let_in()


def not_let_in() -> Refusal:
    """The refusal of who has no credential that holds; it does not say what is wrong with it."""
    return refusal(
        Code.GATE_CREDENTIAL,
        "This name and this credential do not let anybody in.",
        "Sign in and draw a new password: enclos login DIR, enclos password DIR.",
    )


def _passwords(enclosure: Enclosure) -> SealedPasswords:
    books_of(enclosure)  # makes the key that both are sealed by when it is first needed
    return SealedPasswords(enclosure.paths.passwords, enclosure.keys.secret(KeyName(KeyRole.ACCOUNTS)))
