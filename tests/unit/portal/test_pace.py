"""How often one may ask."""

from __future__ import annotations

import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.portal.pace import Pace


def test_a_person_who_asks_too_often_waits_and_others_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    at = [100.0]
    monkeypatch.setattr("enclos.portal.pace.monotonic", lambda: at[0])
    pace = Pace()
    for _ in range(60):
        pace.take("alice")
    with pytest.raises(Refusal) as caught:
        pace.take("alice")
    assert caught.value.code is Code.SIGN_IN_OFTEN
    pace.take("bob")
    at[0] += 0.5
    pace.take("alice")
    pace.take("alice")
    with pytest.raises(Refusal):
        pace.take("alice")
