"""Where a provider tells that somebody left it, so that what they were given here ends at once."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from enclos.app.denials import NOBODY
from enclos.app.faults import tell_fault
from enclos.app.sign_in import take_logout
from enclos.lexicon.refusals import Refusal
from enclos.portal.forms import read_form
from enclos.portal.opened import Opened

LOGOUT = "/sign-in/logout"
_NOT_STORED = {"Cache-Control": "no-store"}


class Leaving:
    """Takes logout tokens (OpenID Connect Back-Channel Logout 1.0 § 2.5 to 2.8).

    A provider is no browser: its form has no origin and no mark, and no cookie that comes along is looked at. What it
    brings is believed for its signature alone. 200 when it was done, 400 whatever else; the answer does not say what
    was wrong.
    """

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            form = await read_form(Request(scope, receive))
            answer = await run_in_threadpool(self._taken, form.typed("logout_token"))
        except Refusal:
            answer = _failed()
        await answer(scope, receive, send)

    def _taken(self, token: str) -> Response:
        try:
            with self._opened.use() as (enclosure, door):
                try:
                    take_logout(enclosure, token, door)
                except Refusal as refused:
                    self._opened.denials.tell(enclosure, NOBODY, refused, via="portal")
                    raise
        except Refusal:
            return _failed()
        except Exception as error:  # noqa: BLE001 - a fault of ours: its text could quote what nobody may read
            tell_fault("portal", error)
            return _failed()
        return Response(headers=_NOT_STORED)


def _failed() -> Response:
    return JSONResponse({"error": "invalid_request"}, 400, _NOT_STORED)
