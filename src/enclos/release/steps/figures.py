"""What the desk can tell of itself: turnaround, and how much has left under each permit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.release.model import RequestState
from enclos.release.ports import Desk
from enclos.release.steps.documents import load


def left_under(permit: str, *, desk: Desk) -> tuple[int, int]:
    """How many estimates and bytes left, or were about to, under a permit: each table once, whoever has it."""
    left = [load(desk, name) for name in desk.requests()]
    facts = [each.facts for each in left if each.course.begun_at and each.facts["permit"] == permit]
    return tuple(sum(int(each.get(name, 0)) for each in facts) for name in ("n_estimates", "n_bytes"))  # type: ignore[return-value]


def list_requests(*, desk: Desk) -> list[dict[str, Any]]:
    """Every request with its state, its turnaround and to how many it left, oldest first.

    One that is not what was judged shows as quarantined; it neither leaves nor hides the others.
    """
    rows = [_row(request_id, desk=desk) for request_id in desk.requests()]
    return sorted(rows, key=lambda row: (row["asked_at"], row["request"]))


def turnaround(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """How long requests waited for their decision.

    Units: seconds from asking to the last vote; what left automatically waited for nobody.
    """
    waited = sorted(row["turnaround_seconds"] for row in rows if row["turnaround_seconds"] is not None)
    return {
        "n_requests": len(rows),
        "n_decided": len(waited),
        "n_automatic": sum(bool(row["automatic"]) for row in rows),
        "median_seconds": int(median(waited)) if waited else None,
        "longest_seconds": waited[-1] if waited else None,
    }


def _row(request_id: str, *, desk: Desk) -> dict[str, Any]:
    try:
        request = load(desk, request_id)
    except Refusal as refused:
        if refused.code is not Code.RELEASE_ALTERED:
            raise
        lost = dict.fromkeys(("permit", "run", "asked_at", "verdict"), "")
        quarantined = {"state": RequestState.QUARANTINED.word, "n_votes": 0, "automatic": False, "n_exports": 0}
        return {"request": request_id, **lost, **quarantined, "n_open_questions": 0, "turnaround_seconds": None}
    facts = {key: request.facts[key] for key in ("request", "permit", "run", "asked_at", "verdict")}
    return {
        **facts,
        "state": request.state.word,
        "n_votes": len(request.votes),
        "automatic": bool(request.course.automatic),
        "n_exports": len(request.course.exports),
        "n_open_questions": sum(not each.answer for each in request.questions),
        "turnaround_seconds": request.turnaround_seconds,
    }
