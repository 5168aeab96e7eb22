"""What is said where a request could not be handed over: a problem over REST, a page to who reads pages."""

from __future__ import annotations

from enum import Enum

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from enclos.app.pages.rooms.frame import Frame
from enclos.app.pages.rooms.words_frame import FRENCH_FRAME
from enclos.app.pages.words import Language, Words
from enclos.portal.languages import language_asked

PROBLEM = "application/problem+json"
WAIT_SECONDS = 10
_OF_PROGRAMS = ("/api/", "/openapi.json")


def is_of_programs(request: Request) -> bool:
    """Whether a program asks for what is below ``/api``."""
    return request.url.path.startswith(_OF_PROGRAMS)


class Unserved(Enum):
    """Why: the status, what is said of it, and what to do. In English; pages say it in their language."""

    ABSENT = (404, "There is nothing here.", "See what there is at /openapi.json.")
    REQUEST_TOO_LARGE = (413, "What was sent is larger than a mebibyte.", "Send less at once.")
    TOO_MANY = (429, "Too many of your requests wait already.", "Wait for their answers, then ask again.")
    NOT_ANSWERED = (502, "The enclosure does not answer.", "Ask again in a minute.")
    ANSWER_TOO_LARGE = (502, "The answer is larger than 32 mebibytes.", "Ask for less at once.")
    TOO_LONG = (504, "There was no answer within a minute.", "Look whether it was done before you ask again.")

    def __init__(self, status: int, what: str, next_step: str) -> None:
        self.status, self.what, self.next_step = status, what, next_step

    def answer(self, request: Request) -> Response:
        """The answer to a request, which no cache keeps."""
        headers = {"Cache-Control": "no-store", "Vary": "Accept-Language"}
        if self.status == 429 or self is Unserved.NOT_ANSWERED:
            headers["Retry-After"] = str(WAIT_SECONDS)
        if is_of_programs(request):
            return JSONResponse(self._problem(), self.status, headers, PROBLEM)
        if "text/html" not in request.headers.get("accept", ""):
            return PlainTextResponse(f"{self.what} {self.next_step}\n", self.status, headers)
        return HTMLResponse(self._page(request.url.path, language_asked(request)), self.status, headers)

    def _problem(self) -> dict[str, str | int]:
        """As all refusals over REST; no rule of the enclosure refused it, so there is no code. Source: RFC 9457."""
        said: dict[str, str | int] = {"type": "about:blank", "title": "Not served", "status": self.status}
        return said | {"detail": self.what, "code": "", "branch": "", "next": self.next_step}

    def _page(self, path: str, language: Language) -> str:
        words = Words(language, FRENCH_FRAME)
        said = {"what": words(self.what), "next": words(self.next_step)}
        return Frame("Enclos", words, path).page("unserved", words("This did not work"), said)
