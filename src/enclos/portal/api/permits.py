"""Permits: draft, sign, amend, renew, revoke, open, show."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field

from enclos.app import dictionary, permits
from enclos.app.destroying import list_due
from enclos.app.reviews import review_access
from enclos.app.sql import names_of
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.permits.document import whole_permit
from enclos.portal.api.asking import After, Answer, Ask, Body, HoweverWritten, Key, Limit, PermitId, page
from enclos.portal.api.continued import Continued
from enclos.signin.model import Role

router = APIRouter()
_OF_ALL = (Role.ACCESS_BODY, Role.AUDITOR, Role.STEWARD)
Text = Annotated[str, Field(min_length=1, max_length=500_000)]
Version = Annotated[int, Field(ge=0, le=2**31), HoweverWritten]
Reason = Annotated[str, Field(min_length=1, max_length=2000)]


class Document(Body):
    """A permit's document as YAML; ``files`` are the cohort definitions that it names, by their names."""

    document: Text
    files: dict[str, str] = Field(default_factory=dict, max_length=20)

    def whole(self) -> str:
        """The document with the cohort definitions in the place of their names."""

        def read(name: str) -> str:
            if name not in self.files:
                raise refusal(Code.PERMIT_INVALID, "A file of the document was not sent.", "Put it in `files`.")
            return self.files[name]

        return whole_permit(self.document, read)


class Amendment(Document):
    """A permit's next document; ``of_version`` is the version that was looked at."""

    reason: Reason
    of_version: Version = 0


class Renewal(Body):
    """Until when, as a day or an instant (UTC)."""

    until: str = Field(min_length=10, max_length=35)
    reason: Reason
    of_version: Version = 0


class End(Body):
    """Why a permit ends."""

    reason: Reason
    of_version: Version = 0


@router.get("/permits", summary="Permits: yours, or all for who grants and audits them")
def _permits(ask: Ask, after: After = "", limit: Limit = 50) -> Answer:
    rows = permits.list_all(ask.enclosure, of="" if ask.has(*_OF_ALL) else ask.user)["permits"]
    return page("permits", rows, "permit", after, limit)


@router.post("/permits", summary="Sign a permit, as the access body", status_code=201)
def _sign(ask: Ask, asked: Document, key: Key = None) -> Answer:  # noqa: ARG001 - a dependency reads it
    ask.as_a(Role.ACCESS_BODY)
    return ask.once(lambda: permits.sign(ask.enclosure, asked.whole(), by=ask.user), asked)


@router.get("/permit-draft", summary="A permit to fill in, as YAML")
def _draft(ask: Ask) -> Answer:
    ask.as_a(Role.ACCESS_BODY, Role.RESEARCHER)
    return {"document": permits.draft()}


@router.get("/permit-review", summary="Who had access to what in a year, and what is due")
def _review(
    ask: Ask,
    request: Request,
    year: Annotated[int | None, Query(ge=2000, le=2999)] = None,
    after: After = "",
    limit: Limit = 50,
) -> Answer:
    ask.as_a(Role.ACCESS_BODY, Role.AUDITOR)
    continued: Continued = request.app.state.continued
    told = continued.found(
        ask.user, f"permit-review {year}", lambda: review_access(ask.acting, year), goes_on=bool(after)
    )
    found = page("permits", told["permits"], "permit", after, limit, is_in_order=True)
    shown = {row["permit"] for row in found["permits"]}
    of_these = {
        "users": [row for row in told["users"] if shown & set(row["permits"])],
        "to_do": [sentence for row in found["permits"] for sentence in row["to_do"]],
    }
    return told | of_these | found


@router.get("/permits-due", summary="Ended permits and the last days of their data")
def _due(ask: Ask, after: After = "", limit: Limit = 50) -> Answer:
    ask.as_a(*_OF_ALL)
    told = list_due(ask.enclosure)
    return told | page("permits", told["permits"], "permit", after, limit, is_in_order=True)


@router.get("/permits/{permit}", summary="One permit, its document and versions")
def _permit(ask: Ask, permit: PermitId) -> Answer:
    ask.as_a(Role.RESEARCHER, *_OF_ALL)
    if not ask.has(*_OF_ALL):
        ask.of_mine(permit)
    return permits.show_one(ask.enclosure, permit)


@router.get("/permits/{permit}/tables", summary="The tables, columns and types that a permit opens")
def _tables(ask: Ask, permit: PermitId) -> Answer:
    ask.as_a(Role.RESEARCHER)
    ask.permit = permit
    version, names = names_of(ask.enclosure, permit=permit, user=ask.user)
    return {"permit": permit, "version": version, "tables": names}


@router.get("/permits/{permit}/dictionary", summary="The dictionary that was counted of what a permit opens")
def _dictionary(ask: Ask, permit: PermitId) -> Answer:
    ask.as_a(Role.RESEARCHER)
    ask.permit = permit
    return {"permit": permit, "dictionary": dictionary.show(ask.enclosure, permit=permit, user=ask.user)}


@router.post("/permits/{permit}/dictionary", summary="Count that dictionary, in the background", status_code=202)
def _count(ask: Ask, permit: PermitId, key: Key = None) -> Answer:  # noqa: ARG001
    return ask.begin("dictionary", {}, permit=permit, title="dictionary")


@router.post("/permits/{permit}/amend", summary="Replace a permit by a new version")
def _amend(ask: Ask, permit: PermitId, asked: Amendment, key: Key = None) -> Answer:  # noqa: ARG001
    ask.as_a(Role.ACCESS_BODY)
    ask.permit = permit
    text = asked.whole()

    def act() -> Answer:
        return permits.amend(ask.enclosure, text, reason=asked.reason, by=ask.user, of_version=asked.of_version)

    _check_names(text, permit, ask)
    return ask.once(act, asked)


@router.post("/permits/{permit}/renew", summary="Prolong a permit within the limits of its legal basis")
def _renew(ask: Ask, permit: PermitId, asked: Renewal, key: Key = None) -> Answer:  # noqa: ARG001
    ask.as_a(Role.ACCESS_BODY)
    ask.permit = permit
    end = _instant(asked.until)

    def act() -> Answer:
        return permits.renew(
            ask.enclosure, permit, until=end, reason=asked.reason, by=ask.user, of_version=asked.of_version
        )

    return ask.once(act, asked)


@router.post("/permits/{permit}/revoke", summary="End a permit now")
def _revoke(ask: Ask, permit: PermitId, asked: End, key: Key = None) -> Answer:  # noqa: ARG001
    ask.as_a(Role.ACCESS_BODY)
    ask.permit = permit

    def act() -> Answer:
        return permits.revoke(ask.enclosure, permit, reason=asked.reason, by=ask.user, of_version=asked.of_version)

    return ask.once(act, asked)


@router.post("/permits/{permit}/open", summary="Write a permit's perimeter, in the background", status_code=202)
def _open(ask: Ask, permit: PermitId, key: Key = None) -> Answer:  # noqa: ARG001
    ask.as_a(Role.ACCESS_BODY)
    permits.newest(ask.enclosure, permit)
    return ask.begin("permit-open", {"permit": permit}, title=permit)


def _check_names(text: str, permit: str, ask: Ask) -> None:
    from enclos.permits.document import read_permit

    if read_permit(text, min_count_floor=ask.enclosure.floor).id != permit:
        raise refusal(Code.PERMIT_INVALID, "The document is another permit's.", "Send it to that permit's address.")


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise refusal(Code.PERMIT_INVALID, "The new end is no day and no instant.", "Write YYYY-MM-DD.") from None
