"""What is served to the public: the newest register in the reader's language, and the ledger's published files."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from enclos.app.pages.rooms.frame import Frame
from enclos.app.pages.rooms.words_frame import FRENCH_FRAME
from enclos.app.pages.words import Words
from enclos.portal.assets import ASSETS
from enclos.portal.forwarding import HANDED_OVER, Forwarding
from enclos.portal.languages import language_asked, language_of
from enclos.portal.unserved import Unserved, is_of_programs

CURRENT = "current"
"""The register that is served, below the folder of registers."""
_PUBLIC_LEDGER = re.compile(r"checkpoint|ledger\.vkey|tile/[0-9a-z./]+|seal/\d{4}-\d{2}-\d{2}")
"""The only names of a ledger that are served: what lies under ``private/`` has no name here."""
_HEADERS = {
    "Content-Security-Policy": "frame-ancestors 'none'; base-uri 'none'; form-action 'none'; object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
"""Beside the policy that each page carries itself; ``no-cache`` asks whether a file changed, it is not sent again."""
_HSTS = "max-age=31536000; includeSubDomains"
_WORTH_PACKING = 2_000
_STATEMENTS = ("opt-out", "accessibility")
"""Pages of the register with an address of their own, in the reader's language."""


class _Ledger(StaticFiles):
    """The published files of a ledger."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, if it is one that a ledger publishes."""
        if not _PUBLIC_LEDGER.fullmatch(path):
            raise HTTPException(404)
        answer = await super().get_response(path, scope)
        # tiles are hashes, or entries with their lengths between; the rest are signed notes
        kind = "application/octet-stream" if path.startswith("tile/") else "text/plain; charset=utf-8"
        answer.headers["Content-Type"] = kind
        return answer


class _Packed:
    """Packs files by gzip for who takes it: a register of hundreds of permits says much again and again.

    Never: what people who signed in are shown, where the length of what is packed could tell of a secret in it.
    """

    def __init__(self, files: ASGIApp) -> None:
        self._files, self._packed = files, GZipMiddleware(files, minimum_size=_WORTH_PACKING, compresslevel=6)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # a part of a file is given as it lies there
        is_part = any(name == b"range" for name, _ in scope.get("headers", ()))
        await (self._files if is_part else self._packed)(scope, receive, send)


class _WithHeaders:
    """Puts the same headers on every answer, errors too."""

    def __init__(self, application: ASGIApp, *, over_tls: bool) -> None:
        self._application = application
        self._headers = _HEADERS | ({"Strict-Transport-Security": _HSTS} if over_tls else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._application(scope, receive, sending)


def public_application(registers: Path, ledger: Path, *, over_tls: bool, people: Path | None = None) -> ASGIApp:
    """The public's pages.

    In:  registers — the folder whose ``current`` is the register; ledger — the enclosure's ledger; over_tls — whether
         readers come by https; people — the socket behind which people sign in
    Out: ``/`` and ``/register`` lead to the register in the reader's language; ``/register/…`` are its files,
         ``/opt-out`` and ``/accessibility`` lead to two of them, ``/ledger/…`` is the ledger as it stands now, by which
         anybody can follow and witness it. What is not there is said by a page in the reader's language.
    """
    routes = [
        ASSETS,
        Route("/", _to_register),
        Route("/register", _to_register),
        Route("/register/", _to_language),
        *(Route(f"/{name}", partial(_to_statement, name)) for name in _STATEMENTS),
        Mount("/register", _Packed(StaticFiles(directory=registers / CURRENT, check_dir=False))),
        Mount("/ledger", _Ledger(directory=ledger)),
    ]
    if people is not None:
        forwarding = Forwarding(people)
        routes += [Route(f"{path}{below}", forwarding) for path in HANDED_OVER for below in ("", "/{rest:path}")]
    return _WithHeaders(Starlette(routes=routes, exception_handlers={404: _absent}), over_tls=over_tls)


async def _absent(request: Request, _error: Exception) -> Response:
    """What is said of an address that nothing has: a page to who reads pages, a line or a problem to programs."""
    if is_of_programs(request):
        return Unserved.ABSENT.answer(request)
    if "text/html" not in request.headers.get("accept", ""):
        return PlainTextResponse("Not Found", 404)
    words = Words(language_asked(request), FRENCH_FRAME)
    page = Frame("Enclos", words, request.url.path).page("absent", words("There is no such page"), {})
    return HTMLResponse(page, 404, {"Vary": "Accept-Language"})


async def _to_register(_request: Request) -> Response:
    return RedirectResponse("/register/")


async def _to_statement(name: str, request: Request) -> Response:
    language = language_of(request.headers.get("accept-language", ""))
    return RedirectResponse(f"/register/{name}-{language}.html", 303, {"Vary": "Accept-Language"})


async def _to_language(request: Request) -> Response:
    language = language_of(request.headers.get("accept-language", ""))
    return RedirectResponse(f"/register/{language}.html", 303, {"Vary": "Accept-Language"})
