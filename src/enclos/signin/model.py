"""A person who acts, in which roles, and how it is known that it is they."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from enclos.permits.model import USER_ID

LOCAL = "local"
"""The issuer's place in a person who signed in with an account of this enclosure."""


class Role(Enum):
    """What somebody may act as (design § 1); a permit says under which authorisation."""

    STEWARD = "steward"
    """Takes deliveries in, builds snapshots, runs the enclosure."""
    ACCESS_BODY = "access-body"
    """Grants and ends permits."""
    RESEARCHER = "researcher"
    """Works under the permits that list them."""
    CHECKER = "checker"
    """Votes on what leaves."""
    AUDITOR = "auditor"
    """Reads what happened; has no other role."""
    PUBLIC = "public"
    """Anybody: what everybody may see."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signed in; made only by what verified them.

    In: subject — the id that permits, votes and the ledger name; provider — who verified them: an issuer, or ``local``;
        acr, amr — the class and the means of it (RFC 8176); token — the id of what they show for it; of_provider —
        the name of its own (``sub``), given to nobody else ever, by which a provider told of them
    """

    subject: str
    name: str = field(repr=False)
    roles: frozenset[Role]
    provider: str
    authenticated_at: datetime
    expires_at: datetime
    acr: str = ""
    amr: tuple[str, ...] = ()
    token: str = ""
    of_provider: str = field(default="", repr=False, compare=False)

    def __post_init__(self) -> None:
        if not USER_ID.fullmatch(self.subject):
            raise ValueError("a person has an id as permits write it")
        if any(at.utcoffset() != timedelta(0) for at in (self.authenticated_at, self.expires_at)):
            raise ValueError("instants are in UTC")

    @property
    def is_local(self) -> bool:
        """Whether an account of this enclosure says who it is, which is for trying out."""
        return self.provider == LOCAL

    def has(self, role: Role) -> bool:
        """Whether they may act so; everybody is of the public."""
        return role is Role.PUBLIC or role in self.roles

    def as_json(self) -> dict[str, object]:
        """What may be told of it, to themselves."""
        return {
            "person": self.subject,
            "name": self.name,
            "roles": sorted(role.value for role in self.roles),
            "provider": self.provider,
            "authenticated_at": self.authenticated_at.isoformat(),
            "expires_at": self.expires_at.isoformat(),
            "acr": self.acr,
            "amr": list(self.amr),
        }


@dataclass(frozen=True, slots=True)
class Account:
    """A local account.

    ``last_step`` is the time step of the last code that was taken; no code of it or before is taken again. Tokens
    from before ``tokens_after`` are worth nothing. ``first_until``: the password is a first one, which until then lets
        its holder choose their own and nothing else; None when they have.
    """

    id: str
    name: str = field(repr=False)
    roles: frozenset[Role]
    password: str = field(repr=False)
    """An Argon2id hash (RFC 9106) with its parameters."""
    totp: bytes = field(repr=False)
    """The secret of the one-time codes (RFC 6238)."""
    last_step: int
    tokens_after: datetime
    first_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Failures:
    """Sign-ins under one name that failed since the last that did not."""

    n: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """A browser in which somebody signed in before: a digest of their account's id, and until when it is remembered."""

    account: str
    until: datetime


@dataclass(frozen=True, slots=True)
class SignIn:
    """A sign-in that goes on: whose, since when, until when at most, and by which way (``portal``, ``command``)."""

    subject: str
    at: datetime
    until: datetime
    via: str


@dataclass(frozen=True, slots=True)
class Book:
    """Local accounts by id, failures by a digest of the name, withdrawn tokens by id with their end, and since when
    tokens of a provider's person are taken again.

    ``places``: browsers by a digest of what they bring; ``sign_ins`` by the id of their token; ``bound``: by a digest
        of an id that permits name, a digest of the provider and of its own name for the one person who has the id;
        ``left``: by such a digest of an id, when the provider last told that who has it left.
    """

    accounts: Mapping[str, Account] = field(default_factory=dict)
    failures: Mapping[str, Failures] = field(default_factory=dict)
    withdrawn: Mapping[str, datetime] = field(default_factory=dict)
    signed_out: Mapping[str, datetime] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)
    sign_ins: Mapping[str, SignIn] = field(default_factory=dict)
    bound: Mapping[str, str] = field(default_factory=dict)
    left: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Demands:
    """What a sign-in must show: one of the classes, or one of the means; both empty demands nothing."""

    acr: tuple[str, ...] = ()
    amr: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Provider:
    """An OpenID Connect provider as the enclosure's settings name it.

    In: issuer — its URL, to the letter; client — our id with it; audience — what its access tokens for us say;
        algorithms — those that its signatures may have, never a symmetric one; subject — the claim that is the id that
        permits name; role_claim, roles — which of its values gives which role; scope — what an access token's ``scope``
        says when it may be used here: the word itself, or ``word:role`` for that role alone; least_rsa_bits — of an
        RSA key of its that is taken
    """

    issuer: str
    client: str
    audience: str
    algorithms: tuple[str, ...]
    subject: str
    role_claim: str
    roles: Mapping[str, Role]
    demands: Demands
    scope: str = "enclos"
    least_rsa_bits: int = 2048
