"""What a person is shown of themselves: who they are here, their token, their password, and their sign-ins."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from enclos.app.accounts import change_own_password
from enclos.app.pages.rooms.frame import instant, said_of
from enclos.app.sign_in import end_sign_ins, sign_ins
from enclos.lexicon.refusals import NotAllowed, Refusal
from enclos.portal.desk import Desk, page_status
from enclos.portal.forms import Form
from enclos.portal.sessions import Session

ENDED = "/sign-in/ended"
"""Where a page goes by itself when its session has ended."""


class Own:
    """The pages of a person's own, whatever their roles."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        """Its addresses."""
        answering = self._desk.answering
        return [
            Route("/me", answering(self._me)),
            Route("/me/token", answering(self._token), methods=["POST"]),
            Route("/me/password", answering(self._password), methods=["POST"]),
            Route("/me/sign-ins", answering(self._end), methods=["POST"]),
            Route("/me/session", answering(self._session)),
            Route(ENDED, answering(self._ended)),
        ]

    def _me(self, request: Request, _form: Form) -> Response:
        return self._person(request, self._desk.session(request))

    def _token(self, request: Request, form: Form) -> Response:
        session = self._desk.session(request)
        self._desk.check_own(session, form)
        return self._person(request, session, {"token": session.token})

    def _password(self, request: Request, form: Form) -> Response:
        """Another password for a local account, by who knows the present one; it ends their sign-ins, this one too."""
        desk, session = self._desk, self._desk.session(request)
        desk.check_own(session, form)
        if not session.person.is_local:
            return desk.page(request, "absent", "There is no such page", {}, 404)
        present, new, brought = form.typed("present"), form.typed("new"), request.cookies.get(desk.known_cookie, "")
        with desk.opened.use() as (enclosure, _):
            try:
                change_own_password(enclosure, session.person.subject, present, form["code"], new, brought=brought)
            except Refusal as refused:
                return self._person(request, session, {"refused": said_of(refused)}, page_status(refused))
        desk.sessions.leave(request.cookies.get(desk.session_cookie, ""))
        return RedirectResponse("/sign-in", 303)

    def _end(self, request: Request, form: Form) -> Response:
        """End one of the person's sign-ins, or all but this one."""
        desk, session = self._desk, self._desk.session(request)
        desk.check_own(session, form)
        with desk.opened.use() as (enclosure, _):
            try:
                end_sign_ins(enclosure, session.person, [form["sign_in"]] if form["sign_in"] else [])
            except Refusal as refused:
                return self._person(request, session, {"not_ended": said_of(refused)}, page_status(refused))
        return RedirectResponse("/me#sign-ins", 303)

    def _person(
        self, request: Request, session: Session, more: dict[str, Any] | None = None, status: int = 200
    ) -> Response:
        person = session.person
        with self._desk.opened.use() as (enclosure, _):
            going = sign_ins(enclosure, person)["sign_ins"]
        values = {
            "roles": sorted(role.value for role in person.roles),
            "means": " ".join((person.acr, ", ".join(person.amr))).strip(),
            "until": instant(person.expires_at),
            "token": "",
            "refused": None,
            "not_ended": None,
            "going": going,
            **(more or {}),
        }
        return self._desk.page(request, "me", "Signed in", values, status)

    # -- the end of a session

    def _session(self, request: Request, _form: Form) -> Response:
        """How many seconds the session has left, 0 when it has ended; asking keeps it alive only with ``stay``."""
        try:
            session = self._desk.session(request, is_use=bool(request.query_params.get("stay")))
        except NotAllowed:
            return JSONResponse({"seconds": 0, "is_last": True})
        left, is_last = session.left(datetime.now(UTC))
        return JSONResponse({"seconds": left, "is_last": is_last})

    def _ended(self, request: Request, _form: Form) -> Response:
        """What is shown in the place of a page whose session has ended."""
        try:
            self._desk.session(request, is_use=False)
        except NotAllowed:
            answer = self._desk.page(request, "ended", "Your session has ended", {"is_over": True})
            answer.headers["Clear-Site-Data"] = '"cache", "storage"'
            return answer
        return self._desk.page(request, "ended", "Your session goes on", {"is_over": False}, is_use=False)
