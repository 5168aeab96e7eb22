"""What all rooms of people who signed in share: their session, their role, their form, and how they are answered.

An act is given what was asked and answers with a page, a way on or a file. It is short: it calls one function of
``app/`` that the command line calls too. Whatever is refused on the way becomes a page that says what, which rule and
what next.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType
from typing import Any, TypeAlias

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from enclos.app.denials import NOBODY
from enclos.app.enclosure import Enclosure
from enclos.app.faults import tell_fault
from enclos.app.jobs import Jobs
from enclos.app.pages.rooms.frame import Frame, said_of
from enclos.app.pages.rooms.words_frame import FRENCH_FRAME
from enclos.app.pages.words import Language, Words
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAllowed, Refusal, refusal
from enclos.portal.addresses import LED_BACK, gets, own_address, posts_alone
from enclos.portal.forms import Form, read_form
from enclos.portal.framing import SENT, frame_of, headers_of, is_partial, name_of, places_of
from enclos.portal.languages import language_asked, language_chosen
from enclos.portal.opened import Opened
from enclos.portal.pace import Pace
from enclos.portal.sessions import Session, Sessions, is_own_form
from enclos.portal.statuses import status_of
from enclos.signin.model import Person, Role
from enclos.signin.steps import demand_role

_NOBODY, _NOT_ALLOWED = 401, 403


@dataclass(frozen=True, slots=True)
class Room:
    """The pages of one role.

    In: id — the first part of its addresses, ``/id``; entries — address and title of the pages that the navigation
        names, in English; french — what its templates and titles say in French
    """

    id: str
    title: str
    role: Role
    entries: Sequence[tuple[str, str]]
    french: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asks for.

    In: path, query — values by name; form — of a POST, after its origin and its mark were checked; of a GET what the
        page's form sent last, when the page is shown again in another language; words — says a thing in the person's
        language; is_partial — whether a script asks, to put the answer into an open page; jobs —
        the long work that is done in the background
    """

    enclosure: Enclosure = field(repr=False)
    person: Person
    language: Language
    words: Words = field(repr=False)
    path: Mapping[str, str]
    query: Mapping[str, str]
    form: Form
    is_partial: bool
    jobs: Jobs

    @property
    def user(self) -> str:
        """The person's id, as permits and the ledger name it."""
        return self.person.subject


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the room: its template, its title in English, the values named in that, and what the template shows."""

    template: str
    title: str
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)
    named: Mapping[str, object] = field(default_factory=dict)
    status: int = 200


@dataclass(frozen=True, slots=True)
class Go:
    """The way on after something was done: to a path of this portal."""

    to: str


@dataclass(frozen=True, slots=True)
class File:
    """A file to keep, or a picture to look at (``is_shown``)."""

    name: str
    content: bytes = field(repr=False)
    media_type: str
    is_shown: bool = False


Answer: TypeAlias = Page | Go | File
Act: TypeAlias = Callable[[Asked], Answer]


class Desk:
    """Serves the acts of all rooms.

    In: root — the address that people use, ``https://…`` without a path: forms from nowhere else are taken; rooms — of
        which the navigation shows those whose role a person has
    """

    def __init__(self, opened: Opened, root: str, rooms: Sequence[Room]) -> None:
        self.opened = opened
        self.root = root.rstrip("/")
        self.sessions = Sessions()
        self._rooms = rooms
        self._titles = {english: said for room in rooms for english, said in room.french.items()}
        self._is_tls = self.root.startswith("https:")
        self._pace = Pace()
        self._pages: list[Route] = []
        # browsers take a name with this prefix only from https, for this host alone and for every path (RFC 6265bis)
        prefix = "__Host-" if self._is_tls else ""
        self.session_cookie, self.attempt_cookie = f"{prefix}enclos", f"{prefix}enclos-begun"
        self.known_cookie = f"{prefix}enclos-known"

    def served(self, room: Room, act: Act) -> Callable[[Request], object]:
        """An endpoint that lets a person who has the room's role do the act, in a thread, with the enclosure open.

        Refuses: SIGN_IN_MISSING (led to sign in), SIGN_IN_ROLE, SIGN_IN_OFTEN; SIGN_IN_ANSWER when a form comes from
            elsewhere or is another session's; what the act refuses.
        """

        def do(request: Request, form: Form) -> Response:
            session = self.session(request)
            with self.opened.use() as (enclosure, _):
                try:
                    return self._answered(request, form, session, enclosure, room, act)
                except Refusal as refused:
                    permit = str(request.path_params.get("permit", ""))
                    self.opened.denials.tell(enclosure, session.person.subject, refused, via="portal", permit=permit)
                    raise

        return self.answering(do, room.french)

    def _answered(
        self, request: Request, form: Form, session: Session, enclosure: Enclosure, room: Room, act: Act
    ) -> Response:
        demand_role(session.person, room.role)
        self._pace.take(session.person.subject)
        here = self.own_address(request)
        if request.method == "POST":
            check_own(session, form)
        elif SENT in request.query_params:
            form = session.sent_to(here)
        words = Words(session.language or language_asked(request), {**FRENCH_FRAME, **room.french})
        asked = Asked(
            enclosure,
            session.person,
            words.language,
            words,
            request.path_params,
            dict(request.query_params),
            form,
            is_partial(request),
            self.opened.jobs,
        )
        answer = act(asked)
        if isinstance(answer, Page):
            is_sent = request.method == "POST" and not is_partial(request)
            if is_sent:
                self.sessions.keep(request.cookies.get(self.session_cookie, ""), here, form)
            frame = self._frame(request, words, session, enclosure.settings.enclosure.name, is_sent=is_sent)
            title = words(answer.title, **answer.named)
            return HTMLResponse(frame.page(answer.template, title, answer.values), answer.status)
        return _given(answer, request)

    def answering(
        self, do: Callable[[Request, Form], Response], french: Mapping[str, str] | None = None
    ) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint of what makes its answer itself; refusals become pages, and every answer has the headers."""

        async def serve(request: Request) -> Response:
            try:
                form = await read_form(request) if request.method == "POST" else Form()
            except Refusal as refused:
                answer = await run_in_threadpool(self._refused, request, refused, french or {})
            else:
                answer = await run_in_threadpool(self._done, do, request, form, french or {})
            answer.headers.update(headers_of(self.opened))
            return answer

        return serve

    def led_back(self, routes: Sequence[BaseRoute]) -> list[Route]:
        """Routes that lead who asks for the address of a form's answer by GET to the page that has the form."""
        self._pages = gets(routes)

        def lead(request: Request, _form: Form) -> Response:
            query = request.url.query
            return RedirectResponse(self.own_address(request) + (f"?{query}" if query else ""), 303)

        return [Route(path, self.answering(lead), name=LED_BACK) for path in posts_alone(routes)]

    def own_address(self, request: Request) -> str:
        """Where the page that is asked for is shown by GET."""
        return own_address(self._pages, request.url.path, "/me")

    def absent(self, room: Room) -> Callable[[Request], object]:
        """What a room says of an address that it does not have."""
        return self.served(room, lambda _: Page("absent", "There is no such page", status=404))

    def _done(
        self, do: Callable[[Request, Form], Response], request: Request, form: Form, french: Mapping[str, str]
    ) -> Response:
        try:
            if request.method == "POST" and request.headers.get("origin") != self.root:
                cookie = request.cookies.get(self.session_cookie, "")
                session = self.sessions.of(cookie, datetime.now(UTC), is_use=False)
                refused = refusal(Code.SIGN_IN_ANSWER, "The form was sent from another place.", "Open the page anew.")
                raise self._told(session.person.subject if session else NOBODY, refused)
            return do(request, form)
        except Refusal as refused:
            return self._refused(request, refused, french)
        except Exception as error:  # noqa: BLE001 - a fault of ours: its text could quote what nobody may read
            tell_fault("portal", error)
            return self.page(request, "fault", "This did not work", {}, 500, french=french)

    def check_own(self, session: Session, form: Form) -> None:
        """Refuses: SIGN_IN_ANSWER when a form was not made for the session, which the ledger then tells."""
        try:
            check_own(session, form)
        except Refusal as refused:
            raise self._told(session.person.subject, refused) from None

    def _told(self, who: str, refused: Refusal) -> Refusal:
        with self.opened.use() as (enclosure, _):
            self.opened.denials.tell(enclosure, who, refused, via="portal")
        return refused

    def _refused(self, request: Request, refused: Refusal, french: Mapping[str, str]) -> Response:
        if refused.code is Code.SIGN_IN_MISSING:
            chosen = language_chosen(request)
            return _way(f"/sign-in?lang={chosen}" if chosen else "/sign-in", request)
        said = {"refused": said_of(refused)}
        return self.page(request, "refused", "Refused", said, page_status(refused), french=french)

    def page(
        self,
        request: Request,
        template: str,
        title: str,
        values: Mapping[str, Any],
        status: int = 200,
        *,
        french: Mapping[str, str] = MappingProxyType({}),
        is_use: bool | None = None,
        **named: object,
    ) -> Response:
        """A page of everybody's: before anybody signed in, of whoever did, and where the enclosure cannot be opened.

        In: title — in English, with the values named in it; french — what a room says beside the frame
        """
        try:
            session: Session | None = self.session(request, is_use=is_use)
        except Exception:  # noqa: BLE001 - likewise
            session = None
        spoken = (session.language if session else None) or language_asked(request)
        words = Words(spoken, {**FRENCH_FRAME, **french})
        frame = self._frame(request, words, session, name_of(self.opened))
        return HTMLResponse(frame.page(template, words(title, **named), values), status)

    def session(self, request: Request, *, is_use: bool | None = None) -> Session:
        """The session of the browser; what withdraws its token ends it at once. It keeps the language that is chosen.

        In: is_use — whether it counts as used and lasts on; when not said, unless a script of a page asks
        Refuses: SIGN_IN_MISSING.
        """
        cookie = request.cookies.get(self.session_cookie, "")
        # what a page asks for by itself does not keep a session alive that nobody uses
        is_use = not is_partial(request) if is_use is None else is_use
        session = self.sessions.of(cookie, datetime.now(UTC), is_use=is_use)
        if session is not None:
            try:
                with self.opened.use() as (enclosure, door):
                    door.person_of(session.token, enclosure.ledger.now())
            except NotAllowed:
                self.sessions.leave(cookie)
            else:
                chosen = language_chosen(request)
                return self.sessions.speak(cookie, Language(chosen)) or session if chosen else session
        raise refusal(Code.SIGN_IN_MISSING, "Nobody is signed in here.", "Sign in.")

    def set_cookie(self, answer: Response, name: str, value: str, seconds: int) -> None:
        """A cookie that no script reads and no other site sends along."""
        answer.set_cookie(name, value, max_age=seconds, path="/", secure=self._is_tls, httponly=True, samesite="lax")

    def _frame(
        self, request: Request, words: Words, session: Session | None, name: str, *, is_sent: bool = False
    ) -> Frame:
        here = self.own_address(request) if request.method == "POST" else request.url.path
        titles = Words(words.language, self._titles)
        places = partial(places_of, self._rooms, here=here, words=titles)
        return frame_of(request, words, name, here, session, places, is_sent=is_sent)


def check_own(session: Session, form: Form) -> None:
    """Refuses: SIGN_IN_ANSWER when a form was not made for the session."""
    if not is_own_form(session, form["csrf"]):
        raise refusal(Code.SIGN_IN_ANSWER, "The form is another session's.", "Open the page anew.")


def page_status(refused: Refusal) -> int:
    """The status of a page that says what was refused: 403 for 401, which would have to ask for credentials."""
    status = status_of(refused)
    return _NOT_ALLOWED if status == _NOBODY else status


def _given(answer: Go | File, request: Request) -> Response:
    if isinstance(answer, Go):
        return _way(answer.to, request)
    how = "inline" if answer.is_shown else "attachment"
    name = "".join(
        letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "-" for letter in answer.name
    )
    headers = {"Content-Disposition": f'{how}; filename="{name}"'}
    return Response(answer.content, media_type=answer.media_type, headers=headers)


def _way(to: str, request: Request) -> Response:
    """A way on; a script would put the page that it leads to into the one that is open, so it is told to go there."""
    return Response(headers={"HX-Redirect": to}) if is_partial(request) else RedirectResponse(to, 303)
