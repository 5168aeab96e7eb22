"""The review of access: who could reach what in a year, what they did, and what is due."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from enclos.app.enclosure import Enclosure
from enclos.app.permits import all_versions
from enclos.app.salts import ledger_digests
from enclos.ledger.model import Action, Entry, Kind, Outcome
from enclos.permits.document import json_from_permit
from enclos.permits.document.fields import text_from_instant
from enclos.permits.model import SignedPermit, State
from enclos.permits.rules.access import DataUser, data_users, delete_by, ended_at, reminders
from enclos.permits.rules.life import state_at

USES = (Action.STUDY, Action.SQL, Action.COHORT, Action.RELEASE_REQUEST, Action.RELEASE_EXPORT)


@dataclass(slots=True)
class Use:
    """What one actor did under one permit in the year: how often each use was done or refused, and when last."""

    n_done: Counter[str] = field(default_factory=Counter)
    n_refused: int = 0
    last_at: datetime | None = None


def review_access(enclosure: Enclosure, year: int | None = None) -> dict[str, Any]:
    """Who had access to what in a calendar year, what was used, and what the access body has to do.

    A permit that ended in the year is reviewed for the end of its project too: by when its data are deleted.
    In: year — the present one when not given.
    Out: permits, each with its users (role, times listed, uses done by kind, refusals, last use), what it covers, its
         reminders; users, everybody with access and under which permits; to_do in words.
    Source: MR-007 SEC-HAB-3: at least once a year and at the end of each project.
    """
    now = enclosure.ledger.now()
    year = year or now.year
    start, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    with enclosure.ledger.intent(Action.PERMIT_REVIEW, enclosure.operator, facts={"year": year}) as ticket:
        chains = [
            chain
            for chain in all_versions(enclosure)
            if chain[0].permit.valid_from < end and ended_at(chain[-1]) >= start
        ]
        uses = _uses(enclosure, start, end)
        permits = [_permit(enclosure, chain, uses, start, end, now) for chain in chains]
        ticket.facts.update({"n_permits": len(permits)})
    under: dict[str, list[str]] = {}
    for permit in permits:
        for user in permit["users"]:
            if user["has_access"]:
                under.setdefault(user["id"], []).append(permit["permit"])
    return {
        "year": year,
        "reviewed_at": text_from_instant(now),
        "permits": permits,
        "users": [{"id": user, "permits": sorted(set(ids))} for user, ids in sorted(under.items())],
        "to_do": [sentence for permit in permits for sentence in permit["to_do"]],
    }


def _uses(enclosure: Enclosure, start: datetime, end: datetime) -> Mapping[tuple[str, str], Use]:
    """What was done by permit and salted actor."""
    uses: dict[tuple[str, str], Use] = {}
    for _, entry in enclosure.ledger.entries():
        if entry.action in USES and entry.kind is Kind.OUTCOME and entry.permit and start <= entry.at < end:
            _note(uses.setdefault((entry.permit, entry.actor), Use()), entry)
    return uses


def _note(use: Use, entry: Entry) -> None:
    if entry.outcome is Outcome.DONE:
        use.n_done[entry.action.value] += 1
        use.last_at = entry.at
    elif entry.outcome is Outcome.REFUSED:
        use.n_refused += 1


def _permit(
    enclosure: Enclosure,
    chain: Sequence[SignedPermit],
    uses: Mapping[tuple[str, str], Use],
    start: datetime,
    end: datetime,
    now: datetime,
) -> dict[str, Any]:
    newest = chain[-1]
    state = state_at(newest, now)
    in_force = state not in {State.REVOKED, State.EXPIRED} and newest.permit.valid_from <= now
    users = [
        _user(user, _summed(uses, newest.permit.id, ledger_digests(enclosure, user.id)), now, in_force=in_force)
        for user in data_users(chain)
        if user.listed_from < end and user.listed_until >= start
    ]
    due = [on.isoformat() for on in reminders(newest)]
    document = json_from_permit(newest.permit)
    return {
        "permit": newest.permit.id,
        "version_id": newest.version_id,
        "state": state.value,
        "organisation": newest.permit.holder.organisation,
        "purpose": newest.permit.purpose.text,
        "data": document["data"],
        "access": document["access"],
        "valid_until": text_from_instant(newest.permit.valid_until),
        "reminders": due,
        "users": users,
        "to_do": _to_do(newest, users, now, in_force=in_force),
    }


def _summed(uses: Mapping[tuple[str, str], Use], permit: str, digests: Sequence[str]) -> Use:
    """What a user did under whichever digest the ledger knew them by."""
    found = [use for digest in digests if (use := uses.get((permit, digest)))]
    return Use(
        n_done=sum((use.n_done for use in found), Counter()),
        n_refused=sum(use.n_refused for use in found),
        last_at=max((use.last_at for use in found if use.last_at), default=None),
    )


def _user(user: DataUser, use: Use, now: datetime, *, in_force: bool) -> dict[str, Any]:
    return {
        "id": user.id,
        "role": user.role.value,
        "listed_from": text_from_instant(user.listed_from),
        "listed_until": text_from_instant(user.listed_until),
        "has_access": in_force and user.listed_from <= now < user.listed_until,
        "n_done": dict(sorted(use.n_done.items())),
        "n_refused": use.n_refused,
        "last_used_at": text_from_instant(use.last_at) if use.last_at else None,
    }


def _to_do(newest: SignedPermit, users: Sequence[Mapping[str, Any]], now: datetime, *, in_force: bool) -> list[str]:
    """What the access body has to do about the permit."""
    permit = newest.permit.id
    if not in_force:
        if newest.permit.valid_from > now:
            return []
        return [f"{permit} has ended: close the project and delete what was kept under it by {delete_by(newest)}."]
    sentences = [
        f"{permit}: {user['id']} has access and used nothing; keep on the list only who needs it."
        for user in users
        if user["has_access"] and not user["n_done"]
    ]
    if any(on <= now.date() for on in reminders(newest)):
        sentences.append(f"{permit} ends on {newest.permit.valid_until.date()}: ask whether it is to be renewed.")
    return sentences
