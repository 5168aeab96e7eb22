"""Ask for a result to leave; look at a request; ask and answer about it; vote on it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from enclos.contracts.result import result_from_csv
from enclos.lexicon.canonical import canonical_bytes, sha256_hex
from enclos.lexicon.codes import Code
from enclos.lexicon.labels import shows_all
from enclos.lexicon.refusals import refusal
from enclos.lexicon.verdicts import Verdict
from enclos.release.model import (
    NOTHING_HIDDEN,
    Answer,
    Course,
    Finding,
    Question,
    RequestEvent,
    RequestState,
    Rule,
    Vote,
    told_outside,
)
from enclos.release.ports import Archive, Check, Desk
from enclos.release.rules.life import check_answers, check_questions, check_reviewer, next_state
from enclos.release.rules.terms import says_little
from enclos.release.steps.documents import (
    EVIDENCE,
    EXPORTED,
    REQUEST,
    RESULT,
    STUDY,
    VOTES,
    Request,
    content_of,
    course_bytes,
    findings_said,
    load,
    votes_bytes,
)
from enclos.release.steps.judging import Asked, cells_by_fate, cells_told, judge, tells_of_few
from enclos.release.steps.kept import digest_of

_ID_LENGTH = 16
_MIN_WORDS, _MAX_SIGNS = 2, 4000
_LOOKED_AT = (
    "group_level",
    "strata_name",
    "strata_level",
    "variable_name",
    "variable_level",
    "additional_level",
    "estimate_name",
    "estimate_value",
)
"""What of a line a reviewer needs to see; what is the same in all of them is in the settings."""


def request_release(
    asked: Asked,
    *,
    run: str,
    purpose: str,
    author: str,
    snapshot: int,
    desk: Desk,
    archive: Archive,
    now: datetime,
    check: Check,
    code: str = "",
    entry: int | None = None,
) -> Answer:
    """Put a request on the desk with the machine's verdict; what leaves later is the safe version, never the raw one.

    In:      code — the hash of the program that computed the result; entry — the ledger's entry of the request
    Out:     the same request for the same run, purpose and permit version: asking twice changes nothing. What fails a
             check is in quarantine: nothing of its table lies on the desk. What policy calls safe is accepted at once.
    Refuses: RELEASE_REQUEST without a purpose in words
    """
    check()
    _check_words(purpose, "purpose")
    if not shows_all(purpose):  # it leaves with the package
        raise refusal(Code.RELEASE_REQUEST, "The purpose holds signs that nobody sees.", "Write it in plain letters.")
    permit = asked.permit
    named: dict[str, Any] = {"run": run, "permit": permit.digest, "purpose": purpose, "author": author}
    if asked.tables:
        named["tables"] = sorted(set(asked.tables))
    if asked.rounding is not None:
        named["round_to"] = asked.rounding.base
    if said := [each.as_json() for each in asked.demands]:
        named["demands"] = said
    request_id = sha256_hex(canonical_bytes(named))[:_ID_LENGTH]
    if request_id in desk.requests():
        return _answer(load(desk, request_id))
    judged = judge(asked, desk=desk, archive=archive)
    found = judged.found
    is_safe = found.safe is not None and found.verdict is not Verdict.REFUSE
    facts = {
        "request": request_id,
        "run": run,
        "permit": permit.id,
        "permit_version": permit.version,
        "permit_digest": permit.digest,
        "users": sorted(permit.users),
        "author": author,
        "project": permit.project,
        "purpose": purpose,
        "tables": list(judged.tables),
        "snapshot": snapshot,
        "code": code,
        **({} if entry is None else {"ledger_entry": entry}),
        "asked_at": _text(now),
        "verdict": found.verdict.word,
        "safe": is_safe,
        "min_count": permit.min_count,
        "round_to": asked.rounding.base if asked.rounding else 1,
        **({"demands": said} if (said := [each.as_json() for each in asked.demands]) else {}),
        "n_estimates": judged.n_estimates,
        "n_bytes": len(judged.csv),
        "persons": digest_of(judged.kept),
    }
    evidence = {
        "findings": findings_said(found.findings),
        "summary": dict(found.summary),
        "cells": cells_by_fate(found),
        "nearest": judged.nearest,
        "probes": {"n_checked": asked.probes.n_checked, "n_collided": asked.probes.n_collided},
    }
    documents = {
        RESULT: judged.csv if is_safe else b"",
        STUDY: asked.study.encode("utf-8"),
        EVIDENCE: canonical_bytes(evidence),
        VOTES: votes_bytes((), ()),
        REQUEST: canonical_bytes(facts),
    }
    is_alone = judged.automatic and says_little(asked.study, purpose)
    course = Course(automatic=content_of(documents)) if is_alone else Course()
    documents[EXPORTED] = course_bytes(course)
    archive.keep(permit.id, request_id, judged.kept)
    # The request itself comes last: only then does the desk list it.
    for name in (RESULT, STUDY, EVIDENCE, VOTES, EXPORTED, REQUEST):
        desk.write(request_id, name, documents[name])
    return _answer(load(desk, request_id))


def check_result(asked: Asked, *, desk: Desk, archive: Archive, check: Check) -> dict[str, Any]:
    """What a request for a result would be answered, before anybody is asked; nothing is kept."""
    check()
    judged = judge(asked, desk=desk, archive=archive)
    found = judged.found
    return {
        "verdict": found.verdict.word,
        "reasons": found.reasons,
        "automatic": judged.automatic,
        "differs": tells_of_few(found.findings, judged.nearest),
        "tables": list(judged.tables),
        "nearest_safe": {**found.summary, **judged.nearest, "cells": cells_told(cells_by_fate(found))},
    }


def _answer(request: Request) -> Answer:
    evidence = request.evidence
    found = [
        Finding(Rule(each["rule"]), Verdict[each["verdict"].upper()], each["sentence"]) for each in evidence["findings"]
    ]
    said = [
        f"{each.rule.value}: {each.sentence}"
        for each in told_outside(found, request.min_count)
        if each.verdict is not Verdict.PASS
    ]
    return Answer(
        request.id,
        request.state,
        Verdict[str(request.facts["verdict"]).upper()],
        tuple(said or [NOTHING_HIDDEN]),
        {**evidence["summary"], **evidence.get("nearest", {}), "cells": cells_told(evidence["cells"])},
        tells_of_few(found, evidence.get("nearest", {})),
    )


def show_request(request_id: str, *, desk: Desk) -> dict[str, Any]:
    """One request as a reviewer sees it; how others voted shows only when the decision has fallen.

    Refuses: RELEASE_UNKNOWN, RELEASE_ALTERED.
    """
    request = load(desk, request_id)
    decided = request.state.is_decided
    votes = [
        {"at": vote.at, "accept": vote.accept, "reason": vote.reason} if decided else {"at": vote.at}
        for vote in request.votes
    ]
    questions = [
        {"question": number, "at": each.at, "text": each.text, "answer": each.answer, "answered_at": each.answered_at}
        for number, each in enumerate(request.questions, start=1)
    ]
    shown = {key: value for key, value in request.facts.items() if key not in {"users", "persons"}}
    return {
        **shown,
        "state": request.state.word,
        "automatic": bool(request.course.automatic),
        "content": request.content,
        "evidence": request.evidence,
        "votes": votes,
        "questions": questions,
        "turnaround_seconds": request.turnaround_seconds,
        "n_exports": len(request.course.exports),
    }


def show_numbers(request_id: str, *, user: str, desk: Desk, check: Check) -> dict[str, Any]:
    """One request with the very numbers that would leave, to a person who may vote on it.

    Out:     what ``show_request`` gives; the study; each line of the table; the hash of the table, which the content
             holds that votes are bound to
    Refuses: RELEASE_REVIEWER for people of the project; RELEASE_TRANSITION for what failed a check, of which nothing
             is shown; RELEASE_UNKNOWN, RELEASE_ALTERED; what ``check`` refuses.
    """
    check()
    request = load(desk, request_id)
    check_reviewer(user, involved=request.involved, votes=())
    if request.state is RequestState.QUARANTINED:
        raise refusal(
            Code.RELEASE_TRANSITION, "This request failed a check; nothing of it is shown.", "There is nothing to vote."
        )
    table, settings = result_from_csv(request.result)
    types = {each.result_id: each.result_type for each in settings}
    lines = [
        {"table": types[line["result_id"]], **{name: line[name] for name in _LOOKED_AT if line[name] is not None}}
        for line in table.to_pylist()
    ]
    return {
        **show_request(request_id, desk=desk),
        "study": request.study.decode("utf-8"),
        "result_sha256": sha256_hex(request.result),
        "lines": lines,
    }


def ask_question(request_id: str, *, user: str, text: str, desk: Desk, now: datetime, check: Check) -> dict[str, Any]:
    """Ask the project about a request; who asked is kept, and shown to nobody.

    Refuses: RELEASE_REVIEWER for people of the project; RELEASE_TRANSITION when it is decided; RELEASE_REQUEST.
    """
    check()
    _check_words(text, "question")
    request = load(desk, request_id)
    check_reviewer(user, involved=request.involved, votes=())
    _check_open(request)
    questions = (*request.questions, Question(user, _text(now), text))
    desk.write(request_id, VOTES, votes_bytes(request.votes, questions))
    return {"request": request_id, "question": len(questions)}


def answer_question(
    request_id: str, number: int, *, user: str, text: str, desk: Desk, now: datetime, check: Check
) -> dict[str, Any]:
    """Answer a question, once, as somebody of the project.

    Refuses: RELEASE_REVIEWER for others; RELEASE_TRANSITION when it is answered or all is decided; RELEASE_REQUEST.
    """
    check()
    _check_words(text, "answer")
    request = load(desk, request_id)
    check_answers(user, involved=request.involved)
    _check_open(request)
    if not 1 <= number <= len(request.questions) or request.questions[number - 1].answer:
        raise refusal(
            Code.RELEASE_TRANSITION,
            "There is no such question, or it is answered.",
            "See them: enclos release show DIR REQUEST.",
        )
    answered = replace(request.questions[number - 1], answer=text, answered_by=user, answered_at=_text(now))
    questions = (*request.questions[: number - 1], answered, *request.questions[number:])
    desk.write(request_id, VOTES, votes_bytes(request.votes, questions))
    return {"request": request_id, "question": number, "n_open_questions": sum(not each.answer for each in questions)}


def review_release(
    request_id: str, *, user: str, accept: bool, reason: str, desk: Desk, now: datetime, check: Check, content: str = ""
) -> dict[str, Any]:
    """Vote on exactly what lies on the desk; the decision falls with the second vote, and nobody sees the first before.

    In:      content — the hash that the reviewer was shown, where they say it: a vote on anything else is refused
    Refuses: RELEASE_REVIEWER; RELEASE_TRANSITION, also for an accepting vote while a question is open;
             RELEASE_ALTERED; RELEASE_REQUEST without a reason in words.
    """
    check()
    _check_words(reason, "reason")
    request = load(desk, request_id)
    check_reviewer(user, involved=request.involved, votes=request.votes)
    next_state(request.state, RequestEvent.ACCEPT if accept else RequestEvent.REFUSE)
    if content and content != request.content:
        raise refusal(
            Code.RELEASE_ALTERED,
            "What lies on the desk is not what this reviewer was shown.",
            "Look at it: enclos release show DIR REQUEST --user U.",
        )
    if accept:
        check_questions(request.questions)
    vote = Vote(user, accept, reason, _text(now), request.content)
    desk.write(request_id, VOTES, votes_bytes((*request.votes, vote), request.questions))
    after = load(desk, request_id)
    return {
        "request": request_id,
        "state": after.state.word,
        "n_votes": len(after.votes),
        "content": after.content,
        "turnaround_seconds": after.turnaround_seconds,
    }


def _check_open(request: Request) -> None:
    if request.state.is_decided:
        raise refusal(
            Code.RELEASE_TRANSITION, "This request is decided.", "Look at it: enclos release show DIR REQUEST."
        )


def _check_words(text: str, what: str) -> None:
    if len(text.split()) < _MIN_WORDS or len(text) > _MAX_SIGNS:
        raise refusal(
            Code.RELEASE_REQUEST,
            f"The {what} says nothing: it has fewer than {_MIN_WORDS} words or more than {_MAX_SIGNS} characters.",
            f"Say the {what} in a sentence.",
        )


def _text(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
