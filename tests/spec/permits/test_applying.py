"""The life of an application for a permit, as a table: where it stands, what is done with it, where it stands then."""

from datetime import UTC, datetime
from itertools import product

import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAllowed
from enclos.permits.model import Application, Move, Stage
from enclos.permits.rules.applying import MOVES, check_mover, moves_of, next_stage

ALICE, CAROL = "alice@example.org", "carol@example.org"
NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


def application(stage: Stage) -> Application:
    return Application("0" * 16, ALICE, "permit: X", stage, ())


def test_the_table_is_total() -> None:
    assert {(stage, move) for stage in MOVES for move in MOVES[stage]} == set(product(Stage, Move))


@pytest.mark.parametrize(
    ("stage", "move", "after"),
    [
        (Stage.DRAFT, Move.KEEP, Stage.DRAFT),
        (Stage.DRAFT, Move.ASK, Stage.ASKED),
        (Stage.ASKED, Move.KEEP, Stage.ASKED),
        (Stage.ASKED, Move.GRANT, Stage.GRANTED),
        (Stage.ASKED, Move.REFUSE, Stage.REFUSED),
        (Stage.ASKED, Move.WITHDRAW, Stage.WITHDRAWN),
    ],
)
def test_an_application_lives(stage: Stage, move: Move, after: Stage) -> None:
    assert next_stage(stage, move) is after


@pytest.mark.parametrize(("stage", "move"), list(product([Stage.GRANTED, Stage.REFUSED, Stage.WITHDRAWN], Move)))
def test_what_was_decided_stays_decided(stage: Stage, move: Move) -> None:
    with pytest.raises(NotAllowed) as refused:
        next_stage(stage, move)
    assert refused.value.code is Code.APPLICATION_TRANSITION


@pytest.mark.parametrize(
    ("who", "of_the_body", "stage", "may"),
    [
        (ALICE, False, Stage.DRAFT, (Move.KEEP, Move.ASK, Move.WITHDRAW)),
        (ALICE, False, Stage.ASKED, (Move.WITHDRAW,)),
        (CAROL, True, Stage.ASKED, (Move.KEEP, Move.GRANT, Move.REFUSE)),
        (CAROL, True, Stage.DRAFT, ()),
        (CAROL, False, Stage.ASKED, ()),
        (ALICE, False, Stage.REFUSED, ()),
    ],
)
def test_who_may_do_what(who: str, of_the_body: bool, stage: Stage, may: tuple[Move, ...]) -> None:
    assert moves_of(application(stage), who, for_access_body=of_the_body) == may


def test_an_applicant_grants_nothing() -> None:
    with pytest.raises(NotAllowed) as refused:
        check_mover(application(Stage.ASKED), Move.GRANT, ALICE, for_access_body=False)
    assert refused.value.code is Code.APPLICATION_PERSON
