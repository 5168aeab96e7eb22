"""A citizen's question, answered: am I in, and which projects used my data?

It comes by the circuit, as a source's pseudonym sealed to this enclosure, and leaves sealed to the desk that asked. The
vault wing turns the pseudonym into a person number, the research wing asks each permit's perimeter for that number, and
neither is written anywhere. Who is in and who is not get answers of one size, by the same steps.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from enclos.app.enclosure import Enclosure
from enclos.app.objectors import Objectors
from enclos.app.permits import all_versions, perimeter_of
from enclos.app.proofs import entries_with_proofs
from enclos.app.register import ActsRead, entries_named, entries_of, permit_row
from enclos.app.snapshots import reading_snapshot
from enclos.ledger.model import Action, Fact, Personal
from enclos.ledger.rules.acts import Act
from enclos.ledger.rules.notes import verifying_key
from enclos.lexicon.canonical import canonical_bytes, sha256_hex
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.lexicon.refusals import Refusal
from enclos.permits.document.fields import text_from_instant
from enclos.pseudonyms.model import Objector
from enclos.pseudonyms.steps.objections import holders_of
from enclos.rights.model import Place
from enclos.rights.rules import check_question
from enclos.stores.engine import Engine
from enclos.stores.lake import LakeSnapshot
from enclos.stores.landing import LandingZone
from enclos.stores.question_files import (
    ENCLOSURE,
    check_free,
    digest_of,
    open_question,
    question_key,
    read_desk,
    read_question,
    write_answer,
    write_public,
)

_USES = frozenset({Action.STUDY, Action.SQL, Action.COHORT})
_LAST_USES = 50
"""Of each permit, how many uses are named with their entries; all are counted."""
_FINGERPRINT = 16
_NOBODY = -1
"""A number that no person has; it is looked for in the same places."""


def accept(enclosure: Enclosure, file: Path, out: Path) -> dict[str, Any]:
    """Let a desk ask for the persons of its source, in the place of the one before, and write what it needs to ask.

    Out: source, fingerprint (to compare with the desk's own), file
    Refuses: QUESTION_FILE
    """
    desk = read_desk(file)
    facts: dict[str, Fact] = {"what": "accept", "source": desk.source, "desk": digest_of(desk)}
    with enclosure.at_the_desk(), enclosure.ledger.intent(Action.QUESTION, enclosure.operator, facts=facts) as ticket:
        check_free(out)
        write_public(
            out,
            {
                "format": ENCLOSURE,
                "enclosure": enclosure.settings.enclosure.name,
                "origin": enclosure.ledger.origin,
                "question_key": question_key(_key(enclosure)),
                "ledger_key": verifying_key(enclosure.ledger.origin, enclosure.ledger.public_key),
            },
        )
        ticket.facts.update(facts)
    return {"source": desk.source, "fingerprint": digest_of(desk)[:_FINGERPRINT], "file": str(out)}


def dismiss(enclosure: Enclosure, source: str) -> dict[str, Any]:
    """Let nobody ask for the persons of a source any more."""
    facts: dict[str, Fact] = {"what": "dismiss", "source": source}
    with enclosure.at_the_desk(), enclosure.ledger.intent(Action.QUESTION, enclosure.operator, facts=facts) as ticket:
        was = enclosure.marks.desk_of(source)
        ticket.facts.update(facts)
    return {"source": source, "dismissed": was is not None}


def answer(enclosure: Enclosure, file: Path, out: Path) -> dict[str, Any]:
    """Answer a question into a file that its desk alone can open; the enclosure keeps a digest of it and no more.

    Out: question, file, n_bytes; nothing of what was answered.
    Refuses: QUESTION_FILE, QUESTION_PLACE, QUESTION_DESK, QUESTION_LATE, QUESTION_AGAIN; ENCLOSURE_BUSY while a build
        runs; LAKE_EMPTY before the first one.
    Source: Regulation (EU) 2016/679, Art. 15
    """
    with enclosure.at_the_desk():
        with enclosure.ledger.intent(Action.QUESTION, enclosure.operator, facts={"what": "answer"}) as ticket:
            check_free(out)
            question = read_question(file)
            digest, key = digest_of(question.desk), _key(enclosure)
            ticket.facts.update({"what": "answer", "question": question.id, "desk": digest})
            now = enclosure.ledger.now()
            check_question(
                question,
                origin=enclosure.ledger.origin,
                key=question_key(key),
                accepted=enclosure.marks.desk_of(question.desk.source),
                desk=digest,
                is_answered=enclosure.marks.is_answered(question.id),
                now=now,
            )
            asked = open_question(question, key)
            ticket.facts["asked"] = Personal(
                f"question\n{question.id}\n{asked.source}\n{asked.pseudonym}\n{asked.rank}"
            )
            read = ActsRead(enclosure.ledger, {Action.BUILD})
            text, indices = _content(enclosure, question.id, asked, now, read.acts())
            ticket.facts["answer"] = sha256_hex(text)
        own = next(index for index, entry in enclosure.ledger.entries(ticket.index) if entry.intent == ticket.index)
        proofs = entries_with_proofs(enclosure, sorted({ticket.index, own, *indices}), read.entries)
        content = canonical_bytes({"answer": text.decode("utf-8"), "proofs": proofs})
        n_bytes = write_answer(out, question, content)
    return {"question": question.id, "file": str(out), "n_bytes": n_bytes}


def _content(
    enclosure: Enclosure, question: str, asked: Objector, now: datetime, acts: Sequence[Act]
) -> tuple[bytes, list[int]]:
    """The answer, as long for everybody; and the entries that it names."""
    numbers, n_holders = _numbers(enclosure, asked)
    chains = all_versions(enclosure)
    with reading_snapshot(enclosure) as (engine, snapshot):
        places = {
            chain[-1].permit.id: _place(enclosure, chain[-1].permit.id, engine, snapshot, numbers) for chain in chains
        }
        if n_holders > 1:
            places = {
                each: Place.UNCLEAR if place in {Place.IN, Place.OUT} else place for each, place in places.items()
            }
    objecting = Objectors(enclosure)
    objects = any([number in objecting for number in numbers.tolist()])  # noqa: C419 - all of them, whoever they are
    permits = [_permit(permit_row(chain, acts, now), acts) for chain in chains]
    content: dict[str, Any] = {
        "v": 1,
        "question": question,
        "enclosure": enclosure.settings.enclosure.name,
        "answered_at": text_from_instant(now),
        "permits": permits,
        "snapshots": _snapshots(acts),
        "salt": secrets.token_hex(32),
    }
    known = "no" if not n_holders else "yes" if n_holders == 1 else "several"
    person = {"known": known, "objects": objects, "places": {each: place.value for each, place in places.items()}}
    longest = {
        "known": "several",
        "objects": False,
        "places": {each: max((place.value for place in Place), key=len) for each in places},
    }
    text = canonical_bytes({**content, "person": person})
    return text.ljust(len(canonical_bytes({**content, "person": longest}))), _named(permits)


def _numbers(enclosure: Enclosure, asked: Objector) -> tuple[NDArray[np.int64], int]:
    """The vault wing's part: under which numbers somebody stands in the warehouse, and how many hold the pseudonym."""
    with enclosure.vault_beside_readers() as engine:
        landing = LandingZone(engine, enclosure.paths.vault / "landed", enclosure.keys)
        numbers, now = holders_of(engine, landing, asked)
    return numbers, len(now)


def _place(
    enclosure: Enclosure, permit: str, engine: Engine, snapshot: LakeSnapshot, numbers: NDArray[np.int64]
) -> Place:
    """The research wing's part: what one permit's perimeter says of these numbers. As many buckets for nobody."""
    try:
        perimeter = perimeter_of(enclosure, permit, engine, snapshot)
        if not perimeter.exists():
            return Place.UNOPENED
    except Refusal as refused:
        if refused.code is Code.KEY_MISSING:
            return Place.DESTROYED
        raise
    wanted = numbers if len(numbers) else np.array([_NOBODY])
    buckets = sorted(set((wanted % enclosure.n_buckets).tolist()))
    return Place.IN if any(np.isin(wanted, perimeter.persons(bucket)).any() for bucket in buckets) else Place.OUT


def _permit(row: dict[str, Any], acts: Sequence[Act]) -> dict[str, Any]:
    """A permit as the register has it, when it was last opened, and what was done with its data since."""
    own = [act for act in acts if act.permit == row["permit"]]
    openings = [act for act in own if act.action is Action.PERMIT_OPEN]
    last = openings[-1] if openings else None
    uses = [act for act in own if act.action in _USES and last is not None and act.at >= last.at]
    return {
        **{name: row[name] for name in ("permit", "holder", "purpose", "legal_basis", "data", "opt_out", "state")},
        **{name: row[name] for name in ("valid_from", "valid_until", "ended_at", "releases")},
        "opened": None if last is None else _act(last),
        "n_openings": len(openings),
        "n_uses": len(uses),
        "uses": [_act(act) for act in uses[-_LAST_USES:]],
        "entries": sorted(
            {
                *entries_named({"permits": [row]}),
                *(index for act in (*openings[-1:], *uses[-_LAST_USES:]) for index in entries_of(act)),
            }
        ),
    }


def _act(act: Act) -> dict[str, Any]:
    return {
        "what": act.action.value,
        "at": text_from_instant(act.at),
        "snapshot": act.facts.get("snapshot"),
        "entries": entries_of(act),
    }


def _snapshots(acts: Sequence[Act]) -> list[dict[str, Any]]:
    """Every build, with the day it was made on."""
    return [
        {"snapshot": act.facts["snapshot"], "built_at": text_from_instant(act.at)}
        for act in acts
        if act.action is Action.BUILD and "snapshot" in act.facts
    ]


def _named(permits: Sequence[dict[str, Any]]) -> list[int]:
    return sorted({index for permit in permits for index in permit["entries"]})


def _key(enclosure: Enclosure) -> SecretKey:
    return enclosure.keys.secret(KeyName(KeyRole.DESK))
