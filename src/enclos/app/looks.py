"""What people are shown of requests for release: evidence, numbers, queues, lists. Nothing is changed by it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from enclos.app.enclosure import Enclosure
from enclos.app.permits import active, listing, newest
from enclos.app.rounding import archive_of, desk_of
from enclos.app.runs import run_files
from enclos.contracts.result import Cell
from enclos.ledger.model import Action, Fact
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.permits.rules.life import check_in_force
from enclos.release.model import Terms
from enclos.release.rules.terms import kinds, terms_of
from enclos.release.steps import (
    left_to,
    left_under,
    list_requests,
    may_go_again,
    queue_of,
    show_beside,
    show_numbers,
    show_request,
    turnaround,
)

_WAITS_TOLD = 30


def evidence(enclosure: Enclosure, request_id: str) -> dict[str, Any]:
    """The machine's evidence on a request: what was counted, hidden and why."""
    with enclosure.ledger.intent(Action.RELEASE_CHECK, enclosure.operator, None, {"request": request_id}):
        return show_request(request_id, desk=desk_of(enclosure))


def show_one(enclosure: Enclosure, request_id: str) -> dict[str, Any]:
    """One request with its state, questions and votes."""
    return show_request(request_id, desk=desk_of(enclosure))


def look(enclosure: Enclosure, request_id: str, *, user: str) -> dict[str, Any]:
    """One request with the numbers that would leave, to a person who may vote on it; the ledger says what was shown.

    Out: what ``show_one`` gives, the study, each line and what rules saw in it, which earlier release shares persons
        with which number, and what happened so far.
    Never: how the other person voted, before both have.
    """
    permit = permit_of(enclosure, request_id)
    facts: dict[str, Fact] = {"request": request_id}
    with enclosure.ledger.intent(Action.RELEASE_LOOK, user, permit, facts) as ticket:
        check = still_valid(enclosure, permit)
        shown = show_numbers(request_id, user=user, desk=desk_of(enclosure), check=check)
        cells = _cells(enclosure, permit, str(shown["run"]))
        archive = archive_of(enclosure)
        shown |= show_beside(request_id, user=user, cells=cells, desk=desk_of(enclosure), archive=archive)
        ticket.facts.update({"content": shown["content"], "n_lines": len(shown["lines"])})
    return shown


def queue(enclosure: Enclosure, *, user: str) -> dict[str, Any]:
    """What a person may vote on, oldest first; nothing of their own projects; and how long requests waited.

    Out: waiting, voted, n_own, n_altered; turnaround; waits, of the newest that people decided the day and the seconds.
    """
    desk = desk_of(enclosure)
    found = queue_of(user, desk=desk, now=enclosure.ledger.now())
    rows = list_requests(desk=desk)
    decided = [row for row in rows if row["turnaround_seconds"] is not None and not row["automatic"]]
    waits = [{"asked_on": row["asked_at"][:10], "seconds": row["turnaround_seconds"]} for row in decided[-_WAITS_TOLD:]]
    return found | {"turnaround": turnaround(rows), "waits": waits}


def list_all(enclosure: Enclosure) -> dict[str, Any]:
    """Every request with its state; how long requests waited; how much left under each permit, and its limit."""
    desk, terms = desk_of(enclosure), terms_in_force(enclosure)
    rows = list_requests(desk=desk)
    volume = []
    for permit in sorted({row["permit"] for row in rows if row["permit"]}):
        n_estimates, n_bytes = left_under(permit, desk=desk)
        limits = {"max_estimates": terms.max_estimates, "max_bytes": terms.max_bytes}
        volume.append({"permit": permit, "n_estimates": n_estimates, "n_bytes": n_bytes, **limits})
    return {"requests": rows, "turnaround": turnaround(rows), "volume": volume}


def list_own(enclosure: Enclosure, user: str) -> list[dict[str, Any]]:
    """The requests of the permits that list a user, in force or not, the newest first, as ``list_all`` gives them."""
    own = {signed.permit.id for signed in listing(enclosure, user)}
    rows = [row for row in list_requests(desk=desk_of(enclosure)) if row["permit"] in own]
    return sorted(rows, key=lambda row: (str(row["asked_at"]), str(row["request"])), reverse=True)


def show_own(enclosure: Enclosure, request_id: str, *, user: str) -> dict[str, Any]:
    """One request of a permit that lists the user, without the machine's evidence, which tells of persons.

    Out: as ``show_one``.
    Refuses: RELEASE_UNKNOWN, in the same words for a request of others and for none.
    """
    if not any(row["request"] == request_id for row in list_own(enclosure, user)):
        raise refusal(Code.RELEASE_UNKNOWN, "No request of this id is of your permits.", "See those that are.")
    shown = show_request(request_id, desk=desk_of(enclosure))
    return {name: value for name, value in shown.items() if name != "evidence"}


def taken(enclosure: Enclosure, request_id: str, *, user: str) -> dict[str, Any]:
    """Who took the package of a request out, and whether this person may; of a request that ``show_own`` showed them.

    Out: by (to and at of each), may_take: ``first``, ``again`` while the same bytes are sent once more, or ``no``
    """
    desk = desk_of(enclosure)
    left = left_to(request_id, desk=desk)
    is_again = may_go_again(request_id, recipient=user, desk=desk, now=enclosure.ledger.now())
    may = "first" if user.casefold() not in {to.casefold() for to, _ in left} else "again" if is_again else "no"
    return {"by": [{"to": to, "at": at} for to, at in left], "may_take": may}


def run_of(enclosure: Enclosure, *, permit: str, user: str, run: str) -> dict[str, Any]:
    """What may be asked of a run to leave: run, study, snapshot, tables (table and title of each type of its results).

    Refuses: what permits refuse of the user; RUN_UNKNOWN.
    """
    active(enclosure, permit, user)
    kept = run_files(enclosure, permit).read(run)
    return {
        "run": run,
        "study": kept.facts["study"],
        "snapshot": kept.facts["snapshot"],
        "tables": [
            {"table": kind, "title": kinds()[kind].title if kind in kinds() else kind}
            for kind in dict.fromkeys(each.result_type for each in kept.result.settings)
        ],
    }


def terms_in_force(enclosure: Enclosure) -> Terms:
    """What the enclosure agrees to of what leaves."""
    chosen = enclosure.settings.release
    settings = enclosure.settings
    most = (chosen.max_estimates_per_permit, chosen.max_bytes_per_permit)
    return terms_of(
        chosen.automatic,
        *most,
        settings.round_to,
        settings.demands,
        settings.floor,
        chosen.max_collisions_told_per_day,
        chosen.max_checks_per_day,
    )


def permit_of(enclosure: Enclosure, request_id: str) -> str:
    """The permit that a request is under. Refuses: RELEASE_UNKNOWN."""
    return str(show_request(request_id, desk=desk_of(enclosure))["permit"])


def still_valid(enclosure: Enclosure, permit_id: str) -> Callable[[], None]:
    """Raises a refusal when the permit is not in force at the moment that it is called."""

    def check() -> None:
        signed = newest(enclosure, permit_id)
        check_in_force(signed, enclosure.ledger.now())

    return check


def _cells(enclosure: Enclosure, permit: str, run: str) -> Sequence[Cell]:
    """The cells of a run; none where it is gone."""
    try:
        return run_files(enclosure, permit).read(run).result.cells
    except Refusal as refused:
        if refused.code not in {Code.RUN_UNKNOWN, Code.KEY_MISSING}:
            raise
        return ()
