"""Long work: how it is, what came of it, its end."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from fastapi.responses import Response

from enclos.portal.api.asking import PAGE_POLICY, After, Answer, Ask, Key, Limit, page

router = APIRouter()
JobId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]
FileName = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,100}\.(csv|html|json|jsonld|ttl)$")]
_KINDS = {
    "csv": "text/csv; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "jsonld": "application/ld+json",
    "ttl": "text/turtle; charset=utf-8",
}
_CONTENT: dict[str, Any] = {kind.partition(";")[0]: {} for kind in _KINDS.values()}


@router.get("/jobs", summary="Your work")
def _jobs(ask: Ask, after: After = "", limit: Limit = 50) -> Answer:
    return page("jobs", ask.opened.jobs.mine(ask.enclosure, ask.user), "job", after, limit, is_in_order=True)


@router.get("/jobs/{job}", summary="How far a piece of work is")
def _job(ask: Ask, job: JobId) -> Answer:
    return ask.opened.jobs.show(ask.enclosure, job, ask.user)


@router.get("/jobs/{job}/result", summary="What came of it, as the command answers", response_model=Answer)
def _result(ask: Ask, job: JobId) -> Response:
    return Response(ask.opened.jobs.result(ask.enclosure, job, ask.user), media_type="application/json")


@router.get(
    "/jobs/{job}/files/{name}",
    summary="A file that the command would have written: a page, a table, a document",
    response_class=Response,
    responses={200: {"content": _CONTENT}},
)
def _file(ask: Ask, job: JobId, name: FileName) -> Response:
    content = ask.opened.jobs.file(ask.enclosure, job, ask.user, name)
    kind = _KINDS[name.rpartition(".")[2]]
    return Response(content, media_type=kind, headers={"Content-Security-Policy": PAGE_POLICY})


@router.post("/jobs/{job}/cancel", summary="End it")
def _cancel(ask: Ask, job: JobId, key: Key = None) -> Answer:  # noqa: ARG001 - a dependency reads it
    return ask.once(lambda: ask.opened.jobs.cancel(ask.enclosure, job, ask.user))


@router.post("/jobs/{job}/again", summary="Start it anew, once it is over", status_code=202)
def _again(ask: Ask, job: JobId, key: Key = None) -> Answer:  # noqa: ARG001
    return ask.begin_again(job)
