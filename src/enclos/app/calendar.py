"""What falls due on permits: reminders, ends, deletions and results, by month."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from enclos.app.destroying import list_due
from enclos.app.enclosure import Enclosure
from enclos.app.permits import all_versions
from enclos.permits.model import SignedPermit, State
from enclos.permits.rules.access import delete_by, ended_at, reminders, results_by
from enclos.permits.rules.life import state_at


def permit_calendar(enclosure: Enclosure) -> dict[str, Any]:
    """Every permit as a span of time, and every day on which somebody has to do something about one.

    Out: today; permits (permit, organisation, state, begins_on, ends_on, delete_by, destroyed_on), the first to end
        first; months (month, is_over, days: on, what, permit, n_left: days from today, state: as ``due_days``), those
        to come in their order, then those of before, the latest first; n_late: deletions whose last day has passed
    Source: Regulation (EU) 2025/327, Art. 68(12): reminders, six months; Art. 61(4): eighteen months
    """
    now = enclosure.ledger.now()
    newest = [chain[-1] for chain in all_versions(enclosure)]
    due = list_due(enclosure)
    destroyed = {row["permit"]: row["destroyed_on"] for row in due["permits"]}
    spans = [_span(signed, now, destroyed.get(signed.permit.id)) for signed in newest]
    days = sorted(
        (day for signed in newest for day in due_days(signed, now, destroyed.get(signed.permit.id))),
        key=lambda day: (day["on"], day["permit"], day["what"]),
    )
    return {
        "today": now.date().isoformat(),
        "permits": sorted(spans, key=lambda span: (span["ends_on"], span["permit"])),
        "months": _months(days, f"{now:%Y-%m}"),
        "n_late": due["n_late"],
    }


def _span(signed: SignedPermit, now: datetime, destroyed_on: str | None) -> dict[str, Any]:
    return {
        "permit": signed.permit.id,
        "organisation": signed.permit.holder.organisation,
        "state": state_at(signed, now).value,
        "begins_on": signed.permit.valid_from.date().isoformat(),
        "ends_on": ended_at(signed).date().isoformat(),
        "delete_by": delete_by(signed).isoformat(),
        "destroyed_on": destroyed_on,
    }


def due_days(signed: SignedPermit, now: datetime, destroyed_on: str | None) -> list[dict[str, Any]]:
    """The days of one permit on which somebody has to do something.

    Out: state is ``ahead``; ``due`` for the last reminder that has come, until the permit is renewed (which moves the
        reminders) or has ended; ``late`` for a deletion alone; ``done``; or ``passed``, where nothing tells whether
        somebody did it: a reminder after which another came or the permit ended, and the results' last day
    """
    today, has_ended = now.date(), ended_at(signed) <= now
    come = [on for on in reminders(signed) if on <= today]
    found = [
        ("reminder", on, "ahead" if on > today else "due" if on == come[-1] and not has_ended else "passed")
        for on in reminders(signed)
    ]
    deleted, results = delete_by(signed), results_by(signed)
    found += [
        ("revoked" if signed.state is State.REVOKED else "end", ended_at(signed).date(), _state(has_ended, "ahead")),
        ("delete", deleted, _state(destroyed_on is not None, "late" if deleted < today else "ahead")),
        ("results", results, "passed" if results < today else "ahead"),
    ]
    of = {"permit": signed.permit.id}
    return [
        {"on": on.isoformat(), "what": what, **of, "n_left": (on - today).days, "state": state}
        for what, on, state in found
    ]


def _state(is_done: bool, otherwise: str) -> str:
    return "done" if is_done else otherwise


def _months(days: Sequence[dict[str, Any]], this_month: str) -> list[dict[str, Any]]:
    grouped: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for day in days:
        grouped[day["on"][:7]].append(day)
    ahead = sorted(month for month in grouped if month >= this_month)
    behind = sorted((month for month in grouped if month < this_month), reverse=True)
    return [{"month": month, "is_over": month < this_month, "days": grouped[month]} for month in (*ahead, *behind)]
