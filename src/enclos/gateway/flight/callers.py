"""Who calls: the header of each call, checked; Flight knows no connection."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
import threading
import time
from collections.abc import Mapping, Sequence

from pyarrow import flight

from enclos.gateway.flight.errors import error_of
from enclos.gateway.model import Caller
from enclos.gateway.ports import Keeper
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal

PERMIT_HEADER = "x-enclos-permit"
_FAILED_SECONDS = 0.5
_SESSION_SECONDS = 3600.0
_MOST_SESSIONS = 64
"""Of one person; the one that was used least lately goes."""
_LONGEST_HEADER = 4096


class Called(flight.ServerMiddleware):  # type: ignore[misc]
    """One call: who makes it, and what it tells back."""

    def __init__(self, user: str, credential: str, permit: str, told: str) -> None:
        self.user, self.credential, self.permit, self._told = user, credential, permit, told

    def sending_headers(self) -> dict[str, str]:
        """After a handshake the word by which the next calls are known."""
        return {"authorization": f"Bearer {self._told}"} if self._told else {}


class Callers(flight.ServerMiddlewareFactory):  # type: ignore[misc]
    """Checks the header of every call before anything else is read."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._one = threading.Lock()
        self._sessions: dict[bytes, tuple[str, str, float]] = {}
        self._entered: dict[tuple[str, str, str], tuple[Caller, float]] = {}

    def start_call(self, info: flight.CallInfo, headers: Mapping[str, Sequence[str]]) -> Called:
        """Who calls; a call without a credential that holds goes no further."""
        try:
            return self._called(info.method == flight.FlightMethod.HANDSHAKE, headers)
        except Exception as error:  # noqa: BLE001 - what is wrong is told in our own words
            raise error_of(error) from None

    def caller(self, called: Called) -> Caller:
        """The caller under their permit; the first time the keeper lets them in."""
        if not called.permit:
            raise refusal(Code.GATE_COMMAND, "The call names no permit.", f"Send the header {PERMIT_HEADER}.")
        key = called.user, called.credential, called.permit
        now = time.monotonic()
        with self._one:
            self._entered = {each: kept for each, kept in self._entered.items() if now - kept[1] < _SESSION_SECONDS}
            if key in self._entered:
                return self._entered[key][0]
        caller = self._keeper.enter(called.user, called.permit, called.credential)
        with self._one:
            self._entered[key] = caller, now
        return caller

    def _called(self, is_handshake: bool, headers: Mapping[str, Sequence[str]]) -> Called:
        way, _, shown = _header(headers, "authorization").partition(" ")
        permit = _header(headers, PERMIT_HEADER)
        if way.lower() == "bearer":
            session = self._session(shown)
            user, credential = session or self._known("", shown)
            return Called(user, credential, permit, "")
        if way.lower() == "basic":
            user, _, password = _decoded(shown).partition(":")
            user, credential = self._known(user, password)
            return Called(user, credential, permit, self._begin(user, credential) if is_handshake else "")
        raise refusal(Code.GATE_CREDENTIAL, "The call shows no credential.", "Send a token or a name and password.")

    def _known(self, user: str, shown: str) -> tuple[str, str]:
        try:
            return self._keeper.known(user, shown)
        except Refusal:
            self._keeper.turned_away(user)
            time.sleep(_FAILED_SECONDS)
            raise

    def _begin(self, user: str, credential: str) -> str:
        word, now = secrets.token_urlsafe(32), time.monotonic()
        with self._one:
            self._sessions = {key: kept for key, kept in self._sessions.items() if now - kept[2] < _SESSION_SECONDS}
            own = [key for key, kept in self._sessions.items() if kept[0] == user]
            for key in own[: len(own) + 1 - _MOST_SESSIONS]:
                del self._sessions[key]
            self._sessions[_digest(word)] = user, credential, now
        return word

    def _session(self, word: str) -> tuple[str, str] | None:
        key = _digest(word)
        with self._one:
            found = self._sessions.pop(key, None)
            if found is None or time.monotonic() - found[2] >= _SESSION_SECONDS:
                return None
            self._sessions[key] = found  # the last in order is the one that was used last
        return found[:2]


class Handshake(flight.ServerAuthHandler):  # type: ignore[misc]
    """Lets the handshake be; the header was checked before."""

    def authenticate(self, outgoing: object, incoming: object) -> None:
        """Nothing is said in the handshake itself."""

    def is_valid(self, token: object) -> bytes:  # noqa: ARG002
        """Every call is known by its header."""
        return b""


def _header(headers: Mapping[str, Sequence[str]], name: str) -> str:
    values = [value for key, all_of in headers.items() if key.lower() == name for value in all_of]
    if len(values) > 1 or any(len(value) > _LONGEST_HEADER or not isinstance(value, str) for value in values):
        raise refusal(Code.GATE_CREDENTIAL, "A header of the call is not to be read.", "Send each once.")
    return values[0] if values else ""


def _decoded(shown: str) -> str:
    """Name and password; some clients leave the padding out."""
    try:
        return base64.b64decode(shown + "=" * (-len(shown) % 4), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _digest(word: str) -> bytes:
    return hashlib.sha256(word.encode()).digest()
