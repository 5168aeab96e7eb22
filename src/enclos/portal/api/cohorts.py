"""Cohorts of Circe definitions."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field

from enclos.app.cohorts import check_names, saved
from enclos.portal.api.asking import After, Answer, Ask, Body, Key, Limit, On, PermitId, Workers, page
from enclos.signin.model import Role

router = APIRouter()


class CohortsAsked(Body):
    """Circe definitions (ATLAS) as JSON texts, by the cohorts' names."""

    permit: str = Field(min_length=1, max_length=64)
    definitions: dict[str, str] = Field(min_length=1, max_length=50)
    save: bool = False
    inclusion: bool = False
    workers: Workers = None
    on: On = ""


@router.get("/permits/{permit}/cohorts", summary="The saved cohorts of a permit")
def _saved(ask: Ask, permit: PermitId, after: After = "", limit: Limit = 50) -> Answer:
    ask.as_a(Role.RESEARCHER)
    ask.permit = permit
    rows = saved(ask.enclosure, permit=permit, user=ask.user)
    return {"permit": permit, **page("saved", rows, "name", after, limit)}


@router.post("/cohorts", summary="Count cohorts under a permit, and save them, in the background", status_code=202)
def _cohorts(ask: Ask, asked: CohortsAsked, key: Key = None) -> Answer:  # noqa: ARG001 - a dependency reads it
    check_names(asked.definitions)
    given = asked.model_dump(exclude={"permit"})
    return ask.begin("cohort", given, permit=asked.permit, title=", ".join(sorted(asked.definitions)))
