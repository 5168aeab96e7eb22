"""What people who sign in are served: the way in, who they are, the way out, and the rooms of their roles.

It runs where the keys are and listens to a socket that its own account reaches; the process that answers the public
hands requests over (``forwarding.py``).
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route

from enclos.app.accounts import books_of
from enclos.app.enclosure import Enclosure
from enclos.app.pages.rooms.frame import said_of
from enclos.app.providers import asking, begin
from enclos.app.sign_in import remember_browser, sign_in_locally, sign_out, take_answer, token_for
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.portal.api import api_application
from enclos.portal.asker import AskersWord
from enclos.portal.desk import Desk, page_status
from enclos.portal.forms import Form
from enclos.portal.forwarding import ASKER
from enclos.portal.languages import language_asked
from enclos.portal.leaving import LOGOUT, Leaving
from enclos.portal.opened import Opened
from enclos.portal.own import Own
from enclos.portal.rooms import access, applications, audit, check, data, research
from enclos.portal.sessions import COOKIE_SECONDS
from enclos.portal.unserved import Unserved, is_of_programs
from enclos.signin.model import Person
from enclos.signin.rules.guessing import REMEMBERED
from enclos.signin.steps import attempt

ANSWER = "/sign-in/answer"
_EVERYBODY_S = ("/sign-in", "/sign-out", "/me")
ROOMS = (research, applications, access, data, check, audit)
"""The rooms, in the order of the navigation; each has a ROOM and its ``routes``."""


class People:
    """The pages of one enclosure.

    In: root — the address that people use, ``https://…`` without a path: answers come back there, and forms from
        nowhere else are taken
    """

    def __init__(self, opened: Opened, root: str) -> None:
        self._opened = opened
        self._desk = Desk(opened, root, [each.ROOM for each in ROOMS])

    def application(self) -> Starlette:
        """Its routes."""
        desk = self._desk
        routes = [
            Route("/sign-in", desk.answering(self._way_in)),
            Route("/sign-in/provider", desk.answering(self._to_provider), methods=["POST"]),
            Route("/sign-in/account", desk.answering(self._by_account), methods=["POST"]),
            Route(ANSWER, desk.answering(self._answer)),
            Route("/sign-out", desk.answering(self._out), methods=["POST"]),
            *Own(desk).routes(),
            *(route for each in ROOMS for route in each.routes(desk)),
        ]
        routes += [*desk.led_back(routes), Route(LOGOUT, Leaving(self._opened), methods=["POST"])]
        routes.append(Route(ASKER, AskersWord(self._opened, desk.sessions, desk.session_cookie)))
        routes += [Route(f"/{each.ROOM.id}/{{rest:path}}", desk.absent(each.ROOM)) for each in ROOMS]
        routes += [Route(f"{path}/{{rest:path}}", desk.answering(self._absent)) for path in _EVERYBODY_S]
        routes.append(Mount("", api_application(self._opened)))
        return Starlette(routes=routes, exception_handlers={404: self._not_routed})

    def enter(self, person: Person, token: str) -> str:
        """The session cookie of somebody who was verified; a browser that brings it is theirs."""
        return self._desk.sessions.enter(person, token, datetime.now(UTC))

    # -- the pages

    def _way_in(self, request: Request, _form: Form) -> Response:
        return self._sign_in(request, None)

    def _to_provider(self, _request: Request, form: Form) -> Response:
        with self._opened.use() as (enclosure, _):
            asked = asking(enclosure.settings)
            begun = attempt(self._desk.root + ANSWER, enclosure.ledger.now())
            answer = RedirectResponse(begin(asked, begun, again=bool(form["again"])), 303)
        cookie = self._desk.sessions.begin(begun)
        self._desk.set_cookie(answer, self._desk.attempt_cookie, cookie, COOKIE_SECONDS)
        return answer

    def _answer(self, request: Request, _form: Form) -> Response:
        begun = self._desk.sessions.take(request.cookies.get(self._desk.attempt_cookie, ""))
        with self._opened.use() as (enclosure, _):
            person = take_answer(enclosure, asking(enclosure.settings), begun, dict(request.query_params), via="portal")
            token = token_for(enclosure, person)
        return self._entered(request, person, token)

    def _by_account(self, request: Request, form: Form) -> Response:
        desk, account = self._desk, form["account"]
        brought, new = request.cookies.get(desk.known_cookie, ""), form.typed("new")
        with self._opened.use() as (enclosure, _):
            try:
                person, token = sign_in_locally(
                    enclosure, account, form.typed("password"), form["code"], new=new, brought=brought
                )
            except Refusal as refused:
                return self._sign_in(request, refused, account, chooses=bool(new) or refused.code is Code.SIGN_IN_FIRST)
            brought = brought or secrets.token_urlsafe(32)
            remember_browser(enclosure, account, brought)
        answer = self._entered(request, person, token)
        desk.set_cookie(answer, desk.known_cookie, brought, int(REMEMBERED.total_seconds()))
        return answer

    def _out(self, request: Request, form: Form) -> Response:
        session = self._desk.session(request)
        self._desk.check_own(session, form)
        self._desk.sessions.leave(request.cookies.get(self._desk.session_cookie, ""))
        with self._opened.use() as (enclosure, _):
            sign_out(enclosure, session.token)
            onward = (
                ""
                if session.person.is_local
                else asking(enclosure.settings).way.sign_out_address(f"{self._desk.root}/")
            )
        answer = RedirectResponse(onward or "/sign-in", 303)
        # what a browser keeps of pages to go back to; not "cookies", which are also those of neighbours under one name
        answer.headers["Clear-Site-Data"] = '"cache", "storage"'
        self._desk.set_cookie(answer, self._desk.session_cookie, "", 0)
        return answer

    async def _not_routed(self, request: Request, _error: Exception) -> Response:
        """What no route takes, as an address with an end of line in it."""
        if is_of_programs(request):
            return Unserved.ABSENT.answer(request)
        return await self._desk.answering(self._absent)(request)

    def _absent(self, request: Request, _form: Form) -> Response:
        return self._desk.page(request, "absent", "There is no such page", {}, 404)

    # -- inside

    def _sign_in(
        self, request: Request, refused: Refusal | None, account: str = "", *, chooses: bool = False
    ) -> Response:
        with self._opened.use() as (enclosure, _):
            offers = {"provider": enclosure.settings.sign_in.issuer is not None, "local": _has_accounts(enclosure)}
            name = enclosure.settings.enclosure.name
        values = {
            "offers": offers,
            "said": said_of(refused) if refused else None,
            "account": account,
            "chooses": chooses,
        }
        return self._desk.page(
            request, "sign_in", "{name}: sign in", values, page_status(refused) if refused else 200, name=name
        )

    def _entered(self, request: Request, person: Person, token: str) -> Response:
        desk = self._desk
        desk.sessions.leave(request.cookies.get(desk.session_cookie, ""))
        cookie = self.enter(person, token)
        if request.query_params.get("lang"):
            desk.sessions.speak(cookie, language_asked(request))
        home = next((each.ROOM.entries[0][0] for each in ROOMS if person.has(each.ROOM.role)), "/me")
        answer = RedirectResponse(home, 303)
        desk.set_cookie(
            answer, desk.session_cookie, cookie, int((person.expires_at - datetime.now(UTC)).total_seconds())
        )
        desk.set_cookie(answer, desk.attempt_cookie, "", 0)
        return answer


def _has_accounts(enclosure: Enclosure) -> bool:
    return bool(books_of(enclosure).read().accounts)
