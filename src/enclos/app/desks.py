"""At a desk that knows identities, without an enclosure: put a citizen's question, read the answer."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from enclos.app.keys import Passphrase
from enclos.app.proofs import proved_entries
from enclos.app.senders import desk_key, has_key, make_recipient_key
from enclos.ledger.model import Action, Outcome
from enclos.lexicon.canonical import sha256_hex
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.pseudonyms.model import Objector
from enclos.rights.model import Place, Question
from enclos.rights.rules import QUESTION_DAYS
from enclos.stores.question_files import (
    DESK,
    check_free,
    desk_of,
    digest_of,
    open_answer,
    read_enclosure,
    write_public,
    write_question,
)

DESK_FILE = "desk.json"
FINGERPRINT = 16
_NOT_KNOWN = (
    "whether a count or an estimate took you in: sums keep no trace of single persons",
    "perimeters of before the last opening of a permit: each opening replaces the one before",
    "what a permit saw whose key was destroyed",
    "what was done with data outside this enclosure before they were delivered to it",
)


def make_desk(folder: Path, *, source: str, passphrase: Passphrase, place: str) -> dict[str, Any]:
    """A desk's key, and desk.json to hand out; of a folder that has a source's key for answers, desk.json alone.

    Out: source, fingerprint, file
    Refuses: QUESTION_DESK when the folder is another source's
    """
    if not has_key(folder):
        make_recipient_key(folder, source=source, passphrase=passphrase, place=place)
    own, key = desk_key(folder, passphrase, DESK_FILE)
    if own != source:
        raise refusal(Code.QUESTION_DESK, "The folder is another source's.", "Name a folder for each source.")
    desk = desk_of(source, key)
    write_public(folder / DESK_FILE, {"format": DESK, "desk": desk.as_json()})
    return {"source": source, "fingerprint": digest_of(desk)[:FINGERPRINT], "file": str(folder / DESK_FILE)}


def ask(
    folder: Path, enclosure: Path, out: Path, *, asked: Objector, passphrase: Passphrase, days: int = QUESTION_DAYS
) -> dict[str, Any]:
    """Write a question that one enclosure can open; the identity is not in it, and the pseudonym in no file in clear.

    In: enclosure — the file that the enclosure gave when it accepted the desk; asked — by the source's pseudonym
    Refuses: QUESTION_FILE, QUESTION_DESK when the person is another source's
    """
    check_free(out)
    known = read_enclosure(enclosure)
    source, key = desk_key(folder, passphrase, out.name)
    if asked.source != source:
        raise refusal(Code.QUESTION_DESK, "The person is another source's.", "Let that source's desk ask.")
    now = datetime.now(UTC).replace(microsecond=0)
    question = Question(
        f"q-{secrets.token_hex(16)}",
        known["origin"],
        known["question_key"],
        desk_of(source, key),
        now,
        now + timedelta(days=min(days, QUESTION_DAYS)),
        b"",
    )
    write_question(out, question, asked, key)
    return {"question": question.id, "expires_at": question.expires_at.isoformat(), "file": str(out)}


def open_one(folder: Path, file: Path, enclosure: Path, *, passphrase: Passphrase) -> dict[str, Any]:
    """What the enclosure answered, once the ledger that it signed is found to contain this answer and all it names.

    Out: question, known (yes, no, several), objection, permits (those that had the person in: what for, who, when
        opened, uses, releases, each with its ledger entries), elsewhere (permits by what is known of them), not_known
    Refuses: QUESTION_FILE, LEDGER_UNSIGNED, LEDGER_DAMAGED
    """
    trusted = read_enclosure(enclosure)
    _, key = desk_key(folder, passphrase, file.name)
    question, plain = open_answer(file, key)
    try:
        document = json.loads(plain)
        text, proofs = document["answer"], document["proofs"]
        content = json.loads(text)
    except (ValueError, KeyError, TypeError):
        raise _not_proved() from None
    entries = proved_entries(proofs, trusted["ledger_key"])
    digest = sha256_hex(text.encode("utf-8"))
    own = [
        index
        for index, entry in entries.items()
        if (entry.action, entry.outcome) == (Action.QUESTION, Outcome.DONE)
        and (entry.facts.get("question"), entry.facts.get("answer")) == (question.id, digest)
    ]
    named = {index for permit in content["permits"] for index in permit["entries"]}
    if not own or content["question"] != question.id or not named <= entries.keys():
        raise _not_proved()
    places: Mapping[str, str] = content["person"]["places"]
    return {
        "question": question.id,
        "enclosure": content["enclosure"],
        "answered_at": content["answered_at"],
        "known": content["person"]["known"],
        "objection": content["person"]["objects"],
        "permits": [each for each in content["permits"] if places[each["permit"]] == Place.IN.value],
        "elsewhere": {permit: place for permit, place in places.items() if place != Place.IN.value},
        "snapshots": content["snapshots"],
        "not_known": list(_NOT_KNOWN),
        "proved": {"answer": own[0], "n_entries": len(entries), "origin": trusted["origin"]},
    }


def _not_proved() -> Exception:
    return refusal(Code.QUESTION_FILE, "The ledger does not say that this was answered.", "Ask anew.")
