"""Re-identification: asked for by a project, decided by two others, carried out for the source alone."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from enclos.app import reidentification
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.portal.api.asking import After, Answer, Ask, Body, HoweverWritten, Key, Limit, RequestId, page
from enclos.signin.model import Role

router = APIRouter()


class ReidentificationAsked(Body):
    """Which number of the permit, why, and ``recipient.json`` of the source."""

    permit: str = Field(min_length=1, max_length=64)
    person: Annotated[int, Field(ge=0, le=2**53), HoweverWritten]
    reason: str = Field(min_length=1, max_length=64)
    recipient: dict[str, Any]
    why: str = Field(min_length=1, max_length=2000)


class Decision(Body):
    """Yes or no, in words."""

    approve: bool
    why: str = Field(min_length=1, max_length=2000)


@router.get("/reidentifications", summary="Requests: of your permits, or all for who decides and audits")
def _list(ask: Ask, after: After = "", limit: Limit = 50) -> Answer:
    rows = reidentification.list_all(ask.enclosure)["requests"]
    if not ask.has(Role.CHECKER, Role.AUDITOR, Role.STEWARD):
        own = ask.permits()
        rows = [row for row in rows if row["permit"] in own]
    return page("requests", rows, "request", after, limit)


@router.post("/reidentifications", summary="Ask that a source be told who a number stands for", status_code=201)
def _request(ask: Ask, asked: ReidentificationAsked, key: Key = None) -> Answer:  # noqa: ARG001 - a dependency reads it
    ask.as_a(Role.RESEARCHER)
    ask.permit = asked.permit

    def act() -> Answer:
        with TemporaryDirectory(prefix="enclos-") as folder:
            recipient = Path(folder) / "recipient.json"
            recipient.write_text(json.dumps(asked.recipient), encoding="utf-8")
            return reidentification.request(
                ask.enclosure,
                permit=asked.permit,
                user=ask.user,
                person=asked.person,
                reason=asked.reason,
                text=asked.why,
                recipient=recipient,
            )

    return ask.once(act, asked)


@router.get("/reidentifications/{request_id}", summary="One request: reason, decisions, state")
def _show(ask: Ask, request_id: RequestId) -> Answer:
    ask.as_a(Role.CHECKER, Role.RESEARCHER)
    shown = reidentification.show_one(ask.enclosure, request_id)
    if not ask.has(Role.CHECKER) and shown["permit"] not in ask.permits():
        raise refusal(
            Code.REIDENTIFY_UNKNOWN, "No request of this id is of your permits.", "See /api/reidentifications."
        )
    return shown


@router.post("/reidentifications/{request_id}/decisions", summary="Approve or refuse", status_code=201)
def _decide(ask: Ask, request_id: RequestId, asked: Decision, key: Key = None) -> Answer:  # noqa: ARG001
    ask.as_a(Role.CHECKER)

    def act() -> Answer:
        return reidentification.decide(ask.enclosure, request_id, user=ask.user, approve=asked.approve, why=asked.why)

    return ask.once(act, asked)


@router.post("/reidentifications/{request_id}/carry-out", summary="The document that the source alone can open, once")
def _carry_out(ask: Ask, request_id: RequestId, key: Key = None) -> Answer:  # noqa: ARG001
    ask.as_a(Role.STEWARD)

    def act() -> Answer:
        with TemporaryDirectory(prefix="enclos-") as folder:
            out = Path(folder) / "answer.json"
            told = reidentification.carry_out(ask.acting, request_id, out)
            return {
                **{name: value for name, value in told.items() if name != "file"},
                "answer": json.loads(out.read_bytes()),
            }

    return ask.once(act)
