"""What a token must be: signed by a listed algorithm with its issuer's key, for us, in time, with a second factor."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import import_key

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.permits.model import USER_ID
from enclos.signin.model import Demands, Person, Provider, Role

SKEW = timedelta(seconds=60)
"""How far a provider's clock may be from ours."""
LONGEST = timedelta(hours=1)
"""How long an access token may live, whoever issued it."""
LONGEST_ID = timedelta(hours=24)
"""How long an ID token may say that it holds: it is looked at once, when it was just made."""
RECENT = timedelta(minutes=10)
"""How long after showing their factors somebody may do what asks for one anew."""
_FRESH = timedelta(hours=12)
"""How long ago somebody may have signed in at their provider: then they show both factors again."""
OWN_ALGORITHM = "Ed25519"
"""Source: RFC 9864: an algorithm that says its curve."""
OWN_TYPE = "at+jwt"
"""Source: RFC 9068 § 2.1: so no other token is taken for an access token."""
_MOST_CHARACTERS = 16_384
LEAST_RSA_BITS = 2048
"""Below it no RSA key is taken, whatever is set. Source: NIST SP 800-131A: 112 bits of security; 3072 have 128."""
ASYMMETRIC = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519"})
"""What a provider's signature may be: a symmetric one could be made with the public key that everybody has."""


def refused(what: str) -> Refusal:
    """The refusal of a token; it never says more than what kind of thing is wrong."""
    return refusal(Code.SIGN_IN_TOKEN, what, "Sign in again: enclos login DIR.")


def header_of(token: str) -> Mapping[str, Any]:
    """The header of a token, believed in nothing: it only chooses which key to try.

    Refuses: SIGN_IN_TOKEN.
    """
    try:
        if len(token) > _MOST_CHARACTERS or token.count(".") != 2:
            raise ValueError
        header = json.loads(_decoded(token.partition(".")[0]))
        if not isinstance(header, dict):
            raise TypeError
    except (ValueError, TypeError, RecursionError):
        raise refused("This is not a token.") from None
    return header


def unverified_issuer(token: str) -> str:
    """Who a token says issued it; it only chooses whose key to try.

    Refuses: SIGN_IN_TOKEN.
    """
    header_of(token)
    try:
        claims = json.loads(_decoded(token.split(".")[1]))
        issuer = claims["iss"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise refused("This is not a token.") from None
    return issuer if isinstance(issuer, str) else ""


def signed_token(claims: Mapping[str, Any], sign: Callable[[bytes], bytes]) -> str:
    """A token of our own.

    In: sign — makes the 64 bytes of an Ed25519 signature; the key itself stays where it lives
    """
    head = _encoded(json.dumps({"alg": OWN_ALGORITHM, "typ": OWN_TYPE}, separators=(",", ":")).encode())
    body = _encoded(json.dumps(claims, separators=(",", ":")).encode())
    return f"{head}.{body}.{_encoded(sign(f'{head}.{body}'.encode()))}"


def own_keys(public_key: bytes) -> Mapping[str, Any]:
    """Our public key as a key set."""
    return {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": _encoded(public_key)}]}


def verified_claims(
    token: str,
    keys: Mapping[str, Any],
    algorithms: Sequence[str],
    types: Sequence[str],
    least_rsa_bits: int = LEAST_RSA_BITS,
) -> Mapping[str, Any]:
    """What a token says, once its signature is found to be made by a listed algorithm with one of the keys.

    In: types — what its ``typ`` may be, in lower case and without ``application/``; empty text stands for none;
        least_rsa_bits — of an RSA key that is taken
    Refuses: SIGN_IN_TOKEN.
    """
    header = header_of(token)
    kind = str(header.get("typ", "")).lower().removeprefix("application/")
    # lists, not sets: what a stranger wrote there need not be a text
    if header.get("alg") not in sorted(ASYMMETRIC.intersection(algorithms)) or kind not in types:
        raise refused("The token is of a kind or an algorithm that is not taken.")
    if "crit" in header or {"jwk", "jku", "x5u", "x5c"} & header.keys():
        raise refused("The token brings its own key or asks for what is not known.")
    try:
        content = jws.deserialize_compact(
            token, _key(keys, header, least_rsa_bits), algorithms=[str(header["alg"])]
        ).payload
        claims = json.loads(content)
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        raise refused("The token's signature is not its issuer's.") from None
    if not isinstance(claims, dict):
        raise refused("This is not a token.")
    return claims


def names_unknown_key(token: str, keys: Mapping[str, Any]) -> bool:
    """Whether the token names a key that is not among these: the issuer may have a new one."""
    named = header_of(token).get("kid")
    return isinstance(named, str) and named not in {each.get("kid") for each in keys.get("keys", ())}


def check_claims(
    claims: Mapping[str, Any], *, issuer: str, audience: str, now: datetime, skew: timedelta, longest: timedelta
) -> tuple[datetime, datetime]:
    """Issued at and expires at, once issuer, audience and times are right.

    Refuses: SIGN_IN_TOKEN: another issuer or audience, expired, not yet valid, or valid for longer than is taken.
    """
    aud = claims.get("aud")
    if claims.get("iss") != issuer:
        raise refused("The token is another issuer's.")
    if audience not in (aud if isinstance(aud, list) else [aud]):
        raise refused("The token is for another place.")
    issued, expires = _instant(claims, "iat"), _instant(claims, "exp")
    begins = _instant(claims, "nbf") if "nbf" in claims else issued
    if now >= expires + skew:
        raise refused("The token has expired.")
    if issued > now + skew or begins > now + skew:
        raise refused("The token is not valid yet: a clock is wrong.")
    if expires - issued > longest:
        raise refused("The token lives for longer than is taken.")
    return issued, expires


def check_client(claims: Mapping[str, Any], client: str) -> None:
    """Let an ID token be for us: whom it was given to is told when it is for several. Source: OIDC Core § 3.1.3.7.

    Refuses: SIGN_IN_TOKEN.
    """
    aud, party = claims.get("aud"), claims.get("azp")
    if (isinstance(aud, list) and len(aud) > 1 and party is None) or party not in (None, client):
        raise refused("The token was given to somebody else.")


def authenticated_at(claims: Mapping[str, Any], now: datetime) -> datetime:
    """When the person showed their factors: when the token was issued, if it does not say.

    Refuses: SIGN_IN_FACTOR when it is long ago.
    """
    # some providers write 0 where they do not know
    at = _instant(claims, "auth_time") if claims.get("auth_time") not in (None, 0) else _instant(claims, "iat")
    if at < now - _FRESH:
        raise refusal(Code.SIGN_IN_FACTOR, "The person signed in at their provider long ago.", "Sign in there again.")
    return at


def check_factor(claims: Mapping[str, Any], demands: Demands) -> tuple[str, tuple[str, ...]]:
    """The class and the means of a sign-in, once they are what is demanded.

    Refuses: SIGN_IN_FACTOR.
    """
    acr, means = claims.get("acr"), claims.get("amr")
    amr = tuple(each for each in means if isinstance(each, str)) if isinstance(means, list) else ()
    if (demands.acr or demands.amr) and acr not in demands.acr and not set(amr) & set(demands.amr):
        raise refusal(
            Code.SIGN_IN_FACTOR,
            "The provider does not say that a second factor was shown.",
            "Sign in with a second factor; enrol one with your provider.",
        )
    return (acr if isinstance(acr, str) else ""), amr


def provider_person(
    claims: Mapping[str, Any], provider: Provider, *, authenticated_at: datetime, expires_at: datetime, token: str
) -> Person:
    """Whom a provider's verified claims tell of, and their roles here.

    Refuses: SIGN_IN_TOKEN when they name nobody as permits do, or by an e-mail address that was not verified;
        SIGN_IN_FACTOR; SIGN_IN_ROLE when they give no role.
    """
    acr, amr = check_factor(claims, provider.demands)
    subject, own = claims.get(provider.subject), claims.get("sub")
    if not isinstance(subject, str) or not USER_ID.fullmatch(subject):
        raise refused("The provider does not name the person as permits do.")
    if not isinstance(own, str) or not own:
        raise refused("The provider does not say which of its persons it is.")
    if provider.subject == "email" and claims.get("email_verified") is not True:
        raise refused("The provider did not verify the address that names the person.")
    held = claims.get(provider.role_claim)
    values = held if isinstance(held, list) else [held]
    roles = frozenset(provider.roles[each] for each in values if isinstance(each, str) and each in provider.roles)
    name = claims.get("name")
    return Person(
        subject,
        name if isinstance(name, str) else subject,
        checked_roles(roles),
        provider.issuer,
        authenticated_at,
        expires_at,
        acr,
        amr,
        token,
        own,
    )


def scoped(person: Person, claims: Mapping[str, Any], provider: Provider) -> Person:
    """The person in the roles that an access token's scope lets it be used for.

    A token without ``scope`` stands for its person (RFC 9068 § 2.2.3: who asked for none is given none).
    Refuses: SIGN_IN_TOKEN when its scope does not say that it may be used here, or when it is for single things
        (``authorization_details``, RFC 9396), which nothing here knows.
    """
    if "authorization_details" in claims:
        raise refused("The token is for single things that are not known here.")
    if "scope" not in claims:
        return person
    said = claims["scope"]
    words = set(said.split()) if isinstance(said, str) else set()
    if provider.scope in words:
        return person
    roles = frozenset(role for role in person.roles if f"{provider.scope}:{role.value}" in words)
    if not roles:
        raise refused("The token's scope does not say that it may be used here.")
    return replace(person, roles=roles)


def check_is_recent(person: Person, now: datetime) -> None:
    """Let somebody do what asks for a factor anew only shortly after they showed theirs.

    Refuses: SIGN_IN_FACTOR.
    """
    if now - person.authenticated_at > RECENT:
        raise refusal(Code.SIGN_IN_FACTOR, "You signed in too long ago for this.", "Sign in again, then do it.")


def checked_roles(roles: frozenset[Role]) -> frozenset[Role]:
    """Roles that somebody may have together.

    Refuses: SIGN_IN_ROLE when there is none, or an auditor's beside another.
    """
    if not roles - {Role.PUBLIC}:
        raise refusal(Code.SIGN_IN_ROLE, "No role here is given to this person.", "Have one given.")
    if Role.AUDITOR in roles and len(roles) > 1:
        raise refusal(Code.SIGN_IN_ROLE, "Who audits has another role as well.", "Give one of them up.")
    return roles


def own_claims(person: Person, *, place: str, now: datetime, expires: datetime) -> dict[str, Any]:
    """What a token of our own says of a person.

    In: place — the enclosure's name in the world: it issues the token and is whom it is for
    """
    return {
        "iss": place,
        "aud": place,
        "sub": person.subject,
        "jti": person.token,
        "iat": now.timestamp(),  # with its fraction, so that what was withdrawn just before is known from what is new
        "exp": int(expires.timestamp()),
        "auth_time": int(person.authenticated_at.timestamp()),
        "idp": person.provider,
        "name": person.name,
        "roles": sorted(role.value for role in person.roles),
        "acr": person.acr,
        "amr": list(person.amr),
    }


def own_person(claims: Mapping[str, Any], expires: datetime) -> Person:
    """Whom a verified token of our own tells of.

    Refuses: SIGN_IN_TOKEN when it is none that this version writes.
    """
    try:
        return Person(
            claims["sub"],
            claims["name"],
            frozenset(Role(each) for each in claims["roles"]),
            claims["idp"],
            _instant(claims, "auth_time"),
            expires,
            claims["acr"],
            tuple(claims["amr"]),
            claims["jti"],
        )
    except (KeyError, TypeError, ValueError):
        raise refused("This is not a token.") from None


def _instant(claims: Mapping[str, Any], name: str) -> datetime:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refused("The token does not say when it was issued and ends.")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        raise refused("The token does not say when it was issued and ends.") from None


def _key(keys: Mapping[str, Any], header: Mapping[str, Any], least_rsa_bits: int) -> Any:
    """The one key that the header names, or the only one there is of its kind; none that is too short."""
    listed = [each for each in keys.get("keys", ()) if isinstance(each, dict) and each.get("use", "sig") == "sig"]
    named = [each for each in listed if each.get("kid") == header.get("kid")] if "kid" in header else listed
    if len(named) != 1 or named[0].get("kty") not in {"RSA", "EC", "OKP"}:
        raise KeyError
    if named[0].get("alg", header["alg"]) != header["alg"]:
        raise KeyError
    if named[0]["kty"] == "RSA":
        modulus = int.from_bytes(_decoded(named[0]["n"]), "big")
        if modulus.bit_length() < max(least_rsa_bits, LEAST_RSA_BITS):
            raise ValueError
    return import_key(named[0])


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode("ascii").rstrip("=")


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
