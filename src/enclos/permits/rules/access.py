"""Who had access under a permit and when, and the days on which somebody should look at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from enclos.permits.model import Role, SignedPermit, State

REMIND_DAYS = (90, 30)
"""Days before the end. Source: Regulation (EU) 2025/327, Art. 68(12): an extension is asked for one month before."""

_MONTHS_TO_DELETE = 6
_MONTHS_TO_PUBLISH = 18


@dataclass(frozen=True, slots=True)
class DataUser:
    """A person whom a permit lists or listed. Units: half-open, instants in UTC."""

    id: str
    role: Role
    listed_from: datetime
    listed_until: datetime


def data_users(chain: Sequence[SignedPermit]) -> list[DataUser]:
    """Everybody whom any version listed, one entry for each unbroken time in one role.

    In: chain — all versions, oldest first.
    """
    found: list[DataUser] = []
    open_: dict[tuple[str, Role], datetime] = {}
    for signed in chain:
        at = max(signed.active_from, signed.permit.valid_from)
        listed = set() if signed.state is State.REVOKED else {(user.id, user.role) for user in signed.permit.users}
        found += [DataUser(*key, open_.pop(key), at) for key in sorted(open_.keys() - listed, key=str)]
        for key in listed - open_.keys():
            open_[key] = at
    until = chain[-1].permit.valid_until
    found += [DataUser(*key, since, until) for key, since in open_.items()]
    return sorted(found, key=lambda user: (user.id, user.listed_from))


def ended_at(signed: SignedPermit) -> datetime:
    """When the newest version ends or ended: its revocation, or the end of its validity."""
    return min(signed.active_from, signed.permit.valid_until) if signed.state is State.REVOKED else (
        signed.permit.valid_until
    )  # fmt: skip


def reminders(signed: SignedPermit) -> list[date]:
    """The days on which the access body is reminded that the permit will end; none when it was revoked."""
    if signed.state is State.REVOKED:
        return []
    return [(signed.permit.valid_until - timedelta(days=days)).date() for days in REMIND_DAYS]


def delete_by(signed: SignedPermit) -> date:
    """The last day for what was kept under the permit. Source: Regulation (EU) 2025/327, Art. 68(12): six months."""
    return _months_after(ended_at(signed).date(), _MONTHS_TO_DELETE)


def results_by(signed: SignedPermit) -> date:
    """The last day for making results public. Source: Regulation (EU) 2025/327, Art. 61(4): eighteen months."""
    return _months_after(ended_at(signed).date(), _MONTHS_TO_PUBLISH)


def _months_after(day: date, n_months: int) -> date:
    """The same day of a later month, or that month's last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + n_months, 12)
    last = (date(year + (month == 11), (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month + 1, min(day.day, last))
