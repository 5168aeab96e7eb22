"""Refusals as Flight's clients read them: our own sentences, nothing of an engine."""

from __future__ import annotations

from pyarrow import flight

from enclos.gateway.flight.messages import NotOurs
from enclos.lexicon.codes import Branch, Code
from enclos.lexicon.refusals import Refusal

_KINDS = {
    Code.GATE_CREDENTIAL: flight.FlightUnauthenticatedError,
    Code.GATE_BUSY: flight.FlightUnavailableError,
    Code.GATE_STOPPED: flight.FlightCancelledError,
}


def error_of(error: Exception) -> Exception:
    """What a client is told of an error; of a bug nothing but that there is one."""
    if isinstance(error, Refusal):
        is_denied = error.code.branch is Branch.NOT_ALLOWED
        kind = _KINDS.get(error.code, flight.FlightUnauthorizedError if is_denied else flight.FlightServerError)
        found: Exception = kind(str(error))
        return found
    if isinstance(error, NotOurs):
        told: Exception = flight.FlightServerError("This is not Flight SQL, or a part of it that is not served.")
        return told
    bug: Exception = flight.FlightInternalError("The gateway has a bug: this is not your fault.")
    return bug
