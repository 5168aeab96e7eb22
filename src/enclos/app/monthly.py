"""The monthly review of the ledger: what was done, and what somebody must look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from enclos.app.applications import people_of
from enclos.app.enclosure import Enclosure, operator_account
from enclos.app.handed import Keep, hand_over, pages, place_of_page
from enclos.app.pages.review import ReviewedMonth, review_page
from enclos.app.permits import access_body_actor, all_versions
from enclos.app.salts import ledger_digests
from enclos.ledger.model import Action, Outcome
from enclos.ledger.rules.acts import Act, acts_of
from enclos.ledger.rules.watching import PRIVILEGED, USES, Finding, Thresholds, findings
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.permits.rules.access import data_users

_HISTORY = timedelta(days=366)


def review_month(enclosure: Enclosure, month: str | None = None, *, keep: Keep | None = None) -> dict[str, Any]:
    """Review one calendar month of the ledger; every entry is proved to be what was signed as it is read.

    In: month — ``YYYY-MM``, of the clock of the place that enclos.toml names; the last whole month when not given;
        keep — takes the page with pictures.
    Out: what was done by action and outcome, by permit and day; denials by rule; exports; privileged operations; and
        findings, each with the entries that show it. Names stand where a permit lists the person, or it is an operator.
    Refuses: REVIEW_MONTH when the month has not begun or is no month.
    Source: SNDS security framework § 7; MR-007 SEC-JOU-2.
    """

    def written(reviewed: ReviewedMonth) -> None:
        hand_over(keep, pages(lambda language: review_page(reviewed, language)))

    reviewed = read_month(enclosure, month, user=enclosure.operator, keep=written if keep is not None else None)
    return {**_answer(reviewed), "page": place_of_page(keep)}


def read_month(
    enclosure: Enclosure, month: str | None, *, user: str, keep: Callable[[ReviewedMonth], None] | None = None
) -> ReviewedMonth:
    """What a month's review reads and finds, as ``review_month``; the ledger says who reviewed.

    In: keep — keeps what was found, as part of what the ledger tells
    """
    section = enclosure.settings.review
    thresholds = Thresholds(
        zone=ZoneInfo(section.zone),
        day_begins=section.day_begins,
        day_ends=section.day_ends,
        works_weekends=section.works_weekends,
    )
    now = enclosure.ledger.now()
    first = _first_of(month, now.astimezone(thresholds.zone).date())
    begin, end = (_midnight(day, thresholds) for day in (first, _next(first)))
    with enclosure.ledger.intent(Action.LEDGER_REVIEW, user, facts={"month": f"{first:%Y-%m}"}) as ticket:
        acts = [act for act in acts_of(enclosure.ledger.entries()) if begin - _HISTORY <= act.at < end]
        before = [act for act in acts if act.at < begin]
        within = [act for act in acts if act.at >= begin]
        found = findings(before, within, thresholds)
        reviewed = ReviewedMonth(
            month=f"{first:%Y-%m}",
            enclosure=enclosure.settings.enclosure.name,
            is_over=now >= end,
            acts=tuple(within),
            findings=tuple(found),
            names=known_names(enclosure),
            zone=thresholds.zone,
        )
        if keep is not None:
            keep(reviewed)
        ticket.facts.update({"n_acts": len(within), "n_findings": len(found), "written": keep is not None})
    return reviewed


def _first_of(month: str | None, today: date) -> date:
    if month is None:
        return (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    try:
        first = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC).date()
    except ValueError:
        first = None
    if first is None or first > today:
        raise refusal(Code.REVIEW_MONTH, "This is not a month that has begun.", "Name it as YYYY-MM: --month 2026-10.")
    return first


def _next(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)


def _midnight(day: date, thresholds: Thresholds) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=thresholds.zone).astimezone(UTC)


def known_names(enclosure: Enclosure) -> dict[str, str]:
    """Who stands behind a digest, for those whom permits list and for the operator who asks."""
    users = {user.id for chain in all_versions(enclosure) for user in data_users(chain)}
    deciding = people_of(enclosure) | {enclosure.operator, operator_account()}
    known = sorted(users | deciding | {access_body_actor(person) for person in deciding})
    return {digest: name for name in known for digest in ledger_digests(enclosure, name)}


def _answer(reviewed: ReviewedMonth) -> dict[str, Any]:
    acts = reviewed.acts
    done = [act for act in acts if act.outcome is Outcome.DONE]
    return {
        "month": reviewed.month,
        "is_over": reviewed.is_over,
        "n_acts": len(acts),
        "actions": [
            {"action": action, "outcome": outcome, "n": n}
            for (action, outcome), n in sorted(
                Counter((act.action.value, act.outcome.value if act.outcome else "-") for act in acts).items()
            )
        ],
        "denials": dict(sorted(Counter(str(act.code or "-") for act in acts if act.is_denied).items())),
        "permits": _by_permit(done),
        "exports": [
            {"at": act.at.isoformat(), "permit": act.permit, "request": act.facts.get("request"), "entry": act.index}
            for act in done
            if act.action is Action.RELEASE_EXPORT
        ],
        "privileged": [
            {
                "at": act.at.isoformat(),
                "action": act.action.value,
                "by": reviewed.name_of(act.actor),
                "permit": act.permit,
                "outcome": act.outcome.value if act.outcome else None,
                "entry": act.index,
            }
            for act in acts
            if act.action in PRIVILEGED
        ],
        "findings": [_finding(reviewed, found) for found in reviewed.findings],
    }


def _by_permit(done: Sequence[Act]) -> list[Mapping[str, object]]:
    permits = sorted({act.permit for act in done if act.permit and act.action in USES | {Action.RELEASE_EXPORT}})
    return [
        {
            "permit": permit,
            "n_uses": sum(act.permit == permit and act.action in USES for act in done),
            "n_rows": sum(act.number("n_rows") for act in done if act.permit == permit and act.action in USES),
            "n_exports": sum(act.permit == permit and act.action is Action.RELEASE_EXPORT for act in done),
        }
        for permit in permits
    ]


def _finding(reviewed: ReviewedMonth, found: Finding) -> dict[str, Any]:
    return {
        "detector": found.detector.value,
        "by": reviewed.name_of(found.actor),
        "permit": found.permit,
        "begun_at": found.begun_at.isoformat(),
        "ended_at": found.ended_at.isoformat(),
        "n": found.n,
        "entries": list(found.entries),
    }
