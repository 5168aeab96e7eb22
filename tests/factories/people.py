"""People who sign in, tokens as a provider or an attacker writes them, codes as an authenticator shows them."""

from __future__ import annotations

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jws
from joserfc.jwk import RSAKey

from enclos.app.accounts import add_account
from enclos.app.enclosure import Enclosure
from enclos.app.sign_in import sign_in_locally
from enclos.signin.model import Demands, Person, Provider, Role
from enclos.signin.rules.codes import STEP_SECONDS, code_of, step_of

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
AT = int(NOW.timestamp())
PLACE = "enclos.example/france"
PASSWORD = "four quiet words here"
ISSUER, CLIENT, AUDIENCE = "https://idp.example", "enclos-client", PLACE
PROVIDER = Provider(
    ISSUER,
    CLIENT,
    AUDIENCE,
    ("RS256",),
    "email",
    "groups",
    {"team-research": Role.RESEARCHER, "team-check": Role.CHECKER, "team-audit": Role.AUDITOR},
    Demands(acr=("https://refeds.org/profile/mfa",), amr=("otp", "hwk")),
)
KEY = RSAKey.generate_key(2048, {"kid": "one"}, private=True)
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "two"}, private=True)
"""The provider's next key, or a stranger's."""


def person(**changed: Any) -> Person:
    """Alice, who signed in a moment ago."""
    given: dict[str, Any] = {
        "subject": "alice@example.org",
        "name": "Alice A.",
        "roles": frozenset({Role.RESEARCHER}),
        "provider": "local",
        "authenticated_at": NOW,
        "expires_at": NOW + timedelta(hours=1),
        "amr": ("pwd", "otp", "mfa"),
        "token": "t-1",
    }
    return Person(**{**given, **changed})


def access_claims(**changed: Any) -> dict[str, Any]:
    """What a good access token of the provider says; a value of None leaves the claim out."""
    given: dict[str, Any] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "u-17",
        "email": "alice@example.org",
        "email_verified": True,
        "name": "Alice A.",
        "groups": ["team-research", "something-else"],
        "iat": AT,
        "exp": AT + 600,
        "jti": "j-1",
        "amr": ["pwd", "otp"],
    }
    return {name: value for name, value in {**given, **changed}.items() if value is not None}


def provider_token(claims: dict[str, Any], key: RSAKey = KEY, **header: Any) -> str:
    """A token as the provider signs it."""
    head = {"alg": "RS256", "typ": "at+jwt", "kid": key.kid, **header}
    algorithms = [head["alg"]]
    return jws.serialize_compact(head, json.dumps(claims).encode(), key, algorithms=algorithms)


def public_keys(*keys: RSAKey) -> dict[str, Any]:
    """What the provider publishes."""
    return {"keys": [{**each.as_dict(private=False), "use": "sig"} for each in keys or (KEY,)]}


def unsigned_token(claims: dict[str, Any], **header: Any) -> str:
    """A token that asks to be believed without a signature."""
    head = {"alg": "none", "typ": "at+jwt", "kid": "one", **header}
    return ".".join([_part(head), _part(claims), ""])


def confused_token(claims: dict[str, Any]) -> str:
    """A token whose HMAC key is the provider's public key, which everybody has."""
    head = {"alg": "HS256", "typ": "at+jwt", "kid": "one"}
    signed = f"{_part(head)}.{_part(claims)}"
    digest = hmac.digest(KEY.as_pem(private=False), signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def with_claims(token: str, **changed: Any) -> str:
    """The same token with other claims, and the signature of before."""
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return ".".join([head, _part({**claims, **changed}), signature])


def shown_code(enrolment: str, at: datetime) -> str:
    """What an authenticator shows that was enrolled with this address."""
    secret = parse_qs(urlsplit(enrolment).query)["secret"][0]
    return code_of(base64.b32decode(secret + "=" * (-len(secret) % 8)), step_of(at))


def local_account(enclosure: Enclosure, account: str, name: str, roles: list[Role]) -> str:
    """An account whose holder has chosen PASSWORD; what an authenticator reads. This half minute has its code still."""
    made = add_account(enclosure, account, name, roles)
    authenticator, now = str(made["authenticator"]), enclosure.ledger.now()
    before = shown_code(authenticator, now - timedelta(seconds=STEP_SECONDS))
    sign_in_locally(enclosure, account, made["first_password"], before, new=PASSWORD)
    return authenticator


def _part(document: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")
