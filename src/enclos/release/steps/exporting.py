"""Export: the package that leaves, made of what was voted on and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from enclos.contracts.disclosure import strictest
from enclos.lexicon.canonical import canonical_bytes
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.lexicon.verdicts import Verdict
from enclos.release.figures import figures_of_table
from enclos.release.model import Finding, Package, RequestEvent, Rule, Terms, told_outside
from enclos.release.package import AUTOMATICALLY, BY_TWO_PERSONS, canonical_table, sealed_package
from enclos.release.ports import Archive, Check, Desk, Signer
from enclos.release.rules.life import check_recipient, has_just_left, next_state
from enclos.release.rules.terms import may_leave_alone, volume_finding
from enclos.release.steps.documents import EXPORTED, Request, course_bytes, findings_said, load
from enclos.release.steps.history import check_history
from enclos.release.steps.index import left_earlier
from enclos.release.steps.kept import Kept, volume_of

_INSIDE = frozenset({"users", "author", "persons"})
"""What of a request stays inside: names, and what tells its persons."""


def export_release(
    request_id: str,
    *,
    recipient: str,
    desk: Desk,
    archive: Archive,
    terms: Terms,
    now: datetime,
    check: Check,
    signer: Signer,
    ledger_proof: Mapping[str, Any],
) -> Package:
    """The signed package of an accepted request; ``mark_exported`` follows when it is written.

    In:      recipient — a person of the permit; each has it once
    Refuses: RELEASE_TRANSITION before two people accepted, or where policy lets it go no more; RELEASE_ALTERED;
             RELEASE_RECIPIENT; RELEASE_VOLUME; RELEASE_DIFFERENCE when something that left since would tell of a few
             persons, and from then on the request is in quarantine; what ``check`` refuses.
    """
    check()
    request = load(desk, request_id)
    next_state(request.state, RequestEvent.EXPORT)
    check_recipient(recipient, involved=request.involved, course=request.course)
    if request.course.automatic and not may_leave_alone(request.facts["tables"], terms):
        raise refusal(
            Code.RELEASE_TRANSITION,
            "The policy of today does not let this result go by itself.",
            "Ask again: two people will decide.",
        )
    if int(request.facts.get("round_to", 1)) < terms.round_to:
        raise refusal(
            Code.RELEASE_TRANSITION,
            f"The rules of today have counts rounded to {terms.round_to}, and this was judged without.",
            "Ask again.",
        )
    if request.min_count < terms.min_count or strictest((*request.demands, *terms.demands)) != strictest(
        request.demands
    ):
        raise refusal(Code.RELEASE_TRANSITION, "The rules of today demand more than this was judged by.", "Ask again.")
    earlier = left_earlier(desk, archive, own=request_id)
    if not request.course.exports:
        _check_volume(request, earlier, terms)
    try:
        check_history(request, earlier, archive=archive)
    except Refusal as refused:
        if refused.code is Code.RELEASE_DIFFERENCE:
            failed = replace(request.course, failed=Rule.HISTORY.value)
            desk.write(request_id, EXPORTED, course_bytes(failed))
        raise
    # From here on it counts as having left: whoever is stopped between package and mark goes on with this request.
    begun = request.course.begun_at or _text(now)
    desk.write(request_id, EXPORTED, course_bytes(replace(request.course, begun_at=begun)))
    table, settings = canonical_table(request.result)
    public = {key: value for key, value in request.facts.items() if key not in _INSIDE}
    # Reviewers are named inside only: outside, that two different people accepted, when, and on what.
    decisions = [
        {"reviewer": number, "accept": vote.accept, "at": vote.at, "content": vote.content}
        for number, vote in enumerate(request.votes, start=1)
    ]
    files = {
        "results.csv": request.result,
        **figures_of_table(table, settings),
        "study.yaml": request.study,
        "evidence.json": canonical_bytes(_evidence_outside(request)),
        "decisions.json": canonical_bytes({"request": public, "decisions": decisions}),
        "ledger-proof.json": canonical_bytes(dict(ledger_proof)),
    }
    return sealed_package(
        files,
        request.facts,
        content=request.content,
        released=AUTOMATICALLY if request.course.automatic else BY_TWO_PERSONS,
        exported_at=now,
        signer=signer,
    )


def may_go_again(request_id: str, *, recipient: str, desk: Desk, now: datetime) -> bool:
    """Whether the package left to this person so lately that the same bytes may be sent once more."""
    return has_just_left(recipient, course=load(desk, request_id).course, now=now)


def left_to(request_id: str, *, desk: Desk) -> list[tuple[str, str]]:
    """To whom the package left and when, in that order."""
    return list(load(desk, request_id).course.exports)


def check_again(request_id: str, *, desk: Desk, check: Check) -> None:
    """Go on when a package that left may still leave.

    Refuses: RELEASE_TRANSITION when the request failed since; RELEASE_ALTERED; what ``check`` refuses.
    """
    check()
    next_state(load(desk, request_id).state, RequestEvent.EXPORT)


def mark_exported(request_id: str, *, recipient: str, desk: Desk, now: datetime) -> int:
    """Note that the package has left to this recipient, to whom it does not leave again; gives its number."""
    course = load(desk, request_id).course
    exports = (*course.exports, (recipient, _text(now)))
    desk.write(request_id, EXPORTED, course_bytes(replace(course, exports=exports)))
    return len(exports)


def _check_volume(request: Request, earlier: Sequence[Kept], terms: Terms) -> None:
    """Go on when what left under the permit leaves room for this.

    Refuses: RELEASE_VOLUME.
    """
    facts = request.facts
    own = (int(facts.get("n_estimates", 0)), int(facts.get("n_bytes", 0)))
    found = volume_finding(volume_of(str(facts["permit"]), earlier), own, terms)
    if found.verdict is Verdict.REFUSE:
        raise refusal(
            Code.RELEASE_VOLUME, f"This is too much: {found.sentence}.", "Ask for fewer tables, or the access body."
        )


def _evidence_outside(request: Request) -> dict[str, Any]:
    """The evidence without what is for reviewers: which cells were too small, which protect them, and what to merge."""
    evidence = request.evidence
    found = [
        Finding(Rule(each["rule"]), Verdict[each["verdict"].upper()], each["sentence"]) for each in evidence["findings"]
    ]
    return {"findings": findings_said(told_outside(found, request.min_count)), "summary": evidence["summary"]}


def _text(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
