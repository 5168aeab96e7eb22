"""Studies: judge a document, write its protocol, run it in the background, look at what came of it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from pydantic import Field

from enclos.app import drafts, runs, studies
from enclos.app.pages.words import Language
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.portal.api.asking import (
    PAGE_POLICY,
    After,
    Answer,
    Ask,
    Body,
    Key,
    Limit,
    On,
    PermitId,
    RunId,
    Workers,
    page,
)
from enclos.signin.model import Role

router = APIRouter()
_KINDS = {"csv": "text/csv; charset=utf-8", "svg": "image/svg+xml", "png": "image/png"}
_CONTENT: dict[str, Any] = {kind.partition(";")[0]: {} for kind in _KINDS.values()}
Lang = Annotated[Language, Query(description="The language of titles.")]
FileName = Annotated[str, Path(pattern=r"^[a-z0-9_-]{1,100}\.(csv|svg|png)$")]


class StudyText(Body):
    """A study as YAML; ``files`` are the Circe definitions that it names, by their names."""

    study: str = Field(min_length=1, max_length=500_000)
    files: dict[str, str] = Field(default_factory=dict, max_length=50)

    def whole(self) -> str:
        """The study with its definitions in the place of their names.

        Refuses: what studies refuse of the document.
        """

        def read(name: str) -> str:
            if name not in self.files:
                raise refusal(Code.STUDY_UNKNOWN_NAME, "A file of the study was not sent.", "Put it in `files`.")
            return self.files[name]

        return studies.whole_study(self.study, read)


class StudyJudged(StudyText):
    """A study that is looked at, under a permit where one is named."""

    permit: str = Field(default="", max_length=64)


class StudyAsked(StudyText):
    """A study that is to run under a permit."""

    permit: str = Field(min_length=1, max_length=64)
    workers: Workers = None
    on: On = ""


class Spread(Body):
    """Who looks at buckets."""

    workers: Workers = None
    on: On = ""


@router.post("/studies/validate", summary="What is wrong with a study, if anything")
def _validate(ask: Ask, asked: StudyJudged) -> Answer:
    ask.as_a(Role.RESEARCHER)
    if not asked.permit:
        return studies.validate(asked.whole())
    ask.permit = asked.permit
    return drafts.check(ask.enclosure, permit=asked.permit, user=ask.user, text=asked.whole())


@router.post("/studies/protocol", summary="The protocol of a study, as Markdown")
def _protocol(ask: Ask, asked: StudyText) -> Answer:
    ask.as_a(Role.RESEARCHER)
    return {"protocol": studies.protocol(asked.whole())}


@router.post("/studies", summary="Run a study under a permit, in the background", status_code=202)
def _start(ask: Ask, asked: StudyAsked, key: Key = None) -> Answer:  # noqa: ARG001 - a dependency reads it
    text = asked.whole()
    given = {"text": text, "workers": asked.workers, "on": asked.on}
    return ask.begin("study", given, permit=asked.permit, title=studies.title_of(text))


@router.get("/permits/{permit}/runs", summary="What was kept of studies and tables under a permit")
def _runs(ask: Ask, permit: PermitId, after: After = "", limit: Limit = 50) -> Answer:
    ask.as_a(Role.RESEARCHER)
    ask.permit = permit
    rows = runs.list_runs(ask.enclosure, permit=permit, user=ask.user)
    return page("runs", rows, "run", after, limit, is_in_order=True)


@router.get("/permits/{permit}/runs/{run}", summary="What a run found, as far as it is shown")
def _run(ask: Ask, permit: PermitId, run: RunId) -> Answer:
    ask.as_a(Role.RESEARCHER)
    ask.permit = permit
    answer, pages = runs.results(ask.enclosure, permit=permit, user=ask.user, run_id=run)
    return {**answer, "files": pages.names()}


@router.get(
    "/permits/{permit}/runs/{run}/page",
    summary="A run as a page with pictures and tables",
    response_class=Response,
    responses={200: {"content": {"text/html": {}}}},
)
def _page(ask: Ask, permit: PermitId, run: RunId, lang: Lang = Language.EN) -> Response:
    ask.as_a(Role.RESEARCHER)
    ask.permit = permit
    _, pages = runs.results(ask.enclosure, permit=permit, user=ask.user, run_id=run, language=lang)
    return Response(pages.html(), media_type="text/html", headers={"Content-Security-Policy": PAGE_POLICY})


@router.get(
    "/permits/{permit}/runs/{run}/files/{name}",
    summary="A table of a run as CSV, a picture as SVG or PNG",
    response_class=Response,
    responses={200: {"content": _CONTENT}},
)
def _file(ask: Ask, permit: PermitId, run: RunId, name: FileName, lang: Lang = Language.EN) -> Response:
    ask.as_a(Role.RESEARCHER)
    ask.permit = permit
    _, pages = runs.results(ask.enclosure, permit=permit, user=ask.user, run_id=run, language=lang)
    content = pages.file(name)
    if content is None:
        raise refusal(Code.RUN_UNKNOWN, "The run has no such file.", "See which it has at its address.")
    return Response(content, media_type=_KINDS[name.rpartition(".")[2]])


@router.post("/permits/{permit}/runs/{run}/rerun", summary="Run a kept run once more, and compare", status_code=202)
def _rerun(ask: Ask, permit: PermitId, run: RunId, asked: Spread | None = None, key: Key = None) -> Answer:  # noqa: ARG001
    return ask.begin("rerun", {"run": run, **(asked or Spread()).model_dump()}, permit=permit, title=run)
