"""Statements of a page: each its person's alone, ended when they say so, and forgotten in time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import sleep

import pyarrow as pa
import pytest

from enclos.app.enclosure import create_enclosure
from enclos.app.sql import Answer
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAsPromised
from enclos.portal.opened import Opened
from enclos.portal.rooms.research import statements
from enclos.portal.rooms.research.statements import Statement, Statements
from factories.enclosure import ALICE, PASSPHRASE

PERMIT = "FR-1"


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    home = tmp_path_factory.mktemp("statements") / "home"
    create_enclosure(home, passphrase=PASSPHRASE, buckets=1)
    made = Opened(home, PASSPHRASE)
    yield made
    made.close()


def over(one: Statement) -> Statement:
    assert one.ended.wait(30)
    return one


def test_a_permit_that_is_not_there_is_refused_and_said(opened: Opened) -> None:
    one = over(Statements(opened).begin(ALICE, PERMIT, "SELECT 1"))
    assert (one.state, one.refused.code if one.refused else None) == ("refused", Code.PERMIT_UNKNOWN)


def test_another_s_statement_and_another_permit_s_look_like_none(opened: Opened) -> None:
    kept = Statements(opened)
    one = kept.begin(ALICE, PERMIT, "SELECT 1")
    assert kept.one(ALICE, PERMIT, one.id) is one
    for user, permit, id_ in (("bob", PERMIT, one.id), (ALICE, "FR-2", one.id), (ALICE, PERMIT, "0")):
        with pytest.raises(NotAsPromised) as caught:
            kept.one(user, permit, id_)
        assert caught.value.code is Code.JOB_UNKNOWN
    assert kept.of("bob", PERMIT) == []


def test_a_statement_that_waits_for_its_turn_ends_when_its_person_says_so(opened: Opened) -> None:
    kept = Statements(opened)
    before = Statement("0", ALICE, PERMIT, "", over(kept.begin(ALICE, PERMIT, "SELECT 1")).at)
    with opened.statements.turn(before, before.stop):  # one of a permit runs at once
        one = kept.begin(ALICE, PERMIT, "SELECT 1")
        assert one.state == "running"
        kept.cancel(one)
        assert over(one).state == "cancelled"


def test_a_statement_that_goes_on_ends_with_the_portal(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(*_: object, also: Callable[[], None], **__: object) -> Answer:
        while True:
            also()
            sleep(0.01)

    home = tmp_path_factory.mktemp("ending") / "home"
    create_enclosure(home, passphrase=PASSPHRASE, buckets=1)
    monkeypatch.setattr(statements, "ask", endless)
    own = Opened(home, PASSPHRASE)
    one = Statements(own).begin(ALICE, PERMIT, "SELECT 1")
    assert one.state == "running"
    own.close()
    assert over(one).state == "cancelled"


def answering(monkeypatch: pytest.MonkeyPatch, table: pa.Table) -> None:
    monkeypatch.setattr(statements, "ask", lambda *_, **__: Answer(table, 1, 0.1))


def test_rows_of_the_newest_are_kept_and_what_was_asked_a_while(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch, pa.table({"n": [1]}))
    kept = Statements(opened)
    asked = [over(kept.begin(ALICE, PERMIT, f"SELECT {at}")) for at in range(25)]
    assert [each.text for each in kept.of(ALICE, PERMIT)] == [each.text for each in reversed(asked[5:])]
    assert [each.state for each in kept.of(ALICE, PERMIT)] == ["done"] * 2 + ["gone"] * 18


def test_an_answer_that_no_page_shows_is_refused_and_a_fault_says_nothing_of_it(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    answering(monkeypatch, pa.table({"n": ["x" * 1000] * 9000}))
    one = over(Statements(opened).begin(ALICE, PERMIT, "SELECT 1"))
    assert (one.state, one.refused.code if one.refused else None) == ("refused", Code.SQL_LIMIT)

    def broken(*_: object, **__: object) -> Answer:
        raise ValueError("canary")

    monkeypatch.setattr(statements, "ask", broken)
    one = over(Statements(opened).begin(ALICE, PERMIT, "SELECT 1"))
    assert (one.state, one.n_rows) == ("failed", None)
    said = capfd.readouterr().err
    assert ("ValueError" in said, "canary" in said) == (True, False)


def test_nothing_of_a_statement_is_in_what_it_looks_like(opened: Opened) -> None:
    one = over(Statements(opened).begin(ALICE, PERMIT, "SELECT 'canary'"))
    assert "canary" not in repr(one)
