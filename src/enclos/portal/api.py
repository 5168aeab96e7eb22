"""REST: what the command line does, by the same names and with the same refusals, for who shows a token.

A refusal is a problem (RFC 9457) with its code; a list comes in pages; what is asked for twice under one
``Idempotency-Key`` is done once. Its description is at ``/openapi.json``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from enclos.app import permits, releases
from enclos.app.enclosure import Enclosure
from enclos.app.ledger import show_from
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.lexicon.version import __version__
from enclos.portal.opened import Opened
from enclos.portal.pace import Answers, Pace
from enclos.portal.statuses import status_of
from enclos.signin.model import Person, Role
from enclos.signin.steps import demand_role

PROBLEM = "application/problem+json"
_WAIT_SECONDS = 10
_bearer = HTTPBearer(auto_error=False, description="A token of `enclos token`, or an access token of the provider.")


class Problem(BaseModel):
    """Why something was refused. Source: RFC 9457; ``code``, ``branch`` and ``next`` are as on the command line."""

    type: str
    title: str
    status: int
    detail: str
    code: str = ""
    branch: str = ""
    next: str = ""


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class ReleaseAsked(_Asked):
    """A run whose result is asked to leave."""

    permit: str = Field(min_length=1, max_length=64)
    run: str = Field(min_length=1, max_length=64)
    purpose: str = Field(min_length=1, max_length=2000)
    tables: list[str] = Field(default_factory=list, max_length=50)


class CheckAsked(_Asked):
    """A run that is looked at as if it were asked to leave."""

    permit: str = Field(min_length=1, max_length=64)
    run: str = Field(min_length=1, max_length=64)
    tables: list[str] = Field(default_factory=list, max_length=50)


class Vote(_Asked):
    """A vote on exactly what ``content`` is the hash of."""

    accept: bool
    reason: str = Field(min_length=1, max_length=2000)
    content: str = Field(default="", max_length=64)


class Asking:
    """A person and the enclosure, for one request."""

    def __init__(self, enclosure: Enclosure, person: Person, answers: Answers) -> None:
        self.enclosure, self.person, self._answers = enclosure, person, answers

    def as_a(self, *roles: Role) -> None:
        """Refuses: SIGN_IN_ROLE when the person has none of the roles."""
        if not any(self.person.has(role) for role in roles):
            demand_role(self.person, roles[0])

    def once(self, key: str | None, asked: object, act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What the act answers; under a key that was used, what it answered then."""
        return self._answers.once((self.person.subject, key), asked, act) if key else act()

    def permits(self) -> frozenset[str]:
        """The permits that list the person."""
        newest = [versions[-1].permit for versions in permits.all_versions(self.enclosure)]
        return frozenset(each.id for each in newest if self.person.subject in each.involved_ids)


def _asking(
    request: Request, shown: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Iterator[Asking]:
    if shown is None:
        raise refusal(Code.SIGN_IN_MISSING, "No token was shown.", "Send a bearer token: enclos token DIR.")
    state = request.app.state
    with state.opened.use() as (enclosure, door):
        person = door.person_of(shown.credentials, enclosure.ledger.now())
        state.pace.take(person.subject)
        yield Asking(enclosure, person, state.answers)


Ask = Annotated[Asking, Depends(_asking)]
PermitId = Annotated[str, Path(pattern=r"^[A-Za-z0-9-]{1,64}$")]
RequestId = Annotated[str, Path(pattern=r"^[A-Za-z0-9-]{1,64}$")]
Limit = Annotated[int, Query(ge=1, le=200)]
After = Annotated[str, Query(max_length=64, description="The last id of the page before.")]
Key = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=100)]


def api_application(opened: Opened) -> FastAPI:
    """The interface of one enclosure."""
    told = {"model": Problem, "content": {PROBLEM: {}}}
    refusals: dict[int | str, dict[str, Any]] = {
        status: {**told, "description": said}
        for status, said in {
            400: "Not readable",
            401: "Nobody is signed in",
            403: "Not allowed, or not safe",
            404: "Not there",
            409: "Not as promised",
            422: "Not a request of this interface",
            429: "Too often",
            503: "Later",
        }.items()
    }
    api = FastAPI(
        title="Enclos",
        version=__version__,
        description=__doc__,
        docs_url=None,
        redoc_url=None,
        responses=refusals,
        redirect_slashes=False,
    )
    api.state.opened, api.state.pace, api.state.answers = opened, Pace(), Answers()
    api.get("/api/me", summary="Who you are")(_me)
    api.get("/api/permits", summary="Permits: yours, or all for who grants and audits them")(_permits)
    api.get("/api/permits/{permit}", summary="One permit, its document and versions")(_permit)
    api.get("/api/ledger", summary="The ledger's head")(_ledger)
    api.get("/api/ledger/entries", summary="Entries of the ledger, for the auditor")(_entries)
    api.get("/api/releases", summary="Requests: of your permits, or all for who votes and audits")(_releases)
    api.post("/api/releases", summary="Ask for a run's result to leave", status_code=201)(_request)
    api.post("/api/releases/check", summary="What a request would be answered")(_check)
    api.get("/api/releases/{request_id}", summary="One request")(_release)
    api.post("/api/releases/{request_id}/votes", summary="Vote on a request", status_code=201)(_vote)
    api.add_exception_handler(Refusal, _refused)
    api.add_exception_handler(RequestValidationError, _not_understood)
    api.add_exception_handler(HTTPException, _not_served)
    return api


# -- what is served


def _me(ask: Ask) -> dict[str, Any]:
    return dict(ask.person.as_json())


def _permits(ask: Ask, after: After = "", limit: Limit = 50) -> dict[str, Any]:
    rows = permits.list_all(ask.enclosure)["permits"]
    if not any(ask.person.has(role) for role in (Role.ACCESS_BODY, Role.AUDITOR, Role.STEWARD)):
        own = ask.permits()
        rows = [row for row in rows if row["permit"] in own]
    return _page("permits", rows, "permit", after, limit)


def _permit(ask: Ask, permit: PermitId) -> dict[str, Any]:
    ask.as_a(Role.RESEARCHER, Role.ACCESS_BODY, Role.AUDITOR, Role.STEWARD)
    is_of_all = any(ask.person.has(role) for role in (Role.ACCESS_BODY, Role.AUDITOR, Role.STEWARD))
    if not is_of_all and permit not in ask.permits():
        raise refusal(Code.PERMIT_UNKNOWN, "No permit of this id lists you.", "See yours at /api/permits.")
    return permits.show_one(ask.enclosure, permit)


def _ledger(ask: Ask) -> dict[str, Any]:
    ledger = ask.enclosure.ledger
    note = ledger.checkpoint().decode("utf-8")
    return {"origin": ask.enclosure.settings.ledger.origin, "size": int(note.splitlines()[1]), "checkpoint": note}


def _entries(ask: Ask, start: Annotated[int, Query(ge=0, le=2**53)] = 0, limit: Limit = 50) -> dict[str, Any]:
    ask.as_a(Role.AUDITOR)
    return show_from(ask.enclosure, start, limit)


def _releases(ask: Ask, after: After = "", limit: Limit = 50) -> dict[str, Any]:
    rows = releases.list_all(ask.enclosure)["requests"]
    if not any(ask.person.has(role) for role in (Role.CHECKER, Role.AUDITOR)):
        own = ask.permits()
        rows = [row for row in rows if row["permit"] in own]
    return _page("requests", sorted(rows, key=lambda row: str(row["request"])), "request", after, limit)


def _release(ask: Ask, request_id: RequestId) -> dict[str, Any]:
    ask.as_a(Role.CHECKER, Role.RESEARCHER)
    if ask.person.has(Role.CHECKER):
        return releases.show_one(ask.enclosure, request_id)
    shown = releases.show_one(ask.enclosure, request_id)
    if shown["permit"] not in ask.permits():
        raise refusal(Code.RELEASE_UNKNOWN, "No request of this id is of your permits.", "See yours at /api/releases.")
    return {name: value for name, value in shown.items() if name != "evidence"}


def _request(ask: Ask, asked: ReleaseAsked, key: Key = None) -> dict[str, Any]:
    ask.as_a(Role.RESEARCHER)

    def act() -> dict[str, Any]:
        return releases.request(
            ask.enclosure,
            permit=asked.permit,
            user=ask.person.subject,
            run=asked.run,
            purpose=asked.purpose,
            tables=asked.tables,
        )

    return ask.once(key, asked, act)


def _check(ask: Ask, asked: CheckAsked) -> dict[str, Any]:
    ask.as_a(Role.RESEARCHER)
    return releases.check(
        ask.enclosure, permit=asked.permit, user=ask.person.subject, run=asked.run, tables=asked.tables
    )


def _vote(ask: Ask, request_id: RequestId, vote: Vote, key: Key = None) -> dict[str, Any]:
    ask.as_a(Role.CHECKER)

    def act() -> dict[str, Any]:
        return releases.review(
            ask.enclosure,
            request_id,
            user=ask.person.subject,
            accept=vote.accept,
            reason=vote.reason,
            content=vote.content,
        )

    return ask.once(key, (request_id, vote), act)


def _page(name: str, rows: list[dict[str, Any]], key: str, after: str, limit: int) -> dict[str, Any]:
    """The rows after an id, and the id to go on after; empty when there are no more."""
    rest = [row for row in rows if str(row[key]) > after]
    return {name: rest[:limit], "next": str(rest[limit - 1][key]) if len(rest) > limit else ""}


# -- what is refused


def _refused(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, Refusal):
        raise error
    status, headers = status_of(error), {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status in {429, 503}:
        headers["Retry-After"] = str(_WAIT_SECONDS)
    problem = Problem(
        type=f"urn:enclos:refusal:{error.code.id}",
        title=error.rule,
        status=status,
        detail=error.what,
        code=error.code.id,
        branch=error.code.branch.value,
        next=error.next_step,
    )
    return JSONResponse(problem.model_dump(), status, headers, PROBLEM)


def _not_understood(_request: Request, error: Exception) -> JSONResponse:
    """What was wrong with a request, without what it said."""
    faults = error.errors() if isinstance(error, RequestValidationError) else ()
    said = "; ".join(sorted({f"{fault['loc'][0]}: {fault['type']}" for fault in faults}))
    problem = Problem(type="about:blank", title="Not a request of this interface", status=422, detail=said)
    return JSONResponse(problem.model_dump(), 422, None, PROBLEM)


def _not_served(_request: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else None
    problem = Problem(type="about:blank", title="Not served", status=status, detail="There is nothing here.")
    return JSONResponse(problem.model_dump(), status, headers, PROBLEM)
