from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from enclos.ledger.model import Action, Entry, Kind, Outcome
from enclos.ledger.rules.order import fault_in_order

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
INTENT = Entry(Kind.INTENT, Action.SQL, AT, "salted:aa", permit="P", session="s")
OUTCOME = replace(INTENT, kind=Kind.OUTCOME, session=None, intent=4, outcome=Outcome.DONE)


def test_an_outcome_follows_its_open_intent() -> None:
    assert fault_in_order(INTENT, None, {}) == ""
    assert fault_in_order(OUTCOME, AT, {4: INTENT}) == ""


@pytest.mark.parametrize(
    ("entry", "last_at", "words"),
    [
        (INTENT, AT + timedelta(milliseconds=1), "earlier"),
        (OUTCOME, AT + timedelta(milliseconds=1), "earlier"),
        (replace(OUTCOME, intent=3), AT, "without an open intent"),
        (replace(OUTCOME, action=Action.STUDY), AT, "another intent"),
        (replace(OUTCOME, actor="salted:bb"), AT, "another intent"),
        (replace(OUTCOME, permit=None), AT, "another intent"),
    ],
)
def test_anything_else_is_out_of_order(entry: Entry, last_at: datetime, words: str) -> None:
    assert words in fault_in_order(entry, last_at, {4: INTENT})
