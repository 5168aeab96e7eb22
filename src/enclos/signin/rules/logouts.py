"""What a logout token must say: of whom, and that it is one. Source: OpenID Connect Back-Channel Logout 1.0 § 2.4."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enclos.signin.rules.tokens import refused

TYPE = "logout+jwt"
"""So that no ID token is taken for one; older providers write ``JWT``, which is refused."""
_EVENT = "http://schemas.openid.net/event/backchannel-logout"


def leaver(claims: Mapping[str, Any]) -> tuple[str, str]:
    """The provider's own name (``sub``) of who left, and the token's id, of verified claims.

    A ``sid`` beside it is not looked at: who leaves one of their sign-ins at the provider leaves all here.
    Refuses: SIGN_IN_TOKEN when it is no logout token, has a nonce as ID tokens have, or names no person or no id.
    """
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(_EVENT), dict) or "nonce" in claims:
        raise refused("The token tells of nobody who left.")
    sub, token = claims.get("sub"), claims.get("jti")
    if not isinstance(sub, str) or not sub or not isinstance(token, str) or not token:
        raise refused("The token does not say who left, or has no id.")
    return sub, token
