"""What the register says of a permit's results: open while it runs, then due, late after eighteen months, or made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from enclos.app.register import TOLD, permit_row
from enclos.ledger.model import Action, Outcome
from enclos.ledger.rules.acts import Act
from factories.permits import ALICE, NOW, PERMIT_ID, MemoryPermits, signed_permit

END = datetime(2029, 11, 1, tzinfo=UTC)
LEFT = Act(7, NOW + timedelta(days=9), Action.RELEASE_EXPORT, "salted:a", PERMIT_ID, Outcome.DONE, None, {}, ended=8)


@pytest.mark.parametrize(
    ("now", "acts", "results"),
    [
        (END - timedelta(seconds=1), [], "open"),
        (END, [], "due"),
        (datetime(2031, 5, 1, 23, 59, tzinfo=UTC), [], "due"),
        (datetime(2031, 5, 2, tzinfo=UTC), [], "late"),
        (datetime(2031, 5, 2, tzinfo=UTC), [LEFT], "made"),
    ],
)
def test_results_are_owed_eighteen_months_after_the_end(now: datetime, acts: list[Act], results: str) -> None:
    """Source: Regulation (EU) 2025/327, Art. 61(4)."""
    row = permit_row([signed_permit(MemoryPermits())], acts, now)
    assert row["results"] == results
    assert row["results_by"] == (None if results == "open" else "2031-05-01")
    assert ALICE not in str(row)
    assert [each["entries"] for each in row["releases"]] == ([[7, 8]] if acts else [])


def test_a_register_tells_of_no_act_that_does_not_make_it_look_for_news() -> None:
    """What it may say of a permit is looked for only where one of these acts is new; how often it was used may wait."""
    chain = [signed_permit(MemoryPermits())]
    about = {"version": 1, "request": "r1"}

    def told(*actions: Action) -> dict[str, object]:
        acts = [
            Act(2 * n, NOW, action, "salted:a", PERMIT_ID, Outcome.DONE, None, about, ended_at=NOW, ended=2 * n + 1)
            for n, action in enumerate((Action.PERMIT_SIGN, Action.RELEASE_EXPORT, *actions))
        ]
        return {**permit_row(chain, acts, NOW), "n_uses": None}

    telling = {action for action in Action if told(action) != told()}
    assert {Action.STUDY, Action.RELEASE_EXPORT} <= telling
    assert telling <= TOLD


def test_a_release_took_as_long_as_since_it_was_asked_for_before_it() -> None:
    def done(action: Action, day: int, request: str) -> Act:
        at, facts = NOW + timedelta(days=day), {"request": request}
        return Act(day, at, action, "salted:a", PERMIT_ID, Outcome.DONE, None, facts)

    first, other = done(Action.RELEASE_REQUEST, 1, "r1"), done(Action.RELEASE_REQUEST, 2, "r2")
    left = done(Action.RELEASE_EXPORT, 9, "r1")
    chain = [signed_permit(MemoryPermits())]
    told = [permit_row(chain, acts, NOW)["releases"] for acts in ([first, other, left], [left, first], [first, other])]
    assert [[each["days"] for each in one] for one in told] == [["8.00"], [None], []]
