"""Applications for permits: written by an applicant, handed to the access body, granted or refused by it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import Any

from enclos.app.enclosure import Enclosure
from enclos.app.permits import newest, sign_at_desk
from enclos.ledger.model import Action, Fact, Personal
from enclos.lexicon.canonical import sha256_hex
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.lexicon.refusals import Refusal, refusal
from enclos.permits.document import read_permit
from enclos.permits.document.fields import text_from_instant
from enclos.permits.model import Application, Move, Stage, Step
from enclos.permits.rules.applying import check_mover, moves_of, next_stage
from enclos.stores.application_files import ApplicationFiles, unknown

MAX_TEXT = 200_000
_MAX_WHY, _MIN_WORDS = 2000, 2


@dataclass(frozen=True, slots=True)
class Hand:
    """Who does something with an application, and whether they are of the access body."""

    person: str
    for_access_body: bool


def operator_hand(enclosure: Enclosure) -> Hand:
    """Whoever runs commands has the passphrase, and so the access body's key."""
    return Hand(f"access-body:{enclosure.operator}", for_access_body=True)


def new_id() -> str:
    """A number for an application that is not written yet; a form that is sent twice writes it once."""
    return secrets.token_hex(8)


def keep_application(enclosure: Enclosure, hand: Hand, text: str, *, application: str = "") -> dict[str, Any]:
    """Write an application's document, new or in the place of what it said; whether it is a permit is not asked yet.

    In: application — its number, from ``new_id``; a fresh one when not given
    Refuses: APPLICATION_TRANSITION, APPLICATION_PERSON, APPLICATION_UNKNOWN for a number of somebody else's draft.
    """
    if len(text) > MAX_TEXT or not text.strip():
        raise refusal(
            Code.PERMIT_INVALID, f"The document is empty or longer than {MAX_TEXT} characters.", "Mend the document."
        )
    number = application or new_id()
    with enclosure.at_the_desk():
        files = _files(enclosure)
        if files.has(number):
            before = _seen(enclosure, hand, number)
        else:
            before = Application(number, hand.person, text, Stage.DRAFT, ())
        if before.steps and before.text == text and Move.KEEP in _moves(before, hand):
            return _answer(before, hand)  # the form was sent twice
        return _moved(enclosure, hand, replace(before, text=text), Move.KEEP, "")


def ask_for(enclosure: Enclosure, hand: Hand, application: str) -> dict[str, Any]:
    """Hand an application to the access body; its document must read as a permit.

    Refuses: PERMIT_INVALID with every fault and its line; APPLICATION_TRANSITION, APPLICATION_PERSON.
    """
    with enclosure.at_the_desk():
        asked = _seen(enclosure, hand, application)
        check_mover(asked, Move.ASK, hand.person, for_access_body=hand.for_access_body)
        read_permit(asked.text, min_count_floor=enclosure.floor)
        return _moved(enclosure, hand, asked, Move.ASK, "")


def withdraw(enclosure: Enclosure, hand: Hand, application: str) -> dict[str, Any]:
    """Take an application back.

    Refuses: APPLICATION_TRANSITION, APPLICATION_PERSON.
    """
    with enclosure.at_the_desk():
        return _moved(enclosure, hand, _seen(enclosure, hand, application), Move.WITHDRAW, "")


def refuse(enclosure: Enclosure, hand: Hand, application: str, *, why: str) -> dict[str, Any]:
    """Refuse an application, with the reason that its applicant reads.

    Refuses: APPLICATION_TRANSITION, APPLICATION_PERSON; PERMIT_INVALID without a reason in words.
    """
    with enclosure.at_the_desk():
        asked = _seen(enclosure, hand, application)
        check_mover(asked, Move.REFUSE, hand.person, for_access_body=hand.for_access_body)
        _check_words(why)
        return _moved(enclosure, hand, asked, Move.REFUSE, why)


def grant(enclosure: Enclosure, hand: Hand, application: str, *, digest: str = "", why: str = "") -> dict[str, Any]:
    """Sign an application's document as a permit.

    In: digest — of the document that was looked at; another one is not signed
    Out: as the others, with ``permit``. Stopped between the signature and the note of it, the same call goes on.
    Refuses: what signing refuses; APPLICATION_TRANSITION, APPLICATION_PERSON; PERMIT_CHANGED.
    """
    with enclosure.at_the_desk():
        asked = _seen(enclosure, hand, application)
        check_mover(asked, Move.GRANT, hand.person, for_access_body=hand.for_access_body)
        if digest and digest != _digest(asked.text):
            raise refusal(
                Code.PERMIT_CHANGED, "The document was changed since it was looked at.", "Look at it again, then sign."
            )
        permit = read_permit(asked.text, min_count_floor=enclosure.floor)
        try:
            sign_at_desk(enclosure, asked.text, by=hand.person)
        except Refusal as refused:
            if refused.code is not Code.PERMIT_EXISTS or newest(enclosure, permit.id).permit != permit:
                raise
        return _moved(enclosure, hand, replace(asked, permit=permit.id), Move.GRANT, why)


def list_applications(enclosure: Enclosure, hand: Hand) -> dict[str, Any]:
    """The applications that a person may see, the newest first: one's own, and for the access body all that were asked.

    Empty: none.
    """
    files = _files(enclosure)
    seen = [each for each in map(files.read, files.ids()) if _may_see(each, hand)]
    seen.sort(key=lambda each: (each.steps[-1].at, each.id), reverse=True)
    return {"applications": [_summary(each, hand) for each in seen]}


def show_application(enclosure: Enclosure, hand: Hand, application: str) -> dict[str, Any]:
    """One application, its document, what was done with it, and what this person may do.

    Refuses: APPLICATION_UNKNOWN, also for another's draft.
    """
    return _answer(_seen(enclosure, hand, application), hand)


def people_of(enclosure: Enclosure) -> frozenset[str]:
    """Everybody who did something with an application, so that a review can say who they are."""
    files = _files(enclosure)
    return frozenset(step.by for each in files.ids() for step in files.read(each).steps)


# -- inside


def _moved(enclosure: Enclosure, hand: Hand, asked: Application, move: Move, why: str) -> dict[str, Any]:
    """Make a move; the caller is alone at the desk."""
    check_mover(asked, move, hand.person, for_access_body=hand.for_access_body)
    if len(why) > _MAX_WHY:
        raise refusal(Code.PERMIT_INVALID, f"The reason is longer than {_MAX_WHY} characters.", "Shorten it.")
    digest = _digest(asked.text)
    facts: dict[str, Fact] = {"what": move.value, "application": asked.id, "document": digest}
    if why:
        facts["why"] = Personal(why)
    with enclosure.ledger.intent(Action.APPLICATION, hand.person, asked.permit or None, facts) as ticket:
        step = Step(move, hand.person, enclosure.ledger.now().replace(microsecond=0), why, digest)
        after = replace(asked, stage=next_stage(asked.stage, move), steps=(*asked.steps, step))
        _files(enclosure).keep(after)
        ticket.facts.update({"stage": after.stage.value})
    return _answer(after, hand)


def _seen(enclosure: Enclosure, hand: Hand, application: str) -> Application:
    found = _files(enclosure).read(application)
    if not _may_see(found, hand):
        raise unknown()
    return found


def _may_see(application: Application, hand: Hand) -> bool:
    """A draft is its applicant's alone, and so is one that was taken back before it was asked for."""
    was_asked = any(step.move is Move.ASK for step in application.steps)
    return application.applicant == hand.person or (hand.for_access_body and was_asked)


def _moves(application: Application, hand: Hand) -> tuple[Move, ...]:
    return moves_of(application, hand.person, for_access_body=hand.for_access_body)


def _summary(application: Application, hand: Hand) -> dict[str, Any]:
    return {
        "application": application.id,
        "applicant": application.applicant,
        "stage": application.stage.value,
        "permit": application.permit,
        "begun_at": text_from_instant(application.steps[0].at),
        "changed_at": text_from_instant(application.steps[-1].at),
        "may": [move.value for move in _moves(application, hand)],
    }


def _answer(application: Application, hand: Hand) -> dict[str, Any]:
    return {
        **_summary(application, hand),
        "document": application.text,
        "digest": _digest(application.text),
        "steps": [
            {"move": step.move.value, "by": step.by, "at": text_from_instant(step.at), "why": step.why}
            for step in application.steps
        ],
    }


def _digest(text: str) -> str:
    return sha256_hex(text.encode("utf-8"))


def _check_words(why: str) -> None:
    if len(why.split()) < _MIN_WORDS:
        raise refusal(Code.PERMIT_INVALID, "Why is not said in words.", f"Write {_MIN_WORDS} words or more.")


def _files(enclosure: Enclosure) -> ApplicationFiles:
    return ApplicationFiles(enclosure.paths.applications, enclosure.keys.secret(KeyName(KeyRole.DESK)))
