"""What the register says of a permit's results: open while it runs, then due, late after eighteen months, or made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from enclos.app.register import permit_row
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
