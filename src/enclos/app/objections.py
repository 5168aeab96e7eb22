"""Objections: recorded, withdrawn and listed under the pseudonyms of their circuits."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from enclos.app.enclosure import Enclosure
from enclos.app.objectors import Objectors, resolve_objections
from enclos.ledger.model import Action, Fact, Personal
from enclos.pseudonyms.model import Objector
from enclos.pseudonyms.steps.objections import count_objections, list_objections, record_objections, withdraw_objections

_RECEIPT_BYTES = 12


def add_objections(enclosure: Enclosure, objectors: Sequence[Objector]) -> dict[str, Any]:
    """Record objections; the next query of every permit that follows them no longer sees these persons.

    Out: recorded, already, receipts (in the order given). Whether a person is known is not told.
    Refuses: ENCLOSURE_BUSY while a build runs.
    """
    facts: dict[str, Fact] = {"what": "add", "n": len(objectors), "subjects": _subjects(objectors)}
    with enclosure.ledger.intent(Action.OPT_OUT, enclosure.operator, None, facts) as ticket:
        receipts = [secrets.token_hex(_RECEIPT_BYTES) for _ in objectors]
        with enclosure.vault_beside_readers() as engine:
            kept = record_objections(engine, objectors, receipts, recorded_at=enclosure.ledger.now())
            ticket.facts.update({"objections": resolve_objections(enclosure, engine)})
        n_new = sum(is_new for _, is_new in kept)
        ticket.facts.update({"n_new": n_new})
    return {"recorded": n_new, "already": len(kept) - n_new, "receipts": [receipt for receipt, _ in kept]}


def remove_objections(
    enclosure: Enclosure, objectors: Sequence[Objector] = (), *, receipts: Sequence[str] = ()
) -> dict[str, Any]:
    """Withdraw objections by their pseudonyms or receipts; permits see the persons again.

    Out: withdrawn, unknown.
    Refuses: ENCLOSURE_BUSY while a build runs.
    """
    n_asked = len(objectors) + len(receipts)
    facts: dict[str, Fact] = {"what": "remove", "n": n_asked, "subjects": _subjects(objectors, receipts)}
    with enclosure.ledger.intent(Action.OPT_OUT, enclosure.operator, None, facts) as ticket:
        with enclosure.vault_beside_readers() as engine:
            n_ended = withdraw_objections(engine, objectors, receipts, withdrawn_at=enclosure.ledger.now())
            ticket.facts.update({"objections": resolve_objections(enclosure, engine)})
        ticket.facts.update({"n_ended": n_ended})
    return {"withdrawn": n_ended, "unknown": n_asked - n_ended}


def list_all(enclosure: Enclosure) -> dict[str, Any]:
    """Every objection with its receipt, source and days, and how many stand; never a pseudonym.

    What stands also holds: a change that was stopped between the vault and the table that queries read is ended first.
    """
    with enclosure.vault_beside_readers() as engine:
        if enclosure.marks.objections_broken_off():
            with enclosure.ledger.intent(Action.OPT_OUT, enclosure.operator, None, {"what": "finish"}) as ticket:
                ticket.facts.update({"objections": resolve_objections(enclosure, engine)})
        rows = list_objections(engine)
    for row in rows:
        row.update({name: _instant(row[name]) for name in ("recorded_at", "withdrawn_at")})
    n_standing = sum(row["withdrawn_at"] is None for row in rows)
    return {"standing": n_standing, "withdrawn": len(rows) - n_standing, "objections": rows}


def objections_by_source(enclosure: Enclosure) -> dict[str, Any]:
    """How many objections stand by source, and how many persons of the snapshots no view shows; changes nothing.

    Out: sources (standing, withdrawn, recorded_at and withdrawn_at of the last), n_persons, revision of the table that
        queries read, broken_off: a change that was stopped and is ended by the next
    Refuses: ENCLOSURE_BUSY while the vault is written.
    """
    with enclosure.vault_to_look() as engine:
        sources = count_objections(engine) if engine else []
    return {
        "sources": [
            {**row, **{name: _instant(row[name]) for name in ("recorded_at", "withdrawn_at")}} for row in sources
        ],
        "n_persons": len(Objectors(enclosure)),
        "revision": enclosure.marks.objections(),
        "broken_off": enclosure.marks.objections_broken_off(),
    }


def _instant(at: datetime | None) -> str | None:
    """An instant of the vault, which is UTC."""
    return at.isoformat(timespec="seconds") + "Z" if at else None


def _subjects(objectors: Sequence[Objector], receipts: Sequence[str] = ()) -> Personal:
    """Whom an entry is about, for its salted digest."""
    keys = {f"{each.source}\n{each.pseudonym}\n{'' if each.rank is None else each.rank}" for each in objectors}
    return Personal("\n\n".join(sorted(keys | set(receipts))))
