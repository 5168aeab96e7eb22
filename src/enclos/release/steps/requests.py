"""Ask for a result to leave; look at a request; vote on it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime
from typing import Any

from enclos.contracts.result import StudyResult, result_csv
from enclos.lexicon.canonical import canonical_bytes, sha256_hex
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.lexicon.verdicts import Verdict
from enclos.release.model import NOTHING_HIDDEN, Answer, Assessment, PermitFacts, RequestEvent, Role, Vote
from enclos.release.ports import Archive, Check, Desk
from enclos.release.rules.disclosure import assess
from enclos.release.rules.life import check_reviewer, next_state
from enclos.release.steps.documents import EVIDENCE, EXPORTED, REQUEST, RESULT, STUDY, VOTES, Request, load, votes_bytes
from enclos.release.steps.history import Renumber, digest_of, history_finding, kept_sets

_ID_LENGTH = 16
_MIN_WORDS, _MAX_SIGNS = 2, 4000


def request_release(
    result: StudyResult,
    *,
    run: str,
    purpose: str,
    author: str,
    permit: PermitFacts,
    snapshot: int,
    study: str,
    desk: Desk,
    archive: Archive,
    persons: Renumber,
    now: datetime,
    check: Check,
) -> Answer:
    """Put a request on the desk with the machine's verdict; what leaves later is the safe version, never the raw one.

    In:      result — with the persons behind each cell; study — the study file's text; persons — the warehouse's
             numbers of the permit's, so that releases of all permits can be compared
    Out:     the same request for the same run, purpose and permit version: asking twice changes nothing
    Refuses: RELEASE_REQUEST without a purpose in words
    """
    check()
    _check_words(purpose, "purpose")
    asked = {"run": run, "permit": permit.digest, "purpose": purpose, "author": author}
    request_id = sha256_hex(canonical_bytes(asked))[:_ID_LENGTH]
    if request_id in desk.requests():
        return _answer(load(desk, request_id))
    found = assess(result, permit.min_count)
    kept = kept_sets(found.told, persons)
    findings = (*found.findings, history_finding(kept, permit.min_count, desk=desk, archive=archive))
    found = replace(found, findings=findings)
    facts = {
        "request": request_id,
        "run": run,
        "permit": permit.id,
        "permit_version": permit.version,
        "permit_digest": permit.digest,
        "users": sorted(permit.users),
        "author": author,
        "purpose": purpose,
        "snapshot": snapshot,
        "asked_at": _text(now),
        "verdict": found.verdict.word,
        "safe": found.safe is not None and found.verdict is not Verdict.REFUSE,
        "min_count": permit.min_count,
        "persons": digest_of(kept),
    }
    evidence = {
        "findings": [
            {"rule": each.rule.value, "verdict": each.verdict.word, "sentence": each.sentence}
            for each in found.findings
        ],
        "summary": dict(found.summary),
        "cells": cells_by_fate(found),
    }
    documents = {
        RESULT: result_csv(found.safe.table, found.safe.settings) if found.safe else b"",
        STUDY: study.encode("utf-8"),
        EVIDENCE: canonical_bytes(evidence),
        VOTES: votes_bytes(()),
        EXPORTED: canonical_bytes(None),
        # The request itself comes last: only then does the desk list it.
        REQUEST: canonical_bytes(facts),
    }
    archive.keep(permit.id, request_id, kept)
    for name, content in documents.items():
        desk.write(request_id, name, content)
    return _answer(load(desk, request_id))


def _answer(request: Request) -> Answer:
    said = [f"{each['rule']}: {each['sentence']}" for each in request.evidence["findings"] if each["verdict"] != "pass"]
    return Answer(
        request.id,
        Verdict[str(request.facts["verdict"]).upper()],
        tuple(said or [NOTHING_HIDDEN]),
        {**request.evidence["summary"], "cells": request.evidence["cells"]},
    )


def cells_by_fate(found: Assessment) -> list[dict[str, Any]]:
    """How many cells are shown, below the minimum, or hidden for another's sake, by kind of interval."""
    fates: Counter[tuple[str, str]] = Counter()
    for cell in found.evidence:
        if not cell.hidden:
            fate = "shown"
        elif Role.NUMERATOR.value in cell.hidden and 0 < cell.n_numerator < found.min_count:
            fate = "below the minimum"
        else:
            fate = "protects another cell"
        fates[cell.table, fate] += 1
    return [{"table": kind, "fate": fate, "n": n} for (kind, fate), n in sorted(fates.items())]


def show_request(request_id: str, *, desk: Desk) -> dict[str, Any]:
    """One request as a reviewer sees it; how others voted shows only when the decision has fallen.

    Refuses: RELEASE_UNKNOWN, RELEASE_ALTERED.
    """
    request = load(desk, request_id)
    decided = request.state.value in {"accepted", "refused", "exported"}
    votes = [
        {"at": vote.at, "accept": vote.accept, "reason": vote.reason} if decided else {"at": vote.at}
        for vote in request.votes
    ]
    shown = {key: value for key, value in request.facts.items() if key not in {"users", "persons"}}
    return {
        **shown,
        "state": request.state.value,
        "content": request.content,
        "evidence": request.evidence,
        "votes": votes,
    }


def list_requests(*, desk: Desk) -> list[dict[str, Any]]:
    """Every request with its state, oldest first."""
    rows = []
    for request_id in desk.requests():
        request = load(desk, request_id)
        facts = {key: request.facts[key] for key in ("request", "permit", "run", "asked_at", "verdict")}
        rows.append({**facts, "state": request.state.value, "n_votes": len(request.votes)})
    return sorted(rows, key=lambda row: (row["asked_at"], row["request"]))


def review_release(
    request_id: str, *, user: str, accept: bool, reason: str, desk: Desk, now: datetime, check: Check
) -> dict[str, Any]:
    """Vote on exactly what lies on the desk.

    Refuses: RELEASE_REVIEWER, RELEASE_TRANSITION, RELEASE_ALTERED; RELEASE_REQUEST without a reason in words.
    """
    check()
    _check_words(reason, "reason")
    request = load(desk, request_id)
    check_reviewer(user, involved=request.involved, votes=request.votes)
    state = next_state(request.state, RequestEvent.ACCEPT if accept else RequestEvent.REFUSE)
    vote = Vote(user, accept, reason, _text(now), request.content)
    desk.write(request_id, VOTES, votes_bytes((*request.votes, vote)))
    return {"request": request_id, "state": state.value, "n_votes": len(request.votes) + 1, "content": request.content}


def _check_words(text: str, what: str) -> None:
    if len(text.split()) < _MIN_WORDS or len(text) > _MAX_SIGNS:
        raise refusal(
            Code.RELEASE_REQUEST,
            f"The {what} says nothing: it has fewer than {_MIN_WORDS} words or more than {_MAX_SIGNS} characters.",
            f"Say the {what} in a sentence.",
        )


def _text(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
