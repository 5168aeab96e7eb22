"""An OpenID Connect provider over HTTP: what it publishes, codes and devices turned into tokens."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from time import monotonic
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal

SCOPE = "openid profile email"
_SECONDS = 10
_MOST_BYTES = 1 << 20
_KEYS_KEPT = 600.0
_BETWEEN_ASKING = 10.0
_DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
_HERE = {"127.0.0.1", "localhost", "::1"}


class OidcProvider:
    """A provider, by its issuer; asked over TLS, or in plain http on this machine; never led elsewhere by a redirect.

    In: client, secret — what we are to it; no secret for a public client, which PKCE protects; scopes — asked for
        beside ``openid profile email``
    Refuses: SIGN_IN_PROVIDER when it cannot be reached or does not answer as OpenID Connect says.
    """

    def __init__(self, issuer: str, client: str, secret: str = "", scopes: str = "") -> None:
        self.issuer, self.client = issuer, client
        self._secret = secret
        self._scope = f"{SCOPE} {scopes}".strip()
        self._lock = Lock()
        self._metadata: Mapping[str, Any] | None = None
        self._keys: Mapping[str, Any] = {}
        self._asked_at = -_KEYS_KEPT

    def __repr__(self) -> str:
        return "OidcProvider()"

    # -- what it publishes

    def metadata(self) -> Mapping[str, Any]:
        """Its addresses. Source: OpenID Connect Discovery § 4: the issuer that it names is the one that was asked."""
        if self._metadata is None:
            found = _asked("GET", f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
            if found.get("issuer") != self.issuer:
                raise _broken("It names itself otherwise.")
            self._metadata = found
        return self._metadata

    def address(self, name: str) -> str:
        """One of its addresses."""
        found = self.metadata().get(name)
        if not isinstance(found, str) or not _is_safe(found):
            raise _broken(f"It has no {name.replace('_', ' ')} that can be asked safely.")
        return found

    def has(self, name: str) -> bool:
        """Whether it publishes such an address."""
        return isinstance(self.metadata().get(name), str)

    def keys(self, *, anew: bool = False) -> Mapping[str, Any]:
        """Its public keys, asked for every ten minutes, or anew but not more often than every ten seconds."""
        with self._lock:
            age = monotonic() - self._asked_at
            if age >= _KEYS_KEPT or (anew and age >= _BETWEEN_ASKING):
                self._keys = _asked("GET", self.address("jwks_uri"))
                self._asked_at = monotonic()
            return self._keys

    # -- a browser's way

    def begin(
        self, redirect: str, state: str, nonce: str, verifier: str, acr: tuple[str, ...] = (), *, again: bool = False
    ) -> str:
        """Where a browser goes to sign in: authorization code with PKCE, S256."""
        extra = {"acr_values": " ".join(acr)} if acr else {}
        extra |= {"prompt": "login"} if again else {}
        with self._session(redirect) as session:
            url, _ = session.create_authorization_url(
                self.address("authorization_endpoint"), state=state, nonce=nonce, code_verifier=verifier, **extra
            )
        return str(url)

    def exchange(self, code: str, redirect: str, verifier: str) -> Mapping[str, Any]:
        """What a code is worth: its tokens. Refuses: SIGN_IN_ANSWER when it is worth nothing, or was used already."""
        with _provider_border(), self._session(redirect) as session:
            try:
                token = session.fetch_token(
                    self.address("token_endpoint"),
                    code=code,
                    code_verifier=verifier,
                    timeout=_SECONDS,
                    allow_redirects=False,
                )
            except AuthlibBaseError:
                raise refusal(
                    Code.SIGN_IN_ANSWER, "The provider does not take the code of this sign-in.", "Begin again."
                ) from None
        return _with_id_token(token)

    def userinfo(self, access_token: str) -> Mapping[str, Any]:
        """What else it tells of who signed in; nothing when it has no such address."""
        if not access_token or not self.has("userinfo_endpoint"):
            return {}
        return _asked("GET", self.address("userinfo_endpoint"), headers={"Authorization": f"Bearer {access_token}"})

    def sign_out_address(self, back: str) -> str:
        """Where a browser ends its sign-in at the provider; empty when it has no such address."""
        if not self.has("end_session_endpoint"):
            return ""
        asked = urlencode({"client_id": self.client, "post_logout_redirect_uri": back})
        return f"{self.address('end_session_endpoint')}?{asked}"

    # -- a device's way

    def begin_on_device(self) -> Mapping[str, Any]:
        """A code to type in on another device, and what to ask with meanwhile. Source: RFC 8628."""
        asked = {"client_id": self.client, "scope": self._scope}
        told = _asked("POST", self.address("device_authorization_endpoint"), data=asked, auth=self._auth())
        if not {"device_code", "user_code", "verification_uri", "expires_in"} <= told.keys():
            raise _broken("It does not say which code to type in.")
        return told

    def ask_for_device(self, device_code: str) -> Mapping[str, Any] | float:
        """The tokens, once somebody typed in the code; until then how many seconds more to wait than before.

        Refuses: SIGN_IN_ANSWER when nobody did in time, or nobody was let in.
        """
        asked = {"client_id": self.client, "grant_type": _DEVICE, "device_code": device_code}
        told = _asked("POST", self.address("token_endpoint"), data=asked, auth=self._auth(), errors=True)
        if told.get("error") == "authorization_pending":
            return 0.0
        if told.get("error") == "slow_down":
            return 5.0
        if "error" in told:
            raise refusal(Code.SIGN_IN_ANSWER, "The provider let nobody in.", "Begin again.")
        return _with_id_token(told)

    def _session(self, redirect: str) -> OAuth2Session:
        return OAuth2Session(
            self.client,
            self._secret or None,
            token_endpoint_auth_method="client_secret_basic" if self._secret else "none",
            scope=self._scope,
            redirect_uri=redirect,
            code_challenge_method="S256",
        )

    def _auth(self) -> tuple[str, str] | None:
        return (self.client, self._secret) if self._secret else None


def _asked(method: str, url: str, *, errors: bool = False, **given: Any) -> dict[str, Any]:
    """A JSON answer.

    In: errors — an answer of 400 is one too
    """
    if not _is_safe(url):
        raise _broken("Its address is neither over TLS nor on this machine.")
    with (
        _provider_border(),
        requests.request(method, url, timeout=_SECONDS, allow_redirects=False, stream=True, **given) as answer,
    ):
        if answer.status_code not in ({200, 400} if errors else {200}):
            raise _broken("It refuses to answer.")
        content = answer.raw.read(_MOST_BYTES + 1, decode_content=True)
        found = json.loads(content)
        if len(content) > _MOST_BYTES or not isinstance(found, dict):
            raise _broken("Its answer is none.")
        return found


@contextmanager
def _provider_border() -> Iterator[None]:
    """Turn what fails on the way into a refusal that quotes nothing of it."""
    try:
        yield
    except (requests.RequestException, ValueError, OSError, RecursionError):
        raise _broken("It cannot be reached, or its answer cannot be read.") from None


def _with_id_token(told: Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(told.get("id_token"), str):
        raise _broken("It does not say who signed in.")
    return told


def _is_safe(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _HERE)


def _broken(what: str) -> Refusal:
    return refusal(
        Code.SIGN_IN_PROVIDER,
        f"The provider is not as agreed. {what}",
        "Look at [sign_in] in enclos.toml and at the provider.",
    )
