"""Study files that are kept under a permit, for all of its users."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from enclos.app import drafts
from enclos.portal.api.asking import After, Answer, Ask, Body, Key, Limit, PermitId, page
from enclos.signin.model import Role

router = APIRouter()
_NAME = r"^[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}$"
FileName = Annotated[str, Path(pattern=_NAME)]


class StudyFile(Body):
    """A study as it is written, valid or not."""

    name: str = Field(pattern=_NAME)
    text: str = Field(max_length=400_000)


@router.get("/permits/{permit}/study-files", summary="The study files that are kept under a permit")
def _list(ask: Ask, permit: PermitId, after: After = "", limit: Limit = 50) -> Answer:
    rows = drafts.list_all(ask.enclosure, **_of(ask, permit))
    return {"permit": permit, **page("files", rows, "name", after, limit)}


@router.post("/permits/{permit}/study-files", summary="Keep a study file, in the place of the one of that name")
def _keep(ask: Ask, permit: PermitId, asked: StudyFile, key: Key = None) -> Answer:  # noqa: ARG001 - a dependency reads it
    of = _of(ask, permit)
    return ask.once(lambda: _told(drafts.keep(ask.enclosure, **of, name=asked.name, text=asked.text)), asked)


@router.get("/permits/{permit}/study-files/{name}", summary="One study file with its text")
def _show(ask: Ask, permit: PermitId, name: FileName) -> Answer:
    return drafts.show_one(ask.enclosure, **_of(ask, permit), name=name)


@router.post("/permits/{permit}/study-files/{name}/remove", summary="Remove a study file")
def _remove(ask: Ask, permit: PermitId, name: FileName, key: Key = None) -> Answer:  # noqa: ARG001
    of = _of(ask, permit)

    def act() -> Answer:
        drafts.remove(ask.enclosure, **of, name=name)
        return {"removed": name}

    return ask.once(act)


def _of(ask: Ask, permit: str) -> dict[str, str]:
    ask.as_a(Role.RESEARCHER)
    ask.permit = permit
    return {"permit": permit, "user": ask.user}


def _told(kept: Answer) -> Answer:
    return {key: kept[key] for key in ("name", "user", "at")}
