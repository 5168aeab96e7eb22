"""REST: what the command line does, by the same names and with the same refusals, for who shows a token.

A refusal is a problem (RFC 9457) with its code; a list comes in pages; what is asked for twice under one
``Idempotency-Key`` is done once; what takes long is begun, and asked after at ``/api/jobs``. ``docs/rest.md`` has the
table of commands.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from enclos.lexicon.version import __version__
from enclos.portal.api import (
    applications,
    cohorts,
    files,
    holdings,
    jobs,
    ledger,
    people,
    permits,
    reidentify,
    releases,
    rights,
    sql,
    studies,
)
from enclos.portal.api.continued import Continued
from enclos.portal.api.problems import Problem, answer_with_problems
from enclos.portal.opened import Opened
from enclos.portal.pace import Pace
from enclos.portal.unserved import PROBLEM

_NOUNS = (
    people,
    applications,
    permits,
    studies,
    files,
    cohorts,
    sql,
    jobs,
    releases,
    holdings,
    ledger,
    rights,
    reidentify,
)
_SAID = {
    400: "Not readable",
    401: "Nobody is signed in",
    403: "Not allowed, or not safe",
    404: "Not there",
    409: "Not as promised",
    413: "Larger than a mebibyte",
    422: "Not a request of this interface",
    429: "Too often",
    502: "The enclosure does not answer",
    503: "Later",
    504: "No answer within a minute",
}


def api_application(opened: Opened) -> FastAPI:
    """The interface of one enclosure."""
    told = {"model": Problem, "content": {PROBLEM: {}}}
    refusals: dict[int | str, dict[str, Any]] = {
        status: {**told, "description": said} for status, said in _SAID.items()
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
    api.state.opened, api.state.pace, api.state.continued = opened, Pace(), Continued()
    for noun in _NOUNS:
        api.include_router(noun.router, prefix="/api", tags=[noun.__name__.rpartition(".")[2]])
    answer_with_problems(api)
    return api
