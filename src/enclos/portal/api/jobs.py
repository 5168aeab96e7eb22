"""Long work: how it is, what came of it, its end."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from enclos.portal.api.asking import After, Answer, Ask, Key, Limit, page

router = APIRouter()
JobId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]


@router.get("/jobs", summary="Your work")
def _jobs(ask: Ask, after: After = "", limit: Limit = 50) -> Answer:
    return page("jobs", ask.opened.jobs.mine(ask.enclosure, ask.user), "job", after, limit, is_in_order=True)


@router.get("/jobs/{job}", summary="How far a piece of work is")
def _job(ask: Ask, job: JobId) -> Answer:
    return ask.opened.jobs.show(ask.enclosure, job, ask.user)


@router.get("/jobs/{job}/result", summary="What came of it, as the command answers")
def _result(ask: Ask, job: JobId) -> Answer:
    return ask.opened.jobs.result(ask.enclosure, job, ask.user)


@router.post("/jobs/{job}/cancel", summary="End it")
def _cancel(ask: Ask, job: JobId, key: Key = None) -> Answer:  # noqa: ARG001 - a dependency reads it
    return ask.once(lambda: ask.opened.jobs.cancel(ask.enclosure, job, ask.user))


@router.post("/jobs/{job}/again", summary="Start it anew, once it is over", status_code=202)
def _again(ask: Ask, job: JobId, key: Key = None) -> Answer:  # noqa: ARG001
    return ask.begin_again(job)
