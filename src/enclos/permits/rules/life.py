"""The life of a permit: its states, how it moves between them, how long it may last."""

from __future__ import annotations

import csv
from datetime import date, datetime
from functools import cache
from importlib import resources

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.permits.model import Event, LegalBasis, Permit, SignedPermit, State

TRANSITIONS: dict[tuple[State, Event], State | None] = {
    (State.GRANTED, Event.AMEND): State.AMENDED,
    (State.GRANTED, Event.RENEW): State.RENEWED,
    (State.GRANTED, Event.REVOKE): State.REVOKED,
    (State.GRANTED, Event.EXPIRE): State.EXPIRED,
    (State.AMENDED, Event.AMEND): State.AMENDED,
    (State.AMENDED, Event.RENEW): State.RENEWED,
    (State.AMENDED, Event.REVOKE): State.REVOKED,
    (State.AMENDED, Event.EXPIRE): State.EXPIRED,
    (State.RENEWED, Event.AMEND): State.AMENDED,
    (State.RENEWED, Event.RENEW): State.RENEWED,
    (State.RENEWED, Event.REVOKE): State.REVOKED,
    (State.RENEWED, Event.EXPIRE): State.EXPIRED,
    (State.REVOKED, Event.AMEND): None,
    (State.REVOKED, Event.RENEW): None,
    (State.REVOKED, Event.REVOKE): None,
    (State.REVOKED, Event.EXPIRE): None,
    (State.EXPIRED, Event.AMEND): None,
    (State.EXPIRED, Event.RENEW): None,
    (State.EXPIRED, Event.REVOKE): None,
    (State.EXPIRED, Event.EXPIRE): None,
}
"""Every state with every event; None is a refusal. A renewal is asked for before the end, never after."""


def next_state(state: State, event: Event) -> State:
    """The state after the event.

    Refuses: PERMIT_TRANSITION where the table has no arrow.
    """
    after = TRANSITIONS[state, event]
    if after is None:
        raise refusal(
            Code.PERMIT_TRANSITION,
            f"A permit that is {state.value} cannot {event.value}.",
            "Ask the access body for a new permit.",
        )
    return after


def state_at(signed: SignedPermit, now: datetime) -> State:
    """The state at an instant: what the newest version says, unless its time has run out."""
    if signed.state is State.REVOKED or now < signed.permit.valid_until:
        return signed.state
    return State.EXPIRED


@cache
def legal_bases() -> dict[str, LegalBasis]:
    """The known legal bases by id; any other is refused."""
    text = resources.files("enclos.permits").joinpath("legal_bases.csv").read_text(encoding="utf-8")
    return {
        row["id"]: LegalBasis(
            row["id"],
            row["title"],
            int(row["max_years"]),
            int(row["max_renewals"]),
            int(row["max_past_years"]) if row["max_past_years"] else None,
            row["wants_whys"] == "yes",
            row["source"],
        )
        for row in csv.DictReader(text.splitlines())
    }


def years_after(at: datetime, years: int) -> datetime:
    """The same instant some calendar years later; 29 February becomes 28 February."""
    try:
        return at.replace(year=at.year + years)
    except ValueError:
        return at.replace(year=at.year + years, day=28)


def earliest_day(basis: LegalBasis, valid_from: datetime) -> date | None:
    """The first day of data that a permit beginning then may cover; None without a bound.

    Source: MR-007 (CNIL, délibération 2023-082), 2.2.2.4: nine years and the current year.
    """
    return None if basis.max_past_years is None else date(valid_from.year - basis.max_past_years, 1, 1)


def check_renewal(signed: SignedPermit, until: datetime, n_renewals: int) -> None:
    """Refuse a renewal that its legal basis does not allow.

    In: until — the new end; n_renewals — how often the permit was renewed before.
    Refuses: PERMIT_TOO_LONG.
    Source: Regulation (EU) 2025/327, Art. 68(12); CNIL 2023-146.
    """
    permit = signed.permit
    basis = legal_bases()[permit.legal_basis]
    if n_renewals >= basis.max_renewals:
        raise refusal(
            Code.PERMIT_TOO_LONG,
            f"Permit {permit.id} cannot be renewed: {basis.id} allows {basis.max_renewals} renewal(s).",
            "Ask the access body for a new permit.",
        )
    if not permit.valid_until < until <= years_after(permit.valid_until, basis.max_years):
        raise refusal(
            Code.PERMIT_TOO_LONG,
            f"A renewal of permit {permit.id} ends after its present end, at most {basis.max_years} years later.",
            "Choose an end within that time.",
        )


def check_in_force(signed: SignedPermit, now: datetime) -> None:
    """Refuse unless the permit is in force at this instant.

    Refuses: PERMIT_REVOKED, PERMIT_EXPIRED, PERMIT_NOT_YET_VALID.
    """
    permit = signed.permit
    state = state_at(signed, now)
    if state is State.REVOKED:
        raise refusal(Code.PERMIT_REVOKED, f"Permit {permit.id} was revoked.", "Ask the access body.")
    if state is State.EXPIRED:
        raise refusal(Code.PERMIT_EXPIRED, f"Permit {permit.id} has expired.", "Ask the access body for a new permit.")
    if now < max(permit.valid_from, signed.active_from):
        raise refusal(
            Code.PERMIT_NOT_YET_VALID, f"Permit {permit.id} is not valid yet.", "Come back when its time begins."
        )


def check_user(signed: SignedPermit, user: str) -> None:
    """Refuse unless the permit lists the user.

    Refuses: PERMIT_USER_MISSING.
    """
    if user not in signed.permit.user_ids:
        raise refusal(
            Code.PERMIT_USER_MISSING,
            f"This user is not on permit {signed.permit.id}.",
            "Ask the holder to have the list of users amended.",
        )


def check_valid(signed: SignedPermit, user: str, now: datetime) -> None:
    """Refuse unless the permit is in force at this instant and lists the user.

    Refuses: as check_in_force and check_user.
    """
    check_in_force(signed, now)
    check_user(signed, user)


def check_same_permit(before: Permit, after: Permit) -> None:
    """Refuse an amendment that changes what only a new permit can change: legal basis and validity.

    Refuses: PERMIT_TRANSITION.
    """
    if before.legal_basis != after.legal_basis:
        raise refusal(
            Code.PERMIT_TRANSITION,
            f"An amendment of permit {before.id} keeps its legal basis.",
            "Ask the access body for a new permit.",
        )
    if (before.valid_from, before.valid_until) != (after.valid_from, after.valid_until):
        raise refusal(
            Code.PERMIT_TRANSITION,
            f"An amendment of permit {before.id} keeps its validity.",
            "Renew it to prolong it, revoke it to end it.",
        )
