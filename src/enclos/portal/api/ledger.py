"""The ledger: its head, entries with their proofs, its verification, the monthly review."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field

from enclos.app.auditing import Sought, explore, show_entry
from enclos.app.ledger import show_from, verify
from enclos.app.monthly import review_month
from enclos.app.proofs import entries_with_proofs
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.portal.api.asking import AfterIndex, Answer, Ask, Body, Key, Limit
from enclos.signin.model import Role

router = APIRouter()
Word = Annotated[str, Query(max_length=100)]
Day = Annotated[date | None, Query()]
Index = Annotated[int, Path(ge=0, le=2**53)]


class Proving(Body):
    """The ledger's public key, where it is known from elsewhere."""

    key: str = Field(default="", max_length=500)


class Reviewing(Body):
    """Which month, as ``YYYY-MM``; the last one when not given."""

    month: str | None = Field(default=None, pattern=r"^[0-9]{4}-[0-9]{2}$")


@router.get("/ledger", summary="The ledger's head")
def _ledger(ask: Ask) -> Answer:
    ledger = ask.enclosure.ledger
    note = ledger.checkpoint().decode("utf-8")
    return {"origin": ask.enclosure.settings.ledger.origin, "size": int(note.splitlines()[1]), "checkpoint": note}


@router.get("/ledger/entries", summary="Entries of the ledger, for the auditor")
def _entries(
    ask: Ask,
    after: AfterIndex = "",
    limit: Limit = 50,
    start: Annotated[int, Query(ge=0, le=2**53, description="The first entry, where there is no `after`.")] = 0,
) -> Answer:
    ask.as_a(Role.AUDITOR)
    told = show_from(ask.enclosure, int(after) + 1 if after else start, limit)
    last = told["entries"][-1]["index"] if told["entries"] else told["size"]
    return told | {"next": str(last) if last + 1 < told["size"] else ""}


@router.get("/ledger/acts", summary="What was done, by whom and how it ended, the newest first")
def _acts(
    ask: Ask,
    action: Word = "",
    actor: Word = "",
    permit: Word = "",
    outcome: Word = "",
    since: Day = None,
    until: Day = None,
    after: AfterIndex = "",
    limit: Limit = 50,
    before: Annotated[int | None, Query(ge=0, le=2**53, description="As `after`: look back from there.")] = None,
) -> Answer:
    ask.as_a(Role.AUDITOR)
    sought = Sought(action, actor, permit, outcome, _within(since), _within(until))
    told = explore(ask.enclosure, sought, int(after) if after else before, limit)
    return told | {"next": "" if told["older"] is None else str(told["older"])}


@router.get("/ledger/entries/{index}", summary="One entry as it was hashed, with its proof, for the auditor")
def _entry(ask: Ask, index: Index) -> Answer:
    ask.as_a(Role.AUDITOR)
    shown = show_entry(ask.enclosure, index)
    if shown is None:
        raise refusal(Code.LEDGER_MISSING, "The ledger has no such entry.", "See its size at /api/ledger.")
    return shown


@router.get("/ledger/entries/{index}/proof", summary="That an entry is in the ledger, for who checks it elsewhere")
def _proof(ask: Ask, index: Index) -> Answer:
    ask.as_a(Role.AUDITOR)
    if index >= ask.enclosure.ledger.size():
        raise refusal(Code.LEDGER_MISSING, "The ledger has no such entry.", "See its size at /api/ledger.")
    return entries_with_proofs(ask.enclosure, [index])


@router.get("/ledger/verify", summary="Prove that nothing in the ledger was altered, lost or reordered")
def _verify(ask: Ask, key: Annotated[str, Query(max_length=500)] = "") -> Answer:
    ask.as_a(Role.AUDITOR)
    return verify(ask.enclosure.paths.root, key=key)


@router.post("/ledger/verify", summary="The same in the background, for a long ledger", status_code=202)
def _verify_long(ask: Ask, asked: Proving | None = None, key: Key = None) -> Answer:  # noqa: ARG001 - a dependency reads it
    return ask.begin("ledger-verify", (asked or Proving()).model_dump())


@router.post(
    "/ledger/review", summary="A month's review in the background, with its page in each language", status_code=202
)
def _review_long(ask: Ask, asked: Reviewing | None = None, key: Key = None) -> Answer:  # noqa: ARG001
    given = (asked or Reviewing()).model_dump()
    return ask.begin("ledger-review", given, title=given["month"] or "")


@router.get("/ledger/review", summary="What was done in a month, and what somebody must look at")
def _review(
    ask: Ask,
    month: Annotated[str | None, Query(pattern=r"^[0-9]{4}-[0-9]{2}$", description="The last one.")] = None,
) -> Answer:
    ask.as_a(Role.AUDITOR, Role.ACCESS_BODY)
    return review_month(ask.acting, month)


def _within(day: date | None) -> date | None:
    """A day that has a day after it."""
    return None if day is None else max(date(1970, 1, 1), min(day, date(2999, 12, 31)))
