"""Releases: check, ask, look, question, vote, export, verify."""

from __future__ import annotations

from pathlib import Path as File
from tempfile import TemporaryDirectory
from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi import Body as Sent
from fastapi.responses import Response
from pydantic import Field

from enclos.app import looks, releases
from enclos.app.tables import refuse_file
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.portal.api.asking import After, Answer, Ask, Body, Key, Limit, RequestId, page
from enclos.signin.model import Role

router = APIRouter()
_ZIP = "application/zip"
Number = Annotated[int, Path(ge=1, le=10_000)]


class CheckAsked(Body):
    """A run that is looked at as if it were asked to leave."""

    permit: str = Field(min_length=1, max_length=64)
    run: str = Field(min_length=1, max_length=64)
    tables: list[str] = Field(default_factory=list, max_length=50)


class ReleaseAsked(CheckAsked):
    """A run whose result is asked to leave."""

    purpose: str = Field(min_length=1, max_length=2000)


class Vote(Body):
    """A vote on exactly what ``content`` is the hash of."""

    accept: bool
    reason: str = Field(min_length=1, max_length=2000)
    content: str = Field(default="", max_length=64)


class Words(Body):
    """What somebody asks or answers."""

    text: str = Field(min_length=1, max_length=2000)


@router.get("/releases", summary="Requests: of your permits, or all for who votes and audits")
def _releases(
    ask: Ask,
    after: After = "",
    limit: Limit = 50,
    queue: Annotated[bool, Query(description="What waits for your vote, or has it, as a checker.")] = False,
) -> Answer:
    if queue:
        ask.as_a(Role.CHECKER)
        mine = looks.queue(ask.enclosure, user=ask.user)
        return page("requests", mine["waiting"] + mine["voted"], "request", after, limit, is_in_order=True)
    told = looks.list_all(ask.enclosure)
    rows = told["requests"]
    if not ask.has(Role.CHECKER, Role.AUDITOR):
        own = ask.permits()
        rows = [row for row in rows if row["permit"] in own]
    found = page("requests", rows, "request", after, limit)
    shown = {row["permit"] for row in found["requests"]}
    return {**found, "volume": [row for row in told["volume"] if row["permit"] in shown]}


@router.post("/releases", summary="Ask for a run's result to leave", status_code=201)
def _request(ask: Ask, asked: ReleaseAsked, key: Key = None) -> Answer:  # noqa: ARG001 - a dependency reads it
    ask.as_a(Role.RESEARCHER)
    refuse_file(asked.run)

    def act() -> Answer:
        return releases.request(
            ask.enclosure,
            permit=asked.permit,
            user=ask.user,
            run=asked.run,
            purpose=asked.purpose,
            tables=asked.tables,
        )

    return ask.once(act, asked)


@router.post("/releases/check", summary="What a request would be answered")
def _check(ask: Ask, asked: CheckAsked) -> Answer:
    ask.as_a(Role.RESEARCHER)
    refuse_file(asked.run)
    return releases.check(ask.enclosure, permit=asked.permit, user=ask.user, run=asked.run, tables=asked.tables)


@router.post("/releases/verify", summary="Check a package (ZIP) against a key that you trust, or this enclosure's")
def _verify(
    ask: Ask,
    package: Annotated[bytes, Sent(media_type=_ZIP)],
    key: Annotated[str, Query(max_length=64)] = "",
) -> Answer:
    trusted = key or ask.enclosure.keys.public(KeyName(KeyRole.RELEASE)).hex()
    with TemporaryDirectory(prefix="enclos-") as folder:
        file = File(folder) / "package.zip"
        file.write_bytes(package)
        return {**releases.verify(file, trusted), "key": trusted}


@router.get("/releases/{request_id}", summary="One request")
def _release(ask: Ask, request_id: RequestId) -> Answer:
    ask.as_a(Role.CHECKER, Role.RESEARCHER)
    if ask.has(Role.CHECKER):
        return looks.show_one(ask.enclosure, request_id)
    return looks.show_own(ask.enclosure, request_id, user=ask.user)


@router.get("/releases/{request_id}/evidence", summary="What the machine counted, hid and why")
def _evidence(ask: Ask, request_id: RequestId) -> Answer:
    ask.as_a(Role.CHECKER)
    return looks.evidence(ask.acting, request_id)


@router.get("/releases/{request_id}/numbers", summary="Each number that would leave, for who may vote")
def _numbers(ask: Ask, request_id: RequestId) -> Answer:
    ask.as_a(Role.CHECKER)
    return looks.look(ask.enclosure, request_id, user=ask.user)


@router.post("/releases/{request_id}/questions", summary="Ask the project about a request", status_code=201)
def _ask(ask: Ask, request_id: RequestId, asked: Words, key: Key = None) -> Answer:  # noqa: ARG001
    ask.as_a(Role.CHECKER)
    return ask.once(lambda: releases.ask(ask.enclosure, request_id, user=ask.user, text=asked.text), asked)


@router.post("/releases/{request_id}/questions/{number}/answer", summary="Answer a question", status_code=201)
def _answer(ask: Ask, request_id: RequestId, number: Number, asked: Words, key: Key = None) -> Answer:  # noqa: ARG001
    ask.as_a(Role.RESEARCHER)
    looks.show_own(ask.enclosure, request_id, user=ask.user)

    def act() -> Answer:
        return releases.answer(ask.enclosure, request_id, number, user=ask.user, text=asked.text)

    return ask.once(act, asked)


@router.post("/releases/{request_id}/votes", summary="Vote on a request", status_code=201)
def _vote(ask: Ask, request_id: RequestId, vote: Vote, key: Key = None) -> Answer:  # noqa: ARG001
    ask.as_a(Role.CHECKER)

    def act() -> Answer:
        return releases.review(
            ask.enclosure,
            request_id,
            user=ask.user,
            accept=vote.accept,
            reason=vote.reason,
            content=vote.content,
        )

    return ask.once(act, vote)


@router.post(
    "/releases/{request_id}/export",
    summary="The accepted result as a signed package (ZIP), once for each person of its permit; again for 15 minutes",
    response_class=Response,
    responses={200: {"content": {_ZIP: {}}}},
)
def _export(ask: Ask, request_id: RequestId, key: Key = None) -> Response:  # noqa: ARG001
    ask.as_a(Role.RESEARCHER)
    ask.once(lambda: {"request": request_id})  # the bytes are the desk's to keep, the key stands for asking for them
    content = releases.package_of(ask.enclosure, request_id, user=ask.user)
    name = f'attachment; filename="{request_id}.zip"'
    return Response(content, media_type=_ZIP, headers={"Content-Disposition": name})
