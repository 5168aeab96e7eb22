"""Applications for permits: write, ask, withdraw, grant, refuse."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from enclos.app import applications
from enclos.app.applications import Hand
from enclos.portal.api.asking import After, Answer, Ask, Asking, Body, Key, Limit, page
from enclos.portal.api.permits import Document
from enclos.signin.model import Role

router = APIRouter()
ApplicationId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]


class Why(Body):
    """The reason that the applicant reads."""

    why: str = Field(min_length=1, max_length=2000)


class Grant(Body):
    """``digest`` is that of the document that was looked at; another one is not signed."""

    digest: str = Field(default="", max_length=64)


@router.get("/applications", summary="Applications: yours; for the access body all that were asked for")
def _list(ask: Ask, after: After = "", limit: Limit = 50) -> Answer:
    rows = applications.list_applications(ask.enclosure, _hand(ask))["applications"]
    return page("applications", rows, "application", after, limit, is_in_order=True)


@router.post("/applications", summary="Write an application", status_code=201)
def _new(ask: Ask, asked: Document, key: Key = None) -> Answer:  # noqa: ARG001 - a dependency reads it
    text = asked.whole()
    hand = _hand(ask)
    return ask.once(lambda: applications.keep_application(ask.enclosure, hand, text), asked)


@router.get("/applications/{application}", summary="One application, and what you may do with it")
def _show(ask: Ask, application: ApplicationId) -> Answer:
    return applications.show_application(ask.enclosure, _hand(ask), application)


@router.post("/applications/{application}/keep", summary="Write it anew")
def _keep(ask: Ask, application: ApplicationId, asked: Document, key: Key = None) -> Answer:  # noqa: ARG001
    hand, text = _hand(ask), asked.whole()
    applications.show_application(ask.enclosure, hand, application)
    return ask.once(lambda: applications.keep_application(ask.enclosure, hand, text, application=application), asked)


@router.post("/applications/{application}/ask", summary="Hand it to the access body")
def _ask(ask: Ask, application: ApplicationId, key: Key = None) -> Answer:  # noqa: ARG001
    hand = _hand(ask)
    return ask.once(lambda: applications.ask_for(ask.enclosure, hand, application))


@router.post("/applications/{application}/withdraw", summary="Take it back")
def _withdraw(ask: Ask, application: ApplicationId, key: Key = None) -> Answer:  # noqa: ARG001
    hand = _hand(ask)
    return ask.once(lambda: applications.withdraw(ask.enclosure, hand, application))


@router.post("/applications/{application}/refuse", summary="Refuse it")
def _refuse(ask: Ask, application: ApplicationId, asked: Why, key: Key = None) -> Answer:  # noqa: ARG001
    ask.as_a(Role.ACCESS_BODY)
    hand = _hand(ask)
    return ask.once(lambda: applications.refuse(ask.enclosure, hand, application, why=asked.why), asked)


@router.post("/applications/{application}/grant", summary="Sign its document as a permit")
def _grant(ask: Ask, application: ApplicationId, asked: Grant, key: Key = None) -> Answer:  # noqa: ARG001
    ask.as_a(Role.ACCESS_BODY)
    hand = _hand(ask)
    return ask.once(lambda: applications.grant(ask.enclosure, hand, application, digest=asked.digest), asked)


def _hand(ask: Asking) -> Hand:
    ask.as_a(Role.RESEARCHER, Role.ACCESS_BODY)
    return Hand(ask.user, for_access_body=ask.has(Role.ACCESS_BODY))
