"""Which status a refusal is answered with, over REST and on pages alike."""

from __future__ import annotations

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAllowed, NotSafe, Refusal

_ABSENT = {
    Code.RELEASE_UNKNOWN,
    Code.RUN_UNKNOWN,
    Code.PERMIT_UNKNOWN,
    Code.JOB_UNKNOWN,
    Code.APPLICATION_UNKNOWN,
    Code.REIDENTIFY_UNKNOWN,
    Code.SNAPSHOT_UNKNOWN,
}
_TOO_OFTEN = {Code.SIGN_IN_SLOW, Code.SIGN_IN_OFTEN, Code.JOB_BUSY, Code.GATE_BUSY}
_UNKNOWN_PERSON = {Code.SIGN_IN_TOKEN, Code.SIGN_IN_MISSING, Code.SIGN_IN_FACTOR}
_LATER = {Code.ENCLOSURE_BUSY, Code.KEY_ROTATING, Code.SIGN_IN_PROVIDER}


def status_of(refused: Refusal) -> int:
    """401 nobody signed in, 403 not allowed or safe, 404 not there, 409 not as promised, 429 too often, 503 later."""
    if refused.code in _UNKNOWN_PERSON:
        return 401
    if refused.code in _ABSENT:
        return 404
    if refused.code in _LATER:
        return 503
    if refused.code in _TOO_OFTEN:
        return 429
    return 403 if isinstance(refused, NotAllowed | NotSafe) else 409
