"""Who is signed in by a browser, and which sign-ins were begun: in memory, so that none outlives the process."""

from __future__ import annotations

import hmac
import math
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from threading import Lock
from typing import TypeVar

from enclos.app.pages.words import Language
from enclos.portal.forms import Form
from enclos.signin.model import Person
from enclos.signin.steps import LASTS, Attempt

IDLE = timedelta(minutes=15)
"""A session that is not used for so long ends. Source: OWASP ASVS 4.0.3, V3.3.2, level 2: within 30 minutes."""
_Kept = TypeVar("_Kept")
_MOST_SESSIONS, _MOST_ATTEMPTS = 10_000, 10_000
_MOST_KEPT = 1 << 17
"""Letters of a form that are kept: no page asks for more."""


@dataclass(frozen=True, slots=True)
class Session:
    """A person at a browser; ``token`` is the enclosure's own for them, by which what ends it ends the session.

    ``language`` is the one that they chose; None for what their browser asks for. ``sent`` is the address of the page
    that answered their last form, and that form: the page in the other language has what was written, too.
    """

    person: Person
    token: str
    csrf: str
    used_at: datetime
    language: Language | None = None
    sent: tuple[str, Form] = field(default=("", Form()), repr=False)

    def sent_to(self, address: str) -> Form:
        """What was last sent by a form of a page, when no other form was sent since."""
        return self.sent[1] if self.sent[0] == address else Form()

    def left(self, now: datetime) -> tuple[int, bool]:
        """The seconds until it ends, and whether it then ends in any case, as its sign-in does, however it is used."""
        idle = self.used_at + IDLE
        until = min(idle, self.person.expires_at)
        return max(0, math.ceil((until - now).total_seconds())), until < idle


class Sessions:
    """Sessions by the digest of their cookie; the oldest go when there are too many."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._sessions: OrderedDict[bytes, Session] = OrderedDict()
        self._attempts: OrderedDict[bytes, Attempt] = OrderedDict()

    def __repr__(self) -> str:
        return "Sessions()"

    def begin(self, begun: Attempt) -> str:
        """The cookie of a sign-in that was begun."""
        cookie = secrets.token_urlsafe(32)
        with self._lock:
            _put(self._attempts, cookie, begun, _MOST_ATTEMPTS)
        return cookie

    def take(self, cookie: str) -> Attempt | None:
        """What the browser had begun; it is given once."""
        with self._lock:
            return self._attempts.pop(_digest(cookie), None)

    def enter(self, person: Person, token: str, now: datetime) -> str:
        """The cookie of a new session: none that was there before becomes one."""
        cookie = secrets.token_urlsafe(32)
        with self._lock:
            _put(self._sessions, cookie, Session(person, token, secrets.token_urlsafe(32), now), _MOST_SESSIONS)
        return cookie

    def of(self, cookie: str, now: datetime, *, is_use: bool = True) -> Session | None:
        """The session of a cookie, if it has not ended. In: is_use — whether it counts as used, and so lasts on."""
        digest = _digest(cookie)
        with self._lock:
            found = self._sessions.get(digest)
            if found is None:
                return None
            if now >= found.person.expires_at or now >= found.used_at + IDLE:
                del self._sessions[digest]
                return None
            if is_use:
                found = self._sessions[digest] = replace(found, used_at=now)
            return found

    def keep(self, cookie: str, address: str, form: Form) -> None:
        """Keep what was sent by a form, with the address of the page that answered it; a longer one is not kept."""
        digest, kept = _digest(cookie), form.without("csrf")
        with self._lock:
            if digest in self._sessions:
                sent = (address, kept if len(kept) <= _MOST_KEPT else Form())
                self._sessions[digest] = replace(self._sessions[digest], sent=sent)

    def speak(self, cookie: str, language: Language) -> Session | None:
        """The session with the language that its person chose; None when it has ended."""
        digest = _digest(cookie)
        with self._lock:
            if digest not in self._sessions:
                return None
            spoken = self._sessions[digest] = replace(self._sessions[digest], language=language)
            return spoken

    def leave(self, cookie: str) -> None:
        """End a session."""
        with self._lock:
            self._sessions.pop(_digest(cookie), None)


def is_own_form(session: Session, given: str) -> bool:
    """Whether a form was made for this session."""
    return hmac.compare_digest(session.csrf.encode(), given.encode())


def _put(kept: OrderedDict[bytes, _Kept], cookie: str, value: _Kept, most: int) -> None:
    kept[_digest(cookie)] = value
    while len(kept) > most:
        kept.popitem(last=False)


def _digest(cookie: str) -> bytes:
    """What is kept of a cookie: a copy of this memory would be none of anybody's."""
    return sha256(cookie.encode("utf-8", "surrogateescape")).digest()


COOKIE_SECONDS = int(LASTS.total_seconds())
