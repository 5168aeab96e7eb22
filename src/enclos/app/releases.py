"""Releases: ask, look, vote, export, verify."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from enclos.app.enclosure import Enclosure
from enclos.app.permits import active, newest, perimeter_of, permit_key
from enclos.app.snapshots import reading_snapshot
from enclos.app.studies import run_files
from enclos.contracts.result import PersonNumbers
from enclos.ledger.model import Action, Fact, Personal
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.lexicon.refusals import refusal
from enclos.permits.model import SignedPermit
from enclos.permits.rules.life import check_in_force
from enclos.release.model import PermitFacts
from enclos.release.steps import (
    Renumber,
    export_release,
    list_requests,
    mark_exported,
    request_release,
    review_release,
    show_request,
)
from enclos.stores.keys import KeySigner
from enclos.stores.release_files import ArchiveFiles, DeskFiles, verify_package, write_package

_KEY_HEX_DIGITS = 64


def request(enclosure: Enclosure, *, permit: str, user: str, run: str, purpose: str) -> dict[str, Any]:
    """Ask for a run's result to leave; the machine's verdict comes at once.

    Out: request, verdict (pass, review, refuse), reasons, nearest_safe.
    """
    with (
        enclosure.at_the_desk(),
        enclosure.ledger.intent(Action.RELEASE_REQUEST, user, permit, {"purpose": Personal(purpose)}) as ticket,
    ):
        signed = active(enclosure, permit, user)
        kept = run_files(enclosure, permit).read(run)
        answer = request_release(
            kept.result,
            run=run,
            purpose=purpose,
            author=user,
            permit=_facts(signed),
            snapshot=int(kept.facts["snapshot"]),
            study=kept.study,
            desk=_desk(enclosure),
            archive=archive_of(enclosure),
            persons=_numbers_of(enclosure, permit),
            now=enclosure.ledger.now(),
            check=lambda: None,
        ).as_json()
        ticket.facts.update({"request": answer["request"], "run": run, "verdict": answer["verdict"]})
    return answer


def evidence(enclosure: Enclosure, request_id: str) -> dict[str, Any]:
    """The machine's evidence on a request: what was counted, hidden and why."""
    with enclosure.ledger.intent(Action.RELEASE_CHECK, enclosure.operator, None, {"request": request_id}):
        return show_request(request_id, desk=_desk(enclosure))


def show_one(enclosure: Enclosure, request_id: str) -> dict[str, Any]:
    """One request with its state and votes."""
    return show_request(request_id, desk=_desk(enclosure))


def list_all(enclosure: Enclosure) -> dict[str, Any]:
    """Every request with its state."""
    return {"requests": list_requests(desk=_desk(enclosure))}


def review(enclosure: Enclosure, request_id: str, *, user: str, accept: bool, reason: str) -> dict[str, Any]:
    """Vote on a request, once, as a person who is neither its author nor of its project."""
    with enclosure.at_the_desk():
        permit = _permit_of(enclosure, request_id)
        facts: dict[str, Fact] = {"request": request_id, "accept": accept, "reason": Personal(reason)}
        with enclosure.ledger.intent(Action.RELEASE_REVIEW, user, permit, facts) as ticket:
            answer = review_release(
                request_id,
                user=user,
                accept=accept,
                reason=reason,
                desk=_desk(enclosure),
                now=enclosure.ledger.now(),
                check=_still_valid(enclosure, permit),
            )
            ticket.facts.update({"state": answer["state"]})
    return answer


def export(enclosure: Enclosure, request_id: str, out: Path) -> dict[str, Any]:
    """Write an accepted result as a signed package.

    Refuses: before two people accepted; when anything changed since they did; when the permit has ended.
    """
    if out.exists():
        raise refusal(Code.RELEASE_TRANSITION, "The place to export to exists already.", "Name a new folder or file.")
    with enclosure.at_the_desk():
        permit = _permit_of(enclosure, request_id)
        intent = enclosure.ledger.intent(Action.RELEASE_EXPORT, enclosure.operator, permit, {"request": request_id})
        with intent as ticket:
            proof = enclosure.ledger.prove(ticket.index)
            package = export_release(
                request_id,
                desk=_desk(enclosure),
                archive=archive_of(enclosure),
                now=enclosure.ledger.now(),
                check=_still_valid(enclosure, permit),
                signer=KeySigner(enclosure.keys, KeyName(KeyRole.RELEASE)),
                ledger_proof={
                    "index": proof.index,
                    "path": [node.hex() for node in proof.path],
                    "checkpoint": proof.note.decode("utf-8"),
                },
            )
            write_package(package, out)
            mark_exported(request_id, desk=_desk(enclosure), now=enclosure.ledger.now())
            ticket.facts.update({"n_files": len(package)})
    return {
        "request": request_id,
        "package": str(out),
        "files": sorted(package),
        "release_key": enclosure.keys.public(KeyName(KeyRole.RELEASE)).hex(),
    }


def verify(path: Path, key: str) -> dict[str, Any]:
    """Check a package with its files and the release key that the caller trusts.

    Refuses: PACKAGE_BROKEN.
    """
    return verify_package(path, trusted_key(key)).as_json()


def trusted_key(key: str) -> bytes:
    """The release key that somebody trusts, from its hexadecimal digits.

    Refuses: PACKAGE_BROKEN.
    """
    try:
        public_key = bytes.fromhex(key)
    except ValueError:
        public_key = b""
    if len(key) != _KEY_HEX_DIGITS or not public_key:
        raise refusal(
            Code.PACKAGE_BROKEN,
            "A package is verified against a key that you trust: 64 hexadecimal digits.",
            "Take the release key from the enclosure's operator (`enclos init` prints it) and give it with --key.",
        )
    return public_key


def _desk(enclosure: Enclosure) -> DeskFiles:
    return DeskFiles(enclosure.paths.release, enclosure.keys.secret(KeyName(KeyRole.DESK)))


def archive_of(enclosure: Enclosure) -> ArchiveFiles:
    """Where the persons behind requests are kept."""

    def secret_of(permit: str) -> SecretKey | None:
        name = permit_key(permit)
        return enclosure.keys.secret(name) if enclosure.keys.exists(name) else None

    return ArchiveFiles(enclosure.paths.permits, secret_of)


def _numbers_of(enclosure: Enclosure, permit: str) -> Renumber:
    """The warehouse's numbers of a permit's persons; one who is no longer in has a number that no other can have."""

    def renumber(numbers: PersonNumbers) -> PersonNumbers:
        with reading_snapshot(enclosure) as (engine, snapshot):
            rows = perimeter_of(enclosure, permit, engine, snapshot).rows()
        shown, persons = (rows[name].to_numpy() for name in ("permit_person", "person_id"))
        if not len(shown):
            return -1 - numbers
        order = np.argsort(shown)
        place = np.minimum(np.searchsorted(shown, numbers, sorter=order), len(shown) - 1)
        return np.where(shown[order[place]] == numbers, persons[order[place]], -1 - numbers)

    return renumber


def _facts(signed: SignedPermit) -> PermitFacts:
    permit = signed.permit
    return PermitFacts(
        id=permit.id,
        version=signed.version,
        digest=signed.digest,
        users=permit.involved_ids,
        min_count=permit.min_count,
        valid_until=permit.valid_until,
    )


def _permit_of(enclosure: Enclosure, request_id: str) -> str:
    return str(show_request(request_id, desk=_desk(enclosure))["permit"])


def _still_valid(enclosure: Enclosure, permit_id: str) -> Callable[[], None]:
    def check() -> None:
        signed = newest(enclosure, permit_id)
        check_in_force(signed, enclosure.ledger.now())

    return check
