"""Begin a sign-in with a provider, and take its answer: once, from who was asked, by who asked."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.signin.model import Person, Provider
from enclos.signin.ports import ProviderKeys
from enclos.signin.rules.tokens import (
    LONGEST_ID,
    SKEW,
    authenticated_at,
    check_claims,
    check_client,
    provider_person,
    verified_claims,
)
from enclos.signin.steps.tokens import new_token_id, published_for

LASTS = timedelta(minutes=10)
"""How long a sign-in may take from its beginning to its answer."""
_ID_TOKEN_TYPES = ("", "jwt")


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in that was begun; kept by who began it and by nobody else, and answered once.

    In: state — comes back with the answer; nonce — comes back inside the signed token; verifier — proves to the
        provider that who takes the code asked for it (RFC 7636)
    """

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    redirect: str
    began_at: datetime


def attempt(redirect: str, now: datetime) -> Attempt:
    """A new sign-in, whose answer goes to an address of ours."""
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    return Attempt(state, nonce, verifier, redirect, now)


def check_answer(begun: Attempt | None, answer: Mapping[str, str], provider: Provider, now: datetime) -> str:
    """The code that a provider's answer brings.

    In: begun — what who brings the answer had begun; None when nothing, or when it was answered already
    Refuses: SIGN_IN_ANSWER when it was not they who began it, too long ago, by another issuer (RFC 9207), or when the
        provider let nobody in.
    """
    if begun is None or not hmac.compare_digest(begun.state.encode(), answer.get("state", "").encode()):
        raise _stranger("This answers no sign-in that was begun here.")
    if not begun.began_at <= now < begun.began_at + LASTS:
        raise _stranger("The sign-in took too long.")
    if answer.get("iss", provider.issuer) != provider.issuer:
        raise _stranger("The answer is another provider's.")
    code = answer.get("code", "")
    if not code or "error" in answer:
        raise _stranger("The provider let nobody in.")
    return code


def answered(
    nonce: str | None,
    id_token: str,
    more: Mapping[str, Any],
    *,
    provider: Provider,
    client: str,
    keys: ProviderKeys,
    now: datetime,
    lasts: timedelta,
) -> Person:
    """Who signed in, by the ID token that the provider gave us for it.

    In: nonce — the one that was sent along; None of a sign-in on another device, which has none (RFC 8628); more — what
        the provider tells of the same subject (userinfo), for what the token leaves out; client — our id
    Refuses: SIGN_IN_TOKEN, SIGN_IN_ANSWER when the nonce is another, SIGN_IN_FACTOR, SIGN_IN_ROLE.
    """
    claims = verified_claims(
        id_token, published_for(id_token, keys), provider.algorithms, _ID_TOKEN_TYPES, provider.least_rsa_bits
    )
    check_claims(claims, issuer=provider.issuer, audience=client, now=now, skew=SKEW, longest=LONGEST_ID)
    check_client(claims, client)
    if nonce is not None and not hmac.compare_digest(nonce.encode(), str(claims.get("nonce", "")).encode()):
        raise _stranger("The answer was made for another sign-in.")
    if more and more.get("sub") != claims.get("sub"):
        raise _stranger("The provider tells of another person.")
    # what is signed goes before what is told; how it was made sure who it is, is in the token alone
    whole = {**more, **claims} | {name: claims.get(name) for name in ("acr", "amr", "auth_time")}
    began = min(authenticated_at(claims, now), now)
    return provider_person(whole, provider, authenticated_at=began, expires_at=now + lasts, token=new_token_id())


def _stranger(what: str) -> Refusal:
    return refusal(Code.SIGN_IN_ANSWER, what, "Begin again.")
