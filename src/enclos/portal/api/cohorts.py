"""Cohorts of Circe definitions."""

from __future__ import annotations

import re

from fastapi import APIRouter
from pydantic import Field

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.portal.api.asking import Answer, Ask, Body, Key

router = APIRouter()
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class CohortsAsked(Body):
    """Circe definitions (ATLAS) as JSON texts, by the cohorts' names."""

    permit: str = Field(min_length=1, max_length=64)
    definitions: dict[str, str] = Field(min_length=1, max_length=50)
    save: bool = False
    inclusion: bool = False


@router.post("/cohorts", summary="Count cohorts under a permit, and save them, in the background", status_code=202)
def _cohorts(ask: Ask, asked: CohortsAsked, key: Key = None) -> Answer:  # noqa: ARG001 - a dependency reads it
    if not all(_NAME.fullmatch(name) for name in asked.definitions):
        what = "A cohort has a name of letters, digits, hyphens and underscores."
        raise refusal(Code.CIRCE_INVALID, what, "Give it such a name.")
    given = {"definitions": asked.definitions, "save": asked.save, "inclusion": asked.inclusion}
    return ask.begin("cohort", given, permit=asked.permit, title=", ".join(sorted(asked.definitions)))
