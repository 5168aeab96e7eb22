"""Two who count under one permit at once come one after the other."""

from __future__ import annotations

from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import pytest
from pyroaring import BitMap64

from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.lexicon.refusals import Refusal
from enclos.stores.query_history import QueryHistory


def test_who_comes_second_waits_but_not_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history = QueryHistory(tmp_path, SecretKey(KeyName(KeyRole.PERMIT, "FR-1"), bytes(32)), n_known=0)
    order: list[str] = []

    def first() -> None:
        with history.alone():
            order.append("first")
            sleep(0.3)
            order.append("first is done")

    counting = Thread(target=first)
    counting.start()
    while not order:
        sleep(0.01)
    with history.alone():
        order.append("second")
    counting.join()
    assert order == ["first", "first is done", "second"]
    monkeypatch.setattr("enclos.stores.query_history._SECONDS_TO_WAIT", 0.1)
    began = monotonic()
    with history.alone(), pytest.raises(Refusal) as caught, history.alone():
        pass
    assert caught.value.code is Code.ENCLOSURE_BUSY
    assert monotonic() - began < 5


def test_equal_sets_are_decoded_once_and_all_are_given(tmp_path: Path) -> None:
    history = QueryHistory(tmp_path, SecretKey(KeyName(KeyRole.PERMIT, "FR-1"), bytes(32)), n_known=0)
    one, other = BitMap64([1, 2**42]), BitMap64([2, 3])
    with history.alone():
        assert [history.keep("a" * 64, sets) for sets in ([one, other], [one])] == [1, 2]
        found = history.sets()
    assert found == [one, other, one]
    assert found[0] is found[2]
