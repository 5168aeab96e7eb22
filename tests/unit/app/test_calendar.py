"""Which days of a permit are still to be looked at, as a table of its life."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from enclos.app.calendar import due_days
from enclos.permits.model import SignedPermit, State
from factories.permits import MemoryPermits, signed_permit

FROM, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture
def granted() -> SignedPermit:
    span = f"{{from: {FROM:%Y-%m-%dT%H:%M:%SZ}, until: {UNTIL:%Y-%m-%dT%H:%M:%SZ}}}"
    return signed_permit(MemoryPermits(), now=FROM, valid=span)


def states(signed: SignedPermit, now: datetime, destroyed_on: str | None = None) -> dict[str, list[str]]:
    """The state of each day by what is to be done, in the order of the days."""
    found: dict[str, list[str]] = {}
    for day in due_days(signed, now, destroyed_on):
        found.setdefault(day["what"], []).append(day["state"])
    return found


@pytest.mark.parametrize(
    ("days_before_the_end", "reminders"),
    [
        (200, ["ahead", "ahead"]),
        (90, ["due", "ahead"]),
        (31, ["due", "ahead"]),
        (30, ["passed", "due"]),
        (1, ["passed", "due"]),
        (0, ["passed", "passed"]),
    ],
)
def test_the_last_reminder_that_has_come_is_due_until_the_end(
    granted: SignedPermit, days_before_the_end: int, reminders: list[str]
) -> None:
    assert states(granted, UNTIL - timedelta(days=days_before_the_end))["reminder"] == reminders


def test_a_reminder_of_before_the_permit_was_signed_is_due_too(granted: SignedPermit) -> None:
    signed_late = replace(granted, active_from=UNTIL - timedelta(days=20))
    assert states(signed_late, UNTIL - timedelta(days=20))["reminder"] == ["passed", "due"]


def test_a_deletion_is_late_until_it_is_made_and_results_are_never_late(granted: SignedPermit) -> None:
    of_after = {"end": ["done"], "reminder": ["passed", "passed"]}
    assert states(granted, datetime(2027, 6, 1, tzinfo=UTC)) == {**of_after, "delete": ["ahead"], "results": ["ahead"]}
    assert states(granted, datetime(2030, 1, 1, tzinfo=UTC)) == {**of_after, "delete": ["late"], "results": ["passed"]}
    assert states(granted, datetime(2030, 1, 1, tzinfo=UTC), "2027-05-01")["delete"] == ["done"]


def test_who_was_revoked_is_reminded_of_nothing(granted: SignedPermit) -> None:
    revoked = replace(granted, state=State.REVOKED, active_from=datetime(2026, 5, 1, tzinfo=UTC))
    found = states(revoked, datetime(2026, 6, 1, tzinfo=UTC))
    assert found == {"revoked": ["done"], "delete": ["ahead"], "results": ["ahead"]}
