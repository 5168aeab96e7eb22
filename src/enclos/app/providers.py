"""The provider that the enclosure's settings name: what is believed of it, and the way to it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Any

from enclos.app.settings import Settings
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.signin.model import Demands, Provider
from enclos.signin.steps import LASTS, Attempt
from enclos.stores.provider import OidcProvider

_SECRET_VARIABLE = "ENCLOS_SIGN_IN_SECRET"  # noqa: S105 - the name of a variable
_LEAST_INTERVAL, _USUAL_INTERVAL = 1.0, 5.0


@dataclass(frozen=True, slots=True)
class Asking:
    """What is believed of a provider, and the way to it as one of our clients."""

    provider: Provider
    way: OidcProvider


def provider_of(settings: Settings) -> Provider | None:
    """What is believed of the provider that the settings name; None when they name none."""
    chosen = settings.sign_in
    if chosen.issuer is None:
        return None
    demanded = Demands() if chosen.without_second_factor_for_trying_out else Demands(chosen.acr, chosen.amr)
    return Provider(
        chosen.issuer,
        chosen.client,
        chosen.audience or settings.ledger.origin,
        chosen.algorithms,
        chosen.subject,
        chosen.role_claim,
        chosen.given_roles(),
        demanded,
        chosen.token_scope,
        chosen.least_rsa_bits,
    )


def asking(settings: Settings, *, on_command_line: bool = False) -> Asking:
    """The way to the provider.

    In: on_command_line — as the client of the command line, which has no secret, where there is one of its own
    Refuses: SIGN_IN_PROVIDER when the settings name none.
    """
    provider, chosen = provider_of(settings), settings.sign_in
    if provider is None:
        raise refusal(
            Code.SIGN_IN_PROVIDER,
            "The enclosure names no provider.",
            "Sign in with enclos login DIR --account ID, or name one in [sign_in] of enclos.toml.",
        )
    own = chosen.command_line_client if on_command_line else ""
    secret = "" if own else os.environ.get(_SECRET_VARIABLE, "")
    return Asking(provider, OidcProvider(provider.issuer, own or chosen.client, secret, chosen.scopes))


def begin(asked: Asking, begun: Attempt, *, again: bool = False) -> str:
    """Where a browser goes for a sign-in that was begun.

    In: again — the person shows their factors anew, whether the provider knows them still or not
    """
    acr = asked.provider.demands.acr
    return asked.way.begin(begun.redirect, begun.state, begun.nonce, begun.verifier, acr, again=again)


def when_typed(way: OidcProvider, told: Mapping[str, Any]) -> Mapping[str, Any]:
    """The tokens, asked for no more often than the provider wants, and for no longer than it or we allow."""
    interval = max(float(told.get("interval", _USUAL_INTERVAL)), _LEAST_INTERVAL)
    until = monotonic() + min(float(told["expires_in"]), LASTS.total_seconds())
    while monotonic() < until:
        sleep(interval)
        found = way.ask_for_device(str(told["device_code"]))
        if isinstance(found, Mapping):
            return found
        interval += found
    raise refusal(Code.SIGN_IN_ANSWER, "Nobody typed in the code in time.", "Begin again.")
