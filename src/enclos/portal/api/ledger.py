"""The ledger: its head, entries with their proofs, its verification, the monthly review."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from enclos.app.ledger import show_from, verify
from enclos.app.monthly import review_month
from enclos.app.proofs import entries_with_proofs
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.portal.api.asking import Answer, Ask, Limit
from enclos.signin.model import Role

router = APIRouter()
Index = Annotated[int, Path(ge=0, le=2**53)]


@router.get("/ledger", summary="The ledger's head")
def _ledger(ask: Ask) -> Answer:
    ledger = ask.enclosure.ledger
    note = ledger.checkpoint().decode("utf-8")
    return {"origin": ask.enclosure.settings.ledger.origin, "size": int(note.splitlines()[1]), "checkpoint": note}


@router.get("/ledger/entries", summary="Entries of the ledger, for the auditor")
def _entries(ask: Ask, start: Annotated[int, Query(ge=0, le=2**53)] = 0, limit: Limit = 50) -> Answer:
    ask.as_a(Role.AUDITOR)
    return show_from(ask.enclosure, start, limit)


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


@router.get("/ledger/review", summary="What was done in a month, and what somebody must look at")
def _review(
    ask: Ask,
    month: Annotated[str | None, Query(pattern=r"^[0-9]{4}-[0-9]{2}$", description="The last one.")] = None,
) -> Answer:
    ask.as_a(Role.AUDITOR)
    return review_month(ask.acting, month)
