"""What is refused: problems as RFC 9457 writes them, with the code, the branch and what to do next."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from enclos.lexicon.refusals import Refusal
from enclos.portal.statuses import status_of
from enclos.portal.unserved import PROBLEM, WAIT_SECONDS

_NOTHING = "There is nothing here."
_WHY = {400: "This cannot be read.", 405: "Nothing is asked here in this way.", 500: "This is a fault of the service."}


class Problem(BaseModel):
    """Why something was refused. Source: RFC 9457; ``code``, ``branch`` and ``next`` are as on the command line."""

    type: str
    title: str
    status: int
    detail: str
    code: str = ""
    branch: str = ""
    next: str = ""


def answer_with_problems(api: FastAPI) -> None:
    """Let every refusal and fault of a request be answered as a problem."""
    api.add_exception_handler(Refusal, _refused)
    api.add_exception_handler(RequestValidationError, _not_understood)
    api.add_exception_handler(HTTPException, _not_served)


def _refused(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, Refusal):
        raise error
    status, headers = status_of(error), {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status in {429, 503}:
        headers["Retry-After"] = str(WAIT_SECONDS)
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
    problem = Problem(type="about:blank", title="Not served", status=status, detail=_WHY.get(status, _NOTHING))
    return JSONResponse(problem.model_dump(), status, headers, PROBLEM)
