"""Which questions of citizens are answered: for this enclosure, of its desk, in their time, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from enclos.lexicon.refusals import Refusal
from enclos.rights.model import Desk, Question
from enclos.rights.rules import QUESTION_DAYS, check_question

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
ASKED = Question("q-1", "here", "key", Desk("hosp-a", "00", "11"), NOON, NOON + timedelta(days=QUESTION_DAYS), b"")
HERE = {"origin": "here", "key": "key", "accepted": "digest", "desk": "digest", "is_answered": False, "now": NOON}


def test_a_good_question_is_answered_from_its_first_instant_to_its_last():
    for later in (timedelta(0), timedelta(days=QUESTION_DAYS) - timedelta(milliseconds=1)):
        check_question(ASKED, **{**HERE, "now": NOON + later})
    check_question(ASKED, **{**HERE, "now": NOON - timedelta(minutes=5)})  # clocks are not the same


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"origin": "elsewhere"}, "RGT-09"),
        ({"key": "another"}, "RGT-09"),
        ({"accepted": None}, "RGT-10"),
        ({"desk": "another"}, "RGT-10"),
        ({"now": NOON + timedelta(days=QUESTION_DAYS)}, "RGT-11"),
        ({"now": NOON - timedelta(minutes=6)}, "RGT-11"),
        ({"is_answered": True}, "RGT-12"),
    ],
)
def test_any_other_is_refused(change: dict[str, object], code: str):
    with pytest.raises(Refusal) as told:
        check_question(ASKED, **{**HERE, **change})
    assert told.value.code.id == code


@pytest.mark.parametrize("lasts", [timedelta(0), timedelta(days=-1), timedelta(days=QUESTION_DAYS, seconds=1)])
def test_a_question_that_lives_for_ever_or_never_is_refused(lasts: timedelta):
    with pytest.raises(Refusal) as told:
        check_question(replace(ASKED, expires_at=NOON + lasts), **HERE)
    assert told.value.code.id == "RGT-11"
