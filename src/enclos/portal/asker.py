"""Whose a request is: told to the process that answers the public, so that it can share out places by persons."""

from __future__ import annotations

import hmac
import secrets
from datetime import UTC, datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from enclos.lexicon.refusals import Refusal
from enclos.portal.opened import Opened
from enclos.portal.sessions import Sessions

_BEARER = "bearer "


class AskersWord:
    """Answers with a word that stands for the person while this process lives, the same for each of their tokens and
    sessions; 401 where nobody is signed in. The ledger is told nothing: what is asked for then is refused by its own.
    """

    def __init__(self, opened: Opened, sessions: Sessions, cookie: str) -> None:
        self._opened, self._sessions, self._cookie = opened, sessions, cookie
        self._secret = secrets.token_bytes(32)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            person = await run_in_threadpool(self._person, Request(scope, receive))
        except Refusal:
            person = ""
        word = hmac.digest(self._secret, person.encode("utf-8"), "sha256").hex()
        answer = PlainTextResponse(word) if person else Response(status_code=401)
        await answer(scope, receive, send)

    def _person(self, request: Request) -> str:
        shown = request.headers.get("authorization", "")
        if shown.lower().startswith(_BEARER):
            with self._opened.use() as (enclosure, door):
                return door.person_of(shown[len(_BEARER) :].strip(), enclosure.ledger.now()).subject
        session = self._sessions.of(request.cookies.get(self._cookie, ""), datetime.now(UTC), is_use=False)
        return session.person.subject if session else ""
