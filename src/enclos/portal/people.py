"""What people who sign in are served: the way in, who they are, the way out.

It runs where the keys are and listens to a socket that its own account reaches; the process that answers the public
hands requests over (``forwarding.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route

from enclos.app.accounts import books_of
from enclos.app.enclosure import Enclosure
from enclos.app.pages.people import Offers, person_page, refused_page, sign_in_page, style_source
from enclos.app.pages.words import Language
from enclos.app.providers import asking, begin
from enclos.app.sign_in import sign_in_locally, sign_out, take_answer, token_for
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAllowed, NotAsPromised, Refusal, refusal
from enclos.portal.api import api_application
from enclos.portal.opened import Opened
from enclos.portal.public import language_of
from enclos.portal.sessions import COOKIE_SECONDS, Session, Sessions, is_own_form
from enclos.signin.model import Person
from enclos.signin.steps import attempt

ANSWER = "/sign-in/answer"
_MOST_FIELDS, _MOST_FORM = 8, 16_384
_SLOW = 429
_STATUS: dict[type[Refusal], int] = {NotAllowed: 403, NotAsPromised: 503}


class People:
    """The pages of one enclosure.

    In: root — the address that people use, ``https://…`` without a path: answers come back there, and forms from
        nowhere else are taken
    """

    def __init__(self, opened: Opened, root: str) -> None:
        self._opened = opened
        self._root = root.rstrip("/")
        self._is_tls = self._root.startswith("https:")
        self._sessions = Sessions()
        # browsers take a name with this prefix only from https, for this host alone and for every path (RFC 6265bis)
        prefix = "__Host-" if self._is_tls else ""
        self._session_cookie, self._attempt_cookie = f"{prefix}enclos", f"{prefix}enclos-begun"

    def application(self) -> Starlette:
        """Its routes."""
        return Starlette(
            routes=[
                Route("/sign-in", self._served(self._way_in)),
                Route("/sign-in/provider", self._served(self._to_provider), methods=["POST"]),
                Route("/sign-in/account", self._served(self._by_account), methods=["POST"]),
                Route(ANSWER, self._served(self._answer)),
                Route("/me", self._served(self._me)),
                Route("/me/token", self._served(self._token), methods=["POST"]),
                Route("/sign-out", self._served(self._out), methods=["POST"]),
                Mount("", api_application(self._opened)),
            ]
        )

    def _served(self, act: Callable[[Request, dict[str, str]], Response]) -> Callable[[Request], object]:
        """An act in a thread of its own, with the form that came along; refusals become pages."""

        async def serve(request: Request) -> Response:
            form = await _form_of(request) if request.method == "POST" else {}
            answer = await run_in_threadpool(self._done, act, request, form)
            answer.headers.update(self._headers())
            return answer

        return serve

    def _done(
        self, act: Callable[[Request, dict[str, str]], Response], request: Request, form: dict[str, str]
    ) -> Response:
        try:
            if request.method == "POST" and request.headers.get("origin") != self._root:
                raise refusal(Code.SIGN_IN_ANSWER, "The form was sent from another place.", "Open the page anew.")
            return act(request, form)
        except Refusal as refused:
            if refused.code is Code.SIGN_IN_MISSING:
                return RedirectResponse("/sign-in", 303)
            return HTMLResponse(refused_page(refused, _language(request)), _status(refused))

    # -- the pages

    def _way_in(self, request: Request, _form: dict[str, str]) -> Response:
        with self._opened.use() as (enclosure, _):
            return HTMLResponse(sign_in_page(_name(enclosure), _offers(enclosure), _language(request)))

    def _to_provider(self, _request: Request, _form: dict[str, str]) -> Response:
        with self._opened.use() as (enclosure, _):
            asked = asking(enclosure.settings)
            begun = attempt(self._root + ANSWER, enclosure.ledger.now())
            answer = RedirectResponse(begin(asked, begun), 303)
        self._set(answer, self._attempt_cookie, self._sessions.begin(begun), COOKIE_SECONDS)
        return answer

    def _answer(self, request: Request, _form: dict[str, str]) -> Response:
        begun = self._sessions.take(request.cookies.get(self._attempt_cookie, ""))
        with self._opened.use() as (enclosure, _):
            person = take_answer(enclosure, asking(enclosure.settings), begun, dict(request.query_params), via="portal")
            token = token_for(enclosure, person)
        return self._entered(request, person, token)

    def _by_account(self, request: Request, form: dict[str, str]) -> Response:
        with self._opened.use() as (enclosure, _):
            try:
                person, token = sign_in_locally(
                    enclosure, form.get("account", ""), form.get("password", ""), form.get("code", "")
                )
            except NotAllowed as refused:
                page = sign_in_page(_name(enclosure), _offers(enclosure), _language(request), refused)
                return HTMLResponse(page, _status(refused))
        return self._entered(request, person, token)

    def _me(self, request: Request, _form: dict[str, str]) -> Response:
        session = self._session(request)
        return HTMLResponse(person_page(session.person, session.csrf, _language(request)))

    def _token(self, request: Request, form: dict[str, str]) -> Response:
        session = self._session(request)
        _check_own(session, form)
        return HTMLResponse(person_page(session.person, session.csrf, _language(request), session.token))

    def _out(self, request: Request, form: dict[str, str]) -> Response:
        session = self._session(request)
        _check_own(session, form)
        self._sessions.leave(request.cookies.get(self._session_cookie, ""))
        with self._opened.use() as (enclosure, _):
            sign_out(enclosure, session.token)
            onward = (
                "" if session.person.is_local else asking(enclosure.settings).way.sign_out_address(f"{self._root}/")
            )
        answer = RedirectResponse(onward or "/sign-in", 303)
        self._set(answer, self._session_cookie, "", 0)
        return answer

    # -- inside

    def _session(self, request: Request) -> Session:
        """The session of the browser; what withdraws its token ends it at once.

        Refuses: SIGN_IN_MISSING.
        """
        cookie = request.cookies.get(self._session_cookie, "")
        session = self._sessions.of(cookie, datetime.now(UTC))
        if session is not None:
            try:
                with self._opened.use() as (enclosure, door):
                    door.person_of(session.token, enclosure.ledger.now())
            except NotAllowed:
                self._sessions.leave(cookie)
            else:
                return session
        raise refusal(Code.SIGN_IN_MISSING, "Nobody is signed in here.", "Sign in.")

    def _entered(self, request: Request, person: Person, token: str) -> Response:
        self._sessions.leave(request.cookies.get(self._session_cookie, ""))
        answer = RedirectResponse("/me", 303)
        cookie = self._sessions.enter(person, token, datetime.now(UTC))
        seconds = int((person.expires_at - datetime.now(UTC)).total_seconds())
        self._set(answer, self._session_cookie, cookie, seconds)
        self._set(answer, self._attempt_cookie, "", 0)
        return answer

    def _set(self, answer: Response, name: str, value: str, seconds: int) -> None:
        answer.set_cookie(name, value, max_age=seconds, path="/", secure=self._is_tls, httponly=True, samesite="lax")

    def _headers(self) -> dict[str, str]:
        # a form's answer may lead to the provider, which browsers hold to the same list
        with_provider = ""
        try:
            with self._opened.use() as (enclosure, _):
                issuer = enclosure.settings.sign_in.issuer
                if issuer:
                    parts = urlsplit(issuer)
                    with_provider = f" {parts.scheme}://{parts.netloc}"
        except Refusal:
            pass
        return {
            "Content-Security-Policy": (
                f"default-src 'none'; style-src {style_source()}; form-action 'self'{with_provider}; "
                "frame-ancestors 'none'; base-uri 'none'"
            ),
            "Cache-Control": "no-store",
            "Referrer-Policy": "same-origin",  # with none at all, browsers hide from us too where a form came from
            "Vary": "Cookie, Accept-Language",
        }


def _check_own(session: Session, form: dict[str, str]) -> None:
    """Refuses: SIGN_IN_ANSWER when a form was not made for the session."""
    if not is_own_form(session, form.get("csrf", "")):
        raise refusal(Code.SIGN_IN_ANSWER, "The form is another session's.", "Open the page anew.")


async def _form_of(request: Request) -> dict[str, str]:
    """The few short fields of a form; nothing of one that is longer or of another kind."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _MOST_FORM:
            return {}
    try:
        return dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError:
        return {}


def _offers(enclosure: Enclosure) -> Offers:
    return Offers(enclosure.settings.sign_in.issuer is not None, bool(books_of(enclosure).read().accounts))


def _name(enclosure: Enclosure) -> str:
    return enclosure.settings.enclosure.name


def _language(request: Request) -> Language:
    return Language(language_of(request.headers.get("accept-language", "")))


def _status(refused: Refusal) -> int:
    return _SLOW if refused.code is Code.SIGN_IN_SLOW else _STATUS.get(type(refused), 500)
