"""Re-identification: from a permit's number back to the source that knows the person, and to nobody else.

The way is the circuit's, backwards, and nothing of it is stored: the perimeter under the permit's key gives the
warehouse's number, level two undone under its key gives the counter, the vault gives the source's pseudonym, and that
leaves sealed to the source's public key.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc

from enclos.app.enclosure import Enclosure
from enclos.app.keys import Passphrase
from enclos.app.permits import active, newest, perimeter_of
from enclos.app.senders import make_recipient_key, recipient_key
from enclos.app.snapshots import reading_snapshot
from enclos.ledger.model import Action, Fact, Personal
from enclos.lexicon.canonical import canonical_bytes, sha256_hex
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.lexicon.refusals import Refusal, refusal
from enclos.pseudonyms.steps.returning import source_keys
from enclos.rights.model import Decision, Event, Reason, Reidentification, State
from enclos.rights.rules import REASONS, check_decider, next_state, state_of
from enclos.stores.reidentification_files import (
    ReidentificationFiles,
    open_answer,
    read_recipient,
    write_answer,
)

_MIN_WORDS, _MAX_SIGNS, _FINGERPRINT = 2, 2000, 16


def make_key(folder: Path, *, source: str, passphrase: Passphrase, place: str) -> dict[str, Any]:
    """A source's own key for receiving answers, in a folder of the source; recipient.json is what others may have.

    Refuses: KEY_FIXED when there is one.
    """
    public = make_recipient_key(folder, source=source, passphrase=passphrase, place=place)
    return {"source": source, "public_key": public, "fingerprint": _fingerprint(public)}


def request(
    enclosure: Enclosure, *, permit: str, user: str, person: int, reason: str, text: str, recipient: Path
) -> dict[str, Any]:
    """Ask that a source be told which of its persons a permit's number stands for.

    In: person — as the permit's view shows it; reason — one of the closed list; recipient — the source's public key
    Out: request, state, expires_at, the fingerprint that the deciders compare with the source.
    Refuses: REIDENTIFY_REQUEST; what permits refuse of the user.
    """
    source, public = read_recipient(recipient)
    facts: dict[str, Fact] = {"what": "request", "person": Personal(str(person)), "text": Personal(text)}
    with (
        enclosure.at_the_desk(),
        enclosure.ledger.intent(Action.REIDENTIFY, user, permit, facts) as ticket,
    ):
        signed = active(enclosure, permit, user)
        why, now = _reason(reason), enclosure.ledger.now()
        _check_words(text)
        asked = Reidentification(
            secrets.token_hex(8),
            permit,
            person,
            source,
            public,
            why,
            text,
            user,
            tuple(sorted(signed.permit.involved_ids)),
            now,
            now + timedelta(hours=REASONS[why].max_hours),
        )
        _files(enclosure).keep(asked)
        ticket.facts.update({"request": asked.id, "reason": why.value, "source": source, "recipient": public})
    return _answer(enclosure, asked)


def decide(enclosure: Enclosure, request_id: str, *, user: str, approve: bool, why: str) -> dict[str, Any]:
    """Approve or refuse a request, as a named person outside the project; two must approve.

    Refuses: REIDENTIFY_PERSON, REIDENTIFY_TRANSITION, REIDENTIFY_UNKNOWN.
    """
    event = Event.APPROVE if approve else Event.REFUSE
    with enclosure.at_the_desk():
        asked = _files(enclosure).read(request_id)
        facts: dict[str, Fact] = {"what": event.value, "request": request_id, "why": Personal(why)}
        with enclosure.ledger.intent(Action.REIDENTIFY, user, asked.permit, facts) as ticket:
            _check_words(why)
            now = enclosure.ledger.now()
            check_decider(asked, user, newest(enclosure, asked.permit).permit.involved_ids)
            after = next_state(asked, event, now)
            asked = replace(asked, decisions=(*asked.decisions, Decision(user, approve, why, now)))
            _files(enclosure).keep(asked)
            ticket.facts.update({"state": after.value})
    return _answer(enclosure, asked)


def carry_out(enclosure: Enclosure, request_id: str, out: Path) -> dict[str, Any]:
    """Write the file that tells the source which person it is; the enclosure keeps nothing of it and cannot open it.

    Refuses: REIDENTIFY_TRANSITION before two persons approved, after it expired, or a second time; REIDENTIFY_NOBODY.
    """
    with enclosure.at_the_desk():
        asked = _files(enclosure).read(request_id)
        facts: dict[str, Fact] = {"what": "carry-out", "request": request_id, "person": Personal(str(asked.person))}
        with enclosure.ledger.intent(Action.REIDENTIFY, enclosure.operator, asked.permit, facts):
            next_state(asked, Event.CARRY_OUT, enclosure.ledger.now())
            found = _source_keys(enclosure, _warehouse_number(enclosure, asked), asked.source)
            if not found:
                raise _nobody("The person is not one of this source's.")
            content = {
                "request": asked.id,
                "source": asked.source,
                "reason": asked.reason.value,
                "text": asked.text,
                "pseudonyms": found,
            }
            write_answer(
                out,
                request=asked.id,
                source=asked.source,
                recipient=asked.recipient,
                content=canonical_bytes(content),
            )
            asked = replace(asked, carried_out_at=enclosure.ledger.now())
            _files(enclosure).keep(asked)
    return {**_answer(enclosure, asked), "file": str(out)}


def show_one(enclosure: Enclosure, request_id: str) -> dict[str, Any]:
    """One request with its reason, its source in the law, who decided what, and where it stands."""
    asked = _files(enclosure).read(request_id)
    decisions = [{"user": each.user, "approve": each.approve, "why": each.why} for each in asked.decisions]
    return {**_answer(enclosure, asked), "text": asked.text, "requester": asked.requester, "decisions": decisions}


def list_all(enclosure: Enclosure) -> dict[str, Any]:
    """Every request and where it stands."""
    files = _files(enclosure)
    return {"requests": [_answer(enclosure, files.read(each)) for each in files.ids()]}


def open_at_source(folder: Path, file: Path, passphrase: Passphrase) -> dict[str, Any]:
    """At the source: what an answer says. Needs no enclosure.

    Refuses: REIDENTIFY_FILE.
    """
    document: dict[str, Any] = json.loads(open_answer(file, recipient_key(folder, passphrase, file.name)))
    return document


def _warehouse_number(enclosure: Enclosure, asked: Reidentification) -> int:
    """The research wing's part: the permit's key opens the perimeter."""
    with reading_snapshot(enclosure) as (engine, snapshot):
        perimeter = perimeter_of(enclosure, asked.permit, engine, snapshot)
        if not perimeter.exists():
            raise _nobody("The permit was not opened.")
        rows = perimeter.rows()
    found = rows.filter(pc.field("permit_person") == int(asked.person))
    if found.num_rows != 1:
        raise _nobody("The permit shows nobody of this number.")
    return int(found["person_id"][0].as_py())


def _source_keys(enclosure: Enclosure, number: int, source: str) -> list[str]:
    """The vault wing's part: level two undone, and what the source calls the person."""
    cipher = enclosure.keys.blocks(KeyName(KeyRole.PSEUDONYM))
    with enclosure.vault_beside_readers() as engine:
        return source_keys(engine, cipher, np.array([number], dtype=np.int64), source)


def _reason(text: str) -> Reason:
    try:
        return Reason(text)
    except ValueError:
        listed = ", ".join(each.value for each in Reason)
        raise refusal(Code.REIDENTIFY_REQUEST, "This is no reason of the list.", f"Give one of: {listed}.") from None


def _check_words(text: str) -> None:
    if len(text.split()) < _MIN_WORDS or len(text) > _MAX_SIGNS:
        raise refusal(
            Code.REIDENTIFY_REQUEST, "Why is not said in words.", f"Write {_MIN_WORDS} words or more, in short."
        )


def _nobody(what: str) -> Refusal:
    return refusal(Code.REIDENTIFY_NOBODY, what, "Check the number and the source; open the permit on the last build.")


def _answer(enclosure: Enclosure, asked: Reidentification) -> dict[str, Any]:
    state = state_of(asked, enclosure.ledger.now())
    return {
        "request": asked.id,
        "permit": asked.permit,
        "source": asked.source,
        "reason": asked.reason.value,
        "legal_source": REASONS[asked.reason].source,
        "state": state.value,
        "expires_at": None if state is State.CARRIED_OUT else asked.expires_at.isoformat(timespec="seconds"),
        "fingerprint": _fingerprint(asked.recipient),
    }


def _fingerprint(public: str) -> str:
    return sha256_hex(bytes.fromhex(public))[:_FINGERPRINT]


def _files(enclosure: Enclosure) -> ReidentificationFiles:
    return ReidentificationFiles(enclosure.paths.reidentifications, enclosure.keys.secret(KeyName(KeyRole.DESK)))
