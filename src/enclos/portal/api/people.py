"""Who asks."""

from __future__ import annotations

from fastapi import APIRouter

from enclos.app.sign_in import sign_out
from enclos.portal.api.asking import Answer, Ask

router = APIRouter()


@router.get("/me", summary="Who you are")
def _me(ask: Ask) -> Answer:
    return dict(ask.person.as_json())


@router.post("/me/sign-out", summary="Sign out: the token is worth nothing from now on")
def _out(ask: Ask) -> Answer:
    return sign_out(ask.enclosure, ask.token)
