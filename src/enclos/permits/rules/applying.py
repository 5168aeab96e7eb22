"""The life of an application for a permit, as a table, and who may do what with it."""

from __future__ import annotations

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.permits.model import Application, Move, Permit, Stage

_END: dict[Move, Stage | None] = dict.fromkeys(Move)
MOVES: dict[Stage, dict[Move, Stage | None]] = {
    Stage.DRAFT: {
        Move.KEEP: Stage.DRAFT,
        Move.ASK: Stage.ASKED,
        Move.WITHDRAW: Stage.WITHDRAWN,
        Move.GRANT: None,
        Move.REFUSE: None,
    },
    Stage.ASKED: {
        Move.KEEP: Stage.ASKED,
        Move.ASK: None,
        Move.WITHDRAW: Stage.WITHDRAWN,
        Move.GRANT: Stage.GRANTED,
        Move.REFUSE: Stage.REFUSED,
    },
    Stage.GRANTED: _END,
    Stage.REFUSED: _END,
    Stage.WITHDRAWN: _END,
}
"""Where each move leads; None where it is refused."""

_OF_THE_ACCESS_BODY = frozenset({Move.GRANT, Move.REFUSE})


def next_stage(stage: Stage, move: Move) -> Stage:
    """The stage after the move.

    Refuses: APPLICATION_TRANSITION where the table has no arrow.
    """
    after = MOVES[stage][move]
    if after is None:
        raise refusal(
            Code.APPLICATION_TRANSITION,
            f"An application that is {stage.value} cannot take the move {move.value}.",
            "Look at it; what has ended is asked for anew.",
        )
    return after


def moves_of(application: Application, person: str, *, for_access_body: bool) -> tuple[Move, ...]:
    """What a person may do with an application as it stands, in the order of the list.

    A draft is its applicant's alone. From when it is asked for, the access body writes and decides; the applicant may
    take it back.
    """
    is_applicant = application.applicant == person
    return tuple(
        move
        for move, after in MOVES[application.stage].items()
        if after is not None and _may(application.stage, move, is_applicant=is_applicant, for_body=for_access_body)
    )


def _may(stage: Stage, move: Move, *, is_applicant: bool, for_body: bool) -> bool:
    if move in _OF_THE_ACCESS_BODY:
        return for_body
    if move is Move.KEEP and stage is Stage.ASKED:
        return for_body
    return is_applicant


def check_mover(application: Application, move: Move, person: str, *, for_access_body: bool) -> None:
    """Refuse a move that the stage does not have, or that is another person's to make.

    Refuses: APPLICATION_TRANSITION, APPLICATION_PERSON.
    """
    next_stage(application.stage, move)
    if move not in moves_of(application, person, for_access_body=for_access_body):
        raise refusal(
            Code.APPLICATION_PERSON,
            "This step is not this person's.",
            "The applicant writes and asks; the access body decides.",
        )


def check_granter(permit: Permit, person: str) -> None:
    """Refuse that somebody grants a permit under which they would work; capital letters make no other person.

    Refuses: APPLICATION_PERSON.
    """
    if person.strip().casefold() in {each.strip().casefold() for each in permit.involved_ids}:
        raise refusal(
            Code.APPLICATION_PERSON,
            "Who grants a permit is neither its user nor its investigator.",
            "Let another person of the access body decide.",
        )
