"""Releases: check, ask, question, vote, export, verify; what is looked at: ``app/looks.py``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from enclos.app.enclosure import Enclosure
from enclos.app.looks import permit_of, show_own, still_valid, terms_in_force
from enclos.app.permits import active
from enclos.app.probing import probed
from enclos.app.rounding import archive_of, desk_of, numbers_of, rounding_of
from enclos.app.runs import run_files
from enclos.ledger.model import Action, Fact, Personal
from enclos.lexicon.canonical import sha256_hex
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.lexicon.refusals import refusal
from enclos.permits.model import SignedPermit
from enclos.release.model import Package, PermitFacts, Probes
from enclos.release.rules.life import AGAIN_MINUTES
from enclos.release.steps import (
    Asked,
    answer_question,
    ask_question,
    check_again,
    check_result,
    export_release,
    mark_exported,
    may_go_again,
    request_release,
    review_release,
    show_request,
)
from enclos.stores.keys import KeySigner
from enclos.stores.release_files import verify_package, write_package, zipped
from enclos.stores.run_files import Run

_KEY_HEX_DIGITS = 64


def request(
    enclosure: Enclosure, *, permit: str, user: str, run: str, purpose: str, tables: Sequence[str] = ()
) -> dict[str, Any]:
    """Ask for a run's result to leave; the machine's verdict comes at once.

    In:  tables — the result types that are asked for; all where none is named
    Out: request, state, verdict (pass, review, refuse), reasons, nearest_safe.
    Refuses: RELEASE_PROBING when the permit was told within a day of as many differences, or results, as it may be.
    """
    with (
        enclosure.at_the_desk(),
        enclosure.ledger.intent(Action.RELEASE_REQUEST, user, permit, {"purpose": Personal(purpose)}) as ticket,
    ):
        signed = active(enclosure, permit, user)
        of, probes = probed(enclosure, permit, run, tables, terms_in_force(enclosure))
        kept = run_files(enclosure, permit).read(run)
        desk = desk_of(enclosure)
        found = request_release(
            _asked(enclosure, signed, kept, tables, probes),
            run=run,
            purpose=purpose,
            author=user,
            snapshot=int(kept.facts["snapshot"]),
            code=str(kept.facts.get("code", "")),
            entry=ticket.index,
            desk=desk,
            archive=archive_of(enclosure),
            now=enclosure.ledger.now(),
            check=lambda: None,
        )
        answer = found.as_json()
        ticket.facts.update({"of": of, "differs": found.differs})
        shown = show_request(answer["request"], desk=desk)
        ticket.facts.update({"request": answer["request"], "run": run, "verdict": answer["verdict"]})
        ticket.facts.update({"state": answer["state"], "automatic": shown["automatic"]})
        ticket.facts.update({"content": shown["content"], "n_estimates": shown["n_estimates"]})
    return answer


def check(enclosure: Enclosure, *, permit: str, user: str, run: str, tables: Sequence[str] = ()) -> dict[str, Any]:
    """What a request for a run's result would be answered; nobody is asked and nothing is kept.

    Out: run, verdict, reasons, automatic, tables, nearest_safe with the study file's change.
    Refuses: RELEASE_PROBING as ``request`` does.
    """
    facts: dict[str, Fact] = {"run": run}
    with (
        enclosure.at_the_desk(),
        enclosure.ledger.intent(Action.RELEASE_CHECK, user, permit, facts) as ticket,
    ):
        signed = active(enclosure, permit, user)
        of, probes = probed(enclosure, permit, run, tables, terms_in_force(enclosure))
        kept = run_files(enclosure, permit).read(run)
        answer = check_result(
            _asked(enclosure, signed, kept, tables, probes),
            desk=desk_of(enclosure),
            archive=archive_of(enclosure),
            check=lambda: None,
        )
        ticket.facts.update({"verdict": answer["verdict"], "of": of, "differs": answer.pop("differs")})
    return {"run": run, **answer}


def package_of(enclosure: Enclosure, request_id: str, *, user: str) -> bytes:
    """The package of an accepted request as one ZIP file, once, to a person whom its permit lists.

    For a quarter of an hour the same person is sent the very same bytes again, each time with an entry of the ledger:
    what was lost on its way did not leave to them.
    Refuses: RELEASE_UNKNOWN for a request of others; as ``export``.
    """
    show_own(enclosure, request_id, user=user)
    desk, left = desk_of(enclosure), []

    def put(package: Package) -> None:
        left.append(zipped(package))
        desk.keep_package(request_id, user, left[0])

    with enclosure.at_the_desk():
        desk.forget_packages(enclosure.ledger.now() - timedelta(minutes=AGAIN_MINUTES))
        if again := _again(enclosure, request_id, user):
            return again
        _leave(enclosure, request_id, put, recipient=user, user=user)
    return left[0]


def ask(enclosure: Enclosure, request_id: str, *, user: str, text: str) -> dict[str, Any]:
    """Ask the project about a request, as a reviewer."""
    with enclosure.at_the_desk():
        permit = permit_of(enclosure, request_id)
        facts: dict[str, Fact] = {"request": request_id, "text": Personal(text)}
        with enclosure.ledger.intent(Action.RELEASE_ASK, user, permit, facts):
            return ask_question(
                request_id,
                user=user,
                text=text,
                desk=desk_of(enclosure),
                now=enclosure.ledger.now(),
                check=still_valid(enclosure, permit),
            )


def answer(enclosure: Enclosure, request_id: str, number: int, *, user: str, text: str) -> dict[str, Any]:
    """Answer a reviewer's question, as somebody of the project."""
    with enclosure.at_the_desk():
        permit = permit_of(enclosure, request_id)
        facts: dict[str, Fact] = {"request": request_id, "question": number, "text": Personal(text)}
        with enclosure.ledger.intent(Action.RELEASE_ANSWER, user, permit, facts):
            return answer_question(
                request_id,
                number,
                user=user,
                text=text,
                desk=desk_of(enclosure),
                now=enclosure.ledger.now(),
                check=still_valid(enclosure, permit),
            )


def review(
    enclosure: Enclosure, request_id: str, *, user: str, accept: bool, reason: str, content: str = ""
) -> dict[str, Any]:
    """Vote on a request, once, as a person who is neither its author nor of its project.

    What is voted on is what the ledger says was asked for, and what the reviewer names where they name it.
    The ledger keeps the vote as a salted digest, so that who votes second does not read the first there; the decision
    stands in it in clear.
    """
    with enclosure.at_the_desk():
        permit = permit_of(enclosure, request_id)
        word = "accept" if accept else "refuse"
        vote = Personal(f"{request_id} {user} {word} {reason}")
        with enclosure.ledger.intent(
            Action.RELEASE_REVIEW, user, permit, {"request": request_id, "vote": vote}
        ) as ticket:
            _check_asked(enclosure, request_id)
            answer = review_release(
                request_id,
                user=user,
                accept=accept,
                reason=reason,
                desk=desk_of(enclosure),
                now=enclosure.ledger.now(),
                check=still_valid(enclosure, permit),
                content=content,
            )
            ticket.facts.update({key: answer[key] for key in ("state", "content", "turnaround_seconds")})
    return answer


def export(enclosure: Enclosure, request_id: str, out: Path, *, recipient: str = "", user: str = "") -> dict[str, Any]:
    """Write an accepted result as a signed package, once for each recipient; its author where none is named.

    In: user — who takes it out; the operator where nobody is named
    Refuses: before two people accepted; when anything changed since they did; when the permit has ended.
    """
    if out.exists():
        raise refusal(Code.RELEASE_TRANSITION, "The place to export to exists already.", "Name a new folder or file.")
    with enclosure.at_the_desk():
        told = _leave(
            enclosure, request_id, lambda package: write_package(package, out), recipient=recipient, user=user
        )
    key = enclosure.keys.public(KeyName(KeyRole.RELEASE)).hex()
    return {"request": request_id, "package": str(out), **told, "release_key": key}


def _leave(
    enclosure: Enclosure, request_id: str, put: Callable[[Package], None], *, recipient: str, user: str
) -> dict[str, Any]:
    """Let a package leave, by who holds the desk: it has left to its recipient once ``put`` has it whole.

    Out: files; copy, its number among those that left.
    """
    desk = desk_of(enclosure)
    shown = show_request(request_id, desk=desk)
    permit, recipient = str(shown["permit"]), recipient or str(shown["author"])
    facts: dict[str, Fact] = {"request": request_id, "recipient": Personal(recipient)}
    intent = enclosure.ledger.intent(Action.RELEASE_EXPORT, user or enclosure.operator, permit, facts)
    with intent as ticket:
        _check_asked(enclosure, request_id)
        proof = enclosure.ledger.prove(ticket.index)
        package = export_release(
            request_id,
            recipient=recipient,
            desk=desk,
            archive=archive_of(enclosure),
            terms=terms_in_force(enclosure),
            now=enclosure.ledger.now(),
            check=still_valid(enclosure, permit),
            signer=KeySigner(enclosure.keys, KeyName(KeyRole.RELEASE)),
            ledger_proof={
                "index": proof.index,
                "path": [node.hex() for node in proof.path],
                "checkpoint": proof.note.decode("utf-8"),
            },
        )
        put(package)
        number = mark_exported(request_id, recipient=recipient, desk=desk, now=enclosure.ledger.now())
        ticket.facts.update({"n_files": len(package), "copy": number, "content": shown["content"]})
        ticket.facts.update(
            {"n_estimates": shown.get("n_estimates"), "turnaround_seconds": shown["turnaround_seconds"]}
        )
    return {"files": sorted(package), "copy": number}


def _again(enclosure: Enclosure, request_id: str, user: str) -> bytes | None:
    """What left to this person a moment ago, by who holds the desk; None where nothing did."""
    desk = desk_of(enclosure)
    content = desk.package(request_id, user)
    if content is None or not may_go_again(request_id, recipient=user, desk=desk, now=enclosure.ledger.now()):
        return None
    permit = permit_of(enclosure, request_id)
    facts: dict[str, Fact] = {"request": request_id, "recipient": Personal(user), "package": sha256_hex(content)}
    with enclosure.ledger.intent(Action.RELEASE_AGAIN, user, permit, facts):
        check_again(request_id, desk=desk, check=still_valid(enclosure, permit))
    return content


def verify(path: Path, key: str) -> dict[str, Any]:
    """Check a package with its files and the release key that the caller trusts.

    Refuses: PACKAGE_BROKEN.
    """
    if not path.exists():
        raise refusal(
            Code.PACKAGE_BROKEN,
            f"There is no package {path.name} here.",
            "Look at its path; `enclos release export` writes one.",
        )
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
            "Take the release key from the enclosure's operator (`enclos keys list` prints it) and give it with --key.",
        )
    return public_key


def permit_facts(signed: SignedPermit) -> PermitFacts:
    """What release has to know of a permit."""
    permit = signed.permit
    return PermitFacts(
        id=permit.id,
        version=signed.version,
        digest=signed.digest,
        users=permit.involved_ids,
        min_count=permit.min_count,
        round_to=permit.round_to,
        demands=permit.demands,
        valid_until=permit.valid_until,
        project=f"{permit.holder.organisation}: {permit.purpose.text}",
    )


def _asked(enclosure: Enclosure, signed: SignedPermit, kept: Run, tables: Sequence[str], probes: Probes) -> Asked:
    return Asked(
        kept.result,
        permit_facts(signed),
        kept.study,
        terms_in_force(enclosure),
        numbers_of(enclosure, signed.permit.id),
        tables,
        rounding_of(enclosure, signed.permit),
        probes,
    )


def _check_asked(enclosure: Enclosure, request_id: str) -> None:
    """Go on when what lies on the desk is what was asked for, as the ledger has it: no key of the desk rewrites that.

    Refuses: RELEASE_ALTERED.
    """
    shown = show_request(request_id, desk=desk_of(enclosure))
    if "ledger_entry" not in shown:  # asked for before the entry was kept beside it
        return
    asked = (
        entry.facts["content"]
        for _, entry in enclosure.ledger.entries(int(shown["ledger_entry"]))
        if entry.action is Action.RELEASE_REQUEST
        and entry.facts.get("request") == request_id
        and "content" in entry.facts
    )
    if next(asked, None) == shown["content"]:  # the first: who asks again changes nothing
        return
    raise refusal(
        Code.RELEASE_ALTERED,
        "What lies on the desk is not what the ledger says was asked for.",
        "Make a new request; report this to the security officer.",
    )
